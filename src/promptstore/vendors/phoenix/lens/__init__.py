"""The lens between prompt files and Phoenix's documents: pure values in, values out.

A document is ``{"name", "description", "metadata", "version"}`` in normal form (see ``normal``). The name is made of
the slug. The file's ``name`` and ``tags`` and what stands under other vendors are left out, and come back from the old
file on lift. What a document says beyond the typed fields stands under ``vendors.phoenix``, laid over the rest when it
goes out; null there takes a key away.

Phoenix's API takes no string templates, though a server may hold some: a completion is held, unless it came from there
(``vendors.phoenix.version.template.type: string``).
"""

from __future__ import annotations

from promptstore.errors import NotRepresentable
from promptstore.vendors.document_lens import DocumentLens
from promptstore.vendors.phoenix.lens.checks import check_document, check_sendable
from promptstore.vendors.phoenix.lens.families import PROVIDERS, Family
from promptstore.vendors.phoenix.lens.formats import NATIVE, PROMPT_FORMATS
from promptstore.vendors.phoenix.lens.messages import BLOCKS
from promptstore.vendors.phoenix.lens.normal import DOCUMENT_KEYS, FORMATS, NAMESPACE, normalise
from promptstore.vendors.phoenix.lens.parameters import lift_parameters, project_parameters
from promptstore.vendors.phoenix.lens.providers import lift_provider, provider_in
from promptstore.vendors.phoenix.lens.tools import is_json_schema, lift_tools, project_tools
from promptstore.vendors.phoenix.names import name_of
from promptstore.vendors.prompt_blocks import respelled
from promptstore.vendors.prompt_formats import level_of
from promptstore.vendors.spelling import holds
from promptstore.vendors.values import Data, Wire, overlay, residual

_MODEL = ("model", "response_format")
_CHOICE = ("tools", "tool_choice")
_GROUPS = ((*_MODEL, *_CHOICE, "vendors"), (*_MODEL, "vendors"), (*_CHOICE, "vendors"), _MODEL, _CHOICE)


# Out


def _project(data: Data, slug: str) -> Wire:
    """The document of a prompt given as plain data."""
    above = NAMESPACE.over_document(data, DOCUMENT_KEYS)
    document = normalise(overlay(_plain(data, slug, _own_version(data)), above))
    check_sendable(document)
    return document


def _own_version(data: Data) -> Wire:
    version = NAMESPACE.own(data).get("version")
    return version if isinstance(version, dict) else {}


def _plain(data: Data, slug: str, own: Wire) -> Wire:
    """What the file's typed fields say; ``own`` is what the file wants to be said of the version beside."""
    return {
        "name": name_of(slug),
        "description": data.get("description"),
        "metadata": data.get("metadata"),
        "version": _plain_version(data, own),
    }


def _plain_version(data: Data, own: Wire) -> Wire:
    for key in ("functions", "function_call"):
        if data.get(key):
            raise NotRepresentable("Phoenix has no functions, only tools", field=key, hint="make them tools")
    target = NATIVE.get(own.get("template_format", "")) or PROMPT_FORMATS.target_of(data)
    return {
        **_project_model(data, own),
        "template": _project_template(data, target, own),
        "template_format": FORMATS[target],
        "tools": project_tools(data.get("tools") or [], data.get("tool_choice")),
    }


def _project_template(data: Data, target: str, own: Wire) -> Wire:
    level = level_of(data)
    if data.get("messages") is not None:
        return {"type": "chat", "messages": BLOCKS.project_messages(data["messages"], level, target)}
    template = own.get("template")
    if not isinstance(template, dict) or template.get("type") != "string":
        hint = "make it a chat prompt with one message"
        raise NotRepresentable("Phoenix's API takes chat prompts only", field="content", hint=hint)
    return {"type": "string", "template": BLOCKS.project_content(data, level, target)}


def _project_model(data: Data, own: Wire) -> Wire:
    model, wanted = data.get("model") or {}, data.get("response_format")
    provider = own["model_provider"] if isinstance(own.get("model_provider"), str) else provider_in(model)
    typed = {"response_format": wanted} if is_json_schema(wanted) else {}
    beside = {"response_format": wanted} if wanted is not None and not typed else {}
    parameters = _project_parameters(model.get("parameters") or {}, beside, provider, own)
    name = model.get("name") or ""
    return {"model_provider": provider, "model_name": name, "invocation_parameters": parameters, **typed}


