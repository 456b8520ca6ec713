"""A template of jinja2 or nunjucks as a row of literal texts and tags, each tag with its place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from jinja2 import Environment

from promptstore.model.templates.translation.tree import Origin, Untranslatable, origin_of

ENVIRONMENT = Environment(keep_trailing_newline=True, autoescape=False)  # reads only, renders nothing

_CARRIAGE_RETURN = "\x1c"
"""Stands for a carriage return of nunjucks: blank for jinja2's lexer, which would make it a newline."""

_SILENT = frozenset({"comment_begin", "comment", "comment_end", "raw_begin", "raw_end"})


@dataclass(frozen=True, slots=True)
class Tag:
    """``{{ inner }}`` (``kind`` variable) or ``{% inner %}`` (block)."""

    kind: str
    inner: str
    origin: Origin


Segment = str | Tag


def segments(text: str, fmt: str) -> Iterator[Segment]:
    """Literal texts as they are rendered, and tags. Raises Untranslatable where the two languages trim differently."""
    source = _source(text, fmt)
    offset, begin, inner = 0, -1, ""
    for _, token, value in ENVIRONMENT.lexer.tokeniter(source, None):
        start = source.find(value, offset)  # blanks that `-` takes away are in no token
        offset = start + len(value)
        _check_trimming(token, value, fmt, origin_of(source, start, offset))
        if token == "data":
            yield _restored(value)
        elif token in {"variable_begin", "block_begin"}:
            begin, inner = start, ""
        elif token in {"variable_end", "block_end"}:
            kind = token.partition("_")[0]
            yield Tag(kind, _restored(inner).strip(), origin_of(source, begin, start + len(value.rstrip())))
        elif token not in _SILENT:
            inner += value


def _source(text: str, fmt: str) -> str:
    """What is lexed: jinja2 has one kind of line end and drops the last, nunjucks keeps what is there."""
    if fmt == "nunjucks":
        return text.replace("\r", _CARRIAGE_RETURN)
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return lines.removesuffix("\n")


def _restored(value: str) -> str:
    return value.replace(_CARRIAGE_RETURN, "\r")


def _check_trimming(token: str, value: str, fmt: str, origin: Origin) -> None:
    """nunjucks has no ``+``, and its ``-`` is not jinja2's around comments and raw blocks."""
    delimits = token.endswith(("_begin", "_end"))
    if fmt == "nunjucks" and delimits and ("+" in value or (token in _SILENT and "-" in value)):
        raise Untranslatable(origin, "trims blanks as nunjucks does not", "take the sign out of the delimiter")
