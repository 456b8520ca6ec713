"""Acme's notes: ``{"title", "text"}``, and whatever else a newer server says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from promptstore.errors import BadResponse, NotRepresentable
from promptstore.model.prompt_file import PromptFile
from promptstore.vendors.base import Document

_FACTS = {"id", "revision"}


class AcmeLens:
    """See ``promptstore.vendors.base.Lens`` for the laws."""

    def normalise(self, raw: Mapping[str, Any]) -> Document:
        return {key: value for key, value in raw.items() if key not in _FACTS and value is not None}

    def project(self, prompt: PromptFile, slug: str) -> Document:
        data = prompt.data()
        own = dict((data.get("vendors") or {}).get("acme", {}))
        return self.normalise({**own, "title": own.get("title", slug), "text": _text(data)})

    def lift(self, document: Document, slug: str, old: PromptFile | None) -> PromptFile:
        if not isinstance(document.get("title"), str) or not isinstance(document.get("text"), str):
            raise BadResponse("Acme's answer makes no sense: a note has a title and a text")
        data = old.data() if old else {"template_format": "jinja2", "messages": [{"role": "user"}]}
        own = {key: value for key, value in document.items() if key not in {"title", "text"}}
        own |= {"title": document["title"]} if document["title"] != slug else {}
        others = {name: kept for name, kept in (data.get("vendors") or {}).items() if name != "acme"}
        vendors = {**others, **({"acme": own} if own else {})}
        messages = [{**data["messages"][0], "content": document["text"]}]
        kept = {key: value for key, value in data.items() if key != "vendors"}
        return PromptFile.model_validate({**kept, "messages": messages, **({"vendors": vendors} if vendors else {})})

    def key(self, document: Document) -> str:
        title: str = document["title"]
        return title


def _text(data: Mapping[str, Any]) -> str:
    """The one text of a prompt that Acme can hold; refused where leaving the rest out would change its meaning."""
    messages = data.get("messages") or ()
    if len(messages) != 1 or messages[0]["role"] != "user" or not isinstance(messages[0]["content"], str):
        raise NotRepresentable("Acme holds one user message", field="messages", hint="write it as one text")
    if messages[0].get("template_format", data.get("template_format", "jinja2")) != "jinja2":
        raise NotRepresentable("Acme has jinja2 templates only", field="template_format", hint="write it in jinja2")
    for field in ("model", "tools", "response_format"):
        if data.get(field):
            raise NotRepresentable(f"Acme has no {field!r}", field=field, hint="take it out")
    text: str = messages[0]["content"]
    return text


LENS = AcmeLens()
