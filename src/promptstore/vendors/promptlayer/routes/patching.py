"""What a PATCH makes of a version: pure, from the base's document and the request's body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from promptstore.vendors.base import Document
from promptstore.vendors.promptlayer.routes.checks import an_object
from promptstore.vendors.serving import Refused
from promptstore.vendors.values import Wire

_LISTS = ("messages", "tools", "functions", "content")
_WORDS = ("function_call", "tool_choice")
_FORMAT = "response_format"


def patched(base: Document, body: Mapping[str, Any]) -> Document:
    """``prompt_template`` and ``metadata`` of the new version. Raises Refused (400)."""
    template: Wire = dict(base["prompt_template"])
    foreign = "content" if template["type"] == "chat" else "messages"
    if foreign in body:
        raise Refused(400, f"a {template['type']} template has no {foreign}")
    for key in _LISTS:
        if key in body:
            template[key] = _list_patched(template.get(key) or [], body[key], key)
    template.update({key: body[key] for key in _WORDS if key in body})
    return {"prompt_template": template, "metadata": _metadata(base.get("metadata", {}), body)}


def _list_patched(standing: list[Any], wanted: Any, key: str) -> list[Any] | None:
    """A list replaces, an object patches the items at its keys, null takes all away."""
    if wanted is None and key in {"tools", "functions"}:
        return None
    if isinstance(wanted, list):
        return wanted
    items = list(standing)
    for place, value in an_object(wanted, key).items():
        if not place.isdecimal() or int(place) >= len(items):
            raise Refused(400, f"{key} has no item {place}")
        standing_item = items[int(place)]
        both = isinstance(value, Mapping) and isinstance(standing_item, Mapping)
        items[int(place)] = {**standing_item, **value} if both else value
    return items


def _metadata(standing: Wire, body: Mapping[str, Any]) -> Wire:
    given = body.get("model_parameters")
    wanted = dict(an_object(given, "model_parameters")) if given is not None else {}
    if _FORMAT in body and _FORMAT in wanted:
        raise Refused(400, "response_format stands in the request twice")
    if not wanted and _FORMAT not in body:
        return standing
    model = standing.get("model")
    if not isinstance(model, Mapping):
        raise Refused(400, "the base version has no model whose parameters could be changed")
    parameters = {**(model.get("parameters") or {}), **wanted}
    if _FORMAT in body:
        parameters.pop(_FORMAT, None)
        parameters |= {} if body[_FORMAT] is None else {_FORMAT: body[_FORMAT]}
    return {**standing, "model": {**model, "parameters": parameters}}
