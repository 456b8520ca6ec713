"""nunjucks, as far as it and jinja2 are one language, through the jinja2 sandbox.

As nunjucks does: true, false and nothing for null, the trailing newline stays, ``{% for key, value in map %}`` walks a
map, ``dump`` writes JSON. What only nunjucks has (``===``, ``elseif``, ``switch``, ``ifAsync``, regular expressions,
JavaScript's properties) raises TemplateError. An empty list counts as false, as in jinja2.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from jinja2 import Template, nodes
from jinja2.runtime import Undefined

from promptstore.model.templates.jinja import Sandbox, check_in, render_in, variables_of


class NunjucksSandbox(Sandbox):
    """The sandbox with what nunjucks does otherwise."""

    hint = "promptstore renders the part of nunjucks that jinja2 shares; write it so, or render it with nunjucks itself"

    def __init__(self) -> None:
        super().__init__(keep_trailing_newline=True, finalize=_shown)
        self.filters["dump"] = _dump
        self.filters["_pairs"] = _pairs

    def compiled(self, template: str) -> Template:
        tree = self.parse(template)
        for loop in tree.find_all(nodes.For):
            if isinstance(loop.target, nodes.Tuple) and len(loop.target.items) == 2:
                loop.iter = nodes.Filter(loop.iter, "_pairs", [], [], None, None, lineno=loop.lineno)
        return self.from_string(tree)


def _shown(value: Any) -> Any:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else value


def _dump(value: Any, indent: int | None = None) -> str:
    separators = (",", ": ") if indent else (",", ":")
    return json.dumps(value, indent=indent, separators=separators, ensure_ascii=False)


def _pairs(value: Any) -> Iterable[Any]:
    return value.items() if isinstance(value, Mapping) and not isinstance(value, Undefined) else value


ENVIRONMENT = NunjucksSandbox()


def render(template: str, variables: Mapping[str, object], strict: bool) -> str:
    """The rendered text. Not strict, what is undefined is empty, at any depth."""
    return render_in(ENVIRONMENT, template, variables, strict)


def variables(template: str) -> tuple[str, ...]:
    """The names the template takes from outside, in the order of their first appearance."""
    return variables_of(ENVIRONMENT, template)


def check(template: str) -> None:
    """Raises TemplateFault where the template cannot be compiled, or is of that part of nunjucks that jinja2 lacks."""
    check_in(ENVIRONMENT, template)
