"""The canonical layout: from a tree of values and comments to lines.

Two spaces of indentation, lists indented below their key, texts of several lines as literal blocks, short open maps
and short lists of scalars in flow style. Lines are made without indentation and shifted by whoever holds them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from promptstore.errors import InvalidPrompt
from promptstore.model.yaml.reader import MAX_DEPTH
from promptstore.model.yaml.shapes import OPEN, Slot, below
from promptstore.model.yaml.strings import (
    SIMPLE_KEY,
    block_header,
    block_lines,
    can_block,
    double_quoted,
    double_quoted_lines,
    indented,
    one_line,
)

FLOW_WIDTH = 72
STEP = "  "


@dataclass(frozen=True, slots=True)
class Notes:
    """Comments of one entry or item. An empty string in ``lead`` or ``tail`` is a blank line."""

    lead: tuple[str, ...] = ()
    eol: str = ""
    tail: tuple[str, ...] = ()
    """After the last child, in the column of the children."""

    @property
    def none(self) -> bool:
        return not (self.lead or self.eol or self.tail)


NO_NOTES = Notes()


@dataclass(frozen=True, slots=True)
class Leaf:
    value: str | int | float | bool | None
    notes: Notes = NO_NOTES


@dataclass(frozen=True, slots=True)
class Map:
    entries: tuple[tuple[str, Item], ...]
    open: bool = True
    """Open maps may be written in flow style, typed ones never are."""
    notes: Notes = NO_NOTES


@dataclass(frozen=True, slots=True)
class List:
    items: tuple[Item, ...]
    notes: Notes = NO_NOTES


Item = Leaf | Map | List


def item_of(value: Any, slot: Slot = OPEN, depth: int = 0) -> Item:
    """The item that JSON data makes at a place of the prompt file: typed maps in canonical order.

    Raises InvalidPrompt for what no prompt file can hold.
    """
    if depth > MAX_DEPTH:
        raise InvalidPrompt(f"nested deeper than {MAX_DEPTH} levels", hint="flatten the data")
    if isinstance(value, Mapping):
        _check_keys(value)
        shape = slot.shape(value)
        names = shape.order(value) if shape else list(value)
        entries = ((name, item_of(value[name], below(shape, name), depth + 1)) for name in names)
        return Map(tuple(entries), open=shape is None)
    if isinstance(value, list | tuple):
        return List(tuple(item_of(each, slot.item or OPEN, depth + 1) for each in value))
    return Leaf(value)


def _check_keys(value: Mapping[Any, Any]) -> None:
    odd = next((key for key in value if not isinstance(key, str)), None)
    if odd is not None or None in value:
        raise InvalidPrompt(f"the key {odd!r} is not a text", hint="use texts as keys, as JSON does")


def without_lead(item: Item) -> Item:
    return replace(item, notes=replace(item.notes, lead=()))


@dataclass(frozen=True, slots=True)
class Emitter:
    """Writes items. ``blocks`` false puts every text in double quotes, for texts that a block would not keep."""

    blocks: bool = True

    def lines(self, item: Map | List) -> list[str]:
        """The lines of a collection in block style; it has children."""
        if isinstance(item, Map):
            parts = [self.entry(name, child) for name, child in item.entries]
        else:
            parts = [self.list_item(child) for child in item.items]
        made: list[str] = []
        for part in [*parts, list(item.notes.tail)]:
            # a blank line never opens a collection, and would count after a block that keeps its last breaks
            blank = part and not part[0] and (not made or not made[-1])
            made += part[1:] if blank else part
        return made

    def entry(self, name: str, value: Item) -> list[str]:
        """``key: value`` with the comments that belong to it."""
        key = self._text(name, flow=False)
        if len(key) > SIMPLE_KEY:
            return [*value.notes.lead, "? " + double_quoted(name), *self.after(":", value)]
        return [*value.notes.lead, *self.after(key + ":", value)]

    def list_item(self, item: Item) -> list[str]:
        """``- value`` with the comments that belong to it; none may stand at the line of a block collection's dash."""
        if isinstance(item, Leaf) or self.inline(item) is not None:
            return [*item.notes.lead, *self.after("-", item)]
        first, *rest = self.lines(item)
        return [*item.notes.lead, "- " + first, *indented(rest, STEP)]

    def after(self, head: str, item: Item) -> list[str]:
        """The value after ``key:`` or ``-``; further lines are indented below that."""
        eol = f" {item.notes.eol}" if item.notes.eol else ""
        inline = self.inline(item)
        if inline is not None:
            return [f"{head} {inline}{eol}"]
        if not isinstance(item, Leaf):
            return [head + eol, *indented(self.lines(item), STEP)]
        text = str(item.value)
        if self.blocks and can_block(text):
            return [f"{head} {block_header(text, len(STEP))}{eol}", *indented(block_lines(text), STEP)]
        first, *rest = double_quoted_lines(text)
        made = [f"{head} {first}", *indented(rest, STEP)]
        return [*made[:-1], made[-1] + eol]

    def inline(self, item: Item) -> str | None:
        """The value on one line, or None where it has to take several."""
        if isinstance(item, Leaf):
            return None if self._takes_lines(item.value) else self.scalar(item.value, flow=False)
        children = item.items if isinstance(item, List) else [child for _, child in item.entries]
        if not children:
            return "[]" if isinstance(item, List) else "{}"
        if item.notes.tail or (isinstance(item, Map) and not item.open) or not all(map(_may_flow, children)):
            return None
        flow = self.flow(item)
        return flow if len(flow) <= FLOW_WIDTH else None

    def _takes_lines(self, value: Any) -> bool:
        if not isinstance(value, str) or "\n" not in value:
            return False
        return len(value) > FLOW_WIDTH or (self.blocks and can_block(value))

    def flow(self, item: Item) -> str:
        """The value in flow style, whatever its size; without comments."""
        if isinstance(item, Leaf):
            return self.scalar(item.value, flow=True)
        if isinstance(item, List):
            return "[" + ", ".join(map(self.flow, item.items)) + "]"
        return "{" + ", ".join(f"{self.flow_key(name)}: {self.flow(child)}" for name, child in item.entries) + "}"

    def flow_key(self, name: str) -> str:
        key = self._text(name, flow=True)
        return key if len(key) <= SIMPLE_KEY else "? " + key

    def scalar(self, value: Any, *, flow: bool) -> str:
        if isinstance(value, str):
            return self._text(value, flow=flow)
        return json.dumps(value)

    def _text(self, text: str, *, flow: bool) -> str:
        return one_line(text, flow=flow) if self.blocks else double_quoted(text)


def _may_flow(child: Item) -> bool:
    if not isinstance(child, Leaf) or not child.notes.none:
        return False
    return not (isinstance(child.value, str) and "\n" in child.value)
