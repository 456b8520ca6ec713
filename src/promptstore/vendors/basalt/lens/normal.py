"""Basalt's normal form: ``{"slug", "text", "systemText"?, "model"?}``, and whatever else a newer server says.

Gone are the version, the tag and the other facts about a prompt that are not its content, and top-level keys that are
null. An empty ``systemText`` says as much as none (Basalt's own SDKs do not tell them apart), an empty ``model`` too.
Inside ``model`` nothing is touched: 0, null, absent, integer and float stay distinct, unknown keys stay.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from promptstore.vendors.expectations import Expect
from promptstore.vendors.namespace import Namespace
from promptstore.vendors.values import Wire

NAMESPACE = Namespace("basalt", "Basalt")
EXPECT = Expect(NAMESPACE.title)

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


def check_document(document: Mapping[str, Any]) -> None:
    """That a normal form is a prompt. Raises BadResponse naming what was expected where."""
    EXPECT.characters(document)
    EXPECT.a_text(document.get("text"), "prompt.text")
    EXPECT.a_text(document.get("systemText", ""), "prompt.systemText")
    EXPECT.an_object(document.get("model", {}), "prompt.model")
    EXPECT.a_name(document.get("slug"), "prompt.slug")
