"""The lens between prompt files and PromptLayer's documents: pure values in, values out.

A document is ``{"prompt_name", "tags", "prompt_template", "metadata"}`` in normal form (see ``normal``); ``tags`` and
``metadata`` are left out when empty. The model and the response format stand in ``metadata.model``, every other key of
``metadata`` is the file's own. Descriptions and what stands under other vendors cannot be held by PromptLayer: they
are left out, and come back from the old file on lift.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from promptstore.errors import NotRepresentable
from promptstore.vendors.block_formats import FILE_FORMAT
from promptstore.vendors.document_lens import DocumentLens
from promptstore.vendors.promptlayer.lens.checks import check_document
from promptstore.vendors.promptlayer.lens.messages import (
    lift_content,
    lift_messages,
    project_content,
    project_messages,
)
from promptstore.vendors.promptlayer.lens.normal import INTENT_KEY, NAMESPACE, normalise
from promptstore.vendors.promptlayer.lens.objects import FUNCTION_CHOICE, FUNCTIONS, TOOLS
from promptstore.vendors.shapes import TEXT_OR_OBJECT, TEXTS, Field
from promptstore.vendors.spelling import BODY, holds, keep_spelling
from promptstore.vendors.values import Data, Wire, overlay

MAX_NAME = 512

_DOCUMENT_KEYS = ("prompt_name", "tags", "prompt_template", "metadata")
_RESERVED_METADATA = ("model", INTENT_KEY)
_CALLING: Mapping[str, Field] = {
    "tools": TOOLS,
    "tool_choice": TEXT_OR_OBJECT,
    "functions": FUNCTIONS,
    "function_call": FUNCTION_CHOICE,
    "input_variables": TEXTS,
}
_MODEL_AND_METADATA = ("model", "response_format", "metadata", "vendors")


def _project(data: Data, slug: str) -> Wire:
    """The document of a prompt given as plain data."""
    above = NAMESPACE.over_document(data, _DOCUMENT_KEYS)
    plain = {
        "prompt_name": data.get("name") or slug,
        "tags": data.get("tags", []),
        "prompt_template": _project_template(data),
        "metadata": _project_metadata(data),
    }
    document = overlay(plain, above)
    _check_name(document["prompt_name"])
    _check_metadata(document["metadata"], data)
    return normalise(document)


def _check_name(name: Any) -> None:
    if not isinstance(name, str) or not 1 <= len(name) <= MAX_NAME:
        raise NotRepresentable(
            f"PromptLayer's names hold 1 to {MAX_NAME} characters", field="name", hint="give it a shorter name"
        )
    if name in {".", ".."}:
        hint = "give it another name: no URL can hold this one"
        raise NotRepresentable(f"PromptLayer cannot serve a prompt named {name!r}", field="name", hint=hint)


def _project_template(data: Data) -> Wire:
    calling = {key: kind.project(data[key], f"{key}.") for key, kind in _CALLING.items() if data.get(key) is not None}
    level = data.get("template_format") or FILE_FORMAT
    if data.get("messages") is not None:
        return {"type": "chat", "messages": project_messages(data["messages"], level), **calling}
    return {"type": "completion", **project_content(data, level), **calling}


def _project_metadata(data: Data) -> Wire:
    metadata = dict(data.get("metadata") or {})
    for key in _RESERVED_METADATA:
        if key in metadata:
            raise NotRepresentable(
                f"PromptLayer's metadata key {key!r} is taken", field=f"metadata.{key}", hint="give it another name"
            )
    model = _project_model(data)
    return {"model": model, **metadata} if model else metadata


def _project_model(data: Data) -> Wire:
    model = {key: value for key, value in (data.get("model") or {}).items() if value not in (None, {})}
    wanted = data.get("response_format")
    if wanted is None:
        return model
    parameters = model.get("parameters", {})
    if "response_format" in parameters:
        hint = "keep only one of them"
        message = "the response format stands both in response_format and in model.parameters"
        raise NotRepresentable(message, field="response_format", hint=hint)
    return {**model, "parameters": {**parameters, "response_format": wanted}}


def _check_metadata(metadata: Any, data: Data) -> None:
    if INTENT_KEY in (metadata or {}):
        field = f"vendors.{NAMESPACE.vendor}.metadata.{INTENT_KEY}"
        raise NotRepresentable(f"the metadata key {INTENT_KEY!r} is taken", field=field, hint="take it out")
    if not _project_model(data):
        return
    model = metadata.get("model")
    for key in ("provider", "name"):
        if not isinstance(model, Mapping) or model.get(key) is None:
            hint = "PromptLayer keeps a model and its parameters only with both provider and name"
            raise NotRepresentable(f"the model has no {key}", field=f"model.{key}", hint=hint)


def _lift(document: Wire, slug: str, old: Data | None) -> Data:
    if old is None:
        return _fresh(document, slug, {})

    def still(data: Data) -> bool:
        return holds(lambda: _project(data, slug), document)

    fresh = _fresh(document, slug, old)
    return keep_spelling(fresh, old, still, [_MODEL_AND_METADATA], leave=BODY)


def _fresh(document: Wire, slug: str, old: Data) -> Data:
    """The document in plain spelling; messages, tools and functions already in that of ``old``."""
    template, rest = _lift_template(document["prompt_template"], old)
    metadata, model_rest = _lift_metadata(document.get("metadata", {}))
    data = {**template, **metadata}
    if document["prompt_name"] != slug:
        data["name"] = document["prompt_name"]
    if document.get("tags"):
        data["tags"] = document["tags"]
    over = {"prompt_template": rest, "metadata": {"model": model_rest} if model_rest is not None else {}}
    return NAMESPACE.beside(data, {key: value for key, value in over.items() if value}, old)


def _lift_template(template: Wire, old: Data) -> tuple[Data, Wire]:
    """The typed fields of a template, and what else it holds."""
    chat = template["type"] == "chat"
    body = lift_messages(template["messages"], old) if chat else lift_content(template, old)
    calling = {
        key: kind.lift(template[key], old.get(key))
        for key, kind in _CALLING.items()
        if key in template and kind.fits(template[key])
    }
    taken = {"type", *calling, *(("messages",) if chat else ("content", "template_format"))}
    return {**body, **calling}, {key: value for key, value in template.items() if key not in taken}


def _lift_metadata(metadata: Wire) -> tuple[Data, Any]:
    """``model``, ``response_format`` and ``metadata``, and what of the model has no place there (None: nothing)."""
    own_keys = {key: value for key, value in metadata.items() if key != "model"}
    data: Data = {"metadata": own_keys} if own_keys else {}
    model = metadata.get("model")
    if not (isinstance(model, Mapping) and all(isinstance(model.get(key), str) for key in ("provider", "name"))):
        return data, model
    rest = dict(model)
    typed = {"provider": rest.pop("provider"), "name": rest.pop("name")}
    if isinstance(model.get("parameters"), Mapping):
        data.update(_lift_parameters(rest.pop("parameters"), typed))
    return {**data, "model": typed}, rest or None


def _lift_parameters(parameters: Mapping[str, Any], model: Data) -> Data:
    """Puts the parameters into ``model``, and gives the ``response_format`` that stood among them."""
    own_keys = dict(parameters)
    wanted = own_keys.get("response_format")
    found = {"response_format": own_keys.pop("response_format")} if isinstance(wanted, str | dict) else {}
    if own_keys:
        model["parameters"] = own_keys
    return found


LENS = DocumentLens(NAMESPACE, normalise, check_document, _project, _lift, key_field="prompt_name")
