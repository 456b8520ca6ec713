"""Braintrust's normal form: what is left of an answer or a request once ids, versions and refilled nulls are gone.

Two documents say the same exactly when their normal forms are equal. Keys of the schema that are null are dropped, with
tags and parameters that are empty; a template without a format is mustache, as Braintrust's SDKs take it. ``tools`` is
a text of JSON and stays that very text; open maps (``params``, ``metadata``, ``mcp``) and unknown keys stay verbatim.
Total: what is not shaped as expected stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from promptstore.vendors.namespace import Namespace
from promptstore.vendors.values import Wire, change_each, change_within, without_nulls

NAMESPACE = Namespace("braintrust", "Braintrust")

DOCUMENT_KEYS = ("name", "slug", "description", "tags", "prompt_data", "function_type", "metadata")
NATIVE_FORMATS = ("mustache", "nunjucks", "none")
DEFAULT_FORMAT = "mustache"


def normalise(raw: Mapping[str, Any]) -> Wire:
    """The normal form of a prompt as Braintrust answers it, of a request's body, or of a normal form."""
    document = {key: raw[key] for key in DOCUMENT_KEYS if raw.get(key) is not None}
    change_within(document, "prompt_data", normal_data)
    return {key: value for key, value in document.items() if not (key in {"tags", "prompt_data"} and value in ([], {}))}


def normal_data(data: Mapping[str, Any]) -> Wire:
    """The normal form of ``prompt_data``."""
    kept = without_nulls(data)
    change_within(kept, "prompt", normal_block)
    if isinstance(kept.get("prompt"), Mapping):
        kept.setdefault("template_format", DEFAULT_FORMAT)
    change_within(kept, "options", _options)
    if kept.get("options") == {}:
        del kept["options"]
    change_within(kept, "parser", without_nulls)
    change_within(kept, "origin", without_nulls)
    return kept


def _options(options: Mapping[str, Any]) -> Wire:
    kept = without_nulls(options)
    if kept.get("params") == {}:
        del kept["params"]
    return kept


def normal_block(block: Mapping[str, Any]) -> Wire:
    """The normal form of ``prompt_data.prompt``."""
    kept = without_nulls(block)
    change_each(kept, "messages", normal_message)
    return kept


def normal_message(message: Mapping[str, Any]) -> Wire:
    kept = without_nulls(message)
    change_each(kept, "content", normal_part)
    change_each(kept, "tool_calls", normal_tool_call)
    change_each(kept, "reasoning", without_nulls)
    change_within(kept, "function_call", without_nulls)
    return kept


def normal_part(part: Mapping[str, Any]) -> Wire:
    kept = without_nulls(part)
    if kept.get("type") == "text":
        kept.setdefault("text", "")
    change_within(kept, "image_url", without_nulls)
    change_within(kept, "file", without_nulls)
    return kept


def normal_tool_call(call: Mapping[str, Any]) -> Wire:
    kept = without_nulls(call)
    change_within(kept, "function", without_nulls)
    return kept
