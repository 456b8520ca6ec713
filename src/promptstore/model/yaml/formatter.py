"""The canonical layout of a text that people wrote: key order, indentation, styles; every comment kept by its node."""

from __future__ import annotations

from dataclasses import replace

from promptstore.errors import InvalidPrompt
from promptstore.model.yaml.comments import Attached, attach, comments
from promptstore.model.yaml.emitter import Emitter, Item, Leaf, List, Map, without_lead
from promptstore.model.yaml.nodes import Mapping, Node, Path, Scalar, plain, same
from promptstore.model.yaml.reader import BOM, read
from promptstore.model.yaml.shapes import OPEN, Slot, below, prompt_slot


def format_text(text: str) -> str:
    """``text`` in the canonical layout, with the same meaning and the same comments.

    Formatting twice gives what formatting once gives. A text whose comments the canonical layout cannot hold comes
    back as it is. Raises InvalidPrompt where ``text`` is not a readable prompt file.
    """
    body = text.removeprefix(BOM).replace("\r\n", "\n").replace("\r", "\n")
    root = read(body)
    attached = attach(body, root)
    for emitter in (Emitter(), Emitter(blocks=False)):
        made = _text(_item(root, (), prompt_slot(), attached), attached.header, emitter)
        if _says_the_same(made, body, root):
            return made
    return text


def _says_the_same(made: str, body: str, root: Mapping) -> bool:
    try:
        again = read(made)
    except InvalidPrompt:
        return False
    return same(plain(again), plain(root)) and comments(made, again) == comments(body, root)


def _text(root: Item, header: list[str], emitter: Emitter) -> str:
    if isinstance(root, Map) and root.entries:
        lines = emitter.lines(root)
    else:
        notes = root.notes
        lines = [*notes.lead, "{}" + (f" {notes.eol}" if notes.eol else ""), *notes.tail]
    return "\n".join([*header, *([""] if header else []), *lines]) + "\n"


def _item(node: Node, path: Path, slot: Slot, attached: Attached) -> Item:
    notes = attached.at(path)
    if isinstance(node, Scalar):
        return Leaf(node.value, notes)
    if not isinstance(node, Mapping):
        items = (_item(each, (*path, i), slot.item or OPEN, attached) for i, each in enumerate(node.items))
        return List(tuple(map(_hoisted, items)), notes)
    shape = slot.shape(plain(node))
    values = {entry.name: entry.value for entry in node.entries}
    order = shape.order(values) if shape else list(values)
    entries = ((name, _item(values[name], (*path, name), below(shape, name), attached)) for name in order)
    return Map(tuple(entries), open=shape is None, notes=notes)


def _hoisted(item: Item) -> Item:
    """Comments that would follow the dash of a list's item in block style stand above it."""
    if isinstance(item, Leaf):
        return item
    item = _without_first_lead(item)
    if not item.notes.eol or Emitter().inline(item) is not None:
        return item
    return replace(item, notes=replace(item.notes, lead=(*item.notes.lead, item.notes.eol), eol=""))


def _without_first_lead(item: Map | List) -> Map | List:
    children = item.items if isinstance(item, List) else tuple(child for _, child in item.entries)
    if not children or not children[0].notes.lead:
        return item
    notes = replace(item.notes, lead=(*item.notes.lead, *filter(None, children[0].notes.lead)))
    first = without_lead(children[0])
    if isinstance(item, List):
        return List((first, *item.items[1:]), notes)
    return replace(item, entries=((item.entries[0][0], first), *item.entries[1:]), notes=notes)
