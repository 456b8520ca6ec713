"""Messages of a chat prompt, and the content of a completion prompt, both ways."""

from __future__ import annotations

from typing import Any

from promptstore.errors import NotRepresentable
from promptstore.vendors.alignment import counterparts
from promptstore.vendors.block_formats import FILE_FORMAT, BlockFormats
from promptstore.vendors.promptlayer.lens.normal import NAMESPACE, NATIVE_FORMATS, normal_message
from promptstore.vendors.promptlayer.lens.objects import CALL, CONTENT, TOOL_CALLS
from promptstore.vendors.shapes import TEXT, TEXTS, Shape
from promptstore.vendors.spelling import holds, keep_spelling
from promptstore.vendors.values import Data, Wire

_FORMATS = BlockFormats(NAMESPACE.title, NATIVE_FORMATS)
_TOGETHER = ("template_format", "content")
_NEEDS_CONTENT = frozenset({"system", "developer", "user", "tool"})

_MESSAGE = Shape(
    NAMESPACE,
    normal_message,
    {"role": TEXT, "template_format": TEXT},
    {
        "name": TEXT,
        "content": CONTENT,
        "tool_call_id": TEXT,
        "tool_calls": TOOL_CALLS,
        "function_call": CALL,
        "input_variables": TEXTS,
    },
)


def project_messages(messages: list[Data], level: str) -> list[Wire]:
    """The messages as PromptLayer's; ``level`` is the format of those that name none."""
    return [_project(message, level, f"messages[{place}].") for place, message in enumerate(messages)]


def _project(message: Data, level: str, at: str) -> Wire:
    if message["role"] == "model":
        raise NotRepresentable("PromptLayer has no role 'model'", field=f"{at}role", hint="use the role assistant")
    for key in ("reasoning", "reasoning_signature"):
        if message.get(key):
            hint = "put it into a part of the type thinking"
            raise NotRepresentable(f"PromptLayer has no {key!r} in a message", field=f"{at}{key}", hint=hint)
    return _MESSAGE.project(_FORMATS.native(message, level, at), at)


def lift_messages(wires: list[Wire], old: Data) -> Data:
    """``messages``, with the ``template_format`` of the prompt, as the prompt file says them."""
    olds = old.get("messages") or []
    old_level = old.get("template_format") or FILE_FORMAT
    pairs = counterparts(wires, olds, lambda message: _project(message, old_level, ""), lambda item: item["role"])
    if olds and _level_serves(wires, pairs, old_level):
        level, spelled = old_level, old.get("template_format")
    else:
        level = spelled = wires[0].get("template_format") if wires else None
    messages = [_lift(wire, before, level or FILE_FORMAT) for wire, before in zip(wires, pairs, strict=True)]
    return {"messages": messages, **({"template_format": spelled} if spelled else {})}


def _level_serves(wires: list[Wire], pairs: list[Data | None], level: str) -> bool:
    """Whether the old format of the prompt is still that of some message."""
    return any(wire.get("template_format") == level for wire in wires) or any(
        old is not None and (_still(old, wire, level) or _back(wire, old, level) is not None)
        for wire, old in zip(wires, pairs, strict=True)
    )


def _still(message: Data, wire: Wire, level: str) -> bool:
    return holds(lambda: _project(message, level, ""), wire)


def _lift(wire: Wire, old: Data | None, level: str) -> Data:
    if old is None:
        return _fresh(wire, None, level)
    if _still(old, wire, level):
        return old
    fresh = _back(wire, old, level) or _fresh(wire, old, level)
    return keep_spelling(fresh, old, lambda message: _still(message, wire, level), [_TOGETHER])


def _back(wire: Wire, old: Data, level: str) -> Data | None:
    """The message in the format of its old state, where that comes out as this wire object; else None."""
    named = {"template_format": wire["template_format"], **_fresh(wire, old, level)}
    message = _FORMATS.foreign(named, old, level)
    return message if message is not None and _still(message, wire, level) else None


def _fresh(wire: Wire, old: Data | None, level: str) -> Data:
    fresh = _MESSAGE.fresh(wire, old)
    if fresh.get("template_format") == level:
        del fresh["template_format"]
    if wire.get("role") in _NEEDS_CONTENT:
        fresh.setdefault("content", None)
    return fresh


def project_content(data: Data, level: str) -> Wire:
    """The ``content`` and ``template_format`` of a completion."""
    block = _FORMATS.native(data, level, "")
    return {"content": CONTENT.project(block["content"], "content."), "template_format": block["template_format"]}


def lift_content(wire: Wire, old: Data) -> Data:
    """``content`` and ``template_format`` of a completion as the prompt file says them."""
    before = {key: old[key] for key in _TOGETHER if key in old}
    block: dict[str, Any] = {key: wire[key] for key in _TOGETHER}
    fresh = {"template_format": wire["template_format"], "content": CONTENT.lift(wire["content"], old.get("content"))}
    if "content" not in before:
        return fresh

    def still(data: Data) -> bool:
        return "content" in data and holds(lambda: project_content(data, FILE_FORMAT), block)

    back = _FORMATS.foreign(fresh, before, FILE_FORMAT)
    return keep_spelling(back if back is not None and still(back) else fresh, before, still, [_TOGETHER])
