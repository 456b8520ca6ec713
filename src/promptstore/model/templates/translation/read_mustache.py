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


def read(text: str) -> Nodes:
    """The nodes of a mustache template. Raises Untranslatable for sections, TemplateError if broken."""
    return _children(mustache._parsed(text), text)


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
