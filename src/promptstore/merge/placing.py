"""Where each item of a merged list stands.

Items that both sides kept give the places between which the others lie. An addition stands between the same
neighbours as on its own side. Two additions at one place are both kept, each side's run in one piece, the run with
the smaller canonical JSON first: so it does not matter who merges.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from promptstore.merge.lineage import Line
from promptstore.merge.matching import longest_common
from promptstore.merge.order import merge_order, moved
from promptstore.merge.text import Side
from promptstore.merge.values import Json
from promptstore.model.digest import canonical_json


@dataclass(frozen=True, slots=True)
class Entry:
    """An item that is in the result."""

    line: Line
    value: Json

    @property
    def token(self) -> Hashable:
        """Additions with equal tokens at one place are one addition."""
        alone = self.line.base is None and (self.line.ours is None or self.line.theirs is None)
        return canonical_json(self.value) if alone else self.line


Run = list[Entry]
Runs = dict[int, Run]
"""Gap → the items there that one side put there. Gap n lies before the n-th common item, the last one behind all."""


def place(entries: Sequence[Entry]) -> list[Json] | None:
    """The values in their merged order; None where the two sides' moves contradict each other."""
    common = [entry for entry in entries if entry.line.common]
    numbers = {entry.line: number for number, entry in enumerate(common)}
    sides = [_present(entries, "ours"), _present(entries, "theirs")]
    ours, theirs = ([numbers[entry.line] for entry in side if entry.line.common] for side in sides)
    merged = merge_order(ours, theirs)
    if merged is None:
        return None
    spots = {number: spot for spot, number in enumerate(merged)}
    mine = _runs(sides[0], numbers, _Ground(spots, moved(theirs) - moved(ours)))
    other = _runs(sides[1], numbers, _Ground(spots, moved(ours) - moved(theirs)))
    laid_out = _laid_out([common[number] for number in merged], mine, other)
    return [entry.value for entry in _once(laid_out)]


def _present(entries: Sequence[Entry], side: Side) -> Run:
    here = [(index, entry) for entry in entries if (index := getattr(entry.line, side)) is not None]
    return [entry for _, entry in sorted(here, key=lambda pair: pair[0])]


@dataclass(frozen=True, slots=True)
class _Ground:
    """Where the common items came to stand, and which of them the other side moved."""

    spots: Mapping[int, int]
    moved: frozenset[int]

    def gap(self, before: int | None, after: int | None) -> tuple[int, int]:
        """The gap for what stood between two common items: beside the one that stayed, the first if both did."""
        if before not in self.moved or after in self.moved:
            return (0 if before is None else self.spots[before] + 1), 0
        return (len(self.spots) if after is None else self.spots[after]), 1


def _runs(side: Run, numbers: Mapping[Line, int], ground: _Ground) -> Runs:
    found: list[tuple[tuple[int, int], Run]] = []
    before: int | None = None
    for after, run in _between(side, numbers):
        found.append((ground.gap(before, after), run))
        before = after
    runs: Runs = defaultdict(list)
    for (gap, _), run in sorted(found, key=lambda pair: pair[0]):
        runs[gap] += run
    return runs


def _between(side: Run, numbers: Mapping[Line, int]) -> Iterator[tuple[int | None, Run]]:
    run: Run = []
    for entry in side:
        if entry.line.common:
            yield numbers[entry.line], run
            run = []
        else:
            run.append(entry)
    yield None, run


def _laid_out(common: Run, ours: Runs, theirs: Runs) -> Iterator[Entry]:
    for gap in range(len(common) + 1):
        yield from _meshed(*_in_own_order(ours.get(gap, []), theirs.get(gap, [])))
        yield from common[gap : gap + 1]


def _once(entries: Iterable[Entry]) -> Iterator[Entry]:
    """What both sides added with one id, but around others in another order, stays at the first of its two places."""
    told: set[Line] = set()
    for entry in entries:
        if entry.line not in told:
            told.add(entry.line)
            yield entry


def _in_own_order(ours: Run, theirs: Run) -> list[Run]:
    """The run with the smaller canonical JSON first."""
    return sorted([ours, theirs], key=lambda run: canonical_json([entry.value for entry in run]))


def _meshed(first: Run, second: Run) -> Iterator[Entry]:
    """Both runs, what they share once. Where that could be either of two items, the order of the runs decides."""
    shared = longest_common([entry.token for entry in first], [entry.token for entry in second])
    start = begin = 0
    for end, stop in [*shared, (len(first), len(second))]:
        for run in _in_own_order(first[start:end], second[begin:stop]):
            yield from run
        yield from first[end : end + 1]
        start, begin = end + 1, stop + 1
