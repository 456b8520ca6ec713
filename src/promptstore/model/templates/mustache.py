"""Mustache, without HTML escaping: a prompt is not HTML.

Variables, sections, inverted sections, comments, changed delimiters and dotted names follow the mustache specification.
Values are looked up in maps and lists only, never as attributes, and never called. Objects and lists are written as
JSON, booleans as true and false, as Braintrust's JavaScript SDK does. There are no partials.

The parser is our own: the two Python libraries tell neither which variable is missing nor where a tag is wrong, and
both read attributes of values.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from promptstore.errors import TemplateError
from promptstore.model.templates.faults import MissingVariables, TemplateFault, position, spot

MAX_DEPTH = 100
_SIGILS = "#^/>!={&"
HINT = "correct the tag, or use template_format: none to have the text as it is"


@dataclass(frozen=True, slots=True)
class Tag:
    """One tag: its kind (``#``, ``^``, ``/``, ``>``, ``!``, ``=``, or empty for a variable), name and extent."""

    kind: str
    name: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Section:
    """A section and what stands in it; the whole template is a section without a tag."""

    tag: Tag
    children: list[str | Tag | Section] = field(default_factory=list)


def render(template: str, variables: Mapping[str, object], strict: bool) -> str:
    """The rendered text. Not strict, what is missing is empty."""
    rendering = _Rendering(template, strict)
    text = rendering.children(parse(template), (variables,))
    if rendering.missing:
        raise MissingVariables(dict.fromkeys(rendering.missing))
    return text


def variables(template: str) -> tuple[str, ...]:
    """The first segments of all names, in order; a name in a section counts, since it may come from outside."""
    return tuple(dict.fromkeys(name for name in _names(parse(template)) if name))


def check(template: str) -> None:
    """Raises TemplateFault where the template cannot be read."""
    parse(template)


def _names(section: Section) -> Iterator[str]:
    for child in section.children:
        if isinstance(child, Tag):
            yield child.name.partition(".")[0]
        elif isinstance(child, Section):
            yield child.tag.name.partition(".")[0]
            yield from _names(child)


@dataclass(slots=True)
class _Rendering:
    template: str
    strict: bool
    missing: list[str] = field(default_factory=list)

    def children(self, section: Section, scopes: tuple[object, ...]) -> str:
        return "".join(self.child(child, scopes) for child in section.children)

    def child(self, child: str | Tag | Section, scopes: tuple[object, ...]) -> str:
        if isinstance(child, str):
            return child
        if isinstance(child, Tag):
            return _text(self.value(child, scopes))
        return self.section(child, scopes)

    def section(self, section: Section, scopes: tuple[object, ...]) -> str:
        value = self.value(section.tag, scopes)
        if section.tag.kind == "^":
            return "" if value else self.children(section, scopes)
        items = value if isinstance(value, list | tuple) else [value] if value else []
        return "".join(self.children(section, (*scopes, item)) for item in items)

    def value(self, tag: Tag, scopes: tuple[object, ...]) -> object:
        if tag.name == ".":
            return scopes[-1]
        first, *rest = tag.name.split(".")
        holder = next((scope for scope in reversed(scopes) if isinstance(scope, Mapping) and first in scope), None)
        if holder is None:
            self.missing += [first] if self.strict else []
            return ""
        return self.inner(tag, holder[first], rest)

    def inner(self, tag: Tag, value: object, path: list[str]) -> object:
        for key in path:
            if isinstance(value, Mapping) and key in value:
                value = value[key]
            elif isinstance(value, list | tuple) and key.isdecimal() and int(key) < len(value):
                value = value[int(key)]
            elif self.strict:
                where = spot(self.template, tag.start)
                message = f"{tag.name!r} at {where} cannot be found: there is no {key!r} in what was given"
                raise TemplateError(message, hint=f"give {tag.name.partition('.')[0]!r} as a map that holds it")
            else:
                return ""
        return value


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping | list | tuple):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


@lru_cache(maxsize=512)
def parse(template: str) -> Section:
    """The template as a tree. Raises TemplateFault."""
    open_sections = [Section(Tag("#", "", 0, 0))]
    done = 0
    for tag in tags_of(template):
        text, following = _around(template, done, tag)
        open_sections[-1].children.extend([text] if text else [])
        done = following
        _place(tag, open_sections, template)
    if len(open_sections) > 1:
        raise _fault(template, open_sections[-1].tag, "is never closed")
    open_sections[0].children.extend([template[done:]] if done < len(template) else [])
    return open_sections[0]


def _place(tag: Tag, open_sections: list[Section], template: str) -> None:
    if tag.kind == "":
        open_sections[-1].children.append(tag)
    elif tag.kind in "#^":
        section = Section(tag)
        open_sections[-1].children.append(section)
        open_sections.append(section)
        if len(open_sections) > MAX_DEPTH:
            raise _fault(template, tag, "is nested too deeply")
    elif tag.kind == "/":
        if open_sections[-1].tag.name != tag.name or len(open_sections) == 1:
            raise _fault(template, tag, "closes what is not open")
        open_sections.pop()
    elif tag.kind == ">":
        raise _fault(template, tag, "asks for a partial; prompts have none")


def tags_of(template: str) -> Iterator[Tag]:
    """Every tag in order, comments and changes of delimiters too. Raises TemplateFault for one that is no tag."""
    left, right, position = "{{", "}}", 0
    while (start := template.find(left, position)) >= 0:
        tag = _tag(template, start, left, right)
        yield tag
        position = tag.end
        if tag.kind == "=":
            left, right = tag.name.split()


def _tag(template: str, start: int, left: str, right: str) -> Tag:
    begin = start + len(left)
    kind = template[begin : begin + 1]
    closing = {"{": "}" + right, "=": "=" + right}.get(kind, right)
    close = template.find(closing, begin + 1 if kind in "{=" else begin)
    if close < 0:
        raise _fault(template, Tag("", "", start, start), "is never closed")
    name = template[begin + (kind in _SIGILS) : close].strip()
    tag = Tag("" if kind in "{&" or kind not in _SIGILS else kind, name, start, close + len(closing))
    _check_name(template, tag)
    return tag


def _check_name(template: str, tag: Tag) -> None:
    if tag.kind == "=" and (len(tag.name.split()) != 2 or "=" in tag.name):
        raise _fault(template, tag, "does not name two delimiters")
    if tag.kind not in {"!", "="} and not tag.name:
        raise _fault(template, tag, "has no name")
    if tag.kind != "!" and any(char in tag.name for char in '{}"\n') and tag.kind != "=":
        raise _fault(template, tag, "is not a name")


def _around(template: str, done: int, tag: Tag) -> tuple[str, int]:
    """The text before a tag and where the text after it begins; a tag alone on its line takes the line with it."""
    text = template[done : tag.start]
    if tag.kind == "":
        return text, tag.end
    line_start = template.rfind("\n", 0, tag.start) + 1
    newline = template.find("\n", tag.end)
    line_end = len(template) if newline < 0 else newline + 1
    alone = line_start >= done and not (template[line_start : tag.start] + template[tag.end : line_end]).strip()
    return (template[done:line_start], line_end) if alone else (text, tag.end)


def _fault(template: str, tag: Tag, problem: str) -> TemplateFault:
    shown = template[tag.start : tag.end] if tag.end > tag.start else template[tag.start : tag.start + 20]
    shown = (shown if len(shown) <= 40 else shown[:37] + "...").replace("\n", "\\n")
    message = f"{shown} at {spot(template, tag.start)} {problem}"
    return TemplateFault(message, HINT, *position(template, tag.start))
