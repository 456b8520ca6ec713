"""Rendering as PromptLayer's server does it: never failing, per text block, and said as a provider's call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from promptstore.errors import TemplateError
from promptstore.model.chat_apis import anthropic_arguments, openai_arguments
from promptstore.model.prompt_file import Model, PromptFile
from promptstore.model.templates import render_text
from promptstore.vendors.base import Document, Lens
from promptstore.vendors.promptlayer.lens.normal import DEFAULT_FORMAT, NATIVE_FORMATS, template_variables
from promptstore.vendors.values import Wire

_APIS = {"openai": openai_arguments, "openai.azure": openai_arguments, "anthropic": anthropic_arguments}


def rendered(template: Wire, variables: Mapping[str, Any]) -> Wire:
    """The template with its text blocks rendered, each by its own format; what cannot be rendered stays as written."""
    if template.get("type") == "chat":
        return {**template, "messages": [_block(message, variables) for message in template["messages"]]}
    return _block(template, variables)


def _block(block: Wire, variables: Mapping[str, Any]) -> Wire:
    fmt = block.get("template_format", DEFAULT_FORMAT)
    content = block.get("content")
    if fmt not in NATIVE_FORMATS or not isinstance(content, list):
        return block
    return {**block, "content": [_part(part, fmt, variables) for part in content]}


def _part(part: Any, fmt: Any, variables: Mapping[str, Any]) -> Any:
    if isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text"), str):
        return {**part, "text": render_text(part["text"], fmt, variables, strict=False)}
    return part


def missing_variables(template: Wire, variables: Mapping[str, Any]) -> list[str]:
    """The names that the texts ask for and nobody gave, in order."""
    blocks = template["messages"] if template.get("type") == "chat" else [template]
    return [name for name in dict.fromkeys(template_variables(list(blocks))) if name not in variables]


def overridden(document: Document, provider: str | None, model: str | None, parameters: Mapping[str, Any]) -> Document:
    """The document with what a request says of the model in place of its own."""
    metadata = document.get("metadata", {})
    old = metadata.get("model")
    known = dict(old) if isinstance(old, dict) else {}
    named = {key: value for key, value in (("provider", provider), ("name", model)) if value is not None}
    merged = {**known, **named}
    if parameters:
        merged["parameters"] = {**(known.get("parameters") or {}), **parameters}
    return {**document, "metadata": {**metadata, "model": merged}} if merged else document


def llm_kwargs(lens: Lens, document: Document, slug: str, variables: Mapping[str, Any] | None) -> Wire | None:
    """Keyword arguments for the provider's SDK; None where the prompt names no model, or one of a provider that we
    cannot speak for. Without ``variables`` (None) the texts are left as they are."""
    prompt = lens.lift(document, slug, None)
    api = _APIS.get(prompt.model.provider or "") if prompt.model else None
    if api is None or not _complete(prompt.model):
        return None
    try:
        return api(_verbatim(prompt) if variables is None else prompt, variables or {}, strict=False)
    except TemplateError:
        return None  # the prompt holds what this API cannot say


def _complete(model: Model | None) -> bool:
    return model is not None and bool(model.provider) and bool(model.name)


def _verbatim(prompt: PromptFile) -> PromptFile:
    """The prompt with nothing in it that is a template."""
    messages = prompt.messages
    if messages is not None:
        messages = tuple(message.model_copy(update={"template_format": "none"}) for message in messages)
    return prompt.model_copy(update={"template_format": "none", "messages": messages})
