"""The tree of what the template formats share, and the error for what they do not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from promptstore.errors import TemplateError

Path = tuple[str, ...]
"""``a.b`` as ``("a", "b")``."""

_PLACE = re.compile(r"line (\d+)(?:, column (\d+))?")


class Origin(NamedTuple):
    """A construct as it is written, and where it begins in its text; lines and columns count from 1."""

    construct: str
    line: int
    column: int


class Untranslatable(TemplateError):
    """A construct that another format has nothing for. ``hint`` is the way out."""

    def __init__(self, origin: Origin, problem: str, hint: str) -> None:
        self.construct, self.line, self.column = origin
        shown = _shortened(origin.construct)
        super().__init__(f"{shown} at line {self.line}, column {self.column} of the text {problem}", hint=hint)


def origin_of(text: str, start: int, end: int) -> Origin:
    """The origin of what stands between two offsets."""
    return Origin(text[start:end], text.count("\n", 0, start) + 1, start - text.rfind("\n", 0, start))


def unreadable(text: str, problem: TemplateError) -> Untranslatable:
    """The error for a text that its own format cannot read; the place is the one that the problem tells."""
    found = _PLACE.search(problem.message)
    line, column = (int(found[1]), int(found[2] or 1)) if found else (1, 1)
    lines = text.split("\n")
    there = lines[line - 1][column - 1 :] if line <= len(lines) else text
    return Untranslatable(Origin(there, line, column), f"cannot be read: {problem.message}", problem.hint)


def _shortened(construct: str) -> str:
    shown = construct.strip().replace("\n", "\\n").replace("\r", "\\r")
    return shown if len(shown) <= 40 else shown[:37] + "..."


NOWHERE = Origin("", 1, 1)


@dataclass(frozen=True, slots=True)
class Text:
    """Literal text, as it is rendered."""

    text: str


@dataclass(frozen=True, slots=True)
class Value:
    """The value of a variable, or of something in it."""

    path: Path


@dataclass(frozen=True, slots=True)
class Filtered:
    """A value after a filter; ``arguments`` are constants."""

    value: Value | Filtered
    name: str
    arguments: tuple[str | int | bool, ...] = ()


@dataclass(frozen=True, slots=True)
class Not:
    test: Test


@dataclass(frozen=True, slots=True)
class Junction:
    """``and`` or ``or``."""

    word: str
    left: Test
    right: Test


@dataclass(frozen=True, slots=True)
class Comparison:
    left: Value | Filtered
    sign: str
    right: str | int


@dataclass(frozen=True, slots=True)
class Defined:
    """Whether a variable was given."""

    value: Value


Test = Value | Filtered | Not | Junction | Comparison | Defined


@dataclass(frozen=True, slots=True)
class Output:
    """A value printed."""

    value: Value | Filtered
    origin: Origin = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Branch:
    test: Test
    body: Nodes
    origin: Origin = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Condition:
    """``if``, every ``elif``, and ``else`` (None: there is none)."""

    branches: tuple[Branch, ...]
    otherwise: Nodes | None = None

    @property
    def origin(self) -> Origin:
        return self.branches[0].origin


@dataclass(frozen=True, slots=True)
class Loop:
    """The body once for each item of a list; ``otherwise`` for an empty one."""

    target: str
    items: Value
    body: Nodes
    otherwise: Nodes | None = None
    origin: Origin = field(default=NOWHERE, compare=False)


Live = Output | Condition | Loop
Node = Text | Live
Nodes = tuple[Node, ...]


def live(nodes: Nodes) -> Iterator[Live]:
    """What is not literal text, at this level."""
    return (node for node in nodes if not isinstance(node, Text))


def merged(nodes: Iterable[Node]) -> Nodes:
    """The nodes with neighbouring texts made one, and empty ones left out."""
    done: list[Node] = []
    for node in nodes:
        before = done[-1] if done else None
        if isinstance(node, Text) and isinstance(before, Text):
            done[-1] = Text(before.text + node.text)
        elif node != Text(""):
            done.append(node)
    return tuple(done)
