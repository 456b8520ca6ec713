"""The tree of a YAML text: what each node means, and where it stands.

Nodes are plain frozen tuples because a prompt is read far more often than it is changed. ``start`` and ``end`` are
character indexes into the text that was read, ``line`` and ``column`` count from 1. ``end`` never includes the line
break that closes a node; a block collection ends where its last child ends.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, TypeAlias

Style: TypeAlias = Literal["plain", "single", "double", "literal", "folded"]
Path: TypeAlias = tuple[str | int, ...]


class Scalar(NamedTuple):
    """A text, number, boolean or null. An empty value has ``start == end``."""

    value: str | int | float | bool | None
    style: Style
    start: int
    end: int
    line: int
    column: int


class Entry(NamedTuple):
    """One ``key: value`` of a mapping; ``key.value`` is always a text."""

    key: Scalar
    value: Node

    @property
    def name(self) -> str:
        return str(self.key.value)


class Mapping(NamedTuple):
    entries: tuple[Entry, ...]
    flow: bool
    start: int
    end: int
    line: int
    column: int

    def get(self, name: str) -> Entry | None:
        return next((entry for entry in self.entries if entry.key.value == name), None)


class Sequence(NamedTuple):
    items: tuple[Node, ...]
    flow: bool
    start: int
    end: int
    line: int
    column: int


Node: TypeAlias = Scalar | Mapping | Sequence


def plain(node: Node) -> Any:
    """The JSON data that a node means."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Mapping):
        return {key.value: plain(value) for key, value in node.entries}
    return [plain(item) for item in node.items]


def find(node: Node, path: Path) -> Node | None:
    """The node at a path such as ``("messages", 0, "content")``, or None where there is none."""
    for step in path:
        child = _child(node, step)
        if child is None:
            return None
        node = child
    return node


def _child(node: Node, step: str | int) -> Node | None:
    if isinstance(node, Mapping):
        entry = node.get(step) if isinstance(step, str) else None
        return entry.value if entry else None
    if isinstance(node, Sequence) and isinstance(step, int) and 0 <= step < len(node.items):
        return node.items[step]
    return None


def same(one: Any, other: Any) -> bool:
    """Do two JSON values say exactly the same: types and the sign of zero count, the order of keys does not."""
    if isinstance(one, dict):
        return isinstance(other, dict) and one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, list | tuple):
        return isinstance(other, list | tuple) and len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and one == other and (one != 0 or repr(one) == repr(other))
