"""Checks of what clients send; Braintrust says no in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from promptstore.errors import BadResponse
from promptstore.vendors.base import Document
from promptstore.vendors.braintrust.lens.checks import check_document
from promptstore.vendors.braintrust.lens.normal import DOCUMENT_KEYS, normalise
from promptstore.vendors.serving import Asked, Refused

_PREFIX = "Braintrust's answer makes no sense: "


def body_object(asked: Asked) -> Mapping[str, Any]:
    """The body as an object; an empty or null one is the empty object."""
    value = asked.json()
    if value is not None and not isinstance(value, dict):
        raise Refused(400, "expected an object as the body")
    return value or {}


def a_text(body: Mapping[str, Any], key: str) -> str:
    value = body.get(key)
    if not isinstance(value, str) or not value:
        raise Refused(400, f"expected a text that is not empty at {key}")
    return value


def objects(value: Any, key: str) -> list[Mapping[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise Refused(400, f"expected a list of objects at {key}")
    return value


def a_document(body: Mapping[str, Any]) -> Document:
    """The prompt that a write sends, in normal form; unknown keys are ignored."""
    document = normalise({key: body.get(key) for key in DOCUMENT_KEYS})
    try:
        check_document(document)
    except BadResponse as problem:
        raise Refused(400, problem.message.removeprefix(_PREFIX)) from None
    return document
