"""PromptLayer's publish request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from promptstore.vendors.promptlayer.lens.normal import INTENT_KEY, template_variables
from promptstore.vendors.values import Wire

if TYPE_CHECKING:
    from promptstore.vendors.base import Document

MAX_MESSAGE = 72
"""Characters in a commit message."""


def publish_body(document: Document, message: str, intent: str, folder: int | None) -> Wire:
    """The request that makes one version of the document."""
    metadata = {**document.get("metadata", {}), **({INTENT_KEY: {"intent": intent}} if intent else {})}
    return {
        "prompt_template": {
            "prompt_name": document["prompt_name"],
            "tags": document.get("tags", []),
            **({} if folder is None else {"folder_id": folder}),
        },
        "prompt_version": {
            "prompt_template": _with_variables(document["prompt_template"]),
            "commit_message": commit_message(message) or None,
            "metadata": metadata,
        },
    }


def _with_variables(template: Wire) -> Wire:
    """The template with ``input_variables`` written out, as PromptLayer's own editor does."""
    if template["type"] != "chat":
        return {"input_variables": _names([template]), **template}
    messages = [{"input_variables": _names([message]), **message} for message in template["messages"]]
    return {"input_variables": _names(messages), **template, "messages": messages}


def _names(blocks: Sequence[Wire]) -> list[str]:
    return list(dict.fromkeys(template_variables(list(blocks))))


def commit_message(message: str) -> str:
    """The first line, cut at a word to what PromptLayer takes."""
    line = message.strip().split("\n", 1)[0].strip()
    if len(line) <= MAX_MESSAGE:
        return line
    head = line[:MAX_MESSAGE]
    return (head.rpartition(" ")[0] or head[:-1])[: MAX_MESSAGE - 1].rstrip() + "…"
