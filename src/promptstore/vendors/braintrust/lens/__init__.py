"""The lens between prompt files and Braintrust's documents: pure values in, values out.

A document is ``{"name", "slug", "description", "tags", "prompt_data", "function_type", "metadata"}`` in normal form
(see ``normal``). The file's ``metadata``, the model's provider and what stands under other vendors are left out, and
come back from the old file on lift: whether Braintrust takes metadata with a write is not known, so only what stands
under ``vendors.braintrust.metadata`` goes there. What a document says beyond the typed fields stands under
``vendors.braintrust``, laid over the rest when it goes out; null there takes a key away.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from promptstore.errors import NotRepresentable
from promptstore.vendors.braintrust.lens.checks import check_document
from promptstore.vendors.braintrust.lens.formats import FORMATS, pinned
from promptstore.vendors.braintrust.lens.messages import BLOCKS
from promptstore.vendors.braintrust.lens.normal import DEFAULT_FORMAT, DOCUMENT_KEYS, NAMESPACE, normalise
from promptstore.vendors.braintrust.lens.objects import says_tools, tools_in, tools_text
from promptstore.vendors.braintrust.lens.providers import provider_after
from promptstore.vendors.document_lens import DocumentLens
from promptstore.vendors.prompt_blocks import respelled
from promptstore.vendors.prompt_formats import level_of
from promptstore.vendors.spelling import holds
from promptstore.vendors.values import Data, Wire, overlay, residual

_CALLING = ("response_format", "tool_choice", "function_call")
_MODEL = ("model", *_CALLING)
_GROUPS = ((*_MODEL, "tools", "vendors"), (*_MODEL, "vendors"), ("tools", "vendors"))


# Out


def _project(data: Data, slug: str) -> Wire:
    """The document of a prompt given as plain data."""
    above = NAMESPACE.over_document(data, DOCUMENT_KEYS)
    document = normalise(overlay(_plain(data, slug), _without_stale_tools(above, data)))
    for key in ("name", "slug"):
        if not isinstance(document.get(key), str) or not document[key]:
            hint = "write a text there, or take it out"
            raise NotRepresentable(
                f"a prompt at Braintrust needs a {key}", field=f"vendors.{NAMESPACE.vendor}.{key}", hint=hint
            )
    return document


def _without_stale_tools(above: Wire, data: Data) -> Wire:
    """The overlay; a text of tools in it only counts while it still says what the file's own ``tools`` say."""
    inner = above.get("prompt_data")
    block = inner.get("prompt") if isinstance(inner, dict) else None
    if not isinstance(inner, dict) or not isinstance(block, dict) or not isinstance(block.get("tools"), str):
        return above
    if says_tools(block["tools"], data.get("tools") or []):
        return above
    rest = {key: value for key, value in block.items() if key != "tools"}
    return {**above, "prompt_data": {**inner, "prompt": rest}}


def _plain(data: Data, slug: str) -> Wire:
    """What the file's typed fields say."""
    target = pinned(data) or FORMATS.target_of(data)
    prompt_data = {"prompt": _project_block(data, target), "options": _project_options(data), "template_format": target}
    return {
        "name": data.get("name") or slug,
        "slug": slug,
        "description": data.get("description"),
        "tags": data.get("tags", []),
        "prompt_data": prompt_data,
    }


def _project_block(data: Data, target: str) -> Wire:
    if data.get("functions"):
        raise NotRepresentable("Braintrust has no functions, only tools", field="functions", hint="make them tools")
    level = level_of(data)
    if data.get("messages") is None:
        if data.get("tools"):
            hint = "make it a chat prompt, or take the tools out"
            raise NotRepresentable("Braintrust's completion prompts have no tools", field="tools", hint=hint)
        return {"type": "completion", "content": BLOCKS.project_content(data, level, target)}
    tools = {"tools": tools_text(data["tools"])} if data.get("tools") else {}
    return {"type": "chat", "messages": BLOCKS.project_messages(data["messages"], level, target), **tools}


def _project_options(data: Data) -> Wire:
    model = data.get("model") or {}
    params = dict(model.get("parameters") or {})
    for key in _CALLING:
        if data.get(key) is None:
            continue
        if key in params:
            message = f"{key} stands both in {key} and in model.parameters"
            raise NotRepresentable(message, field=key, hint="keep only one of them")
        params[key] = data[key]
    return {"model": model.get("name"), "params": params or None}


# In


def _lift(document: Wire, slug: str, old: Data | None) -> Data:
    if old is None:
        return _fresh(document, slug, {}, {})

    def still(data: Data) -> bool:
        return holds(lambda: _project(data, slug), document)

    return respelled(lambda spelling: _fresh(document, slug, old, spelling), old, still, _GROUPS)


def _fresh(document: Wire, slug: str, old: Data, spelling: Data) -> Data:
    """The document in plain spelling; its texts and tools in that of ``spelling``."""
    inner = document.get("prompt_data", {})
    data: Data = {"name": document["name"]} if document["name"] != slug else {}
    if isinstance(document.get("description"), str):
        data["description"] = document["description"]
    if document.get("tags"):
        data["tags"] = document["tags"]
    data.update(_lift_options(inner.get("options"), old))
    data.update(_lift_block(inner, spelling))
    return NAMESPACE.beside(data, residual(normalise(_plain(data, slug)), document), old)


def _lift_block(inner: Wire, old: Data) -> Data:
    block, target = inner.get("prompt", {}), inner.get("template_format", DEFAULT_FORMAT)
    if block.get("type") == "completion":
        return BLOCKS.lift_content(block["content"], target, old)
    if block.get("type") != "chat":
        return {"messages": []}
    tools = tools_in(block["tools"], old.get("tools")) if isinstance(block.get("tools"), str) else []
    return {**BLOCKS.lift_messages(block["messages"], target, old), **({"tools": tools} if tools else {})}


def _lift_options(options: Any, old: Data) -> Data:
    """``model``, and what stands beside it in the file but among its parameters at Braintrust."""
    if not isinstance(options, Mapping):
        return {}
    before = old.get("model") or {}
    model: Data = {}
    name = options.get("model")
    if isinstance(name, str):
        provider = provider_after(name, before.get("name"), before.get("provider"), known=bool(old))
        model = {**({"provider": provider} if provider else {}), "name": name}
    params = dict(options["params"]) if isinstance(options.get("params"), Mapping) else {}
    beside = {key: params.pop(key) for key in _CALLING if _fits_beside(key, params.get(key))}
    if params:
        model["parameters"] = params
    return {**({"model": model} if model else {}), **beside}


def _fits_beside(key: str, value: Any) -> bool:
    if key == "function_call" and isinstance(value, Mapping):
        return set(value) == {"name"} and isinstance(value["name"], str)
    return isinstance(value, str | dict)


LENS = DocumentLens(NAMESPACE, normalise, check_document, _project, _lift, key_field="slug")
