"""The expressions that jinja2 and nunjucks read alike, into the shared tree and out of it.

Text filters (``upper``, ``lower``, ``trim``, ``replace``), ``join``, ``length`` and ``default`` are in both with the
same meaning. A filter's arguments are constants.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from jinja2 import TemplateSyntaxError, nodes

from promptstore.errors import TemplateError
from promptstore.model.templates.translation.names import expression_name
from promptstore.model.templates.translation.segments import ENVIRONMENT
from promptstore.model.templates.translation.tree import (
    Comparison,
    Defined,
    Filtered,
    Junction,
    Not,
    Origin,
    Path,
    Test,
    Untranslatable,
    Value,
)

LOOP_NUMBERS = frozenset({"index", "index0", "revindex", "revindex0", "length"})
LOOP_FLAGS = frozenset({"first", "last"})
TEXT_FILTERS = frozenset({"upper", "lower", "trim", "replace"})

_ALIASES = {"d": "default", "count": "length"}
_ARGUMENTS: dict[str, Callable[[tuple[object, ...]], bool]] = {
    "upper": lambda given: not given,
    "lower": lambda given: not given,
    "trim": lambda given: not given,
    "length": lambda given: not given,
    "join": lambda given: not given or _are(given, str),
    "replace": lambda given: _are(given, str, str) and given[0] != "",
    "default": lambda given: any(_are(given, kind) or _are(given, kind, bool) for kind in (str, int)),
}
_SIGNS = {"eq": "==", "ne": "!=", "lt": "<", "gt": ">", "lteq": "<=", "gteq": ">="}
_OTHER_ESCAPE = re.compile(r"(?<!\\)(?:\\\\)*\\(?![\\\"'nrt])")
# JavaScript's == takes "7", "" and " " for numbers.
_WORDLIKE = re.compile(r"(?!Infinity|NaN)[^\W\d][\w -]*")
_BRACKETED = re.compile(r"\bnot\s*\([^()]*[=<>][^()]*\)")
_HINT = "keep to plain variables and what jinja2 and nunjucks share"


def _exact(value: object) -> bool:
    """A whole number that JavaScript has too."""
    return type(value) is int and value < 2**53


def _are(given: tuple[object, ...], *types: type) -> bool:
    return tuple(map(type, given)) == types


class Expressions:
    """Reads the expressions of one tag; ``loops`` tells how many loops are around it."""

    def __init__(self, origin: Origin, loops: int, fmt: str) -> None:
        self.origin = origin
        self.loops = loops
        self.fmt = fmt

    def printed(self, source: str) -> Value | Filtered | str:
        """What ``{{ source }}`` prints; a constant is the text it prints."""
        node = self.parsed(source)
        if isinstance(node, nodes.Const) and (_are((node.value,), str) or _exact(node.value)):
            return str(node.value)
        if isinstance(node, nodes.Filter) and node.name == "safe" and isinstance(node.node, nodes.Expr):
            node = node.node  # nothing is ever escaped here
        value = self.value(node)
        if isinstance(value, Value) and value.path[0] == "loop" and value.path[1] in LOOP_FLAGS:
            raise self.refused("prints true or false, which jinja2 and nunjucks write differently")
        return value

    def test(self, source: str) -> Test:
        """What ``{% if source %}`` asks for."""
        test = self.tested(self.parsed(source))
        # nunjucks negates only `x` in `not x == "a"`, since it writes the two to JavaScript without brackets.
        if self.fmt == "nunjucks" and len(_BRACKETED.findall(source)) < _negated_comparisons(test):
            raise self.refused("negates a comparison without brackets, which nunjucks reads otherwise")
        return test

    def items(self, source: str) -> Value:
        """What a loop goes over."""
        value = self.value(self.parsed(source))
        if not isinstance(value, Value) or value.path[0] == "loop":
            raise self.refused("loops over more than a plain variable")
        return value

    def parsed(self, source: str) -> nodes.Node:
        if _OTHER_ESCAPE.search(source):
            raise self.refused("has a backslash that jinja2 and nunjucks read differently")
        try:
            output = ENVIRONMENT.parse("{{ " + source + " }}").body[0]
        except TemplateSyntaxError as problem:
            raise TemplateError(f"the template cannot be read: {problem.message}") from problem
        return output.nodes[0]  # type: ignore[attr-defined, no-any-return]

    def tested(self, node: nodes.Node) -> Test:
        if isinstance(node, nodes.Not):
            return Not(self.tested(node.node))
        if isinstance(node, nodes.And | nodes.Or):
            word = "and" if isinstance(node, nodes.And) else "or"
            return Junction(word, self.tested(node.left), self.tested(node.right))
        if isinstance(node, nodes.Compare):
            return self.comparison(node)
        if isinstance(node, nodes.Test) and node.name == "defined" and isinstance(node.node, nodes.Name):
            return Defined(Value(self.path(node.node)))
        return self.value(node)

    def comparison(self, node: nodes.Compare) -> Test:
        sign = _SIGNS.get(node.ops[0].op) if len(node.ops) == 1 else None
        right = node.ops[0].expr
        if sign is None or not isinstance(right, nodes.Const):
            raise self.refused("compares with more than one constant")
        left = self.value(node.expr)
        if self.is_number(left) and type(right.value) is int:
            return Comparison(left, sign, right.value)
        wordlike = type(right.value) is str and _WORDLIKE.fullmatch(right.value)
        if sign in {"==", "!="} and isinstance(left, Value) and left.path[0] != "loop" and wordlike:
            return Comparison(left, sign, right.value)
        raise self.refused("compares values that JavaScript compares by other rules")

    def is_number(self, value: Value | Filtered) -> bool:
        if isinstance(value, Filtered):
            return value.name == "length"
        return value.path[0] == "loop" and value.path[1] in LOOP_NUMBERS

    def value(self, node: nodes.Node) -> Value | Filtered:
        return self.filtered(node) if isinstance(node, nodes.Filter) else Value(self.path(node))

    def filtered(self, node: nodes.Filter) -> Filtered:
        name = _ALIASES.get(node.name, node.name)
        given: tuple[Any, ...] = tuple(item.value if isinstance(item, nodes.Const) else None for item in node.args)
        rest = node.kwargs or node.dyn_args or node.dyn_kwargs or node.node is None
        check = _ARGUMENTS.get(name)
        if check is None or rest or not check(given):
            raise self.refused(f"uses the filter {node.name!r} as jinja2 and nunjucks do not share it")
        assert node.node is not None
        return Filtered(self.operand(name, node.node), name, given)

    def operand(self, name: str, node: nodes.Node) -> Value | Filtered:
        value = self.value(node)
        if isinstance(value, Value):
            alike = value.path[0] != "loop"
        else:
            as_text = value.name != "default" or isinstance(value.arguments[0], str)
            alike = name in TEXT_FILTERS and value.name != "length" and as_text
        if not alike:
            raise self.refused(f"gives the filter {name!r} what jinja2 and nunjucks take differently")
        return value

    def path(self, node: nodes.Node) -> Path:
        path = self.names(node)
        if path[0] == "loop":
            if not self.loops or len(path) != 2 or path[1] not in LOOP_NUMBERS | LOOP_FLAGS:
                raise self.refused("uses 'loop' as jinja2 and nunjucks do not share it")
        else:
            expression_name(path, self.origin)
        return path

    def names(self, node: nodes.Node) -> Path:
        if isinstance(node, nodes.Name):
            return (node.name,)
        if isinstance(node, nodes.Getattr):
            return (*self.names(node.node), node.attr)
        if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const) and type(node.arg.value) is str:
            return (*self.names(node.node), node.arg.value)
        raise self.refused("is not among the expressions that formats share")

    def refused(self, problem: str) -> Untranslatable:
        return Untranslatable(self.origin, problem, _HINT)


def _negated_comparisons(test: Test) -> int:
    if isinstance(test, Junction):
        return _negated_comparisons(test.left) + _negated_comparisons(test.right)
    if isinstance(test, Not):
        return isinstance(test.test, Comparison) + _negated_comparisons(test.test)
    return 0


def written(test: Test, origin: Origin) -> str:
    """An expression as both languages read it. Raises Untranslatable for a name that is none there."""
    if isinstance(test, Value):
        return (
            ".".join(test.path)
            if test.path[0] == "loop" and len(test.path) == 2
            else expression_name(test.path, origin)
        )
    if isinstance(test, Filtered):
        arguments = ", ".join(map(constant, test.arguments))
        return f"{written(test.value, origin)} | {test.name}" + (f"({arguments})" if arguments else "")
    if isinstance(test, Not):
        return f"not {_grouped(test.test, origin)}"
    if isinstance(test, Junction):
        return f"{_grouped(test.left, origin)} {test.word} {_grouped(test.right, origin)}"
    if isinstance(test, Comparison):
        return f"{written(test.left, origin)} {test.sign} {constant(test.right)}"
    return f"{written(test.value, origin)} is defined"


def _of_loop(path: Path) -> bool:
    return path[0] == "loop" and len(path) == 2 and path[1] in LOOP_NUMBERS | LOOP_FLAGS


def _grouped(test: Test, origin: Origin) -> str:
    whole = isinstance(test, Value | Filtered)
    return written(test, origin) if whole else f"({written(test, origin)})"


def constant(value: str | int | bool) -> str:
    """A constant as both languages read it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + escaped.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t") + '"'
