"""JSON values as vendors write them: equality by type too, and one value laid over another. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from promptstore.model.digest import canonical_json

Wire = dict[str, Any]
"""A JSON object as a vendor has it."""

Data = dict[str, Any]
"""A part of a prompt file as plain JSON data."""


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal by type too: 1, 1.0 and true differ."""
    return canonical_json(one) == canonical_json(other)


def without_nulls(value: Mapping[str, Any]) -> Wire:
    """A copy without the keys that are null."""
    return {key: item for key, item in value.items() if item is not None}


def change_each(wire: Wire, key: str, change: Callable[[Mapping[str, Any]], Wire]) -> None:
    """Replace the objects of a list in place; anything else stays as it is."""
    if isinstance(wire.get(key), list):
        wire[key] = [change(item) if isinstance(item, Mapping) else item for item in wire[key]]


def change_within(wire: Wire, key: str, change: Callable[[Mapping[str, Any]], Wire]) -> None:
    """Replace an inner object in place; anything else stays as it is."""
    if isinstance(wire.get(key), Mapping):
        wire[key] = change(wire[key])


def overlay(base: Wire, above: Mapping[str, Any]) -> Wire:
    """``above`` laid over ``base``: objects merge, everything else replaces."""
    merged = dict(base)
    for key, value in above.items():
        below = merged.get(key)
        merged[key] = overlay(below, value) if isinstance(value, Mapping) and isinstance(below, dict) else value
    return merged


def residual(base: Mapping[str, Any], wanted: Mapping[str, Any]) -> Wire:
    """What must be laid over ``base`` to make it ``wanted``; null takes a key away."""
    rest: Wire = {key: None for key in base if key not in wanted}
    for key, value in wanted.items():
        below = base.get(key)
        if isinstance(value, Mapping) and isinstance(below, Mapping):
            inner = residual(below, value)
            rest.update({key: inner} if inner else {})
        elif key not in base or not same(below, value):
            rest[key] = value
    return rest
