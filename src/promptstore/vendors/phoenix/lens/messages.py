"""Messages of a chat prompt, and the text of a completion, both ways."""

from __future__ import annotations

from collections.abc import Callable

from promptstore.errors import NotRepresentable
from promptstore.vendors.phoenix.lens.checks import ROLES
from promptstore.vendors.phoenix.lens.formats import PROMPT_FORMATS
from promptstore.vendors.phoenix.lens.normal import NAMESPACE, normal_message
from promptstore.vendors.phoenix.lens.parts import lift_parts, lift_plainly, project_parts
from promptstore.vendors.prompt_blocks import PromptBlocks
from promptstore.vendors.spelling import holds
from promptstore.vendors.values import Data, Wire, overlay, residual

_MISSING = ("name", "function_call", "reasoning", "reasoning_signature")


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


def _plain(wire: Wire, old: Data | None, naming: Data, projected: Callable[[Data], Wire]) -> Data:
    told = lift_plainly(wire, old or {})
    plain = None if told is None else _beside(wire, {**told, **naming}, old, projected)
    if plain is not None and holds(lambda: projected(plain), wire):
        return plain
    content = lift_parts(wire["content"], old or {})
    return _beside(wire, {"content": content, **naming}, old, projected) or {}


def _beside(wire: Wire, told: Data, old: Data | None, projected: Callable[[Data], Wire]) -> Data | None:
    """The message with what only Phoenix says of it; None where it cannot go back there."""
    data: Data = {"role": wire["role"], **told}
    try:
        return NAMESPACE.beside(data, residual(projected(data), wire), old)
    except NotRepresentable:
        return None


BLOCKS = PromptBlocks(PROMPT_FORMATS, _project, _plain)
