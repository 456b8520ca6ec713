"""Checks of what PromptLayer sent: each gives the value, or raises BadResponse naming what was expected where."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from promptstore.vendors.expectations import Expect
from promptstore.vendors.promptlayer.lens.normal import NAMESPACE, NATIVE_FORMATS
from promptstore.vendors.promptlayer.lens.objects import PART
from promptstore.vendors.values import Wire

EXPECT = Expect(NAMESPACE.title)

_NAMED_ROLES = ("placeholder", "function")
_ROLES = ("system", "developer", "user", "assistant", "tool", *_NAMED_ROLES)


def check_document(document: Mapping[str, Any]) -> None:
    """That a normal form is a prompt: a name, tags that are texts, and a chat or completion template."""
    EXPECT.characters(document)
    EXPECT.a_name(document.get("prompt_name"), "prompt_name")
    for place, tag in enumerate(EXPECT.a_list(document.get("tags", []), "tags")):
        EXPECT.a_text(tag, f"tags[{place}]")
    EXPECT.an_object(document.get("metadata", {}), "metadata")
    template = EXPECT.an_object(document.get("prompt_template"), "prompt_template")
    if template.get("type") == "chat":
        for place, message in enumerate(EXPECT.a_list(template.get("messages"), "prompt_template.messages")):
            _check_message(message, f"prompt_template.messages[{place}]")
    elif template.get("type") == "completion":
        _check_format(template, "prompt_template")
        _check_parts(template.get("content"), "prompt_template.content")
    else:
        raise EXPECT.wrong("prompt_template.type", "chat or completion", template.get("type"))


def _check_message(message: Any, where: str) -> None:
    role = EXPECT.an_object(message, where).get("role")
    if role not in _ROLES:
        raise EXPECT.wrong(f"{where}.role", f"one of {', '.join(_ROLES)}", role)
    if role in _NAMED_ROLES:
        EXPECT.a_text(message.get("name"), f"{where}.name")
    _check_format(message, where)
    if "content" in message:
        _check_parts(message["content"], f"{where}.content")


def _check_format(block: Wire, where: str) -> None:
    if block.get("template_format") not in NATIVE_FORMATS:
        raise EXPECT.wrong(f"{where}.template_format", " or ".join(NATIVE_FORMATS), block.get("template_format"))


def _check_parts(parts: Any, where: str) -> None:
    for place, part in enumerate(EXPECT.a_list(parts, where)):
        EXPECT.a_text(EXPECT.an_object(part, f"{where}[{place}]").get("type"), f"{where}[{place}].type")
        if not PART.fits(part):
            raise EXPECT.wrong(f"{where}[{place}]", f"a whole part of the type {part['type']}", part)
