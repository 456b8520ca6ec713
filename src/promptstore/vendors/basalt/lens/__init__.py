"""The lens between prompt files and Basalt's prompts: pure values in, values out.

A document is ``{"slug", "text", "systemText"?, "model"?}`` in normal form (see ``normal``). Provider, name and
parameters of the model are the file's own, the parameters verbatim; the model's ``client`` and ``version``, a slug
other than the file's, and all that is unknown stand under ``vendors.basalt``. Titles, descriptions, keyword tags,
metadata and what stands under other vendors are no part of what Basalt's API gives: they come from the old file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from promptstore.errors import NotRepresentable
from promptstore.vendors.basalt.lens.messages import (
    KEYS,
    UNHELD,
    lift_texts,
    project_texts,
)
from promptstore.vendors.basalt.lens.normal import FACTS, NAMESPACE, check_document, normalise
from promptstore.vendors.document_lens import DocumentLens
from promptstore.vendors.spelling import BODY, holds
from promptstore.vendors.values import Data, Wire, overlay

_MODEL: Mapping[str, tuple[str, type | tuple[type, ...]]] = {
    "provider": ("provider", str),
    "model": ("name", str),
    "parameters": ("parameters", Mapping),
}
"""Basalt's key of the model -> the file's, and what it must be to stand there."""
_TYPED = {"slug", "model", *KEYS.values()}
_REST = {"model", "vendors"}


def _project(data: Data, slug: str) -> Wire:
    """The document of a prompt given as plain data."""
    return normalise({**_project_rest(data, slug), **project_texts(data)})


def _project_rest(data: Data, slug: str) -> Wire:
    """The document without its texts. Raises NotRepresentable."""
    above = NAMESPACE.own(data)
    _check_own(above)
    model = data.get("model") or {}
    typed = {key: model[name] for key, (name, _) in _MODEL.items() if model.get(name) is not None}
    return normalise(overlay({"slug": slug, "model": typed}, above))


def _check_own(above: Mapping[str, Any]) -> None:
    """What stands under ``vendors.basalt`` must be what the lens would put there."""
    for key in above:
        if key in FACTS or key in KEYS.values():
            hint = "take it out: texts are messages, and Basalt tells the rest by itself"
            raise NotRepresentable(f"{key!r} cannot be set there", field=f"vendors.{NAMESPACE.vendor}.{key}", hint=hint)
    slug, model = above.get("slug", "x"), above.get("model", {})
    if not isinstance(slug, str) or not slug:
        hint = "give the prompt's slug at Basalt, or take it out"
        raise NotRepresentable("Basalt's slugs are texts", field=f"vendors.{NAMESPACE.vendor}.slug", hint=hint)
    if not isinstance(model, Mapping):
        hint = "write it as keys and values"
        raise NotRepresentable("Basalt's model is an object", field=f"vendors.{NAMESPACE.vendor}.model", hint=hint)


def _lift(document: Wire, slug: str, old: Data | None) -> Data:
    data = old or {}
    unheld = {key for key in UNHELD if data.get(key)}
    kept = {key: value for key, value in data.items() if key not in BODY | _REST | unheld}
    return {**kept, **_lift_rest(document, slug, data), **lift_texts(document, data)}


def _lift_rest(document: Wire, slug: str, old: Data) -> Data:
    """``model`` and ``vendors``: those of the old data where they still say the same."""
    wanted = {key: value for key, value in document.items() if key not in KEYS.values()}
    if holds(lambda: _project_rest(old, slug), wanted):
        return {key: old[key] for key in _REST if key in old}
    model, beside = _split_model(document.get("model", {}))
    above = {key: value for key, value in document.items() if key not in _TYPED}
    if document["slug"] != slug:
        above["slug"] = document["slug"]
    if beside:
        above["model"] = beside
    return NAMESPACE.beside({"model": model} if model else {}, above, old)


def _split_model(model: Mapping[str, Any]) -> tuple[Data, Wire]:
    """What of the model the file has a place for, and what is only Basalt's."""
    typed = {name: model[key] for key, (name, kind) in _MODEL.items() if isinstance(model.get(key), kind)}
    beside = {key: value for key, value in model.items() if key not in _MODEL or _MODEL[key][0] not in typed}
    return typed, beside


LENS = DocumentLens(NAMESPACE, normalise, check_document, _project, _lift, key_field="slug")
