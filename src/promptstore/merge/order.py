"""Three-way merge of an order: which of the common items come before which.

An order is told by its swaps: the pairs that stand the other way round than in the base. The merged order holds the
swaps of both sides and as few more as it can: the join of two permutations in the weak order, which always exists.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from promptstore.merge.matching import increasing_lengths, longest_increasing

Order = Sequence[int]
"""The numbers 0 to n - 1, which is the base's order, in some order."""


def merge_order(ours: Order, theirs: Order) -> Order | None:
    """The order with both sides' swaps; None where both moved one item, to different places."""
    if ours == theirs or _rising(theirs):
        return ours
    if _rising(ours):
        return theirs
    return None if _moved_apart(ours, theirs) else _joined(ours, theirs)


def moved(order: Order) -> frozenset[int]:
    """The fewest items whose moves explain the order; there may be other explanations."""
    stayed = {order[index] for index in longest_increasing(order)}
    return frozenset(order) - stayed


def _rising(order: Order) -> bool:
    return list(order) == sorted(order)


def _moved_apart(ours: Order, theirs: Order) -> bool:
    mine, other = _surely_moved(ours), _surely_moved(theirs)
    counted = ~_mask(mine ^ other)
    passed, also = _passed(ours), _passed(theirs)
    return any((passed[item] ^ also[item]) & counted for item in mine & other)


def _surely_moved(order: Order) -> frozenset[int]:
    """The items that every explanation with the fewest moves has moved."""
    up_to = increasing_lengths(order)
    down_to = increasing_lengths([-number for number in reversed(order)])[::-1]
    longest = max(up_to)
    chains = zip(order, up_to, down_to, strict=True)
    return frozenset(item for item, before, after in chains if before + after - 1 < longest)


def _mask(items: frozenset[int]) -> int:
    return sum(1 << item for item in items)


def _passed(order: Order) -> list[int]:
    """For each item, as bits, the items that stand on its other side than before."""
    passed = [0] * len(order)
    for first, second in combinations(order, 2):
        if first > second:
            passed[first] |= 1 << second
            passed[second] |= 1 << first
    return passed


def _joined(ours: Order, theirs: Order) -> Order:
    size = len(ours)
    swaps = [mine | other for mine, other in zip(_passed(ours), _passed(theirs), strict=True)]
    ahead = [0] * size
    for item in reversed(range(size)):
        for larger in range(item + 1, size):
            if swaps[item] >> larger & 1:
                ahead[item] |= 1 << larger | ahead[larger]
    spots = [ahead[item].bit_count() + _not_behind(item, ahead) for item in range(size)]
    return sorted(range(size), key=spots.__getitem__)


def _not_behind(item: int, ahead: Sequence[int]) -> int:
    """How many smaller items still come before ``item``."""
    return sum(not ahead[smaller] >> item & 1 for smaller in range(item))
