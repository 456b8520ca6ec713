"""Phoenix's write requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from promptstore.errors import RemoteRejected
from promptstore.vendors.phoenix.lens.normal import INTENT_KEY
from promptstore.vendors.values import Wire

if TYPE_CHECKING:
    from promptstore.vendors.base import Document, Publication

TYPES = {"chat": "CHAT", "string": "STR"}
"""The type of a template, and the word for it beside the template."""


def version_body(publication: Publication) -> Wire:
    """The version that a publish makes. Raises RemoteRejected for a string template, which the API refuses."""
    version = publication.document["version"]
    template = version["template"]
    if template.get("type") != "chat":
        message = "Phoenix's API takes chat prompts only"
        raise RemoteRejected(message, status=422, hint="make it a chat prompt with one message")
    metadata = {**version.get("metadata", {}), INTENT_KEY: {"intent": publication.intent}}
    return {
        **version,
        "template": {**template, "messages": [wire_message(message) for message in template["messages"]]},
        "template_type": TYPES[template["type"]],
        "description": publication.message.strip(),
        "metadata": metadata if publication.intent else version.get("metadata", {}),
    }


def wire_message(message: Wire) -> Wire:
    """The message as Phoenix's client writes it: a text alone is no list of parts."""
    content = message.get("content")
    single = isinstance(content, list) and len(content) == 1 and content[0].keys() == {"type", "text"}
    return {**message, "content": content[0]["text"]} if single and isinstance(content, list) else message


def prompt_body(document: Document) -> Wire:
    """The prompt that a first publish makes."""
    return {key: document[key] for key in ("name", "description", "metadata") if key in document}


def patch_body(document: Document) -> dict[str, Any]:
    """What a publish says of the prompt beside its version; both are said always, lest an old one stays."""
    return {"description": document.get("description"), "metadata": document.get("metadata", {})}
