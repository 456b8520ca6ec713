"""One meaning for every file: YAML 1.2, exact places, and a clear no to whatever parsers disagree on."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_yaml_editor import TEXT, texts

from promptstore.errors import InvalidPrompt
from promptstore.model.yaml import reader
from promptstore.model.yaml.nodes import Mapping, Scalar, Sequence, find, plain, same
from promptstore.model.yaml.reader import read

VALUES: list[tuple[str, Any]] = [
    *[
        (word, word)
        for word in ["on", "yes", "no", "off", "y", "12:30:45", "2024-01-01", "=", "<<", "1_000", "0b1", "nUll"]
    ],
    *[(word, None) for word in ["", "~", "null", "Null", "NULL"]],
    *[(word, True) for word in ["true", "True", "TRUE"]],
    *[(word, False) for word in ["false", "False", "FALSE"]],
    ("012", 12),
    ("0o10", 8),
    ("0x1F", 31),
    ("+1", 1),
    ("-0", 0),
    ("1e3", 1000.0),
    (".5", 0.5),
    ("5.", 5.0),
    ("-0.0", -0.0),
    ("0", 0),
    ("0.0", 0.0),
    ('""', ""),
    ("'it''s'", "it's"),
    ('"a\\u2028\\x07\\tb"', "a\u2028\x07\tb"),
    ("a # c", "a"),
    ("https://x.y/z?a=b#c", "https://x.y/z?a=b#c"),
]


@pytest.mark.parametrize(("text", "value"), VALUES)
def test_values(text: str, value: Any) -> None:
    assert same(plain(read(f"k: {text}\n")), {"k": value})


REFUSED = [
    ("a: !x b\n", "1:4", "tag"),
    ("a: !!str b\n", "1:4", "tag"),
    ("a: !!python/object:os.system b\n", "1:4", "tag"),
    ("a: &x b\n", "1:4", "anchor '&x'"),
    ("a: *x\n", "1:4", "alias '*x'"),
    ("a: *bold* text\n", "1:4", ""),
    ("a: 1\nb: 2\na: 3\n", "3:1", "duplicate key 'a'"),
    ("m: {a: 1, 'a': 2}\n", "1:11", "duplicate key 'a'"),
    ("<<: {a: 1}\n", "1:1", "merge keys"),
    ("1: a\n", "1:1", "the key 1 is not a text"),
    ("m: {~: a}\n", "1:5", "not a text"),
    ("a: {{ x }}\n", "1:5", "a key must be a text"),
    ("a: 1\n---\nb: 2\n", "2:1", "second document"),
    ("%YAML 1.1\n---\na: 1\n", "1:1", "directives"),
    ("a: .nan\n", "1:4", "JSON"),
    ("a: -.inf\n", "1:4", "JSON"),
    ("a: 1e999\n", "1:4", "too large"),
    ("a: " + "9" * 5000 + "\n", "1:4", "digits"),
    ("", "1:1", "empty"),
    ("# only\n", "1:1", "empty"),
    ("---\n", "2:1", "mapping"),
    ("- a\n", "1:1", "mapping"),
    ("text\n", "1:1", "mapping"),
    ("a: x\u2028y\n", "1:5", "U+2028"),
    ("a: 1\r\nb: x\x85y\n", "2:5", "U+0085"),
    ("a: \x1b\n", "1:4", "U+001B"),
    ("a: \ufeff\n", "1:4", "U+FEFF"),
    ("a: b: c\n", "1:5", "not valid YAML"),
    ("a:\n\t- b\n", "2:1", "not valid YAML"),
    ("a: @b\n", "1:4", "not valid YAML"),
    ('a: "\\q"\n', "1:5", "not valid YAML"),
    ("a: [\n", "2:1", "not valid YAML"),
]


@pytest.mark.parametrize(("text", "place", "message"), REFUSED)
def test_refused(text: str, place: str, message: str) -> None:
    with pytest.raises(InvalidPrompt) as caught:
        read(text, "prompts/a.yaml")
    assert str(caught.value.where) == f"prompts/a.yaml:{place}"
    assert message in caught.value.message
    assert caught.value.hint


def test_bytes_that_are_no_text() -> None:
    with pytest.raises(InvalidPrompt, match="binary"):
        read(b"a: \0\n")
    with pytest.raises(InvalidPrompt, match="not valid UTF-8") as caught:
        read("a: é\nb: ü".encode() + b"\xff\n")
    assert caught.value.where[1:3] == (2, 5)
    with pytest.raises(InvalidPrompt, match="larger"):
        read(b"a" * (reader.MAX_BYTES + 1))


@pytest.mark.parametrize("bomb", ["[" * 100_000, "{a: " * 70, "- " * 50_000, "a: " + "[" * 65 + "]" * 65, "? " * 5_000])
@pytest.mark.parametrize("engine", ["best", "python"])
def test_no_text_exhausts_the_stack(bomb: str, engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if engine == "python":
        monkeypatch.setattr(reader, "_new_parser", reader._python_parser)
    with pytest.raises(InvalidPrompt):
        read(bomb)


def test_sixty_four_levels_are_fine() -> None:
    assert plain(read("a: " + "[" * 63 + "]" * 63))


def test_places() -> None:
    root = read(TEXT)
    content = find(root, ("messages", 1, "content"))
    assert isinstance(content, Scalar)
    assert (content.style, content.line, content.column) == ("double", 19, 12)
    assert TEXT[content.start : content.end] == '"{{ ticket }}"'
    block = find(root, ("messages", 0, "content"))
    assert block is not None
    assert TEXT[block.start : block.end].endswith("kind.")
    assert isinstance(find(root, ("messages",)), Sequence)
    parameters = find(root, ("model", "parameters"))
    assert isinstance(parameters, Mapping)
    assert (parameters.flow, TEXT[parameters.start : parameters.end]) == (True, "{temperature: 0.2, stop: }")
    assert find(root, ("messages", 2)) is None
    assert find(root, ("name", "x")) is None


@pytest.mark.parametrize("engine", ["best", "python"])
def test_a_byte_order_mark_shifts_places_but_not_columns(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if engine == "python":
        monkeypatch.setattr(reader, "_new_parser", reader._python_parser)
    text = "\ufeffa: bc\r\nd: e\r\n"
    node = find(read(text), ("a",))
    assert node is not None
    assert (text[node.start : node.end], node.column) == ("bc", 4)
    assert same(plain(read(text.encode())), {"a": "bc", "d": "e"})


def test_block_scalars_end_before_their_last_line_break() -> None:
    text = "a: |\n  x\n\n   \n\n# c\nb: |+\n  y\n\n\nc: >-\n\nd: |\n  z"
    ends = {entry.name: text[entry.value.start : entry.value.end] for entry in read(text).entries}
    assert ends == {"a": "|\n  x\n\n   ", "b": "|+\n  y\n\n", "c": ">-", "d": "|\n  z"}


@given(texts() | st.text(alphabet=st.sampled_from(list("ab: -\n[]{},#'\"|>?!&*\t1~")), max_size=30))
def test_both_parsers_mean_the_same(text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        best = outcome(text)
        patch.setattr(reader, "_new_parser", reader._python_parser)
        python = outcome(text)
    if best is not None and python is not None:
        assert best == python


def outcome(text: str) -> Mapping | None:
    try:
        return read(text)
    except InvalidPrompt:
        return None
