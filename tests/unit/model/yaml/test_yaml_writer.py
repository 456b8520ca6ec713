"""What is written reads back as exactly the same data, whatever the texts in it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptstore.errors import InvalidPrompt
from promptstore.model.yaml.nodes import plain, same
from promptstore.model.yaml.reader import read
from promptstore.model.yaml.writer import write

NASTY = st.text(
    alphabet=st.sampled_from(
        list(" \n\t\r:#-?[]{},&*!|>'\"%@`~=<\\0159.eExoyn{}ab\x00\x07\x7f\x85\xa0\u2028\u2029\ufeffé😀")
    ),
    max_size=12,
)
# fmt: off
WORDS = st.sampled_from([
    "yes", "No", "on", "012", "0o10", "0x1F", "1e3", ".5", "+1", "12:30:45", "2024-01-01", "~", "null", "Null", "True",
    "=", "<<", "---", "...", "1_000", ".inf", ".NaN", "a:", ":a", "#", "%a", "- a", "a: b", "a #b", "{{ x }}", "? a",
    " ", "", "x\ty", "\n", "a\n", "a\n\n", "\n a", " a\n b\n", "a\n  \n", "a\n  ", "\ta\nb", "a\r\nb\r\n",
    "a\n---\nb\n", "y" * 1100,
])
# fmt: on
TEXTS = NASTY | WORDS | st.text(alphabet=st.characters(exclude_categories=("Cs",)), max_size=20)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4), max_leaves=12
)
MESSAGES = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(["user", "system"]), "content": TEXTS}, optional={"vendors": JSON}),
    max_size=3,
)
PROMPTS = st.dictionaries(TEXTS, JSON, max_size=4) | st.fixed_dictionaries(
    {"messages": MESSAGES}, optional={"name": TEXTS, "metadata": JSON, "tools": JSON, "model": JSON, "tags": JSON}
)


@given(PROMPTS)
def test_written_data_reads_back_exactly(data: dict[str, Any]) -> None:
    assert same(plain(read(write(data))), data)


@given(PROMPTS)
def test_writing_twice_gives_the_same_text(data: dict[str, Any]) -> None:
    once = write(data)
    assert write(plain(read(once))) == once


def test_the_canonical_layout() -> None:
    data = {
        "vendors": {"braintrust": {"function_type": "llm"}},
        "messages": [
            {"content": "You are careful.\nAnd kind.\n", "role": "system"},
            {"role": "user", "content": "{{ ticket }}"},
            {"role": "user", "content": [{"text": "a\nb", "type": "text"}]},
        ],
        "tools": [],
        "model": {"parameters": {"temperature": 0.2, "stop": None}, "name": "gpt-4o"},
        "tags": ["support", "on"],
        "name": "Summarizer: short",
    }
    assert write(data) == (
        'name: "Summarizer: short"\n'
        'tags: [support, "on"]\n'
        "model:\n"
        "  name: gpt-4o\n"
        "  parameters: {temperature: 0.2, stop: null}\n"
        "messages:\n"
        "  - role: system\n"
        "    content: |\n"
        "      You are careful.\n"
        "      And kind.\n"
        "  - role: user\n"
        '    content: "{{ ticket }}"\n'
        "  - role: user\n"
        "    content:\n"
        "      - type: text\n"
        "        text: |-\n"
        "          a\n"
        "          b\n"
        "tools: []\n"
        "vendors:\n"
        "  braintrust: {function_type: llm}\n"
    )


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a\n\n", "|+\n  a\n\n"),
        ("  a\nb", "|2-\n    a\n  b\n"),
        ("\n\n\ta\nb\n", "|2\n\n\n  \ta\n  b\n"),
        ("\n", '"\\n"\n'),
        ("a\r\nb", '"a\\r\\nb"\n'),
        ("a\u2028b\nc", '"a\\u2028b\\nc"\n'),
        ("x" * 60 + "\r\n" + "  y" * 9 + "\n", '"' + "x" * 60 + "\\r\\n\\\n  \\" + "  y" * 9 + '\\n"\n'),
        ('say "hi"', 'say "hi"\n'),
        ('"hi"', "'\"hi\"'\n"),
        ("yes", '"yes"\n'),
        ("012", '"012"\n'),
        ("<<", '"<<"\n'),
    ],
)
def test_texts(text: str, written: str) -> None:
    assert write({"content": text}) == "content: " + written


def test_texts_are_read_alike_by_a_yaml_1_1_reader() -> None:
    yaml = pytest.importorskip("yaml")
    data = {
        "metadata": {w: w for w in ["yes", "On", "n", "012", "1e3", "12:30:45", "2024-01-01", "=", "<<", "~", "1_0"]}
    }
    assert yaml.safe_load(write(data)) == data


@pytest.mark.parametrize(
    "value", ["\ud800", float("nan"), float("inf"), {1, 2}, {"a": "\udfff"}, {1: "a"}, {None: 1}, [10**5000]]
)
def test_what_no_file_can_hold_is_refused(value: Any) -> None:
    with pytest.raises(InvalidPrompt):
        write({"content": value})


def test_too_deep_is_refused() -> None:
    value: Any = "x"
    for _ in range(2000):
        value = [value]
    with pytest.raises(InvalidPrompt):
        write({"metadata": value})
    nested: Any = "x"
    for _ in range(65):
        nested = {"a": nested}
    with pytest.raises(InvalidPrompt):
        write(nested)
