"""Checks of what Braintrust sent: each gives the value, or raises BadResponse naming what was expected where."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from promptstore.errors import BadResponse
from promptstore.model.digest import canonical_json
from promptstore.vendors.braintrust.lens.normal import NATIVE_FORMATS, Wire

ROLES = ("system", "user", "assistant", "tool", "function", "developer", "model")


def wrong(where: str, expected: str, got: Any) -> BadResponse:
    """The error for a value that is not what it should be."""
    kind = {dict: "an object", list: "a list", str: "a text", type(None): "null", bool: "true or false"}
    shown = kind.get(type(got), "a number")
    return BadResponse(f"Braintrust's answer makes no sense: expected {expected} at {where}, got {shown}")


def an_object(value: Any, where: str) -> Wire:
    if not isinstance(value, dict):
        raise wrong(where, "an object", value)
    return value


def a_list(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise wrong(where, "a list", value)
    return value


def a_text(value: Any, where: str) -> str:
    """A text that is not empty, of whole characters."""
    if not isinstance(value, str) or not value:
        raise wrong(where, "a text", value)
    _whole_characters(value, where)
    return value


def _whole_characters(text: str, where: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as problem:
        raise BadResponse(f"Braintrust's answer makes no sense: half of a character in {where}") from problem


def check_document(document: Mapping[str, Any]) -> None:
    """That a normal form is a prompt: a name, a slug, and prompt data whose messages have roles we know."""
    _whole_characters(canonical_json(document), "the prompt")
    a_text(document.get("name"), "name")
    a_text(document.get("slug"), "slug")
    for place, tag in enumerate(a_list(document.get("tags", []), "tags")):
        if not isinstance(tag, str):
            raise wrong(f"tags[{place}]", "a text", tag)
    data = an_object(document.get("prompt_data", {}), "prompt_data")
    block = an_object(data.get("prompt", {}), "prompt_data.prompt")
    if data.get("template_format", "none") not in NATIVE_FORMATS:
        raise wrong("prompt_data.template_format", " or ".join(NATIVE_FORMATS), data["template_format"])
    if block.get("type") == "chat":
        for place, message in enumerate(a_list(block.get("messages"), "prompt_data.prompt.messages")):
            _check_message(message, f"prompt_data.prompt.messages[{place}]")
    if block.get("type") == "completion" and not isinstance(block.get("content"), str):
        raise wrong("prompt_data.prompt.content", "a text", block.get("content"))


def _check_message(message: Any, where: str) -> None:
    role = an_object(message, where).get("role")
    if role not in ROLES:
        raise wrong(f"{where}.role", f"one of {', '.join(ROLES)}", role)
    if role == "function":
        a_text(message.get("name"), f"{where}.name")
