"""Which old item each new one continues: equal ones first, then what stands at the same place and is of one kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from difflib import SequenceMatcher
from typing import Any

from promptstore.errors import NotRepresentable
from promptstore.model.digest import canonical_json

Item = dict[str, Any]


def counterparts(
    wires: Sequence[Item],
    olds: Sequence[Item],
    project: Callable[[Item], Item],
    kind: Callable[[Item], object],
) -> list[Item | None]:
    """For each wire object the old one that it is a later state of, or None. The order is never crossed.

    ``project`` gives an old item's wire object, ``kind`` tells (of either) what an edit does not change.
    """
    found: list[Item | None] = [None] * len(wires)
    for old_place, place in _pairs(wires, olds, project, kind):
        found[place] = olds[old_place]
    return found


def _pairs(
    wires: Sequence[Item],
    olds: Sequence[Item],
    project: Callable[[Item], Item],
    kind: Callable[[Item], object],
) -> Iterator[tuple[int, int]]:
    before = [_mark(old, project, place) for place, old in enumerate(olds)]
    after = [canonical_json(wire) for wire in wires]
    for tag, old_start, old_end, start, end in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal":
            yield from zip(range(old_start, old_end), range(start, end), strict=True)
        elif tag == "replace":
            yield from _by_kind(range(old_start, old_end), range(start, end), olds, wires, kind)


def _mark(old: Item, project: Callable[[Item], Item], place: int) -> str:
    try:
        return canonical_json(project(old))
    except NotRepresentable:
        return f"nothing like it: {place}"


def _by_kind(
    old_places: range,
    places: range,
    olds: Sequence[Item],
    wires: Sequence[Item],
    kind: Callable[[Item], object],
) -> Iterator[tuple[int, int]]:
    start = 0
    for place in places:
        for offset in range(start, len(old_places)):
            if kind(olds[old_places[offset]]) == kind(wires[place]):
                yield old_places[offset], place
                start = offset + 1
                break
