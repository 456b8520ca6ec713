"""The shared tree as jinja2 or nunjucks."""

from __future__ import annotations

import re

from promptstore.model.templates.translation.expressions import constant, written
from promptstore.model.templates.translation.names import expression_name
from promptstore.model.templates.translation.tree import Condition, Loop, Node, Nodes, Output, Text

# A brace that would begin a tag, a carriage return (jinja2 makes it a newline), and what ends a comment: nunjucks
# takes it for a mistake even where no comment is open.
_SPECIAL = re.compile(r"\{{2,}|\{(?=[%#\r])|\r+|#(?=\})")
_LAST_BRACE = re.compile(r"(?<!\{)\{\Z")


def write(nodes: Nodes, fmt: str) -> str:
    """The nodes as a template. Raises Untranslatable for a name that is none there."""
    text = _body(nodes, False)
    # jinja2 drops the last newline of a template.
    return text + "\n" if fmt == "jinja2" and text.endswith("\n") else text


def _body(nodes: Nodes, inside: bool) -> str:
    return "".join(_written(node, inside or node is not nodes[-1]) for node in nodes)


def _written(node: Node, followed: bool) -> str:
    if isinstance(node, Text):
        return _literal(node.text, followed)
    if isinstance(node, Output):
        return "{{ " + written(node.value, node.origin) + " }}"
    return _condition(node) if isinstance(node, Condition) else _loop(node)


def _literal(text: str, followed: bool) -> str:
    last = _LAST_BRACE.search(text) if followed else None
    safe = _SPECIAL.sub(_printed, text[: last.start()] if last else text)
    return safe + (_printed(last) if last else "")


def _printed(found: re.Match[str]) -> str:
    return "{{ " + constant(found[0]) + " }}"


def _condition(node: Condition) -> str:
    parts = []
    for place, branch in enumerate(node.branches):
        word = "elif" if place else "if"
        parts.append(f"{{% {word} {written(branch.test, branch.origin)} %}}{_body(branch.body, True)}")
    return "".join(parts) + _otherwise(node.otherwise) + "{% endif %}"


def _loop(node: Loop) -> str:
    target = expression_name((node.target,), node.origin)
    head = f"{{% for {target} in {written(node.items, node.origin)} %}}"
    return head + _body(node.body, True) + _otherwise(node.otherwise) + "{% endfor %}"


def _otherwise(nodes: Nodes | None) -> str:
    return "" if nodes is None else "{% else %}" + _body(nodes, True)
