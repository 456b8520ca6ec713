"""Templates in a prompt file that no rendering could read, each with its place in the file.

This is for the author of a file. Such a prompt is valid all the same: vendors take it (their clients leave a text that
they cannot read as it is), so it is read, compared and synced like any other.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from promptstore.errors import InvalidPrompt, TemplateError, Where
from promptstore.model.reading import parse_prompt
from promptstore.model.rendering import walk_prompt
from promptstore.model.templates import check_text
from promptstore.model.templates.faults import TemplateFault
from promptstore.model.yaml.nodes import Path, Scalar, find
from promptstore.model.yaml.reader import read

if TYPE_CHECKING:
    from promptstore.model.parts import TemplateFormat
    from promptstore.model.yaml.nodes import Node

_STEP = re.compile(r"\[([0-9]+)\]|([^.\[\]]+)")


def template_problems(text: bytes, path: str | None = None) -> list[InvalidPrompt]:
    """All templates that cannot be read, in the order of the text, each at file:line:column.

    Raises InvalidPrompt where the file is no prompt.
    """
    checking = _Checking()
    walk_prompt(parse_prompt(text, path), checking)
    root, lines = read(text, path), text.decode("utf-8-sig").split("\n")
    return [_in_file(place, fault, root, lines, path) for place, fault in checking.found]


@dataclass(slots=True)
class _Checking:
    """A walk that only looks at the templates."""

    found: list[tuple[str, TemplateFault]] = field(default_factory=list)

    def text(self, template: str, fmt: TemplateFormat, place: str) -> str:
        try:
            check_text(template, fmt)
        except TemplateFault as fault:
            self.found.append((place, fault))
        except TemplateError as error:
            self.found.append((place, TemplateFault(error.message, error.hint)))
        return template

    def items(self, name: str, place: str) -> list[object] | None:  # noqa: ARG002 - the passes' one shape
        return None

    def refuse(self, message: str, place: str, hint: str) -> None:
        """Nothing was given, so nothing is wrong with it."""


def _in_file(place: str, fault: TemplateFault, root: Node, lines: list[str], path: str | None) -> InvalidPrompt:
    node = find(root, _path(place)) or root
    line, column = _spot(node, fault, lines)
    return InvalidPrompt(f"{place}: {fault.message}", where=Where(path, line, column), hint=fault.hint)


def _path(place: str) -> Path:
    """``messages[0].content`` as the steps to a node."""
    return tuple(int(index) if index else name for index, name in _STEP.findall(place))


def _spot(node: Node, fault: TemplateFault, lines: list[str]) -> tuple[int, int]:
    """Where the fault stands in the file; where the text is folded or escaped, where the text begins."""
    if not isinstance(node, Scalar) or not isinstance(node.value, str) or fault.line is None:
        return node.line, node.column
    if node.style == "literal":
        return _in_block(node, node.value, fault.line, fault.column, lines)
    source, start = lines[node.line - 1], node.column - 1 + (node.style != "plain")
    if fault.line == 1 and source[start : start + len(node.value)] == node.value:
        return node.line, start + (fault.column or 1)
    return node.line, node.column


def _in_block(node: Scalar, value: str, line: int, column: int | None, lines: list[str]) -> tuple[int, int]:
    """A line of a literal block: the lines of the text follow its header one by one, all indented alike."""
    number = node.line + line
    said = value.split("\n")[line - 1] if line <= value.count("\n") + 1 else ""
    source = lines[number - 1].rstrip("\r") if number <= len(lines) else ""
    indent = len(source) - len(said) if source.endswith(said) else 0
    if column is None:  # the format tells the line only: where its words begin
        column = len(said) - len(said.lstrip()) + 1
    return number, indent + column