def _project_parameters(parameters: Data, beside: Wire, provider: str, own: Wire) -> Wire:
    """Parameters of another family than the provider's stand under ``vendors.phoenix`` alone."""
    stated = own.get("invocation_parameters")
    if provider not in PROVIDERS or (isinstance(stated, dict) and "type" in stated):
        if parameters or beside:
            field = "model.parameters" if parameters else "response_format"
            hint = f"keep only one of them and vendors.{NAMESPACE.vendor}.version.invocation_parameters"
            raise NotRepresentable("the parameters stand in two places", field=field, hint=hint)
        return {}
    family = PROVIDERS[provider]
    return {"type": family.name, family.name: project_parameters(parameters, beside, family)}


# In


def _lift(document: Wire, slug: str, old: Data | None) -> Data:
    if old is None:
        return _fresh(document, slug, {}, {})

    def still(data: Data) -> bool:
        return holds(lambda: _project(data, slug), document)

    return respelled(lambda spelling: _fresh(document, slug, old, spelling), old, still, _GROUPS)


def _fresh(document: Wire, slug: str, old: Data, spelling: Data) -> Data:
    """The document in plain spelling; its texts and tools in that of ``spelling``."""
    version = document["version"]
    data: Data = {key: document[key] for key in ("description", "metadata") if key in document}
    data.update(_lift_template(version, spelling))
    data.update(lift_tools(version.get("tools"), spelling))
    model, stated = _lift_model(version, old)
    data.update(model)
    if version["template"]["type"] == "string":
        stated = {**stated, "template": {"type": "string"}}
    plain = _plain(data, slug, stated)
    if plain["version"]["template_format"] != version["template_format"]:
        stated = {**stated, "template_format": version["template_format"]}
        plain = _plain(data, slug, stated)
    rest = residual(normalise(plain), document)
    return NAMESPACE.beside(data, overlay({"version": stated} if stated else {}, rest), old)


def _lift_template(version: Wire, old: Data) -> Data:
    target = NATIVE[version["template_format"]]
    if version["template"]["type"] == "string":
        return BLOCKS.lift_content(version["template"]["template"], target, old)
    return BLOCKS.lift_messages(version["template"]["messages"], target, old)


def _lift_model(version: Wire, old: Data) -> tuple[Data, Wire]:
    """``model`` and ``response_format``, and what of them must stand under ``vendors.phoenix``."""
    before = old.get("model") or {}
    provider, name, parameters = version["model_provider"], version["model_name"], version["invocation_parameters"]
    stated: Wire = {}
    if provider not in PROVIDERS:
        stated["model_provider"] = provider
    word = lift_provider(provider, name, before) if provider in PROVIDERS else before.get("provider")
    model: Data = {**({"provider": word} if word else {}), **({"name": name} if name else {})}
    beside: Data = {}
    family = PROVIDERS.get(provider)
    content = _content_of(parameters, family) if family else None
    if family is None or content is None:
        stated["invocation_parameters"] = parameters
    else:
        held = frozenset({"response_format"}) if old.get("response_format") is not None else frozenset[str]()
        typed, beside = lift_parameters(content, family, before.get("parameters") or {}, held)
        model.update({"parameters": typed} if typed else {})
    if is_json_schema(version.get("response_format")):
        beside = {"response_format": version["response_format"]}
    return {**({"model": model} if _is_said(model, provider) else {}), **beside}, stated


def _content_of(parameters: Wire, family: Family) -> Wire | None:
    """The parameters themselves; None where they are not of that family."""
    content = parameters.get(family.name) if parameters.get("type") == family.name else None
    return content if isinstance(content, dict) and all(key in content for key in family.required) else None


def _is_said(model: Data, provider: str) -> bool:
    """Whether a prompt names a model at all: Phoenix itself demands a provider."""
    return bool(model) and not (set(model) == {"provider"} and provider == "OPENAI")


LENS = DocumentLens(NAMESPACE, normalise, check_document, _project, _lift, key_field="name")
