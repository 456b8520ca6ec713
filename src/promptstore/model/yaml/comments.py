"""The comments of a text, and which node each belongs to.

Comments stand only in the gaps between leaves (keys, scalars, empty collections), behind the header of a block scalar
and inside empty flow collections; everything else in a gap is blank or an indicator.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from promptstore.model.yaml.emitter import Notes
from promptstore.model.yaml.nodes import Mapping, Node, Path, Scalar
from promptstore.model.yaml.restyle import header_end
from promptstore.model.yaml.splices import line_end, line_start

_COMMENT = re.compile(r"(?<![^ \t\n])#[^\n]*")
_OPENERS = re.compile(r"[-?\[{]")
_CLOSERS = re.compile(r"[\]}]")
_EDITOR_LINE = re.compile(r"#\s*(?:yaml-language-server:|vim?:|-\*-)")


class Leaf(NamedTuple):
    path: Path
    """Of the entry or item that it stands in."""
    node: Node
    is_key: bool


class Comment(NamedTuple):
    text: str
    start: int
    column: int
    own_line: bool
    after_blank: bool


@dataclass(slots=True)
class _Notes:
    lead: list[str] = field(default_factory=list)
    eol: list[str] = field(default_factory=list)
    tail: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Attached:
    """Comments by the path of the entry or item (or collection, for tails) that they belong to."""

    header: list[str] = field(default_factory=list)
    notes: dict[Path, _Notes] = field(default_factory=dict)

    def at(self, path: Path) -> Notes:
        found = self.notes.get(path)
        if found is None:
            return Notes()
        lead, eol = found.lead + found.eol[1:], found.eol[0] if found.eol else ""
        return Notes(tuple(lead), eol, tuple(found.tail))

    def of(self, path: Path) -> _Notes:
        return self.notes.setdefault(path, _Notes())


def comments(text: str, root: Mapping) -> list[str]:
    """All comments, sorted: what must be the same before and after a change of layout."""
    found: list[str] = []
    last = 0
    for leaf in leaves(root):
        found += [comment.text for comment in _in_gap(text, last, leaf.node.start)]
        found += _inside(text, leaf.node)
        last = leaf.node.end
    found += [comment.text for comment in _in_gap(text, last, len(text))]
    return sorted(found)


def leaves(node: Node, path: Path = ()) -> Iterator[Leaf]:
    """Keys, scalars and empty collections in the order of the text."""
    if isinstance(node, Scalar):
        yield Leaf(path, node, is_key=False)
    elif isinstance(node, Mapping) and node.entries:
        for key, value in node.entries:
            below = (*path, str(key.value))
            yield Leaf(below, key, is_key=True)
            yield from leaves(value, below)
    elif not isinstance(node, Mapping) and node.items:
        for index, item in enumerate(node.items):
            yield from leaves(item, (*path, index))
    else:
        yield Leaf(path, node, is_key=False)


def attach(text: str, root: Mapping) -> Attached:
    """Give every comment of ``text`` (LF line ends) to a node of ``root``."""
    attached = Attached()
    nodes = dict(_by_path(root))
    previous: Leaf | None = None
    for leaf in leaves(root):
        if previous is None:
            _attach_header(text, leaf, attached)
        else:
            _Gap(text, nodes, previous, leaf, attached).attach()
        attached.of(leaf.path).eol += _inside(text, leaf.node)
        previous = leaf
    if previous is not None:
        _Gap(text, nodes, previous, None, attached).attach()
    return attached


def _by_path(node: Node, path: Path = ()) -> Iterator[tuple[Path, Node]]:
    yield path, node
    if isinstance(node, Mapping):
        for key, value in node.entries:
            yield from _by_path(value, (*path, str(key.value)))
    elif not isinstance(node, Scalar):
        for index, item in enumerate(node.items):
            yield from _by_path(item, (*path, index))


def _in_gap(text: str, start: int, end: int) -> Iterator[Comment]:
    for found in _COMMENT.finditer(text, start, end):
        begin = line_start(text, found.start())
        own_line = not text[begin : found.start()].strip(" \t")
        yield Comment(
            found[0].rstrip(" \t"), found.start(), found.start() - begin + 1, own_line, _after_blank(text, begin, start)
        )


def _after_blank(text: str, begin: int, gap: int) -> bool:
    """Is the line before the one that begins at ``begin`` blank, and within the gap?"""
    above = line_start(text, begin - 1) if begin else 0
    return begin > 0 and above > gap and not text[above:begin].strip(" \t\n")


def _inside(text: str, node: Node) -> list[str]:
    """Comments within a leaf: behind a block scalar's header, or in an empty flow collection."""
    if isinstance(node, Scalar) and node.style not in ("literal", "folded"):
        return []
    start, end = node.start, node.end
    if isinstance(node, Scalar):
        start, end = header_end(text, node), min(line_end(text, node.start), node.end)
    return [found[0].rstrip(" \t") for found in _COMMENT.finditer(text, start, end)]


