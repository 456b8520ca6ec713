"""The order of keys in a prompt file, taken from the field order of the model's classes.

A typed map has an order; an open map (parameters, JSON Schemas, metadata, vendors) keeps its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

if TYPE_CHECKING:
    from pydantic import BaseModel


@dataclass(frozen=True, slots=True)
class Shape:
    """A typed map: its keys in canonical order, and what may stand below each."""

    kind: str | None
    """The value of ``type`` that tells this map from the others in the same place."""
    fields: dict[str, Slot]

    def order(self, names: Iterable[str]) -> list[str]:
        """``names`` in canonical order; unknown ones last, in their own order."""
        given = list(names)
        known = set(given)
        return [name for name in self.fields if name in known] + [name for name in given if name not in self.fields]


@dataclass(frozen=True, slots=True)
class Slot:
    """What may stand at one place: typed maps, or a list of something."""

    maps: tuple[Shape, ...] = ()
    item: Slot | None = None
    kinds: tuple[str, ...] = ()
    """In plain words, what a value here may be: ``text``, ``list``, ``map``."""
    union: bool = False
    """Is there a choice, so that pydantic adds a step to the places of its errors?"""

    def shape(self, value: Any) -> Shape | None:
        """The shape of the map ``value`` at this place; None where maps are open."""
        if not self.maps or not isinstance(value, Mapping):
            return None
        kind = value.get("type")
        exact = (shape for shape in self.maps if shape.kind == kind)
        return next(exact, None) or next((shape for shape in self.maps if shape.kind is None), self.maps[0])


OPEN = Slot()


def below(shape: Shape | None, name: str) -> Slot:
    """What stands below the key ``name`` of a map."""
    return shape.fields.get(name, OPEN) if shape else OPEN


@cache
def prompt_slot() -> Slot:
    """The place of a whole prompt file."""
    from promptstore.model.prompt_file import PromptFile

    return Slot((_shape(PromptFile),))


def _shape(model: type[BaseModel]) -> Shape:
    kind = None
    fields = model.model_fields
    annotation: Any = fields["type"].annotation if "type" in fields else None
    if get_origin(annotation) is Literal:
        (kind,) = get_args(annotation)
    return Shape(kind, {name: _slot(field.annotation) for name, field in fields.items()})


def _slot(annotation: Any) -> Slot:
    choices = [choice for choice in _choices(annotation) if choice is not NoneType]
    maps = tuple(_shape(choice) for choice in choices if hasattr(choice, "model_fields"))
    lists = (_slot(get_args(choice)[0]) for choice in choices if get_origin(choice) is tuple)
    kinds = tuple(dict.fromkeys(map(_kind, choices)))
    return Slot(maps, next(lists, None), kinds, len(choices) > 1)


def _kind(choice: Any) -> str:
    if get_origin(choice) is tuple:
        return "list"
    if get_origin(choice) is dict or hasattr(choice, "model_fields"):
        return "map"
    return "true or false" if choice is bool else "text"


def _choices(annotation: Any) -> list[Any]:
    origin = get_origin(annotation)
    if origin is Annotated:
        return _choices(get_args(annotation)[0])
    if origin is UnionType or origin is Union:
        return [choice for member in get_args(annotation) for choice in _choices(member)]
    return [annotation]
