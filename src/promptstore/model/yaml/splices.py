"""Replacing stretches of a text, and finding one's way in its lines."""

from __future__ import annotations

import re
from typing import NamedTuple

_BREAK = re.compile(r"[\r\n]")
_COLON = re.compile(r"[ \t]*(?:\n *)?:")


class CannotSpliceError(Exception):
    """The text is laid out in a way that this kind of edit does not know."""


class Splice(NamedTuple):
    start: int
    end: int
    text: str


def apply(text: str, splices: list[Splice]) -> str:
    """``text`` with all splices made. Those at one place come in the order given; overlaps are refused."""
    made, at = [], 0
    for start, end, new in sorted(splices, key=lambda splice: (splice.start, splice.end)):
        if start < at:
            raise CannotSpliceError
        made += [text[at:start], new]
        at = end
    return "".join([*made, text[at:]])


def line_start(text: str, index: int) -> int:
    start = text.rfind("\n", 0, index) + 1
    return max(start, text.rfind("\r", start, index) + 1)


def line_end(text: str, index: int) -> int:
    """Where the line of ``index`` ends, before its line break."""
    found = _BREAK.search(text, index)
    return found.start() if found else len(text)


def next_line(text: str, index: int) -> int:
    """Where the line after the line of ``index`` begins; the text's end where there is none."""
    end = line_end(text, index)
    return end + 2 if text.startswith("\r\n", end) else min(end + 1, len(text))


def after_colon(text: str, key_end: int) -> int | None:
    """The index after the colon of a key that ends at ``key_end``; None where no colon follows."""
    found = _COLON.match(text, key_end)
    return found.end() if found else None


def past_blank_lines(text: str, index: int) -> int:
    """The end of the line of ``index``, or of the last blank line right below it."""
    end = line_end(text, index)
    while (start := next_line(text, end)) < len(text) and not text[start : line_end(text, start)].strip(" "):
        end = line_end(text, start)
    return end


def past_inner_comments(text: str, index: int, column: int) -> int:
    """The end of the line of ``index``, or of the comments right below it that are indented deeper than ``column``."""
    end = line_end(text, index)
    while (start := next_line(text, end)) > end and start < len(text):
        line = text[start : line_end(text, start)]
        depth = len(line) - len(line.lstrip(" "))
        if depth <= column or not line.lstrip(" ").startswith("#"):
            break
        end = start + len(line)
    return end


def before_own_comments(text: str, index: int) -> int:
    """The start of the comments right above the line of ``index`` and in its column; ``index`` where there are none.

    Comments that begin the file are its header and stay above.
    """
    start = line_start(text, index)
    column, first = index - start, index
    while start > 0:
        above = line_start(text, start - 1)
        line = text[above : line_end(text, above)]
        if line[: column + 1] != " " * column + "#":
            return first
        start, first = above, above + column
    return index
