"""Checks of what PromptLayer sent: each gives the value, or raises BadResponse naming what was expected where."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from promptstore.errors import BadResponse
from promptstore.model.digest import canonical_json
from promptstore.vendors.promptlayer.lens.normal import NATIVE_FORMATS, Wire
from promptstore.vendors.promptlayer.lens.objects import PART

_NAMED_ROLES = ("placeholder", "function")
_ROLES = ("system", "developer", "user", "assistant", "tool", *_NAMED_ROLES)


def wrong(where: str, expected: str, got: Any) -> BadResponse:
    """The error for a value that is not what it should be."""
    kind = {dict: "an object", list: "a list", str: "a text", type(None): "null", bool: "true or false"}
    shown = kind.get(type(got), "a number")
    return BadResponse(f"PromptLayer's answer makes no sense: expected {expected} at {where}, got {shown}")


def an_object(value: Any, where: str) -> Wire:
    if not isinstance(value, dict):
        raise wrong(where, "an object", value)
    return value


def a_list(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise wrong(where, "a list", value)
    return value


def a_text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise wrong(where, "a text", value)
    _whole_characters(value, where)
    return value


def _whole_characters(text: str, where: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as problem:
        raise BadResponse(f"PromptLayer's answer makes no sense: half of a character in {where}") from problem


def a_name(value: Any, where: str) -> str:
    if not a_text(value, where):
        raise BadResponse(f"PromptLayer's answer makes no sense: an empty text at {where}")
    return value  # type: ignore[no-any-return]


def a_number(value: Any, where: str) -> int:
    """An id or a version number: a whole number from 1."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise wrong(where, "a whole number from 1", value)
    return value


def check_document(document: Mapping[str, Any]) -> None:
    """That a normal form is a prompt: a name, tags that are texts, and a chat or completion template."""
    _whole_characters(canonical_json(document), "the prompt")
    a_name(document.get("prompt_name"), "prompt_name")
    for place, tag in enumerate(a_list(document.get("tags", []), "tags")):
        a_text(tag, f"tags[{place}]")
    an_object(document.get("metadata", {}), "metadata")
    template = an_object(document.get("prompt_template"), "prompt_template")
    if template.get("type") == "chat":
        for place, message in enumerate(a_list(template.get("messages"), "prompt_template.messages")):
            _check_message(message, f"prompt_template.messages[{place}]")
    elif template.get("type") == "completion":
        _check_format(template, "prompt_template")
        _check_parts(template.get("content"), "prompt_template.content")
    else:
        raise wrong("prompt_template.type", "chat or completion", template.get("type"))


def _check_message(message: Any, where: str) -> None:
    role = an_object(message, where).get("role")
    if role not in _ROLES:
        raise wrong(f"{where}.role", f"one of {', '.join(_ROLES)}", role)
    if role in _NAMED_ROLES:
        a_text(message.get("name"), f"{where}.name")
    _check_format(message, where)
    if "content" in message:
        _check_parts(message["content"], f"{where}.content")


def _check_format(block: Wire, where: str) -> None:
    if block.get("template_format") not in NATIVE_FORMATS:
        raise wrong(f"{where}.template_format", " or ".join(NATIVE_FORMATS), block.get("template_format"))


def _check_parts(parts: Any, where: str) -> None:
    for place, part in enumerate(a_list(parts, where)):
        a_text(an_object(part, f"{where}[{place}]").get("type"), f"{where}[{place}].type")
        if not PART.fits(part):
            raise wrong(f"{where}[{place}]", f"a whole part of the type {part['type']}", part)
