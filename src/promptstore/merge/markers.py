"""Git's conflict markers around the lines in which two variants of one file differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from promptstore.merge.hunks import Hunk, edits
from promptstore.merge.text import split_lines


@dataclass(frozen=True, slots=True)
class _Region:
    """Lines ``start`` to ``end`` of our variant, with the hunks in which their variant differs there."""

    start: int
    end: int
    hunks: tuple[Hunk, ...] = ()

    def meets(self, later: _Region) -> bool:
        return later.start < self.end or later.start == self.start

    def joined(self, later: _Region) -> _Region:
        return _Region(self.start, max(self.end, later.end), self.hunks + later.hunks)


def mark(ours: str, theirs: str, whole: Sequence[str] = ()) -> str:
    """``ours`` with conflict markers where ``theirs`` differs; taking one side everywhere gives that text again.

    ``whole`` are variants of ``ours`` that differ in one field each: the lines of such a field stay in one piece.
    """
    lines = _ended(split_lines(ours))
    regions = [_Region(hunk.start, hunk.end, (hunk,)) for hunk in _hunks(lines, theirs)]
    fields = [region for text in whole for region in _span(_hunks(lines, text))]
    return "".join(_marked(lines, _separate([*regions, *fields])))


def _ended(lines: list[str]) -> list[str]:
    """A marker needs a line of its own, even after a last line without a line break."""
    return [*lines[:-1], lines[-1].rstrip("\n") + "\n"] if lines else []


def _hunks(lines: Sequence[str], other: str) -> list[Hunk]:
    return [edit.high for edit in edits(lines, _ended(split_lines(other)))]


def _span(hunks: Sequence[Hunk]) -> Iterator[_Region]:
    if hunks:
        yield _Region(hunks[0].start, hunks[-1].end)


def _separate(regions: Sequence[_Region]) -> list[_Region]:
    apart: list[_Region] = []
    for region in sorted(regions, key=lambda region: (region.start, region.end)):
        if apart and apart[-1].meets(region):
            apart[-1] = apart[-1].joined(region)
        else:
            apart.append(region)
    return apart


def _marked(lines: Sequence[str], regions: Sequence[_Region]) -> Iterator[str]:
    end = "\r\n" if lines and lines[0].endswith("\r\n") else "\n"
    at = 0
    for region in regions:
        yield from lines[at : region.start]
        yield from _conflict(lines, region, end) if region.hunks else lines[region.start : region.end]
        at = region.end
    yield from lines[at:]


def _conflict(lines: Sequence[str], region: _Region, end: str) -> Iterator[str]:
    yield f"<<<<<<< ours{end}"
    yield from lines[region.start : region.end]
    yield f"======={end}"
    at = region.start
    for hunk in region.hunks:
        yield from (*lines[at : hunk.start], *hunk.new)
        at = hunk.end
    yield from lines[at : region.end]
    yield f">>>>>>> theirs{end}"
