"""Phoenix's normal form: what is left of an answer or a request once ids, messages and refilled nulls are gone.

A document is ``{"name", "description", "metadata", "version"}``: the first three belong to the prompt, ``version`` is
what one version says. Two documents say the same exactly when their normal forms are equal. What the server itself
does not keep apart is not kept apart here: the type of parameters of OpenAI's family, whole numbers where it reads
fractions, blanks around a description; and what its page rewrites: a message's text is a list of one text part, the
role ``ai`` is ``assistant``. Total: what is not shaped as expected stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from promptstore.vendors.namespace import Namespace
from promptstore.vendors.phoenix.lens.families import FAMILIES, OPENAI_ALIASES
from promptstore.vendors.values import Wire, change_each, change_within, without_nulls

NAMESPACE = Namespace("phoenix", "Phoenix")

DOCUMENT_KEYS = ("name", "description", "metadata", "version")
INTENT_KEY = "promptstore"
"""The key of a version's metadata under which a publish leaves its intent id."""

FORMATS: Mapping[str, str] = {"mustache": "MUSTACHE", "f-string": "F_STRING", "none": "NONE"}
"""The prompt file's word for a template format, and Phoenix's."""

_NO_CONTENT = ("id", "description", "template_type")


def normalise(raw: Mapping[str, Any]) -> Wire:
    """The normal form of a prompt with its ``version``, of a request's body, or of a normal form."""
    prompt = raw["prompt"] if isinstance(raw.get("prompt"), Mapping) else raw
    document = {key: prompt[key] for key in DOCUMENT_KEYS if prompt.get(key) is not None}
    if raw.get("version") is not None:
        document["version"] = raw["version"]
    if isinstance(document.get("description"), str):
        document["description"] = document["description"].strip()
    change_within(document, "version", normal_version)
    return {key: value for key, value in document.items() if value not in ("", {}) or key == "name"}


def normal_version(version: Mapping[str, Any]) -> Wire:
    """The normal form of a version. Its description is the message of a publish, not a part of what it says."""
    kept = {key: value for key, value in without_nulls(version).items() if key not in _NO_CONTENT}
    change_within(kept, "metadata", _without_intent)
    if kept.get("metadata") == {}:
        del kept["metadata"]
    change_within(kept, "template", _normal_template)
    change_within(kept, "invocation_parameters", _normal_parameters)
    change_within(kept, "tools", _normal_tools)
    change_within(kept, "response_format", _normal_response_format)
    return kept


def _without_intent(metadata: Mapping[str, Any]) -> Wire:
    return {key: value for key, value in metadata.items() if key != INTENT_KEY}


def _normal_template(template: Mapping[str, Any]) -> Wire:
    kept = without_nulls(template)
    change_each(kept, "messages", normal_message)
    return kept


def normal_message(message: Mapping[str, Any]) -> Wire:
    kept = without_nulls(message)
    if isinstance(kept.get("content"), str):
        kept["content"] = [{"type": "text", "text": kept["content"]}]
    return {**kept, "role": "assistant"} if kept.get("role") == "ai" else kept


def _normal_parameters(parameters: Mapping[str, Any]) -> Wire:
    kind = parameters.get("type")
    known = "openai" if kind in OPENAI_ALIASES else kind
    content = parameters.get(kind) if isinstance(kind, str) else None
    if not isinstance(known, str) or known not in FAMILIES or not isinstance(content, Mapping):
        return dict(parameters)
    rest = {key: value for key, value in parameters.items() if key not in {"type", kind}}
    return {**rest, "type": known, known: FAMILIES[known].normal(content)}


def _normal_tools(tools: Mapping[str, Any]) -> Wire:
    kept = without_nulls(tools)
    change_each(kept, "tools", normal_tool)
    return kept


def normal_tool(tool: Mapping[str, Any]) -> Wire:
    kept = without_nulls(tool)
    change_within(kept, "function", without_nulls)
    return kept


def _normal_response_format(wanted: Mapping[str, Any]) -> Wire:
    kept = without_nulls(wanted)
    change_within(kept, "json_schema", without_nulls)
    return kept
