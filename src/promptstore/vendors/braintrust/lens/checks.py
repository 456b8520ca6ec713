"""Checks of what Braintrust sent: each gives the value, or raises BadResponse naming what was expected where."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from promptstore.vendors.braintrust.lens.normal import NAMESPACE, NATIVE_FORMATS
from promptstore.vendors.expectations import Expect

EXPECT = Expect(NAMESPACE.title)

ROLES = ("system", "user", "assistant", "tool", "function", "developer", "model")


def check_document(document: Mapping[str, Any]) -> None:
    """That a normal form is a prompt: a name, a slug, and prompt data whose messages have roles we know."""
    EXPECT.characters(document)
    EXPECT.a_name(document.get("name"), "name")
    EXPECT.a_name(document.get("slug"), "slug")
    for place, tag in enumerate(EXPECT.a_list(document.get("tags", []), "tags")):
        if not isinstance(tag, str):
            raise EXPECT.wrong(f"tags[{place}]", "a text", tag)
    data = EXPECT.an_object(document.get("prompt_data", {}), "prompt_data")
    block = EXPECT.an_object(data.get("prompt", {}), "prompt_data.prompt")
    if data.get("template_format", "none") not in NATIVE_FORMATS:
        raise EXPECT.wrong("prompt_data.template_format", " or ".join(NATIVE_FORMATS), data["template_format"])
    if block.get("type") == "chat":
        for place, message in enumerate(EXPECT.a_list(block.get("messages"), "prompt_data.prompt.messages")):
            _check_message(message, f"prompt_data.prompt.messages[{place}]")
    if block.get("type") == "completion" and not isinstance(block.get("content"), str):
        raise EXPECT.wrong("prompt_data.prompt.content", "a text", block.get("content"))


def _check_message(message: Any, where: str) -> None:
    role = EXPECT.an_object(message, where).get("role")
    if role not in ROLES:
        raise EXPECT.wrong(f"{where}.role", f"one of {', '.join(ROLES)}", role)
    if role == "function":
        EXPECT.a_name(message.get("name"), f"{where}.name")
