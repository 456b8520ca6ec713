"""What a template shows to be a list by looping over it or joining it, and where that makes formats differ.

An empty list is false in jinja2 and true in nunjucks; the length of a text is counted in characters by one and in
UTF-16 units by the other, that of a list is the same.
"""

from __future__ import annotations

from collections.abc import Iterator

from promptstore.model.templates.translation.tree import (
    Comparison,
    Condition,
    Filtered,
    Junction,
    Loop,
    Nodes,
    Not,
    Origin,
    Output,
    Path,
    Test,
    Untranslatable,
    Value,
)


def check_lists(nodes: Nodes) -> None:
    """Raises Untranslatable where a list is tested, or the length of what may be a text is asked for."""
    uses = list(_uses(nodes))
    lists = {path for path, _, use in uses if use == "list"}
    for path, origin, use in uses:
        name = ".".join(path)
        if use == "test" and path in lists:
            problem = f"tests the list {name!r}, and an empty list is true in nunjucks"
            raise Untranslatable(origin, problem, f"write {{% if {name} | length %}}")
        if use == "length" and path not in lists:
            problem = f"asks for the length of {name!r}, which for a text is not counted alike everywhere"
            raise Untranslatable(origin, problem, "give the number as a variable")


def _uses(nodes: Nodes) -> Iterator[tuple[Path, Origin, str]]:
    for node in nodes:
        if isinstance(node, Output):
            yield from _in_value(node.value, node.origin, "print")
        elif isinstance(node, Condition):
            for branch in node.branches:
                yield from _in_test(branch.test, branch.origin)
                yield from _uses(branch.body)
        elif isinstance(node, Loop):
            yield node.items.path, node.origin, "list"
            yield from _uses(node.body)
        if isinstance(node, Condition | Loop):
            yield from _uses(node.otherwise or ())


def _in_test(test: Test, origin: Origin) -> Iterator[tuple[Path, Origin, str]]:
    if isinstance(test, Not):
        yield from _in_test(test.test, origin)
    elif isinstance(test, Junction):
        yield from _in_test(test.left, origin)
        yield from _in_test(test.right, origin)
    elif isinstance(test, Comparison):
        only_empty = test.right == 0 and test.sign in {"==", "!=", ">"}
        yield from _in_value(test.left, origin, "empty" if only_empty else "print")
    elif isinstance(test, Value | Filtered):
        yield from _in_value(test, origin, "empty" if isinstance(test, Filtered) else "test")


def _in_value(value: Value | Filtered, origin: Origin, use: str) -> Iterator[tuple[Path, Origin, str]]:
    if isinstance(value, Value):
        yield value.path, origin, use
        return
    inner = {"join": "list", "length": "empty" if use == "empty" else "length"}.get(value.name, "print")
    yield from _in_value(value.value, origin, inner)
