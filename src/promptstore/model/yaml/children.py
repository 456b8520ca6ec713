"""Taking children out of a collection, and putting new ones in, without touching the others."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from promptstore.model.yaml.nodes import Mapping
from promptstore.model.yaml.nodes import Sequence as SequenceNode
from promptstore.model.yaml.splices import (
    CannotSpliceError,
    Splice,
    before_own_comments,
    line_end,
    line_start,
    next_line,
    past_inner_comments,
)

_COMMENT = re.compile(r"(?:^|\s)#")
_COMMA = re.compile(r"[ \t]*,")


class Span(NamedTuple):
    """A child: from its key or dash to the end of its value."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Changes:
    """What becomes of a collection's children; ``added`` holds new ones by the child they follow (-1: none)."""

    spans: Sequence[Span]
    kept: Sequence[bool]
    added: dict[int, list[list[str]]] = field(default_factory=dict)
    """Each new child as its lines, the first one beginning at the key or dash."""

    @property
    def survivors(self) -> list[int]:
        return [index for index, keep in enumerate(self.kept) if keep]


def spans_of(text: str, node: Mapping | SequenceNode) -> list[Span]:
    """Where the children of a collection stand."""
    if isinstance(node, Mapping):
        return [Span(_key_start(text, key.start), value.end) for key, value in node.entries]
    if node.flow:
        return [Span(item.start, item.end) for item in node.items]
    spans: list[Span] = []
    for item in node.items:
        dash = _dash(text, spans[-1].end, item.start, node.column - 1) if spans else node.start
        spans.append(Span(dash, item.end))
    return spans


def _key_start(text: str, start: int) -> int:
    before = text[:start].rstrip(" ") if text[start - 2 : start] == "? " else ""
    return len(before) - 1 if before.endswith("?") else start


def _dash(text: str, start: int, end: int, column: int) -> int:
    while (start := next_line(text, start)) <= end:
        line = text[start : line_end(text, start)]
        if line[: column + 1] == " " * column + "-":
            return start + column
    raise CannotSpliceError


def change_block(text: str, column: int, changes: Changes) -> list[Splice]:
    """The splices of a block collection whose keys or dashes stand in ``column`` (from 0)."""
    indent = " " * column
    splices = _removed_lines(text, changes)
    for anchor, children in sorted(changes.added.items()):
        lines = [line for child in children for line in child]
        shifted = [indent + line if line else line for line in lines]
        if anchor >= 0:
            at = past_inner_comments(text, changes.spans[anchor].end, column)
            splices.append(Splice(at, at, "".join("\n" + line for line in shifted)))
        else:
            at = before_own_comments(text, changes.spans[changes.survivors[0]].start)
            splices.append(Splice(at, at, "\n".join(shifted)[column:] + "\n" + indent))
    return splices


def _removed_lines(text: str, changes: Changes) -> list[Splice]:
    spans, splices = changes.spans, []
    kept = list(changes.kept)
    first = changes.survivors[0]
    compact = text[line_start(text, spans[0].start) : spans[0].start].strip(" ") != ""
    between = (text[line_end(text, spans[i].end) : spans[i + 1].start] for i in range(first))
    if compact and first > 0 and any(map(_COMMENT.search, between)):
        dash = len(text[: spans[0].start].rstrip(" "))
        splices.append(Splice(dash, line_end(text, spans[0].end), ""))
        kept[0] = True  # done
    elif compact and first > 0:
        splices.append(Splice(spans[0].start, spans[first].start, ""))
        kept[:first] = [True] * first
    for index, span in enumerate(spans):
        if not kept[index]:
            splices.append(_removed_line(text, span))
    return splices


def _removed_line(text: str, span: Span) -> Splice:
    start = line_start(text, span.start)
    if text[start : span.start].strip(" "):
        raise CannotSpliceError
    return Splice(start, next_line(text, span.end), "")


def change_flow(text: str, changes: Changes) -> list[Splice]:
    """The splices of a flow collection with at least one survivor."""
    spans, survivors = changes.spans, changes.survivors
    splices: list[Splice] = []
    for anchor, children in sorted(changes.added.items()):
        if anchor >= 0:
            at = spans[anchor].end
            gap = " " if text[at - 1] == ":" else ""  # ':,' would not be read as an empty value
            splices.append(Splice(at, at, gap + "".join(f", {' '.join(child)}" for child in children)))
    if survivors[0] > 0:
        splices.append(Splice(spans[0].start, spans[survivors[0]].start, ""))
    for one, other in itertools.pairwise(survivors):
        if other > one + 1:
            splices.append(Splice(spans[one + 1].start, spans[other].start, ""))
    splices += _removed_end(text, spans, survivors[-1])
    before = "".join(f"{' '.join(child)}, " for child in changes.added.get(-1, ()))
    at = spans[survivors[0]].start
    return [*splices, Splice(at, at, before)]


def _removed_end(text: str, spans: Sequence[Span], last: int) -> list[Splice]:
    if last == len(spans) - 1:
        return []
    gap = text[spans[last].end : spans[last + 1].start]
    if not _COMMENT.search(gap):
        return [Splice(spans[last].end, spans[-1].end, "")]
    comma = _COMMA.match(text, spans[-1].end)
    return [Splice(spans[last + 1].start, comma.end() if comma else spans[-1].end, "")]
