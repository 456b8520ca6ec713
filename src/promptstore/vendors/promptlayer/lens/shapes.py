"""Objects that stand in the prompt file under the same keys as at PromptLayer, as tables, and the lens they all share.

A shape lists its typed keys. Going out, ``vendors.promptlayer`` is laid over them verbatim; coming in, every key that
is unknown, or whose value does not fit, goes there. What PromptLayer cannot hold at all is taken from the old data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from promptstore.errors import NotRepresentable
from promptstore.vendors.promptlayer.lens.align import counterparts
from promptstore.vendors.promptlayer.lens.formats import Data
from promptstore.vendors.promptlayer.lens.normal import Wire, same

VENDOR = "promptlayer"


def own(data: Data) -> Wire:
    """What stands under ``vendors.promptlayer``."""
    verbatim: Wire = (data.get("vendors") or {}).get(VENDOR) or {}
    return verbatim


def overlay(base: Wire, above: Mapping[str, Any]) -> Wire:
    """``above`` laid over ``base``: objects merge, everything else replaces."""
    merged = dict(base)
    for key, value in above.items():
        below = merged.get(key)
        both = isinstance(value, Mapping) and isinstance(below, dict)
        merged[key] = overlay(below, value) if both and below is not None else value
    return merged


def with_vendors(data: Data, rest: Wire, old: Data | None, *, always: bool = False) -> Data:
    """The data with PromptLayer's ``rest`` beside what the old data keeps for other vendors."""
    others = {name: value for name, value in ((old or {}).get("vendors") or {}).items() if name != VENDOR}
    vendors = {**others, **({VENDOR: rest} if rest or always else {})}
    return {**data, "vendors": vendors} if vendors else data


def holds(projected: Callable[[], Wire], wire: Wire) -> bool:
    """Whether a projection comes out as this wire object."""
    try:
        return same(projected(), wire)
    except NotRepresentable:
        return False


def keep_spelling(
    fresh: Data,
    old: Data,
    still: Callable[[Data], bool],
    groups: Iterable[tuple[str, ...]] = (),
    leave: frozenset[str] = frozenset(),
) -> Data:
    """``fresh`` with every field of ``old`` that can stand in it without changing its meaning.

    ``still`` tells whether a candidate still means the same. ``groups`` are fields that are tried together first.
    """
    singles = [(key,) for key in {**old, **fresh} if key not in leave]
    for group in [*groups, *singles]:
        candidate = {key: value for key, value in fresh.items() if key not in group}
        candidate.update({key: old[key] for key in group if key in old})
        if still(candidate):
            fresh = candidate
    return fresh


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

    normal: Callable[[Mapping[str, Any]], Wire]
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
        return self.normal(overlay(typed, own(data)))

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
        return with_vendors(data, {key: value for key, value in wire.items() if key not in fitting}, old)


@dataclass(frozen=True, slots=True)
class Verbatim:
    """An object that only PromptLayer has: all but its ``type`` stands under ``vendors.promptlayer``."""

    normal: Callable[[Mapping[str, Any]], Wire]
    what: str
    extra: Mapping[str, Any] = field(default_factory=dict)
    """What the prompt file demands of it beside."""

    def fits(self, value: Any) -> bool:
        return isinstance(value, Mapping) and isinstance(value.get("type"), str)

    def project(self, data: Data, at: str) -> Wire:
        plain = all(data.get(key) == value for key, value in self.extra.items())
        if VENDOR not in (data.get("vendors") or {}) or not plain:
            raise NotRepresentable(
                f"PromptLayer has no {self.what} {data['type']!r}",
                field=at.rstrip("."),
                hint=f"give its PromptLayer form under vendors.{VENDOR}, or keep this prompt from PromptLayer",
            )
        return self.normal(overlay({"type": data["type"]}, own(data)))

    def lift(self, wire: Wire, old: Data | None) -> Data:
        if old is not None and holds(lambda: self.project(old, ""), wire):
            return old
        rest = {key: value for key, value in wire.items() if key != "type"}
        return with_vendors({"type": wire["type"], **self.extra}, rest, old, always=True)


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
