"""Braintrust's normal form: what is left of an answer or a request once ids, versions and refilled nulls are gone.

Two documents say the same exactly when their normal forms are equal. Keys of the schema that are null are dropped, with
tags and parameters that are empty; a template without a format is mustache, as Braintrust's SDKs take it. ``tools`` is
a text of JSON and stays that very text; open maps (``params``, ``metadata``, ``mcp``) and unknown keys stay verbatim.
Total: what is not shaped as expected stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from promptstore.model.digest import canonical_json

Wire = dict[str, Any]
"""A JSON object as Braintrust has it."""

DOCUMENT_KEYS = ("name", "slug", "description", "tags", "prompt_data", "function_type", "metadata")
NATIVE_FORMATS = ("mustache", "nunjucks", "none")
DEFAULT_FORMAT = "mustache"


def normalise(raw: Mapping[str, Any]) -> Wire:
    """The normal form of a prompt as Braintrust answers it, of a request's body, or of a normal form."""
    document = {key: raw[key] for key in DOCUMENT_KEYS if raw.get(key) is not None}
    _within(document, "prompt_data", normal_data)
    return {key: value for key, value in document.items() if not (key in {"tags", "prompt_data"} and value in ([], {}))}


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal by type too: 1, 1.0 and true differ."""
    return canonical_json(one) == canonical_json(other)


def without_nulls(value: Mapping[str, Any]) -> Wire:
    return {key: item for key, item in value.items() if item is not None}


def _each(wire: Wire, key: str, normal: Callable[[Mapping[str, Any]], Wire]) -> None:
    """Bring the objects of a list to their normal form."""
    if isinstance(wire.get(key), list):
        wire[key] = [normal(item) if isinstance(item, Mapping) else item for item in wire[key]]


def _within(wire: Wire, key: str, normal: Callable[[Mapping[str, Any]], Wire]) -> None:
    """Bring an inner object to its normal form."""
    if isinstance(wire.get(key), Mapping):
        wire[key] = normal(wire[key])


def normal_data(data: Mapping[str, Any]) -> Wire:
    """The normal form of ``prompt_data``."""
    kept = without_nulls(data)
    _within(kept, "prompt", normal_block)
    if isinstance(kept.get("prompt"), Mapping):
        kept.setdefault("template_format", DEFAULT_FORMAT)
    _within(kept, "options", _options)
    if kept.get("options") == {}:
        del kept["options"]
    _within(kept, "parser", without_nulls)
    _within(kept, "origin", without_nulls)
    return kept


def _options(options: Mapping[str, Any]) -> Wire:
    kept = without_nulls(options)
    if kept.get("params") == {}:
        del kept["params"]
    return kept


def normal_block(block: Mapping[str, Any]) -> Wire:
    """The normal form of ``prompt_data.prompt``."""
    kept = without_nulls(block)
    _each(kept, "messages", normal_message)
    return kept


def normal_message(message: Mapping[str, Any]) -> Wire:
    kept = without_nulls(message)
    _each(kept, "content", normal_part)
    _each(kept, "tool_calls", normal_tool_call)
    _each(kept, "reasoning", without_nulls)
    _within(kept, "function_call", without_nulls)
    return kept


def normal_part(part: Mapping[str, Any]) -> Wire:
    kept = without_nulls(part)
    if kept.get("type") == "text":
        kept.setdefault("text", "")
    _within(kept, "image_url", without_nulls)
    _within(kept, "file", without_nulls)
    return kept


def normal_tool_call(call: Mapping[str, Any]) -> Wire:
    kept = without_nulls(call)
    _within(kept, "function", without_nulls)
    return kept
