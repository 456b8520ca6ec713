"""The shared tree as mustache.

Variables are written ``{{{x}}}``, which neither SDK of Braintrust escapes. From the first literal ``{{`` on, the
delimiters are changed and variables are written ``<%&x%>``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from promptstore.model.templates.translation.names import dotted_name
from promptstore.model.templates.translation.tree import (
    NOWHERE,
    Condition,
    Node,
    Nodes,
    Not,
    Origin,
    Output,
    Text,
    Untranslatable,
    Value,
)

_DEFAULT = ("{{", "}}")
_OTHERS = [(f"<{char}", f"{char}>") for char in "%@$~?+:;"]
_TAG = "\0"
"""Stands for a character of a tag that renders nothing, where lines are looked at."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """Literal text (empty ``kind``), or a tag: ``&`` prints, ``^`` and ``/`` begin and end a section."""

    kind: str
    content: str
    origin: Origin = NOWHERE

    def written(self, delimiters: tuple[str, str]) -> str:
        if not self.kind:
            return self.content
        if self.kind == "&" and delimiters == _DEFAULT:
            return "{{{" + self.content + "}}}"
        return f"{delimiters[0]}{self.kind}{self.content}{delimiters[1]}"


def write(nodes: Nodes) -> str:
    """The nodes as mustache. Raises Untranslatable for everything but variables and ``if not``."""
    pieces = list(_pieces(nodes))
    pieces = list(_kept_lines(pieces))
    place, offset = next(_clashes(pieces), (len(pieces), 0))
    plain = "".join(piece.written(_DEFAULT) for piece in pieces[:place])
    return plain + _with_other_delimiters(pieces[place:], offset) if pieces[place:] else plain


def _pieces(nodes: Nodes) -> Iterator[_Piece]:
    for node in nodes:
        if isinstance(node, Text):
            yield _Piece("", node.text)
        elif isinstance(node, Output) and isinstance(node.value, Value):
            yield _Piece("&", dotted_name(node.value.path, node.origin), node.origin)
        else:
            yield from _inverted(node)


def _inverted(node: Node) -> Iterator[_Piece]:
    if isinstance(node, Condition) and len(node.branches) == 1 and node.otherwise is None:
        branch = node.branches[0]
        if isinstance(branch.test, Not) and isinstance(branch.test.test, Value):
            name = dotted_name(branch.test.test.path, branch.origin)
            yield _Piece("^", name, branch.origin)
            yield from _pieces(branch.body)
            yield _Piece("/", name, branch.origin)
            return
    assert not isinstance(node, Text)
    problem = "has no like in mustache, whose sections mean a condition, a loop or a scope as the value will be"
    raise Untranslatable(node.origin, problem, "write plain variables, or keep the prompt in its format")


def _clashes(pieces: list[_Piece]) -> Iterator[tuple[int, int]]:
    """Where literal text would begin a tag: the piece and the offset in it."""
    for place, piece in enumerate(pieces):
        last = place + 1 == len(pieces)
        found = re.search(r"\{\{" if last else r"\{\{|\{\Z", "" if piece.kind else piece.content)
        if found:
            yield place, found.start()


def _with_other_delimiters(pieces: list[_Piece], offset: int) -> str:
    literal = "".join(piece.content for piece in pieces if not piece.kind)
    chosen = next((pair for pair in _OTHERS if pair[0] not in literal), None)
    if chosen is None:
        origin = NOWHERE._replace(construct=pieces[0].content[offset:])
        raise Untranslatable(origin, "leaves no delimiters for mustache", "keep the prompt in its format")
    head, tail = pieces[0].content[:offset], pieces[0].content[offset:]
    change = "{{=" + " ".join(chosen) + "=}}"
    return head + change + tail + "".join(piece.written(chosen) for piece in pieces[1:])


def _kept_lines(pieces: list[_Piece]) -> Iterator[_Piece]:
    """The pieces, with a newline more after each section tag that takes its whole line with it."""
    shape = "".join(_TAG if piece.kind in {"^", "/"} else "x" if piece.kind else piece.content for piece in pieces)
    offset, taken = 0, False
    for piece in pieces:
        yield replace(piece, content="\n" + piece.content) if taken else piece
        taken = piece.kind in {"^", "/"} and _takes_line(shape, offset, piece.origin)
        offset += 1 if piece.kind else len(piece.content)


def _takes_line(shape: str, offset: int, origin: Origin) -> bool:
    start = shape.rfind("\n", 0, offset) + 1
    end = shape.find("\n", offset)
    line = shape[start : end if end >= 0 else len(shape)]
    if line.replace(_TAG, "").strip():
        return False
    if line != _TAG:
        problem = "shares its line with blanks or other tags only, which mustache engines treat differently"
        raise Untranslatable(origin, problem, "put the text on the line of the tag")
    return end >= 0
