"""Hypothesis strategies: trees of templates, with an independent spelling and meaning of the plain ones."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from promptstore.model.templates.translation.tree import (
    Branch,
    Comparison,
    Condition,
    Defined,
    Filtered,
    Junction,
    Loop,
    Not,
    Output,
    Text,
    Value,
    merged,
)

VARIABLES = ("x", "user_name", "größe")
LISTS = ("xs", "rows")
names = st.sampled_from(VARIABLES)
pieces = ["{", "}", "{{", "}}", "%", "#", "<%", "<", "%>", "=", "&", '"', "'", "\\", "\r\n", "\n", " ", "a", "é"]
literals = st.lists(st.sampled_from(pieces), max_size=6).map("".join)
# Python and JavaScript disagree on which odd control characters are blank; no prompt has them.
words = st.text(alphabet="<&>\"'{} aBé߃☃\n", max_size=5)
values = st.fixed_dictionaries(
    {
        **dict.fromkeys(VARIABLES, words),
        **dict.fromkeys(LISTS, st.lists(words, max_size=3)),
        "flag": st.booleans(),
        "m": st.fixed_dictionaries({"a": words}),
    }
)
_plain = st.one_of(literals.map(Text), names.map(lambda name: Output(Value((name,)))))
plain_trees = st.lists(_plain, max_size=6).map(merged)


def expected(tree: Any, variables: dict[str, Any]) -> str:
    return "".join(node.text if isinstance(node, Text) else variables[node.value.path[0]] for node in tree)


def spelled(tree: Any, fmt: str) -> str:
    """A plain tree in a spelling of its own, so that the writers are not judged by themselves."""
    text = "".join(map(_SPELLINGS[fmt], tree))
    return text + "\n" if fmt == "jinja2" and text.endswith("\n") else text


def _in_f_string(node: Any) -> str:
    return node.text.replace("{", "{{").replace("}", "}}") if isinstance(node, Text) else f"{{{node.value.path[0]}}}"


def _in_jinja(node: Any) -> str:
    if isinstance(node, Output):
        return "{{" + node.value.path[0] + "}}"
    return node.text.replace("{", "\0").replace("\0", "{{'{'}}").replace("\r", '{{"\\r"}}')


def _in_mustache(node: Any) -> str:
    if isinstance(node, Output):
        return "{{" + node.value.path[0] + "}}"
    return node.text.replace("{", "{{=[ ]=}}{[={{ }}=]")


_SPELLINGS = {"f-string": _in_f_string, "jinja2": _in_jinja, "nunjucks": _in_jinja, "mustache": _in_mustache}

_variables = st.one_of(names.map(lambda name: Value((name,))), st.just(Value(("m", "a"))))
_filters = st.one_of(
    st.sampled_from([("upper", ()), ("lower", ()), ("trim", ()), ("default", ("z",)), ("default", ("z", True))]),
    st.tuples(st.just("replace"), st.tuples(words.filter(bool), words)),
)
_filtered = st.builds(lambda value, one: Filtered(value, *one), _variables, _filters)
_chained = st.builds(
    lambda value, one: Filtered(value, *one), _filtered, _filters.filter(lambda one: one[0] != "default")
)
_joined = st.builds(lambda name, glue: Filtered(Value((name,)), "join", (glue,)), st.sampled_from(LISTS), words)
_lengths = st.sampled_from(LISTS).map(lambda name: Filtered(Value((name,)), "length"))
_printed = st.one_of(_variables, _filtered, _chained, _joined)
_tests: Any = st.recursive(
    st.one_of(
        _variables,
        st.just(Value(("flag",))),
        _lengths,
        st.builds(Comparison, _variables, st.sampled_from(["==", "!="]), st.sampled_from(["a", "B", "high"])),
        st.builds(Comparison, _lengths, st.sampled_from(["==", ">"]), st.just(0)),
        st.builds(Defined, st.sampled_from(["x", "nowhere"]).map(lambda name: Value((name,)))),
    ),
    lambda inner: st.one_of(
        st.builds(Not, inner), st.builds(Junction, st.sampled_from(["and", "or"]), inner, inner)
    ),
    max_leaves=3,
)  # fmt: skip


def _bodies(inner: Any) -> Any:
    return st.lists(inner, max_size=3).map(merged)


def _blocks(inner: Any) -> Any:
    body = _bodies(inner)
    branches = st.lists(st.builds(Branch, _tests, body), min_size=1, max_size=2).map(tuple)
    in_loop = st.one_of(
        inner,
        st.sampled_from(["index", "index0", "revindex", "revindex0", "length"]).map(
            lambda n: Output(Value(("loop", n)))
        ),
        st.just(Output(Value(("item",)))),
        st.just(Condition((Branch(Not(Value(("loop", "last"))), (Text(", "),)),))),
        st.just(Condition((Branch(Comparison(Value(("loop", "index")), ">=", 2), (Text(";"),)),))),
    )
    items = st.sampled_from(LISTS).map(lambda name: Value((name,)))
    return st.one_of(
        st.builds(Condition, branches, st.none() | body),
        st.builds(Loop, st.just("item"), items, _bodies(in_loop), st.none() | body),
    )


_leaves = st.one_of(literals.map(Text), _printed.map(Output))
shared_trees = _bodies(st.recursive(_leaves, _blocks, max_leaves=6))
