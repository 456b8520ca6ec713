"""What of a module nobody can observe, as places in its text: mutants there prove nothing about the tests."""

from __future__ import annotations

import ast
from collections.abc import Iterator

Span = tuple[tuple[int, int], tuple[int, int]]
"""(row, column) of the start and of the end."""

GUARDS = frozenset({"frozen", "slots", "strict"})
"""Arguments that only tell what the code never does: change a value, name a field anew, pair lists of two lengths."""


def annotations(source: str) -> Iterator[Span]:
    """Annotations of types, which nothing evaluates."""
    for node in ast.walk(ast.parse(source)):
        found = [getattr(node, "annotation", None), getattr(node, "returns", None)]
        found += [node.value] if isinstance(node, ast.Assign) and _is_alias(node) else []
        yield from (_span(part) for part in found if isinstance(part, ast.expr))


def _is_alias(node: ast.Assign) -> bool:
    """``Outcome = Action | Conflict``."""
    named = isinstance(node.targets[0], ast.Name) and node.targets[0].id[0].isupper()
    return named and isinstance(node.value, ast.BinOp)


def wordings(source: str) -> Iterator[Span]:
    """Texts for people that are put together on the spot (f-strings)."""
    return (_span(node) for node in ast.walk(ast.parse(source)) if isinstance(node, ast.JoinedStr))


def guards(source: str) -> Iterator[Span]:
    """``frozen=True``, ``slots=True``, ``strict=True``; and ``if TYPE_CHECKING``."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.keyword) and node.arg in GUARDS:
            yield _span(node.value)
        elif isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            yield (node.lineno, node.col_offset), (node.body[0].lineno, 0)


def _span(node: ast.expr) -> Span:
    return (node.lineno, node.col_offset), (node.end_lineno or 0, node.end_col_offset or 0)
