"""Which item of one list is which of another: by its own id, else by likeness in order, else moved, else by place."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from promptstore.merge.likeness import likeness, words
from promptstore.merge.matching import common_prefix, common_suffix, longest_common
from promptstore.merge.values import Json
from promptstore.model.digest import canonical_json

ALIKE = 0.4
"""Likeness from which two items of one kind are the same item, edited."""
ALIKE_ELSEWHERE = 0.6
"""The same for an item that also moved."""
ALIKE_OF_OTHER_KIND = 0.8
"""The same where the kind (a message's role) changed."""
EQUAL = 2.0
"""What an equal pair weighs against pairs that are only alike (1 at most)."""
MAX_PAIRS = 20_000
"""How many pairs are compared by their words; longer runs are told apart by equality and place alone."""


@dataclass(frozen=True, slots=True)
class Kinship:
    """What makes items of a list the same item."""

    kind: Callable[[Json], str]
    key: Callable[[Json], str | None]
    """The item's own id, None where it has none."""
    by_key_only: bool = False
    """An item with an id is the same as one with that id, and as no other."""


Alignment = dict[int, int]


@dataclass(frozen=True)
class _Item:
    index: int
    value: Json
    kind: str

    @cached_property
    def text(self) -> str:
        return canonical_json(self.value)

    @cached_property
    def words(self) -> Counter[str]:
        return words(self.value)


_Items = Sequence[_Item]


def align(left: Sequence[Json], right: Sequence[Json], kinship: Kinship) -> Alignment:
    """Position in ``left`` → position in ``right`` of the items that are the same; each at most once."""
    found = _by_key(left, right, kinship)
    mine, other = _items(left, kinship), _items(right, kinship)
    for find in (_in_order, _moved):
        found |= find(_without(mine, found), _without(other, frozenset(found.values())))
    return found | _by_place(mine, other, found)


def _items(values: Sequence[Json], kinship: Kinship) -> list[_Item]:
    """The items to be told by their likeness."""
    return [
        _Item(index, value, kinship.kind(value))
        for index, value in enumerate(values)
        if not kinship.by_key_only or kinship.key(value) is None
    ]


def _without(items: _Items, taken: Container[int]) -> list[_Item]:
    return [item for item in items if item.index not in taken]


def _by_key(left: Sequence[Json], right: Sequence[Json], kinship: Kinship) -> Alignment:
    places = dict(numbered_keys(right, kinship))
    return {index: places[key] for key, index in numbered_keys(left, kinship) if key in places}


def numbered_keys(values: Sequence[Json], kinship: Kinship) -> Iterator[tuple[tuple[str, int], int]]:
    """The ids with their positions; an id that occurs again is told apart by its number."""
    seen: Counter[str] = Counter()
    for index, value in enumerate(values):
        key = kinship.key(value)
        if key is not None:
            seen[key] += 1
            yield (key, seen[key]), index


def _in_order(mine: _Items, other: _Items) -> Alignment:
    found: Alignment = {}
    start = begin = 0
    for end, stop in [*_equal_in_order(mine, other), (len(mine), len(other))]:
        found |= _best(mine[start:end], other[begin:stop])
        if end < len(mine):
            found[mine[end].index] = other[stop].index
        start, begin = end + 1, stop + 1
    return found


def _equal_in_order(mine: _Items, other: _Items) -> list[tuple[int, int]]:
    """Equal items to build on: those both lists begin and end with, of very long lists all there are."""
    left, right = [item.text for item in mine], [item.text for item in other]
    head = common_prefix(left, right)
    tail = common_suffix(left, right, head)
    if (len(left) - head - tail) * (len(right) - head - tail) > MAX_PAIRS:
        return longest_common(left, right)
    ends = [(len(left) - back, len(right) - back) for back in range(tail, 0, -1)]
    return [*((index, index) for index in range(head)), *ends]


def _best(mine: _Items, other: _Items) -> Alignment:
    """The pairs in order that weigh most together (Needleman and Wunsch)."""
    if not mine or not other or len(mine) * len(other) > MAX_PAIRS:
        return {}
    weights = [[_weight(one, another) for another in other] for one in mine]
    return {mine[row].index: other[column].index for row, column in _heaviest(weights)}


def _weight(one: _Item, other: _Item) -> float:
    if one.text == other.text:
        return EQUAL
    alike = likeness(one.words, other.words)
    if one.kind == other.kind:
        return alike if alike >= ALIKE else 0.0
    return alike / 2 if alike >= ALIKE_OF_OTHER_KIND else 0.0


def _heaviest(weights: Sequence[Sequence[float]]) -> Iterator[tuple[int, int]]:
    totals = _totals(weights)
    row = column = 0
    while row < len(weights) and column < len(weights[0]):
        rest = totals[row][column]
        if rest == totals[row + 1][column]:
            row += 1
        elif rest == totals[row][column + 1]:
            column += 1
        else:
            yield row, column
            row, column = row + 1, column + 1


def _totals(weights: Sequence[Sequence[float]]) -> list[list[float]]:
    """Cell (row, column): the most that the pairs from there on can weigh."""
    totals = [[0.0] * (len(weights[0]) + 1) for _ in range(len(weights) + 1)]
    for row in reversed(range(len(weights))):
        for column in reversed(range(len(weights[0]))):
            pair = totals[row + 1][column + 1] + weights[row][column]
            totals[row][column] = max(pair, totals[row + 1][column], totals[row][column + 1])
    return totals


def _moved(mine: _Items, other: _Items) -> Alignment:
    """Greedily, the most alike first; of equals the first."""
    pairs = [(-weight, one.index, another.index) for one, another, weight in _candidates(mine, other)]
    found: Alignment = {}
    taken: set[int] = set()
    for _, index, place in sorted(pairs):
        if index not in found and place not in taken:
            found[index] = place
            taken.add(place)
    return found


def _candidates(mine: _Items, other: _Items) -> Iterator[tuple[_Item, _Item, float]]:
    by_words = len(mine) * len(other) <= MAX_PAIRS
    for one in mine:
        for another in other:
            if one.text == another.text:
                yield one, another, EQUAL
            elif by_words and one.kind == another.kind:
                alike = likeness(one.words, another.words)
                if alike >= ALIKE_ELSEWHERE:
                    yield one, another, alike


def _by_place(mine: _Items, other: _Items, found: Alignment) -> Alignment:
    """Between the same neighbours, as many items of a kind as before are those items rewritten."""
    placed: Alignment = {}
    taken = frozenset(found.values())
    rest, left_over = _without(mine, found), _without(other, taken)
    points = [(-1, -1), *sorted(found.items()), (math.inf, math.inf)]
    for (start, begin), (end, stop) in pairwise(points):
        if rest and end - start > 1 and not any(begin < place < stop for place in taken):
            left = [item for item in rest if start < item.index < end]
            placed |= _of_a_kind(left, [item for item in left_over if begin < item.index < stop])
    return placed


def _of_a_kind(left: _Items, right: _Items) -> Alignment:
    pairs: Alignment = {}
    for kind in {item.kind for item in left}:
        mine = [item.index for item in left if item.kind == kind]
        other = [item.index for item in right if item.kind == kind]
        if len(mine) == len(other):
            pairs |= dict(zip(mine, other, strict=True))
    return pairs
