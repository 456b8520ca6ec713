"""mustache into the shared tree.

What ``{{#x}}`` means depends on the value: once for true, once for each item of a list, in a scope of its own for a
map. No other format says that, so sections are refused. ``{{^x}}`` is ``{% if not x %}`` for every value.
"""

from __future__ import annotations

from promptstore.model.templates import mustache
from promptstore.model.templates.translation.tree import (
    Branch,
    Condition,
    Node,
    Nodes,
    Not,
    Origin,
    Output,
    Path,
    Text,
    Untranslatable,
    Value,
    merged,
    origin_of,
)

_SILENT = "\0"
"""Stands for each character of a tag that prints nothing, where lines are looked at."""


def read(text: str) -> Nodes:
    """The nodes of a mustache template. Raises Untranslatable for sections, TemplateError if broken."""
    nodes = _children(mustache.parse(text), text)
    _check_lines(text)
    return nodes


def _check_lines(text: str) -> None:
    """A line of tags that print nothing goes with its newline; on blanks beside them the engines disagree."""
    shape = _shape(text)
    for tag in mustache.tags_of(text):
        start, end = shape.rfind("\n", 0, tag.start) + 1, shape.find("\n", tag.end)
        line = shape[start : end if end >= 0 else len(shape)]
        after = shape[tag.end : end].removesuffix("\r") if end >= 0 else shape[tag.end :]
        alone = not after and not shape[start : tag.start].strip()
        if tag.kind and not alone and not line.replace(_SILENT, "").strip():
            problem = "shares its line with blanks or other tags only, which mustache engines treat differently"
            origin = origin_of(text, tag.start, tag.end)
            raise Untranslatable(origin, problem, "put each such tag on a line of its own, with nothing after it")


def _shape(text: str) -> str:
    """The text, every tag in it made ``x`` or _SILENT by whether it prints."""
    pieces, done = [], 0
    for tag in mustache.tags_of(text):
        pieces += [text[done : tag.start], (_SILENT if tag.kind else "x") * (tag.end - tag.start)]
        done = tag.end
    return "".join(pieces) + text[done:]


def _children(section: mustache.Section, text: str) -> Nodes:
    return merged(_node(child, text) for child in section.children)


def _node(child: str | mustache.Tag | mustache.Section, text: str) -> Node:
    if isinstance(child, str):
        return Text(child)
    if isinstance(child, mustache.Section):
        return _section(child, text)
    origin = origin_of(text, child.start, child.end)
    return Output(Value(_path(child.name, origin)), origin)


def _section(section: mustache.Section, text: str) -> Node:
    tag = section.tag
    origin = origin_of(text, tag.start, tag.end)
    if tag.kind != "^":
        problem = "means a condition, a loop or a scope, as the value will be; other formats must say which"
        raise Untranslatable(origin, problem, "write the prompt in jinja2, with {% if %} or {% for %}")
    return Condition((Branch(Not(Value(_path(tag.name, origin))), _children(section, text), origin),))


def _path(name: str, origin: Origin) -> Path:
    path = tuple(name.split("."))
    if not all(path):
        raise Untranslatable(origin, "stands for the item of a section", "name the variable")
    return path
