"""What became of each item of a list on either side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from promptstore.merge.alignment import Kinship, align, numbered_keys
from promptstore.merge.values import ABSENT, Json, Three, Value

Items = Sequence[Json]


@dataclass(frozen=True, slots=True)
class Line:
    """One item's positions in the base and on both sides; None where it is not there."""

    base: int | None
    ours: int | None
    theirs: int | None
    common: bool
    """Whether both sides have it from one origin, so that it marks a place in both."""

    def three(self, base: Items, ours: Items, theirs: Items) -> Three:
        return Three(_at(base, self.base), _at(ours, self.ours), _at(theirs, self.theirs))


def _at(items: Items, index: int | None) -> Value:
    return ABSENT if index is None else items[index]


def trace(base: Items, ours: Items, theirs: Items, kinship: Kinship) -> list[Line]:
    """Every item of the three lists once: the base's in its order, then what was added."""
    to_ours, to_theirs = align(base, ours, kinship), align(base, theirs, kinship)
    kept = [
        Line(index, to_ours.get(index), to_theirs.get(index), index in to_ours and index in to_theirs)
        for index in range(len(base))
    ]
    new_ours = _keys_of_added(ours, to_ours, kinship)
    new_theirs = _keys_of_added(theirs, to_theirs, kinship)
    return [*kept, *_added(new_ours, new_theirs)]


_Key = tuple[str, int]


def _keys_of_added(side: Items, found: dict[int, int], kinship: Kinship) -> dict[int, _Key | None]:
    keys = {index: key for key, index in numbered_keys(side, kinship)}
    taken = frozenset(found.values())
    return {index: keys.get(index) for index in range(len(side)) if index not in taken}


def _added(ours: dict[int, _Key | None], theirs: dict[int, _Key | None]) -> Iterator[Line]:
    by_key = {key: index for index, key in theirs.items() if key}
    pairs = {index: by_key[key] for index, key in ours.items() if key in by_key}
    yield from (Line(None, index, pairs.get(index), common=False) for index in ours)
    paired = frozenset(pairs.values())
    yield from (Line(None, None, index, common=False) for index in theirs if index not in paired)


def trace_without_base(ours: Items, theirs: Items, kinship: Kinship) -> list[Line] | None:
    """The same where nothing is known of the past; None where nobody can say what was added and what removed.

    Items with ids of their own can be told: what only one side has was added there.
    """
    pairs = align(ours, theirs, kinship)
    places = [pairs[index] for index in sorted(pairs)]
    complete = len(pairs) == len(ours) == len(theirs)
    if places != sorted(places) or not (complete or kinship.by_key_only):
        return None
    mine = [Line(None, index, pairs.get(index), index in pairs) for index in range(len(ours))]
    other = (index for index in range(len(theirs)) if index not in places)
    return [*mine, *(Line(None, None, index, common=False) for index in other)]