def _attach_header(text: str, first: Leaf, attached: Attached) -> None:
    """Comments before the first key: the file's header, then (below the last blank line) the key's own."""
    found = list(_in_gap(text, 0, first.node.start))
    start = line_start(text, first.node.start)
    blank = start > 0 and not text[line_start(text, start - 1) : start].strip(" \t\n")
    marker = text.rfind("\n---", 0, first.node.start) + 1 if not text.startswith("---") else 0
    split = 0
    for index, comment in enumerate(found):
        if comment.after_blank:
            split = index
        if _EDITOR_LINE.match(comment.text) or comment.start < marker or not comment.own_line:
            split = index + 1
    split = len(found) if blank else split
    for index, comment in enumerate(found[:split]):
        attached.header += ["", comment.text] if comment.after_blank and index else [comment.text]
    for index, comment in enumerate(found[split:]):
        attached.of(first.path[:1]).lead += ["", comment.text] if comment.after_blank and index else [comment.text]


class _Gap:
    """The stretch between two leaves, and whom its comments belong to."""

    def __init__(
        self, text: str, nodes: dict[Path, Node], before: Leaf, after: Leaf | None, attached: Attached
    ) -> None:
        self.text, self.nodes, self.before, self.after, self.attached = text, nodes, before, after, attached
        self.start = before.node.end
        self.end = after.node.start if after else len(text)
        self.shared = _shared(before.path, after.path) if after else 0
        self.level = len(before.path) - 1
        """How deep the next comment may belong: comments never go back into a collection once outside it."""

    def attach(self) -> None:
        seen = ""
        at = self.start
        for comment in _in_gap(self.text, self.start, self.end):
            seen += self.text[at : comment.start]
            at = comment.start + len(comment.text)
            self._attach_one(comment, seen)
        if self.after is not None and self._blank_before_next():
            self._next_notes().lead.append("")

    def _attach_one(self, comment: Comment, seen: str) -> None:
        closed = len(_CLOSERS.findall(seen))
        path = self.before.path
        if not comment.own_line and ("\n" not in seen or _CLOSERS.search(seen.rpartition("\n")[2])):
            self.attached.of(path[: max(1, len(path) - closed)]).eol.append(comment.text)
            return
        target = self._container(comment, seen, closed)
        notes = self._next_notes().lead if target is None else self.attached.of(target).tail
        if comment.after_blank and not self._in_flow(target):
            notes.append("")
        notes.append(comment.text)

    def _container(self, comment: Comment, seen: str, closed: int) -> Path | None:
        """The collection whose tail the comment is; None where it belongs to what comes next."""
        path = self.before.path
        if self.after is not None and (self.before.is_key or _OPENERS.search(seen)):
            return None
        lowest = self.shared + 1 if self.after is not None else 0
        while self.level >= lowest:
            if self._holds(path[: self.level], comment, closed):
                return path[: self.level]
            self.level -= 1
        return () if self.after is None else None

    def _holds(self, container: Path, comment: Comment, closed: int) -> bool:
        node = self.nodes.get(container)
        if node is None or isinstance(node, Scalar):
            return False
        if node.flow:
            return len(self.before.path) - len(container) > closed
        column = node.entries[0].key.column if isinstance(node, Mapping) else node.column
        return comment.column >= column

    def _next_notes(self) -> _Notes:
        path = self.after.path if self.after else ()
        return self.attached.of(path[: self.shared + 1])

    def _in_flow(self, container: Path | None) -> bool:
        path = container if container is not None else (self.after.path if self.after else ())[: self.shared]
        node = self.nodes.get(path)
        return node is not None and not isinstance(node, Scalar) and node.flow

    def _blank_before_next(self) -> bool:
        if self.before.is_key or self._in_flow(None):
            return False
        begin = line_start(self.text, self.end)
        return _after_blank(self.text, begin, self.start) or self._blank_right_after(begin)

    def _blank_right_after(self, begin: int) -> bool:
        return not self.text[line_end(self.text, self.start) : begin].strip(" \t\n") and (
            self.text.count("\n", line_end(self.text, self.start), begin) > 1
        )


def _shared(one: Path, other: Path) -> int:
    """How many steps two paths share."""
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
