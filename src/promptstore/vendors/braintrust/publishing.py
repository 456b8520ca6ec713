"""Braintrust's write requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from promptstore.vendors.values import Wire

if TYPE_CHECKING:
    from promptstore.vendors.base import Document

_ALWAYS = ("description", "prompt_data", "tags", "function_type")


def publish_body(document: Document, project: str) -> Wire:
    """The request that makes the prompt what the document says.

    Whether a field that is left out is kept or cleared is not known, so all of them are there. ``metadata`` is no part
    of the published request: it goes only where the document has some, which would be lost otherwise.
    """
    stated = {key: document.get(key) for key in _ALWAYS}
    return {"project_id": project, **stated, **document, **_with_contents(document)}


def _with_contents(document: Document) -> Wire:
    """The prompt data with the nulls that the schema demands: a function's message always has its content."""
    data = document.get("prompt_data")
    block = data.get("prompt") if isinstance(data, dict) else None
    if not isinstance(data, dict) or not isinstance(block, dict) or not isinstance(block.get("messages"), list):
        return {}
    messages = [_with_content(message) for message in block["messages"]]
    return {"prompt_data": {**data, "prompt": {**block, "messages": messages}}}


def _with_content(message: Any) -> Any:
    missing = isinstance(message, dict) and message.get("role") == "function"
    return {"content": None, **message} if missing else message
