"""Hunks: the runs of lines in which one text differs from its base, and how far each can slide.

A pure insertion or deletion in repeated context has more than one true place: deleting the second of three
paragraphs takes the blank line before it or the one after it. Two edits meet only where no true places keep them
apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from promptstore.merge.matching import longest_common


@dataclass(frozen=True, slots=True, order=True)
class Hunk:
    """``base[start:end]`` became ``lines``."""

    start: int
    end: int
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Edit:
    """One hunk in its highest and in its lowest place."""

    high: Hunk
    low: Hunk


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
    spans = list(_spans(longest_common(base, side), len(base), len(side)))
    high = _slid_up(spans, base, side)
    low = _slid_down(spans, base, side)
    return [Edit(_hunk(up, side), _hunk(down, side)) for up, down in zip(high, low, strict=True)]


def _hunk(span: _Span, side: Sequence[str]) -> Hunk:
    return Hunk(span.start, span.end, tuple(side[span.begin : span.stop]))


def _spans(matches: Sequence[tuple[int, int]], base_size: int, side_size: int) -> Iterator[_Span]:
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
