"""The model's parameters, both ways.

Phoenix types some parameters by family and refuses all others; two families have ``extra_body``, which goes into the
request to the model as it is, so what is not typed goes there and means the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from promptstore.errors import NotRepresentable
from promptstore.vendors.phoenix.lens.families import Family
from promptstore.vendors.values import Data, Wire, same

_EXTRA = "extra_body"


def project_parameters(parameters: Mapping[str, Any], beside: Wire, family: Family) -> Wire:
    """The content of ``invocation_parameters``.

    ``beside`` are keys of the request to the model that stand outside of the file's parameters.
    """
    given = parameters.get(_EXTRA)
    explicit = dict(given) if family.extra and isinstance(given, Mapping) else None
    named = {key: value for key, value in parameters.items() if not (key == _EXTRA and explicit is not None)}
    typed = {key: family.fields[key].normal(value) for key, value in named.items() if family.takes(key, value)}
    rest = {key: value for key, value in named.items() if key not in typed}
    _check(rest, beside, explicit or {}, family)
    missing = next((key for key in family.required if key not in typed), None)
    if missing:
        message = f"Phoenix wants {missing} for the models of {family.name}"
        raise NotRepresentable(message, field=f"model.parameters.{missing}", hint=f"write model.parameters.{missing}")
    extra = {**(explicit or {}), **rest, **beside}
    return {**typed, _EXTRA: extra} if extra or explicit is not None else typed


def _check(rest: Wire, beside: Wire, explicit: Wire, family: Family) -> None:
    for key in [*rest, *beside]:
        field = key if key in beside else f"model.parameters.{key}"
        if not family.extra:
            message = f"Phoenix has no place for this {key!r} with the models of {family.name}"
            raise NotRepresentable(message, field=field, hint="take it out, or keep this prompt from Phoenix")
        if key in explicit or (key in rest and key in beside):
            message = f"{key!r} stands in two places that are one at Phoenix"
            raise NotRepresentable(message, field=field, hint="keep only one of them")


def lift_parameters(content: Mapping[str, Any], family: Family, old: Data, beside: frozenset[str]) -> tuple[Data, Data]:
    """The file's parameters, and those keys of ``beside`` that stood outside of them in the old file.

    What the old file said outside of ``extra_body`` goes back there; numbers keep their spelling.
    """
    extra = content.get(_EXTRA)
    params = {key: _respelled(value, old.get(key), key, family) for key, value in content.items() if key != _EXTRA}
    if not isinstance(extra, Mapping):
        return {**params, **({_EXTRA: extra} if _EXTRA in content else {})}, {}
    outside = {key: value for key, value in extra.items() if key in beside and isinstance(value, dict)}
    hoisted = {
        key: value
        for key, value in extra.items()
        if key in old and key not in {*outside, *params, _EXTRA} and not family.takes(key, value)
    }
    inner = {key: value for key, value in extra.items() if key not in {*outside, *hoisted}}
    return {**params, **hoisted, **({_EXTRA: inner} if inner or not extra else {})}, outside


def _respelled(value: Any, old: Any, key: str, family: Family) -> Any:
    keeps = old is not None and family.takes(key, old) and same(family.fields[key].normal(old), value)
    return old if keeps else value
