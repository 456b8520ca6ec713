"""Tables of a vendor's objects, and the lens that all of them share.

They are for objects that stand in the prompt file under the same keys as at the vendor. A shape lists its typed keys.
Going out, what stands under ``vendors.<vendor>`` is laid over them verbatim; coming in, every key that is unknown, or
whose value does not fit, goes there. What the vendor cannot hold at all is taken from the old data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from promptstore.errors import NotRepresentable
from promptstore.vendors.alignment import counterparts
from promptstore.vendors.namespace import Namespace
from promptstore.vendors.spelling import holds, keep_spelling
from promptstore.vendors.values import Data, Wire, overlay

Normal = Callable[[Mapping[str, Any]], Wire]
"""Gives the normal form of one object."""


class Field(Protocol):
    """One kind of value, both ways. ``lift`` is only asked for what ``fits``."""

    def fits(self, value: Any) -> bool: ...

    def project(self, value: Any, at: str) -> Any: ...

    def lift(self, wire: Any, old: Any) -> Any: ...


@dataclass(frozen=True, slots=True)
class Leaf:
    """A value that is the same on both sides."""

    fits: Callable[[Any], bool]

    def project(self, value: Any, at: str) -> Any:  # noqa: ARG002 - the protocol's
        return value

    def lift(self, wire: Any, old: Any) -> Any:  # noqa: ARG002 - the protocol's
        return wire


@dataclass(frozen=True, slots=True)
class Shape:
    """An object with typed keys. It only fits with all of ``required``; ``normal`` is its normal form."""

    namespace: Namespace
    normal: Normal
    required: Mapping[str, Field]
    optional: Mapping[str, Field] = field(default_factory=dict)

    def fits(self, value: Any) -> bool:
        return isinstance(value, Mapping) and all(
            key in value and kind.fits(value[key]) for key, kind in self.required.items()
        )

    def project(self, data: Data, at: str) -> Wire:
        fields = {**self.required, **self.optional}
        typed = {
            key: fields[key].project(value, f"{at}{key}.")
            for key, value in data.items()
            if key in fields and value is not None
        }
        return self.normal(overlay(typed, self.namespace.own(data)))

    def lift(self, wire: Wire, old: Data | None) -> Data:
        if old is None:
            return self.fresh(wire, None)
        if holds(lambda: self.project(old, ""), wire):
            return old
        return keep_spelling(self.fresh(wire, old), old, lambda data: holds(lambda: self.project(data, ""), wire))

    def fresh(self, wire: Wire, old: Data | None) -> Data:
        """The wire object in plain spelling; its inner objects keep theirs."""
        fields = {**self.required, **self.optional}
        fitting = {key: value for key, value in wire.items() if key in fields and fields[key].fits(value)}
        data = {key: fields[key].lift(value, (old or {}).get(key)) for key, value in fitting.items()}
        return self.namespace.beside(data, {key: value for key, value in wire.items() if key not in fitting}, old)


@dataclass(frozen=True, slots=True)
class Verbatim:
    """An object that only this vendor has: all but its ``type`` stands under ``vendors.<vendor>``."""

    namespace: Namespace
    normal: Normal
    what: str
    extra: Mapping[str, Any] = field(default_factory=dict)
    """What the prompt file demands of it beside."""

    def fits(self, value: Any) -> bool:
        return isinstance(value, Mapping) and isinstance(value.get("type"), str)

    def project(self, data: Data, at: str) -> Wire:
        plain = all(data.get(key) == value for key, value in self.extra.items())
        if not self.namespace.stands_in(data) or not plain:
            vendor, title = self.namespace.vendor, self.namespace.title
            raise NotRepresentable(
                f"{title} has no {self.what} {data['type']!r}",
                field=at.rstrip("."),
                hint=f"give its {title} form under vendors.{vendor}, or keep this prompt from {title}",
            )
        return self.normal(overlay({"type": data["type"]}, self.namespace.own(data)))

    def lift(self, wire: Wire, old: Data | None) -> Data:
        if old is not None and holds(lambda: self.project(old, ""), wire):
            return old
        rest = {key: value for key, value in wire.items() if key != "type"}
        return self.namespace.beside({"type": wire["type"], **self.extra}, rest, old, always=True)


@dataclass(frozen=True, slots=True)
class Union:
    """Objects told apart by ``type``."""

    shapes: Mapping[str, Shape | Verbatim]
    other: Verbatim

    def of(self, value: Mapping[str, Any]) -> Shape | Verbatim:
        return self.shapes.get(value["type"], self.other)

    def fits(self, value: Any) -> bool:
        return self.other.fits(value) and self.of(value).fits(value)

    def project(self, data: Data, at: str) -> Wire:
        return self.of(data).project(data, at)

    def lift(self, wire: Wire, old: Data | None) -> Data:
        return self.of(wire).lift(wire, old)


@dataclass(frozen=True, slots=True)
class Many:
    """A list of objects; ``kind`` tells what an edit does not change, for finding an item's old state."""

    item: Shape | Union
    kind: Callable[[Data], object]

    def fits(self, value: Any) -> bool:
        return isinstance(value, list) and all(map(self.item.fits, value))

    def project(self, value: Sequence[Data], at: str) -> list[Wire]:
        path = at.rstrip(".")
        return [self.item.project(data, f"{path}[{place}].") for place, data in enumerate(value)]

    def lift(self, wire: list[Wire], old: Sequence[Data] | None) -> list[Data]:
        olds = counterparts(wire, old or (), lambda data: self.item.project(data, ""), self.kind)
        return [self.item.lift(one, before) for one, before in zip(wire, olds, strict=True)]


TEXT = Leaf(lambda value: isinstance(value, str))
TEXTS = Leaf(lambda value: isinstance(value, list) and all(isinstance(item, str) for item in value))
FLAG = Leaf(lambda value: isinstance(value, bool))
OBJECT = Leaf(lambda value: isinstance(value, dict))
OBJECTS = Leaf(lambda value: isinstance(value, list) and all(isinstance(item, dict) for item in value))
TEXT_OR_OBJECT = Leaf(lambda value: isinstance(value, str | dict))
FUNCTION_TYPE = Leaf(lambda value: value == "function")
