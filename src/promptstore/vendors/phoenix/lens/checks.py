"""Checks of what Phoenix sent, and of what is to be sent there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from promptstore.errors import NotRepresentable
from promptstore.vendors.expectations import Expect
from promptstore.vendors.phoenix.lens.normal import FORMATS, NAMESPACE
from promptstore.vendors.phoenix.names import NAME_RULE, is_name
from promptstore.vendors.values import Wire

EXPECT = Expect(NAMESPACE.title)

ROLES = ("system", "developer", "user", "assistant", "model", "tool")


def check_document(document: Mapping[str, Any]) -> None:
    """That a normal form is a prompt: a name, and a version whose messages have roles we know."""
    EXPECT.characters(document)
    EXPECT.a_name(document.get("name"), "name")
    EXPECT.a_text(document.get("description", ""), "description")
    EXPECT.an_object(document.get("metadata", {}), "metadata")
    version = EXPECT.an_object(document.get("version"), "version")
    EXPECT.a_name(version.get("model_provider"), "model_provider")
    EXPECT.a_text(version.get("model_name"), "model_name")
    EXPECT.an_object(version.get("invocation_parameters"), "invocation_parameters")
    if version.get("template_format") not in FORMATS.values():
        raise EXPECT.wrong("template_format", " or ".join(FORMATS.values()), version.get("template_format"))
    _check_template(EXPECT.an_object(version.get("template"), "template"))


def _check_template(template: Wire) -> None:
    if template.get("type") == "string":
        EXPECT.a_text(template.get("template"), "template.template")
    elif template.get("type") == "chat":
        for place, message in enumerate(EXPECT.objects(template.get("messages"), "template.messages")):
            _check_message(message, f"template.messages[{place}]")
    else:
        raise EXPECT.wrong("template.type", "chat or string", template.get("type"))


def _check_message(message: Wire, where: str) -> None:
    if message.get("role") not in ROLES:
        raise EXPECT.wrong(f"{where}.role", f"one of {', '.join(ROLES)}", message.get("role"))
    parts = EXPECT.objects(message.get("content"), f"{where}.content")
    if not parts:
        raise EXPECT.senseless(f"an empty list at {where}.content")
    for place, part in enumerate(parts):
        EXPECT.a_name(part.get("type"), f"{where}.content[{place}].type")


def check_sendable(document: Wire) -> None:
    """What Phoenix would refuse, or fail on. Raises NotRepresentable."""
    if not isinstance(document.get("name"), str) or not is_name(document["name"]):
        field = f"vendors.{NAMESPACE.vendor}.name"
        raise NotRepresentable(
            f"a name at Phoenix is made of {NAME_RULE}", field=field, hint="give it such a name there"
        )
    place = _too_large(document, "")
    if place is not None:
        message = "Phoenix cannot store a whole number beyond 64 bits"
        raise NotRepresentable(message, field=place, hint="write it as a text")


def _too_large(value: Any, at: str) -> str | None:
    """Where a number stands on which the server fails with an internal error."""
    if isinstance(value, int):
        return None if -(1 << 63) <= value < (1 << 63) else at
    inner = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    found = (_too_large(item, f"{at}.{key}" if at else str(key)) for key, item in inner)
    return next((place for place in found if place is not None), None)
