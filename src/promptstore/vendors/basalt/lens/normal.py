"""Basalt's normal form: ``{"slug", "text", "systemText"?, "model"?}``, and whatever else a newer server says.

Gone are the version, the tag and the other facts about a prompt that are not its content, and top-level keys that are
null. An empty ``systemText`` says as much as none (Basalt's own SDKs do not tell them apart), an empty ``model`` too.
Inside ``model`` nothing is touched: 0, null, absent, integer and float stay distinct, unknown keys stay.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from promptstore.errors import BadResponse
from promptstore.model.digest import canonical_json

Wire = dict[str, Any]
"""A JSON object as Basalt has it."""

FACTS = frozenset(
    {
        "version",
        "tag",
        "id",
        "name",
        "status",
        "description",
        "availableVersions",
        "availableTags",
        "variables",
        "createdAt",
        "updatedAt",
    }
)
"""What Basalt tells about a prompt beside its content."""


def normalise(raw: Mapping[str, Any]) -> Wire:
    """The normal form of the ``prompt`` in an answer, or of a normal form. Total, and changes nothing in place."""
    kept = {key: value for key, value in raw.items() if key not in FACTS and value is not None}
    for key, nothing in (("systemText", ""), ("model", {})):
        if kept.get(key) == nothing:
            del kept[key]
    return kept


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal by type too: 1, 1.0 and true differ."""
    return canonical_json(one) == canonical_json(other)


def check_document(document: Mapping[str, Any]) -> None:
    """That a normal form is a prompt. Raises BadResponse naming what was expected where."""
    try:
        canonical_json(document).encode()
    except UnicodeEncodeError as problem:
        raise BadResponse("Basalt's answer makes no sense: half of a character in the prompt") from problem
    a_text(document.get("text"), "prompt.text")
    a_text(document.get("systemText", ""), "prompt.systemText")
    an_object(document.get("model", {}), "prompt.model")
    if not a_text(document.get("slug"), "prompt.slug"):
        raise BadResponse("Basalt's answer makes no sense: an empty text at prompt.slug")


def wrong(where: str, expected: str, got: Any) -> BadResponse:
    """The error for a value that is not what it should be."""
    kind = {dict: "an object", list: "a list", str: "a text", type(None): "null", bool: "true or false"}
    shown = kind.get(type(got), "a number")
    return BadResponse(f"Basalt's answer makes no sense: expected {expected} at {where}, got {shown}")


def an_object(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise wrong(where, "an object", value)
    return value


def a_text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise wrong(where, "a text", value)
    return value


def texts(value: Any, where: str) -> list[str]:
    if not isinstance(value, list):
        raise wrong(where, "a list", value)
    return [a_text(item, f"{where}[{place}]") for place, item in enumerate(value)]
