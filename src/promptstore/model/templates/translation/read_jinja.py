"""jinja2 and nunjucks, as far as they are one language, into the shared tree."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jinja2 import TemplateSyntaxError

from promptstore.errors import TemplateError
from promptstore.model.templates.translation.expressions import Expressions
from promptstore.model.templates.translation.lists import check_lists
from promptstore.model.templates.translation.names import expression_name
from promptstore.model.templates.translation.segments import ENVIRONMENT, Segment, Tag, segments
from promptstore.model.templates.translation.tree import (
    Branch,
    Condition,
    Loop,
    Node,
    Nodes,
    Output,
    Text,
    Untranslatable,
    merged,
)

MAX_DEPTH = 50
HINT = "correct the template, or use template_format: none to have the text as it is"

_FOR = re.compile(r"(\w+)\s+in\s+(.+)", re.DOTALL)
_SHARED = "keep to if, for and plain variables, which jinja2 and nunjucks share"


def read(text: str, fmt: str) -> Nodes:
    """The nodes of a template. Raises Untranslatable for what is not shared, TemplateError if it is broken."""
    try:
        ENVIRONMENT.parse(text)
        row = list(segments(text, fmt))
    except TemplateSyntaxError as problem:
        message = f"the template cannot be read: {problem.message} (line {problem.lineno} of the text)"
        raise TemplateError(message, hint=HINT) from problem
    except RecursionError as problem:
        raise TemplateError("the template is nested too deeply", hint=HINT) from problem
    nodes = _Reader(iter(row), fmt).body(0)[0]
    check_lists(nodes)
    return nodes


class _Reader:
    """Builds the tree; the template was parsed before, so that every block is known to be closed."""

    def __init__(self, row: Iterator[Segment], fmt: str) -> None:
        self.row = row
        self.fmt = fmt
        self.depth = 0

    def body(self, loops: int) -> tuple[Nodes, Tag | None]:
        """The nodes up to the tag that ends or divides their block, and that tag."""
        found: list[Node] = []
        for segment in self.row:
            if isinstance(segment, str):
                found.append(Text(segment))
            elif segment.kind == "variable":
                found.append(self.output(segment, loops))
            elif _word(segment) in {"elif", "else", "endif", "endfor"}:
                return merged(found), segment
            else:
                found.append(self.block(segment, loops))
        return merged(found), None

    def output(self, tag: Tag, loops: int) -> Node:
        value = Expressions(tag.origin, loops, self.fmt).printed(tag.inner)
        return Text(value) if isinstance(value, str) else Output(value, tag.origin)

    def block(self, tag: Tag, loops: int) -> Node:
        self.depth += 1
        if _word(tag) not in {"if", "for"} or self.depth > MAX_DEPTH:
            raise Untranslatable(tag.origin, "is no block that formats share", _SHARED)
        node = self.condition(tag, loops) if _word(tag) == "if" else self.loop(tag, loops)
        self.depth -= 1
        return node

    def condition(self, tag: Tag, loops: int) -> Node:
        branches: list[Branch] = []
        while _word(tag) in {"if", "elif"}:
            test = Expressions(tag.origin, loops, self.fmt).test(_rest(tag))
            body, following = self.body(loops)
            branches.append(Branch(test, body, tag.origin))
            assert following is not None
            tag = following
        return Condition(tuple(branches), self.body(loops)[0] if _word(tag) == "else" else None)

    def loop(self, tag: Tag, loops: int) -> Node:
        found = _FOR.fullmatch(_rest(tag))
        if not found:
            raise Untranslatable(tag.origin, "is more than a loop over one list", _SHARED)
        target = expression_name((found[1],), tag.origin)
        items = Expressions(tag.origin, loops, self.fmt).items(found[2])
        body, following = self.body(loops + 1)
        assert following is not None
        otherwise = self.body(0)[0] if _word(following) == "else" else None
        return Loop(target, items, body, otherwise, tag.origin)


def _word(tag: Tag) -> str:
    return tag.inner.split(None, 1)[0] if tag.kind == "block" and tag.inner else ""


def _rest(tag: Tag) -> str:
    return tag.inner[len(_word(tag)) :].strip()
