"""Messages of a chat prompt, and the content of a completion prompt, both ways."""

from __future__ import annotations

from typing import Any

from promptstore.errors import NotRepresentable
from promptstore.vendors.alignment import counterparts
from promptstore.vendors.block_formats import FILE_FORMAT
from promptstore.vendors.braintrust.lens.formats import FORMATS
from promptstore.vendors.braintrust.lens.objects import MESSAGE
from promptstore.vendors.prompt_formats import level_of
from promptstore.vendors.spelling import holds, keep_spelling
from promptstore.vendors.values import Data, Wire

_TOGETHER = ("template_format", "content")
_NEEDS_CONTENT = frozenset({"system", "developer", "user", "tool"})


def project_messages(messages: list[Data], level: str, target: str) -> list[Wire]:
    """The messages as Braintrust's; ``level`` is the format of those that name none, ``target`` that of the prompt."""
    return [_project(message, level, target, f"messages[{place}].") for place, message in enumerate(messages)]


def _project(message: Data, level: str, target: str, at: str) -> Wire:
    if message["role"] == "placeholder":
        hint = "write the messages out, or keep this prompt from Braintrust"
        raise NotRepresentable("Braintrust has no placeholder messages", field=f"{at}role", hint=hint)
    return MESSAGE.project(FORMATS.converted(message, level, target, at), at)


def lift_messages(wires: list[Wire], target: str, old: Data) -> Data:
    """``messages``, with the ``template_format`` of the prompt, in the spelling of ``old`` where it means the same."""
    olds, old_level = old.get("messages") or [], level_of(old)
    pairs = counterparts(wires, olds, lambda item: _project(item, old_level, target, ""), lambda item: item["role"])
    level, spelled = old_level, old.get("template_format")
    messages = [_lift(wire, before, level, target) for wire, before in zip(wires, pairs, strict=True)]
    serves = any(
        "template_format" not in message or message is old for message, old in zip(messages, pairs, strict=True)
    )
    if level != target and not (olds and serves):
        level = spelled = target
        messages = [_lift(wire, before, level, target) for wire, before in zip(wires, pairs, strict=True)]
    return {"messages": messages, **({"template_format": spelled} if spelled else {})}


def _lift(wire: Wire, old: Data | None, level: str, target: str) -> Data:
    def still(message: Data) -> bool:
        return holds(lambda: _project(message, level, target, ""), wire)

    if old is not None and still(old):
        return old
    fresh = MESSAGE.fresh(wire, old)
    if target != level:
        fresh["template_format"] = target
    if wire["role"] in _NEEDS_CONTENT:
        fresh.setdefault("content", None)
    fresh = FORMATS.as_written(fresh, old or {}, level, target, still)
    return fresh if old is None else keep_spelling(fresh, old, still, [_TOGETHER])


def project_content(data: Data, level: str, target: str) -> str:
    """The text of a completion."""
    content = FORMATS.converted({key: data.get(key) for key in _TOGETHER}, level, target, "")["content"]
    if isinstance(content, str):
        return content
    if len(content) == 1 and set(content[0]) == {"type", "text"}:
        text: str = content[0]["text"]
        return text
    hint = "make it one text, or a chat prompt with one message"
    raise NotRepresentable("Braintrust's completion prompts are one plain text", field="content", hint=hint)


def lift_content(text: str, target: str, old: Data) -> Data:
    """``content`` and ``template_format`` of a completion as the prompt file says them."""
    fresh: dict[str, Any] = {"template_format": target, "content": text}
    before = {key: old[key] for key in _TOGETHER if old.get(key) is not None}

    def still(data: Data) -> bool:
        return data.get("content") is not None and holds(
            lambda: {"content": project_content(data, level_of(data), target)}, {"content": text}
        )

    if "content" not in before:
        return fresh
    fresh = FORMATS.as_written(fresh, before, FILE_FORMAT, target, still)
    return keep_spelling(fresh, before, still, [_TOGETHER])
