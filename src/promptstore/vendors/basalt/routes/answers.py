"""What Basalt's endpoints answer about an edition, so that every one of its SDKs takes it.

They differ in what they insist on: texts that must be there and never null, parameters without which one of them
fails. Those are filled in here where the prompt does not say them.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from promptstore.errors import TemplateError
from promptstore.model.templates import variables_in
from promptstore.vendors.basalt.lens.messages import FORMAT
from promptstore.vendors.basalt.routes.catalogue import PRODUCTION, Catalogue, Entry, version_of
from promptstore.vendors.serving import Edition
from promptstore.vendors.values import Wire

_MODEL_TEXTS: Mapping[str, str] = {"provider": "", "client": "", "model": "", "version": "latest"}
_PARAMETERS: Mapping[str, Any] = {"temperature": 0, "maxLength": 0, "responseFormat": "text"}


def got(catalogue: Catalogue, entry: Entry, edition: Edition, tag: str) -> Wire:
    """The ``prompt`` of a get."""
    document = catalogue.document(entry, edition)
    return {
        **document,
        "text": document["text"],
        "systemText": document.get("systemText", ""),
        "version": version_of(edition),
        "tag": tag,
        "model": _filled(document.get("model", {})),
    }


def _filled(model: Wire) -> Wire:
    """The model with every required text and parameter; what the prompt says is never changed."""
    provider = model.get("provider")
    texts = {**_MODEL_TEXTS, "client": provider if isinstance(provider, str) else ""}
    parameters = model.get("parameters")
    return {**texts, **model, "parameters": {**_PARAMETERS, **(parameters if isinstance(parameters, dict) else {})}}


def listed(catalogue: Catalogue, entry: Entry) -> Wire:
    """One line of a listing. A prompt is live once it has the tag ``production``."""
    tags = catalogue.tags(entry)
    prompt = catalogue.view.prompt(catalogue.view.newest(entry.slug))
    return {
        "slug": entry.key,
        "name": prompt.name or entry.key,
        "status": "live" if PRODUCTION in tags else "draft",
        "description": prompt.description or "",
        "availableVersions": list(catalogue.versions(entry)),
        "availableTags": sorted(tags),
    }


def described(catalogue: Catalogue, entry: Entry, edition: Edition, tag: str) -> Wire:
    """The ``prompt`` of a describe."""
    document = catalogue.document(entry, edition)
    names = dict.fromkeys(name for key in ("systemText", "text") for name in _variables(document.get(key, "")))
    return {
        **listed(catalogue, entry),
        "version": version_of(edition),
        "tag": tag,
        "variables": [{"label": name, "type": "string", "description": ""} for name in names],
    }


def _variables(text: str) -> tuple[str, ...]:
    try:
        return variables_in(text, FORMAT)
    except TemplateError:
        return ()  # a text that is no template has no variables; it is served as it is


def deployed(entry: Entry, tag: str) -> Wire:
    """The answer of a publish; the id is the same on every machine."""
    return {"deploymentTag": {"id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{entry.key}\0{tag}")), "label": tag}}
