"""The shared tree as an f-string."""

from __future__ import annotations

from promptstore.model.templates.translation.names import plain_name
from promptstore.model.templates.translation.tree import Node, Nodes, Output, Text, Untranslatable, Value


def write(nodes: Nodes) -> str:
    """The nodes as an f-string. Raises Untranslatable for everything but plain variables."""
    return "".join(map(_written, nodes))


def _written(node: Node) -> str:
    if isinstance(node, Text):
        return node.text.replace("{", "{{").replace("}", "}}")
    if isinstance(node, Output) and isinstance(node.value, Value):
        return "{" + plain_name(node.value.path, node.origin) + "}"
    problem = "has no like in f-strings, which know plain variables only"
    raise Untranslatable(node.origin, problem, "write plain variables, or use jinja2")
