"""Byte-keeping edits: the difference between a tree and new data, as splices into the text at the nodes' marks."""

from __future__ import annotations

from collections.abc import Mapping as MappingABC
from typing import Any, NamedTuple

from promptstore.model.yaml.alignment import align
from promptstore.model.yaml.children import Changes, change_block, change_flow, spans_of
from promptstore.model.yaml.emitter import Emitter, Map, item_of
from promptstore.model.yaml.nodes import Mapping, Node, Scalar, Sequence, plain, same
from promptstore.model.yaml.restyle import Written, header_end, inline, restyle
from promptstore.model.yaml.shapes import OPEN, Shape, Slot, below, prompt_slot
from promptstore.model.yaml.splices import CannotSpliceError, Splice, after_colon, apply, line_end, past_blank_lines
from promptstore.model.yaml.strings import indented


class Holder(NamedTuple):
    """What a value hangs on: the key or dash in ``column`` (from 0), after which it begins."""

    after: int | None
    """Where the colon or dash ends; None for a key of a flow mapping that has no colon."""
    column: int
    flow: bool
    dash: bool


def splice(text: str, root: Mapping, new: MappingABC[str, Any], depth: int = 64) -> str:
    """``text`` (LF line ends, no byte order mark), whose tree is ``root``, changed to mean ``new``.

    Values deeper than ``depth`` are written anew as a whole. The result is not checked. Raises CannotSpliceError.
    """
    splicer = _Splicer(text, depth)
    splicer.root(root, new)
    return apply(text, splicer.splices)


class _Splicer:
    def __init__(self, text: str, depth: int) -> None:
        self.text = text
        self.depth = depth
        self.emitter = Emitter()
        self.splices: list[Splice] = []

    def root(self, node: Mapping, new: MappingABC[str, Any]) -> None:
        if any(entry.key.value in new for entry in node.entries):
            self.mapping(node, new, prompt_slot().shape(new), 0)
            return
        item = item_of(new, prompt_slot())
        lines = self.emitter.lines(item) if new and isinstance(item, Map) else ["{}"]
        self.splices.append(Splice(node.start, node.end, "\n".join(lines)))

    def change(self, node: Node, new: Any, slot: Slot, holder: Holder, depth: int) -> None:
        if same(plain(node), new):
            return
        inside = depth < self.depth
        if inside and isinstance(node, Mapping) and isinstance(new, MappingABC) and self._overlap(node, new):
            self.mapping(node, new, slot.shape(new), depth)
        elif inside and isinstance(node, Sequence) and isinstance(new, list | tuple) and node.items and new:
            self.sequence(node, list(new), slot, holder, depth)
        else:
            self.replace(node, new, slot, holder)

    def _overlap(self, node: Mapping, new: MappingABC[str, Any]) -> bool:
        in_pair = node.flow and not self.text.startswith("{", node.start)
        names = {entry.name for entry in node.entries}
        return not names.isdisjoint(new) and not (in_pair and names != set(new))

    def mapping(self, node: Mapping, new: MappingABC[str, Any], shape: Shape | None, depth: int) -> None:
        names = [entry.name for entry in node.entries]
        for key, value in node.entries:
            if key.value in new:
                name = str(key.value)
                holder = Holder(after_colon(self.text, key.end), node.column - 1, node.flow, dash=False)
                self.change(value, new[name], below(shape, name), holder, depth + 1)
        changes = Changes(spans_of(self.text, node), [name in new for name in names])
        position = {name: index for index, name in enumerate(names)}
        anchor = -1
        for name in shape.order(new) if shape else new:
            if name in position:
                anchor = position[name]
            else:
                lines = self._entry(name, new[name], below(shape, name), flow=node.flow)
                changes.added.setdefault(anchor, []).append(lines)
        self._change_children(node, node.column - 1, changes)

    def sequence(self, node: Sequence, new: list[Any], slot: Slot, holder: Holder, depth: int) -> None:
        pairs = {j: i for i, j in align(plain(node), new)}
        if not pairs:
            self.replace(node, new, slot, holder)
            return
        spans = spans_of(self.text, node)
        changes = Changes(spans, [index in pairs.values() for index in range(len(spans))])
        anchor = -1
        for index, value in enumerate(new):
            if index in pairs:
                anchor = pairs[index]
                after = spans[anchor].start + (0 if node.flow else 1)
                held = Holder(after, node.column - 1, node.flow, dash=True)
                self.change(node.items[anchor], value, slot.item or OPEN, held, depth + 1)
            else:
                lines = self._item(value, slot.item or OPEN, flow=node.flow)
                changes.added.setdefault(anchor, []).append(lines)
        self._change_children(node, node.column - 1, changes)

    def _change_children(self, node: Mapping | Sequence, column: int, changes: Changes) -> None:
        if all(changes.kept) and not changes.added:
            return
        made = change_flow(self.text, changes) if node.flow else change_block(self.text, column, changes)
        self.splices += made

    def _entry(self, name: str, value: Any, slot: Slot, *, flow: bool) -> list[str]:
        item = item_of(value, slot)
        if flow:
            return [f"{self.emitter.flow_key(name)}: {self.emitter.flow(item)}"]
        return self.emitter.entry(name, item)

    def _item(self, value: Any, slot: Slot, *, flow: bool) -> list[str]:
        item = item_of(value, slot)
        return [self.emitter.flow(item)] if flow else self.emitter.list_item(item)

    def replace(self, node: Node, new: Any, slot: Slot, holder: Holder) -> None:
        """Write one value anew."""
        if holder.flow:
            self._replace_in_flow(node, new, slot, holder)
        elif holder.after is None:
            raise CannotSpliceError
        else:
            self._replace_in_block(node, self._written(node, new, slot, holder), holder.after)

    def _replace_in_flow(self, node: Node, new: Any, slot: Slot, holder: Holder) -> None:
        scalar = isinstance(node, Scalar) and not isinstance(new, MappingABC | list | tuple)
        text = inline(node, new, flow=True) if scalar else self.emitter.flow(item_of(new, slot))  # type: ignore[arg-type]
        if node.start == node.end:
            text = ": " + text if holder.after is None else " " + text
        self.splices.append(Splice(node.start, node.end, text))

    def _written(self, node: Node, new: Any, slot: Slot, holder: Holder) -> Written:
        if isinstance(node, Scalar) and not isinstance(new, MappingABC | list | tuple):
            return restyle(self.text, node, new, holder.column)
        item = item_of(new, slot)
        first, *rest = self.emitter.list_item(item) if holder.dash else self.emitter.after("", item)
        return Written(first.removeprefix("-").lstrip(" "), indented(rest, " " * holder.column))

    def _replace_in_block(self, node: Node, written: Written, after: int) -> None:
        """Put the first line of a value behind its key or dash, and the others below that line."""
        text, first = self.text, written.first
        line = line_end(text, after)
        end = line_end(text, node.end)
        below_line = "".join("\n" + each for each in written.rest)
        if first[:1] in ("|", ">") and "+" in first:
            end = past_blank_lines(text, end)  # they would count now
        if isinstance(node, Scalar) and node.style in ("literal", "folded") and node.start <= line:
            stop, tail = header_end(text, node), ""
        elif node.end <= line:
            stop, tail = node.end, ""
        else:
            stop, tail = (line if node.start <= line else after), text[node.end : end].rstrip(" ")
        exact = node.start < stop and first and not isinstance(node, Mapping | Sequence)
        start = node.start if exact else after
        self.splices.append(Splice(start, stop, first if exact else " " + first if first else ""))
        self.splices.append(Splice(line, max(line, end), tail + below_line))
