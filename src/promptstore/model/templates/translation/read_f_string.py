"""f-strings into the shared tree."""

from __future__ import annotations

from promptstore.model.templates import f_string
from promptstore.model.templates.translation.tree import (
    Node,
    Nodes,
    Output,
    Text,
    Untranslatable,
    Value,
    merged,
    origin_of,
)


def read(text: str) -> Nodes:
    """The nodes of an f-string. Raises Untranslatable for conversions and format specs, TemplateError if broken."""
    pieces = f_string.pieces_of(text)
    return merged(Text(piece) if isinstance(piece, str) else _output(piece, text) for piece in pieces)


def _output(field: f_string.Field, text: str) -> Node:
    origin = origin_of(text, field.offset, field.offset + len(str(field)))
    if field.conversion not in {None, "s"} or field.spec:
        hint = "give the variable already formatted"
        raise Untranslatable(origin, "formats its value as only Python does", hint)
    return Output(Value((field.name,)), origin)
