"""Hunks: the runs of lines in which one text differs from its base, and how far each can slide.

A pure insertion or deletion in repeated context has more than one true place: deleting the second of three
paragraphs takes the blank line before it or the one after it. Two edits meet only where no true places keep them
apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from promptstore.merge.matching import longest_common


@dataclass(frozen=True, slots=True, order=True)
class Hunk:
    """From line ``start`` of the base on, the lines ``old`` became ``new``."""

    start: int
    old: tuple[str, ...]
    new: tuple[str, ...]

    @property
    def end(self) -> int:
        return self.start + len(self.old)

    def meets(self, later: Hunk) -> bool:
        """Whether a hunk that does not start before this one gets in its way.

        As in git, hunks meet that overlap or touch. But a paragraph that is added or removed, with the blank line
        before or after it, only touches the next paragraph; and two that are removed may have that line in common.
        """
        if later.start < self.end:
            return bool(self.new or later.new) or not _blank(self.old[later.start - self.start :][: len(later.old)])
        return later.start == self.end and not self._parted(later)

    def _parted(self, later: Hunk) -> bool:
        unended = bool(self.new) and not self.new[-1].endswith("\n")
        if unended or not (self.old or later.old):
            return False
        return _blank(self._moving()[-1:]) or _blank(later._moving()[:1])

    def _moving(self) -> tuple[str, ...]:
        """What a pure insertion or deletion added or removed."""
        return () if self.old and self.new else self.old or self.new


def _blank(lines: Sequence[str]) -> bool:
    return bool(lines) and not any(line.strip() for line in lines)


@dataclass(frozen=True, slots=True)
class Edit:
    """One hunk in its highest and in its lowest place."""

    high: Hunk
    low: Hunk

    def rivals(self, other: Edit) -> bool:
        """Whether both only add lines, at one place, but not the same ones."""
        adding = not (self.low.old or other.low.old)
        return adding and self != other and self.high.start <= other.low.start and other.high.start <= self.low.start


@dataclass(frozen=True, slots=True)
class _Span:
    """``base[start:end]`` became ``side[begin:stop]``."""

    start: int
    end: int
    begin: int
    stop: int

    def moved(self, lines: int) -> _Span:
        return _Span(self.start + lines, self.end + lines, self.begin + lines, self.stop + lines)


def edits(base: Sequence[str], side: Sequence[str]) -> list[Edit]:
    """What turns ``base`` into ``side``, from the top down; wherever they slide, a line stays between them."""
    spans = list(_spans(_matches(base, side), len(base), len(side)))
    high = _slid_up(spans, base, side)
    low = _slid_down(spans, base, side)
    return [Edit(_hunk(up, base, side), _hunk(down, base, side)) for up, down in zip(high, low, strict=True)]


def _matches(base: Sequence[str], side: Sequence[str]) -> Iterator[tuple[int, int]]:
    """The lines that stayed: of those with words as many as can be, and then blank ones between them."""
    left, right = _with_words(base), _with_words(side)
    anchors = longest_common([base[index] for index in left], [side[index] for index in right])
    start = begin = 0
    for end, stop in [*((left[first], right[second]) for first, second in anchors), (len(base), len(side))]:
        for first, second in longest_common(base[start:end], side[begin:stop]):
            yield first + start, second + begin
        if end < len(base):
            yield end, stop
        start, begin = end + 1, stop + 1


def _with_words(lines: Sequence[str]) -> list[int]:
    return [index for index, line in enumerate(lines) if line.strip()]


def _hunk(span: _Span, base: Sequence[str], side: Sequence[str]) -> Hunk:
    return Hunk(span.start, tuple(base[span.start : span.end]), tuple(side[span.begin : span.stop]))


def _spans(matches: Iterable[tuple[int, int]], base_size: int, side_size: int) -> Iterator[_Span]:
    start = begin = 0
    for end, stop in [*matches, (base_size, side_size)]:
        if start < end or begin < stop:
            yield _Span(start, end, begin, stop)
        start, begin = end + 1, stop + 1


def _slid_up(spans: Sequence[_Span], base: Sequence[str], side: Sequence[str]) -> list[_Span]:
    slid: list[_Span] = []
    for span in spans:
        floor = slid[-1].end + 1 if slid else 0
        slid.append(span.moved(-_room_up(span, floor, base, side)))
    return slid


def _slid_down(spans: Sequence[_Span], base: Sequence[str], side: Sequence[str]) -> list[_Span]:
    slid: list[_Span] = []
    for span in reversed(spans):
        ceiling = slid[-1].start - 1 if slid else len(base)
        slid.append(span.moved(_room_down(span, ceiling, base, side)))
    return slid[::-1]


def _room_up(span: _Span, floor: int, base: Sequence[str], side: Sequence[str]) -> int:
    text, start, end = _moving(span, base, side)
    room = 0
    while end > start and span.start - room > floor and text[start - room - 1] == text[end - room - 1]:
        room += 1
    return room


def _room_down(span: _Span, ceiling: int, base: Sequence[str], side: Sequence[str]) -> int:
    text, start, end = _moving(span, base, side)
    room = 0
    while end > start and span.end + room < ceiling and text[start + room] == text[end + room]:
        room += 1
    return room


def _moving(span: _Span, base: Sequence[str], side: Sequence[str]) -> tuple[Sequence[str], int, int]:
    """The text in which a pure insertion or deletion slides, and its place there; empty where it cannot."""
    if span.start == span.end:
        return side, span.begin, span.stop
    if span.begin == span.stop:
        return base, span.start, span.end
    return base, 0, 0
