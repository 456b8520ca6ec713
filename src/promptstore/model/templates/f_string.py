"""f-strings as PromptLayer has them: ``string.Formatter`` syntax with flat names.

Names may hold spaces, hyphens and non-ASCII letters; ``{{`` and ``}}`` are literal braces; ``{a!r}`` and ``{a:>5}`` are
honoured. What the vendor's client leaves unrendered without a word (``{a.b}``, ``{}``, ``{0}``, a lone brace, literal
JSON) is an error here. An attribute of a value can never be reached.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from string import Formatter

from promptstore.errors import TemplateError
from promptstore.model.templates.faults import MissingVariables, TemplateFault, position, spot

HINT = "double the braces ({{ and }}) to have them as text, or use template_format: jinja2"

_CONVERSIONS: dict[str | None, Callable[[object], object]] = {
    None: lambda value: value,
    "s": str,
    "r": repr,
    "a": ascii,
}
_MAX_WIDTH_DIGITS = 4
_BRACES = re.compile(r"\{\{|\}\}|[{}]")
_LONG_NUMBER = re.compile(rf"\d{{{_MAX_WIDTH_DIGITS + 1}}}")


@dataclass(frozen=True, slots=True)
class Field:
    """One ``{name!conversion:spec}``; ``offset`` is where it begins in the template."""

    name: str
    conversion: str | None
    spec: str
    offset: int

    def __str__(self) -> str:
        conversion = f"!{self.conversion}" if self.conversion else ""
        return "{" + self.name + conversion + (f":{self.spec}" if self.spec else "") + "}"


def render(template: str, variables: Mapping[str, object], strict: bool) -> str:
    """The text with each field replaced. None is empty; not strict, so is a variable that was not given."""
    pieces = pieces_of(template)
    missing = [name for name in _names(pieces) if name not in variables] if strict else []
    if missing:
        raise MissingVariables(missing)
    return "".join(piece if isinstance(piece, str) else _filled(piece, variables, template) for piece in pieces)


def variables(template: str) -> tuple[str, ...]:
    """The names of the fields in the order of their first appearance."""
    return _names(pieces_of(template))


def check(template: str) -> None:
    """Raises TemplateFault where the template cannot be read."""
    pieces_of(template)


def _names(pieces: tuple[str | Field, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(piece.name for piece in pieces if isinstance(piece, Field)))


def _filled(field: Field, variables: Mapping[str, object], template: str) -> str:
    value = variables.get(field.name)
    converted = _CONVERSIONS[field.conversion]("" if value is None else value)
    try:
        return format(converted, field.spec)
    except (ValueError, TypeError) as problem:
        message = f"{field} does not fit the value of {field.name!r} at {spot(template, field.offset)}: {problem}"
        raise TemplateError(message, hint="give a value of the type the format spec is for") from problem


@lru_cache(maxsize=512)
def pieces_of(template: str) -> tuple[str | Field, ...]:
    """The literal texts and the fields of a template, in order. Raises TemplateFault."""
    pieces: list[str | Field] = []
    for piece in _pieces(template):
        if isinstance(piece, Field):
            _refuse(piece, template)
        pieces.append(piece)
    return tuple(pieces)


def _pieces(template: str) -> Iterator[str | Field]:
    offset = 0
    chunks = iter(Formatter().parse(template))
    while True:
        try:
            chunk = next(chunks, None)
        except ValueError as problem:
            raise _unreadable(template, offset, problem) from problem
        if chunk is None:
            return
        literal, name, spec, conversion = chunk
        if literal:
            yield literal
            offset += len(literal) + literal.count("{") + literal.count("}")
        if name is not None:
            yield Field(name, conversion or None, spec or "", offset)
            offset = _field_end(template, offset, name, conversion or "", spec or "")


def _field_end(template: str, offset: int, name: str, conversion: str, spec: str) -> int:
    end = offset + 1 + len(name) + (1 + len(conversion) if conversion else 0)
    colon = 1 if template[end : end + 1] == ":" else 0  # {a:} and {a} parse alike
    return end + colon + len(spec) + 1


def _unreadable(template: str, offset: int, problem: ValueError) -> TemplateFault:
    lone = (found.start() for found in _BRACES.finditer(template, offset) if len(found.group()) == 1)
    at = next(lone, offset)
    return TemplateFault(
        f"the f-string cannot be read at {spot(template, at)}: {problem}", HINT, *position(template, at)
    )


def _refuse(field: Field, template: str) -> None:
    problem = _problem(field)
    if problem:
        message = f"{_shown(field)} at {spot(template, field.offset)} {problem}"
        raise TemplateFault(message, HINT, *position(template, field.offset))


def _shown(field: Field) -> str:
    text = str(field).replace("\n", "\\n")
    return text if len(text) <= 40 else text[:37] + "..."


def _problem(field: Field) -> str:
    name = field.name
    if not name.strip():
        return "has no name"
    if name.isdecimal():
        return "is a position; fields go by name"
    if '"' in name or "\n" in name or name.lstrip().startswith("'"):
        return "looks like JSON or code, not like a variable"
    if "." in name or "[" in name:
        return "asks for an attribute or item; names are flat"
    return _problem_of_form(field)


def _problem_of_form(field: Field) -> str:
    if field.conversion not in _CONVERSIONS:
        return f"has an unknown conversion '!{field.conversion}'"
    if "{" in field.spec or "}" in field.spec:
        return "has a field inside its format spec"
    if _LONG_NUMBER.search(field.spec):
        return "asks for an unreasonable width"
    return ""
