"""Messages of a chat prompt, and the text of a completion, both ways."""

from __future__ import annotations

from typing import Any

from promptstore.errors import NotRepresentable
from promptstore.vendors.alignment import counterparts
from promptstore.vendors.block_formats import FILE_FORMAT
from promptstore.vendors.phoenix.lens.checks import ROLES
from promptstore.vendors.phoenix.lens.formats import PROMPT_FORMATS
from promptstore.vendors.phoenix.lens.normal import NAMESPACE, normal_message
from promptstore.vendors.phoenix.lens.parts import lift_parts, lift_plainly, project_parts
from promptstore.vendors.prompt_formats import level_of
from promptstore.vendors.spelling import holds, keep_spelling
from promptstore.vendors.values import Data, Wire, overlay, residual

_TOGETHER = ("template_format", "content")
_NEEDS_CONTENT = frozenset({"system", "developer", "user", "tool"})
_MISSING = ("name", "function_call", "reasoning", "reasoning_signature")


def project_messages(messages: list[Data], level: str, target: str) -> list[Wire]:
    """The messages as Phoenix's; ``level`` is the format of those that name none, ``target`` that of the prompt."""
    return [_project(message, level, target, f"messages[{place}].") for place, message in enumerate(messages)]


def _project(message: Data, level: str, target: str, at: str) -> Wire:
    if message["role"] not in ROLES:
        hint = f"use one of {', '.join(ROLES)}"
        raise NotRepresentable(f"Phoenix has no role {message['role']!r}", field=f"{at}role", hint=hint)
    for key in _MISSING:
        if message.get(key):
            hint = "take it out, or keep this prompt from Phoenix"
            raise NotRepresentable(f"Phoenix has no {key!r} in a message", field=f"{at}{key}", hint=hint)
    converted = PROMPT_FORMATS.converted(message, level, target, at)
    parts = project_parts(converted, message.get("template_format") or level, at)
    return normal_message(overlay({"role": message["role"], "content": parts}, NAMESPACE.own(message)))


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
    named = {"template_format": target} if target != level else {}
    plain = lift_plainly(wire, old or {})
    fresh = None if plain is None else _beside(wire, {**plain, **named}, old, level, target)
    if fresh is None or not still(fresh):
        content = lift_parts(wire["content"], old or {})
        fresh = _beside(wire, {"content": content, **named}, old, level, target) or {}
    fresh = PROMPT_FORMATS.as_written(fresh, old or {}, level, target, still)
    return fresh if old is None else keep_spelling(fresh, old, still, [_TOGETHER])


def _beside(wire: Wire, told: Data, old: Data | None, level: str, target: str) -> Data | None:
    """The message with what only Phoenix says of it; None where it cannot go back there."""
    data: Data = {"role": wire["role"], **told}
    if wire["role"] in _NEEDS_CONTENT:
        data.setdefault("content", None)
    try:
        return NAMESPACE.beside(data, residual(_project(data, level, target, ""), wire), old)
    except NotRepresentable:
        return None


def project_content(data: Data, level: str, target: str) -> str:
    """The text of a completion."""
    content = PROMPT_FORMATS.converted({key: data.get(key) for key in _TOGETHER}, level, target, "")["content"]
    if isinstance(content, str):
        return content
    if len(content) == 1 and set(content[0]) == {"type", "text"}:
        text: str = content[0]["text"]
        return text
    hint = "make it one text"
    raise NotRepresentable("Phoenix's string templates are one plain text", field="content", hint=hint)


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
    fresh = PROMPT_FORMATS.as_written(fresh, before, FILE_FORMAT, target, still)
    return keep_spelling(fresh, before, still, [_TOGETHER])
