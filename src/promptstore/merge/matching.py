"""Longest common subsequences of two lists of hashable items, exact and fast.

The bit-parallel algorithm (Crochemore et al. 2001, Hyyrö 2004) holds one row of the dynamic programme in one integer,
so that a row costs a few operations on whole machine words: 2,000 by 2,000 items take milliseconds whatever they are.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence

Match = tuple[int, int]

MAX_CELLS = 400_000_000
"""Largest exact table, in bits. Beyond it the lists are cut at their unique common items first."""


def longest_common(left: Sequence[Hashable], right: Sequence[Hashable]) -> list[Match]:
    """Pairs of positions of equal items, rising in both lists; as many as there can be.

    Only for lists whose product of lengths passes ``MAX_CELLS`` may there be fewer than possible.
    """
    head = common_prefix(left, right)
    tail = common_suffix(left, right, head)
    inner = _inner(left[head : len(left) - tail], right[head : len(right) - tail])
    return [
        *((index, index) for index in range(head)),
        *((first + head, second + head) for first, second in inner),
        *((len(left) - back, len(right) - back) for back in range(tail, 0, -1)),
    ]


def common_prefix(left: Sequence[Hashable], right: Sequence[Hashable]) -> int:
    """How many items both begin with."""
    limit = min(len(left), len(right))
    return next((index for index in range(limit) if left[index] != right[index]), limit)


def common_suffix(left: Sequence[Hashable], right: Sequence[Hashable], head: int) -> int:
    """How many items both end with, the first ``head`` of each left out."""
    limit = min(len(left), len(right)) - head
    return next((back for back in range(limit) if left[-1 - back] != right[-1 - back]), limit)


def _inner(left: Sequence[Hashable], right: Sequence[Hashable]) -> list[Match]:
    if len(left) * len(right) <= MAX_CELLS:
        return _exact(left, right)
    return list(_between_anchors(left, right))


def _exact(left: Sequence[Hashable], right: Sequence[Hashable]) -> list[Match]:
    rows = _rows(left, right)
    matches: list[Match] = []
    column, row = len(left), len(right)
    while column and row:
        bit = 1 << (column - 1)
        if rows[row] & bit:
            column -= 1
        elif rows[row - 1] & bit:
            matches.append((column - 1, row - 1))
            column, row = column - 1, row - 1
        else:
            row -= 1
    return matches[::-1]


def _rows(left: Sequence[Hashable], right: Sequence[Hashable]) -> list[int]:
    """Row ``j``: bit ``i`` is 0 where ``left[i]`` lengthens the common subsequence with ``right[:j]``."""
    places: dict[Hashable, int] = {}
    for index, item in enumerate(left):
        places[item] = places.get(item, 0) | (1 << index)
    full = (1 << len(left)) - 1
    rows = [full]
    row = full
    for item in right:
        hits = row & places.get(item, 0)
        row = ((row + hits) | (row - hits)) & full
        rows.append(row)
    return rows


def _between_anchors(left: Sequence[Hashable], right: Sequence[Hashable]) -> Iterator[Match]:
    """Patience: unique common items in order are fixed, and what lies between them is matched on its own."""
    at_left = at_right = 0
    for stop_left, stop_right in [*_anchors(left, right), (len(left), len(right))]:
        if (stop_left - at_left) * (stop_right - at_right) <= MAX_CELLS:
            gap = _exact(left[at_left:stop_left], right[at_right:stop_right])
            yield from ((first + at_left, second + at_right) for first, second in gap)
        if stop_left < len(left):
            yield stop_left, stop_right
        at_left, at_right = stop_left + 1, stop_right + 1


def _anchors(left: Sequence[Hashable], right: Sequence[Hashable]) -> list[Match]:
    often_left, often_right = Counter(left), Counter(right)
    where = {item: index for index, item in enumerate(right) if often_right[item] == 1}
    pairs = [(index, where[item]) for index, item in enumerate(left) if often_left[item] == 1 and item in where]
    return [pairs[index] for index in longest_increasing([second for _, second in pairs])]


def longest_increasing(numbers: Sequence[int]) -> list[int]:
    """Positions of a longest strictly increasing subsequence of distinct numbers."""
    tails: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for index, number in enumerate(numbers):
        length = bisect_left(tails, number)
        before.append(ends[length - 1] if length else -1)
        tails[length : length + 1] = [number]
        ends[length : length + 1] = [index]
    chain: list[int] = []
    index = ends[-1] if ends else -1
    while index >= 0:
        chain.append(index)
        index = before[index]
    return chain[::-1]


def increasing_lengths(numbers: Sequence[int]) -> list[int]:
    """For each position the length of a longest strictly increasing subsequence that ends there."""
    tails: list[int] = []
    lengths: list[int] = []
    for number in numbers:
        length = bisect_left(tails, number)
        tails[length : length + 1] = [number]
        lengths.append(length + 1)
    return lengths
