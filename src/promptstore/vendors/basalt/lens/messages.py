"""The two texts of a Basalt prompt as messages: ``systemText`` is the system message, ``text`` the user's after it.

An empty text is no message, and no message an empty text: Basalt always has a ``text``, and its SDKs give an absent
``systemText`` as an empty one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from promptstore.errors import NotRepresentable
from promptstore.model.templates.translate import Untranslatable, translate
from promptstore.vendors.basalt.lens.normal import NAMESPACE
from promptstore.vendors.values import Data

if TYPE_CHECKING:
    from promptstore.model.parts import TemplateFormat

FORMAT: TemplateFormat = "jinja2"
"""The one format of Basalt's templates, and that of a prompt file that names none."""

KEYS: Mapping[str, str] = {"system": "systemText", "user": "text"}
"""Where the text of each role stands, in the order of the messages."""

UNHELD = ("tools", "tool_choice", "functions", "function_call", "response_format")
"""What Basalt keeps, if at all, among the model's parameters in a form of its own."""

_OTHER_THAN_TEXT = ("name", "tool_call_id", "tool_calls", "function_call", "reasoning", "reasoning_signature")


def project_texts(data: Data) -> dict[str, str]:
    """``text`` and ``systemText`` of a prompt file. Raises NotRepresentable."""
    if data.get("messages") is None:
        hint = "write it as one user message under messages"
        raise NotRepresentable("Basalt has chat prompts only", field="content", hint=hint)
    for key in UNHELD:
        if data.get(key):
            raise NotRepresentable(f"Basalt has no {key!r} of this form", field=key, hint="take it out")
    found: dict[str, str] = {}
    for place, message in enumerate(data["messages"]):
        at = f"messages[{place}]."
        _check_role(message["role"], found, at)
        found[message["role"]] = _text(message, _level(data), at)
    return {key: found.get(role, "") for role, key in KEYS.items()}


def _level(data: Data) -> TemplateFormat:
    level: TemplateFormat = data.get("template_format") or FORMAT
    return level


def _check_role(role: str, found: Mapping[str, str], at: str) -> None:
    hint = "a Basalt prompt is one system message, then one user message"
    if role not in KEYS:
        raise NotRepresentable(f"Basalt has no role {role!r}", field=f"{at}role", hint=hint)
    if role in found:
        raise NotRepresentable(f"Basalt holds only one {role} message", field=at.rstrip("."), hint=hint)
    if role == "system" and "user" in found:
        raise NotRepresentable("Basalt's system message always comes first", field=at.rstrip("."), hint=hint)


def _text(message: Data, level: TemplateFormat, at: str) -> str:
    for key in _OTHER_THAN_TEXT:
        if message.get(key):
            hint = "keep only the text of the message"
            raise NotRepresentable(f"Basalt has no {key!r} in a message", field=f"{at}{key}", hint=hint)
    _check_vendors(message, at)
    return _native(_plain(message.get("content"), at), message.get("template_format") or level, f"{at}content")


def _plain(content: Any, at: str) -> str:
    """The text of a content that is one."""
    if content is None or isinstance(content, str):
        return content or ""
    for place, part in enumerate(content):
        field = f"{at}content[{place}]"
        if part["type"] != "text" or place:
            what = "more than one part" if part["type"] == "text" else f"part of the type {part['type']!r}"
            raise NotRepresentable(f"Basalt has no {what} in a message", field=field, hint="write it as one text")
        _check_vendors(part, f"{field}.")
    return str(content[0]["text"]) if content else ""


def _check_vendors(data: Data, at: str) -> None:
    if NAMESPACE.own(data):
        message = "Basalt keeps nothing beside the text of a message"
        raise NotRepresentable(message, field=f"{at}vendors.{NAMESPACE.vendor}", hint="take it out")


def _native(text: str, fmt: TemplateFormat, field: str) -> str:
    """The text as a jinja2 template. Raises NotRepresentable where that would not mean the same."""
    try:
        return translate(text, fmt, FORMAT)
    except Untranslatable as problem:
        message = f"Basalt has no template format {fmt!r}, and {problem.message}"
        raise NotRepresentable(message, field=field, hint=problem.hint) from problem


def lift_texts(document: Mapping[str, Any], old: Data) -> Data:
    """``messages`` and ``template_format`` as the prompt file says them, in the spelling of ``old`` where it still
    means the same."""
    wanted = {key: document.get(key, "") for key in KEYS.values()}
    before = _before(old)
    if before == wanted:
        return _body(old["messages"], old)
    if before is None:
        return {"template_format": FORMAT, "messages": _messages(wanted, {}, {}, FORMAT)}
    olds = {message["role"]: message for message in old["messages"]}
    return _body(_messages(wanted, before, olds, _level(old)), old)


def _before(old: Data) -> dict[str, str] | None:
    try:
        return project_texts(old) if old else None
    except NotRepresentable:
        return None


def _body(messages: list[Data], old: Data) -> Data:
    spelled = {"template_format": old["template_format"]} if "template_format" in old else {}
    return {**spelled, "messages": messages}


def _messages(
    wanted: Mapping[str, str], before: Mapping[str, str], olds: Mapping[str, Data], level: TemplateFormat
) -> list[Data]:
    messages = []
    for role, key in KEYS.items():
        old = olds.get(role)
        if old is not None and before[key] == wanted[key]:
            messages.append(old)
        elif wanted[key]:
            messages.append(_message(role, wanted[key], old, level))
    return messages or [_message("user", "", None, level)]


def _message(role: str, text: str, old: Data | None, level: TemplateFormat) -> Data:
    """A message of that text, in the format of the old one where it can be said in it."""
    message = {"role": role, **(old or {})}
    written = _in_format(text, message.get("template_format") or level)
    if written is None:
        message["template_format"] = FORMAT
    content, said = message.get("content"), text if written is None else written
    message["content"] = [{**content[0], "text": said}] if isinstance(content, list) and content else said
    return message


def _in_format(text: str, fmt: TemplateFormat) -> str | None:
    """A text of that format that goes out as ``text``: itself, or its translation; None where there is none."""
    if _goes_out_as(text, fmt, text):
        return text
    try:
        there = translate(text, FORMAT, fmt)
    except Untranslatable:
        return None
    return there if _goes_out_as(there, fmt, text) else None


def _goes_out_as(written: str, fmt: TemplateFormat, text: str) -> bool:
    try:
        return translate(written, fmt, FORMAT) == text
    except Untranslatable:
        return False
