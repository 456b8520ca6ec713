"""The other way of ``normal``: nulls, defaults and derived lists filled in, as PromptLayer's server answers them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from promptstore.vendors.promptlayer.lens.normal import template_variables
from promptstore.vendors.values import Wire

_CALLING: Wire = {"functions": None, "tools": None, "function_call": None, "tool_choice": None}
_NO_PARAMETERS: Wire = {"type": "object", "properties": {}}


def refilled(template: Mapping[str, Any]) -> Wire:
    """A template in normal form as the server gives it back; its normal form is the same again."""
    listed = {key: [fill(item) for item in template[key]] for key, fill in _FILL.items() if template.get(key)}
    if template.get("type") != "chat":
        return {"input_variables": _names([template]), **template, **listed}
    messages = template.get("messages", [])
    return {
        **_CALLING,
        "input_variables": _names(messages),
        "dataset_examples": [],
        **template,
        **listed,
        "messages": [_message(message) for message in messages],
    }


def _message(message: Wire) -> Wire:
    calls: Wire = {"function_call": None, "tool_calls": None} if message.get("role") == "assistant" else {}
    return {
        "input_variables": _names([message]),
        "name": None,
        "content": None,
        "raw_request_display_role": "",
        "dataset_examples": [],
        **calls,
        **message,
    }


def _function(function: Wire) -> Wire:
    return {"description": "", "parameters": _NO_PARAMETERS, "strict": False, **function}


def _tool(tool: Wire) -> Wire:
    inner = tool.get("function")
    return {**tool, "function": _function(inner)} if isinstance(inner, dict) else tool


_FILL = {"functions": _function, "tools": _tool}


def _names(blocks: Sequence[Any]) -> list[str]:
    return list(dict.fromkeys(template_variables(list(blocks))))


def metadata_answer(metadata: Mapping[str, Any]) -> Wire | None:
    """The metadata as the server answers it; null where there is none."""
    model = metadata.get("model")
    filled = {"model": {"parameters": {}, **model}} if isinstance(model, dict) else {}
    return {**metadata, **filled} or None
