"""Objects that stand in the prompt file under the same keys as at Braintrust, as tables.

The tables are PromptLayer's; only what stands under ``vendors`` differs: going out, ``vendors.braintrust`` is laid
over the typed keys verbatim; coming in, every key that is unknown, or whose value does not fit, goes there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from promptstore.errors import NotRepresentable
from promptstore.vendors.braintrust.lens.normal import Wire, same
from promptstore.vendors.promptlayer.lens import shapes as tables
from promptstore.vendors.promptlayer.lens.shapes import holds, overlay

VENDOR = "braintrust"

Data = dict[str, Any]
"""A part of a prompt file as plain JSON data."""


def own(data: Data) -> Wire:
    """What stands under ``vendors.braintrust``."""
    verbatim: Wire = (data.get("vendors") or {}).get(VENDOR) or {}
    return verbatim


def with_vendors(data: Data, rest: Wire, old: Data | None, *, always: bool = False) -> Data:
    """The data with Braintrust's ``rest`` beside what the old data keeps for other vendors."""
    others = {name: value for name, value in ((old or {}).get("vendors") or {}).items() if name != VENDOR}
    vendors = {**others, **({VENDOR: rest} if rest or always else {})}
    return {**data, "vendors": vendors} if vendors else data


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


@dataclass(frozen=True, slots=True)
class Shape(tables.Shape):
    """An object with typed keys."""

    def project(self, data: Data, at: str) -> Wire:
        fields = {**self.required, **self.optional}
        typed = {
            key: fields[key].project(value, f"{at}{key}.")
            for key, value in data.items()
            if key in fields and value is not None
        }
        return self.normal(overlay(typed, own(data)))

    def fresh(self, wire: Wire, old: Data | None) -> Data:
        """The wire object in plain spelling; its inner objects keep theirs."""
        fields = {**self.required, **self.optional}
        fitting = {key: value for key, value in wire.items() if key in fields and fields[key].fits(value)}
        data = {key: fields[key].lift(value, (old or {}).get(key)) for key, value in fitting.items()}
        return with_vendors(data, {key: value for key, value in wire.items() if key not in fitting}, old)


@dataclass(frozen=True, slots=True)
class Verbatim(tables.Verbatim):
    """An object that only Braintrust has: all but its ``type`` stands under ``vendors.braintrust``."""

    def project(self, data: Data, at: str) -> Wire:
        plain = all(data.get(key) == value for key, value in self.extra.items())
        if VENDOR not in (data.get("vendors") or {}) or not plain:
            raise NotRepresentable(
                f"Braintrust has no {self.what} {data['type']!r}",
                field=at.rstrip("."),
                hint=f"give its Braintrust form under vendors.{VENDOR}, or keep this prompt from Braintrust",
            )
        return self.normal(overlay({"type": data["type"]}, own(data)))

    def lift(self, wire: Wire, old: Data | None) -> Data:
        if old is not None and holds(lambda: self.project(old, ""), wire):
            return old
        rest = {key: value for key, value in wire.items() if key != "type"}
        return with_vendors({"type": wire["type"], **self.extra}, rest, old, always=True)
