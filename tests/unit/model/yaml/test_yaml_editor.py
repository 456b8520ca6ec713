"""Edits: the new meaning exactly, and every byte that has nothing to do with it as it was."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptstore.model.yaml import editor
from promptstore.model.yaml.editor import edit
from promptstore.model.yaml.nodes import plain, same
from promptstore.model.yaml.reader import read
from promptstore.model.yaml.splicer import splice

TEXT = """\
# header

name: 'Support summarizer'   # a person's title
tags: [support,  summarization]
model:
    provider: openai
    # which one
    name: "gpt-4o"
    parameters: {temperature: 0.2, stop: }
tools:  # none yet
messages:
- role: system
  content: |
    You are careful.
  \x20
    And   kind.
  # between
- role: user     # asks
  content: "{{ ticket }}"
# footer
"""


def data_of(text: str) -> dict[str, Any]:
    return plain(read(text))  # type: ignore[no-any-return]


def changed(text: str, **steps: Any) -> dict[str, Any]:
    """The data of ``text`` with values set at paths such as ``messages__0__content``; None removes."""
    data = copy.deepcopy(data_of(text))
    for path, value in steps.items():
        *way, last = [int(step) if step.isdigit() else step for step in path.split("__")]
        holder: Any = data
        for step in way:
            holder = holder[step]
        if value is REMOVE:
            del holder[last]
        elif isinstance(holder, list) and last == len(holder):
            holder.append(value)
        else:
            holder[last] = value
    return data


REMOVE = object()

EDITS: list[tuple[str, dict[str, Any], str, str]] = [
    ("single quotes stay", {"name": "It's"}, "'Support summarizer'", "'It''s'"),
    ("double quotes stay", {"model__name": "gpt-5"}, '"gpt-4o"', '"gpt-5"'),
    ("a number in a flow map", {"model__parameters__temperature": 0.0}, "0.2", "0.0"),
    ("an empty value in a flow map", {"model__parameters__stop": "a, b"}, "stop: }", 'stop: "a, b" }'),
    ("added to a flow map", {"model__parameters__top_p": 1}, "stop: }", "stop: , top_p: 1 }"),
    (
        "removed from a flow map",
        {"model__parameters__stop": REMOVE},
        "{temperature: 0.2, stop: }",
        "{temperature: 0.2 }",
    ),
    ("added to a flow list", {"tags__2": "on"}, "summarization]", 'summarization, "on"]'),
    ("removed from a flow list", {"tags__0": REMOVE}, "support,  ", ""),
    ("the last item of a flow list", {"tags__1": REMOVE}, ",  summarization", ""),
    ("an empty value", {"tools": []}, "tools:  #", "tools: []  #"),
    ("an empty value gets a list", {"tools": [{"type": "x"}]}, "none yet\n", "none yet\n  - type: x\n"),
    ("a line in a literal block", {"messages__0__content": "You are careful.\n\nAnd   firm.\n"}, "kind.", "firm."),
    (
        "a block stays a block",
        {"messages__0__content": "One line"},
        "|\n    You are careful.\n   \n    And   kind.",
        "|-\n    One line",
    ),
    (
        "one line becomes a block",
        {"messages__1__content": "a\nb\n"},
        '"{{ ticket }}"\n',
        "|\n    a\n    b\n",
    ),
    (
        "a comment stays at its line",
        {"messages__1__role": "user\nx"},
        "user     # asks",
        "|-     # asks\n    user\n    x",
    ),
    ("added after its canonical predecessor", {"description": "What"}, "title\n", "title\ndescription: What\n"),
    ("added in a message", {"messages__1__name": "x"}, "# asks\n", "# asks\n  name: x\n"),
    ("removed", {"model__provider": REMOVE}, "    provider: openai\n", ""),
    ("the first key of a message", {"messages__1__role": REMOVE}, "role: user     # asks\n  ", ""),
    ("a message removed", {"messages__1": REMOVE}, '- role: user     # asks\n  content: "{{ ticket }}"\n', ""),
    (
        "a message added",
        {"messages__2": {"role": "assistant", "content": "x\n"}},
        '"{{ ticket }}"\n',
        '"{{ ticket }}"\n- role: assistant\n  content: |\n    x\n',
    ),
    ("a map becomes a text", {"model__parameters": "x"}, "{temperature: 0.2, stop: }", "x"),
    ("a block becomes null", {"messages__0__content": None}, "|\n    You are careful.\n   \n    And   kind.", "null"),
    (
        "a text becomes parts",
        {"messages__1__content": [{"type": "text", "text": "a"}]},
        ' "{{ ticket }}"',
        "\n    - type: text\n      text: a",
    ),
]


@pytest.mark.parametrize(("steps", "old", "new"), [case[1:] for case in EDITS], ids=[case[0] for case in EDITS])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff", "---\n"])
def test_only_the_change(steps: dict[str, Any], old: str, new: str, ends: str, mark: str) -> None:
    assert TEXT.count(old) == 1
    expected = (mark + TEXT.replace(old, new)).replace("\n", ends)
    text = (mark + TEXT).replace("\n", ends)
    assert edit(text, changed(text, **steps)) == expected


@pytest.mark.parametrize(
    ("before", "new", "after"),
    [
        ("content: a", {"content": "b"}, "content: b"),
        ("content: a", {"content": "b\nc\n"}, "content: |\n  b\n  c\n"),
        ("content: a", {"content": "b\nc"}, "content: |-\n  b\n  c"),
        ("name: x\ncontent: a", {"name": "x", "content": "a", "tags": ["t"]}, "name: x\ntags: [t]\ncontent: a"),
        ("name: x\ncontent: a", {"name": "x"}, "name: x"),
        ("content: a\n  b # c\n", {"content": "d"}, "content: d # c\n"),
        ("content: a\n  b # c\n", {"content": "d\ne"}, "content: |- # c\n  d\n  e\n"),
        ("content:\n  a\n", {"content": "d"}, "content: d\n"),
        ("content: >\n  a b\n  c\n\n  d\n", {"content": "a b c\nx y\n"}, "content: >\n  a b\n  c\n\n  x y\n"),
        ("content: |2\n    a\n", {"content": "b\n"}, "content: |2\n  b\n"),
        ("content: |\n  a\n", {"content": "  b\n"}, "content: |2\n    b\n"),
        ("content: |\n  a\n\nname: x\n", {"content": "b\n\n", "name": "x"}, "content: |+\n  b\n\nname: x\n"),
        ("content: |\n  a\n", {"content": "a\rb\n"}, 'content: "a\\rb\\n"\n'),
        ("metadata: {a, b: 1}\n", {"metadata": {"a": 2, "b": 1}}, "metadata: {a: 2, b: 1}\n"),
        ("metadata: [a: 1, b]\n", {"metadata": [{"a": 2}, "b"]}, "metadata: [a: 2, b]\n"),
        ("metadata: [a: 1, b]\n", {"metadata": [{"c": 2}, "b"]}, "metadata: [{c: 2}, b]\n"),
        (
            "metadata:\n  - - a\n    - b\n  - - c\n",
            {"metadata": [["a", "x"], ["c"]]},
            "metadata:\n  - - a\n    - x\n  - - c\n",
        ),
        ("metadata:\n  - - a\n    - b\n", {"metadata": [["b"]]}, "metadata:\n  - - b\n"),
        ("metadata:\n  ? a\n  : b\n", {"metadata": {"a": "c"}}, "metadata:\n  ? a\n  : c\n"),
        ("metadata:\n  ? a\n  : b\n  ? c\n  : d\n", {"metadata": {"a": "b"}}, "metadata:\n  ? a\n  : b\n"),
        ("metadata: {a: {b: 1}}\n", {"metadata": {"a": {"c": "x\ny"}}}, 'metadata: {a: {c: "x\\ny"}}\n'),
        ("content: |\n  a\n  b", {"content": "a\nb", "metadata": {}}, "content: |-\n  a\n  b\nmetadata: {}"),
        ("metadata:\n  - a: 1\n    # b\n    b: 2\n", {"metadata": [{"b": 2}]}, "metadata:\n  -\n    # b\n    b: 2\n"),
        ("metadata: {}\n", {"metadata": {"a": 1}}, "metadata: {a: 1}\n"),
        ("metadata: {a: 1}\n", {"metadata": {}}, "metadata: {}\n"),
        ("metadata:\n  a: 1\nname: x\n", {"metadata": {}, "name": "x"}, "metadata: {}\nname: x\n"),
        ("metadata: {a: 0}\n", {"metadata": {"a": 0.0}}, "metadata: {a: 0.0}\n"),
        ("metadata: {a: ~}\n", {"metadata": {"a": ""}}, 'metadata: {a: ""}\n'),
        ("tags: [\n  a, # one\n  b, # two\n]\n", {"tags": ["a"]}, "tags: [\n  a, # one\n   # two\n]\n"),
    ],
)
def test_shapes_of_yaml(before: str, new: dict[str, Any], after: str) -> None:
    made = edit(before, new)
    assert same(data_of(made), new)
    assert made == after


def test_an_edited_message_is_edited_in_place() -> None:
    system = "  # first\n  - role: system\n    content: be kind # why\n"
    text = f"messages:\n{system}  # second\n  - role: user\n    content: hi\n"
    new = {"messages": [{"role": "developer", "content": "new"}, {"role": "system", "content": "be firm"}]}
    added = "  - role: developer\n    content: new\n"
    assert edit(text, new) == f"messages:\n{added}{system.replace('kind', 'firm')}  # second\n"


def test_an_item_made_anew_keeps_the_comments_around_it() -> None:
    text = "# header\n\ncontent: hi # why\n# footer\n"
    new = {"messages": [{"role": "user", "content": "hi"}]}
    assert edit(text, new) == "# header\n\nmessages:\n  - role: user\n    content: hi # why\n# footer\n"


@pytest.mark.parametrize("text", [TEXT, TEXT.replace("\n", "\r\n"), "\ufeff" + TEXT, "---\n" + TEXT, TEXT.rstrip("\n")])
def test_no_change_no_byte(text: str) -> None:
    assert edit(text, data_of(text)) is text


# --- any text, any new meaning -------------------------------------------------------------------------------------

WORDS = st.sampled_from(
    ["a", "b c", "on", "012", "", "x: y", "#", "a\nb\n", "a\nb", "  a\n b\n", "\n", "x\r\ny", "é\u2028", "{{ x }}"]
)
SCALARS = WORDS | st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from([0.0, 1.5])
KEYS = st.sampled_from(["a", "b", "c", "role", "name", "12", "k k"])
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=8
)
ROOTS = st.dictionaries(st.sampled_from(["name", "messages", "metadata", "tools", "zz"]), VALUES, max_size=4)


@st.composite
def rendered(draw: st.DrawFn, value: Any, indent: int) -> str:
    """``value`` behind a key or dash as a person may write it: many styles, comments, odd indents."""
    comment = draw(st.sampled_from(["", "", " # c"]))
    if isinstance(value, dict | list) and value and draw(st.booleans()):
        return "\n".join(["" + comment, *draw(block(value, indent + draw(st.integers(1, 4))))])
    return " " + draw(flow(value, indent)) + comment


@st.composite
def flow(draw: st.DrawFn, value: Any, indent: int) -> str:
    space = draw(st.sampled_from(["", " ", "  ", "\n" + " " * (indent + 1), " # f\n" + " " * (indent + 1)]))
    if isinstance(value, dict):
        return "{" + space + ", ".join(f"{q(k)}: {draw(flow(v, indent))}{space}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ("," + space).join(draw(flow(v, indent)) for v in value) + space + "]"
    return draw(st.sampled_from(quotes(value)))


def quotes(value: Any) -> list[str]:
    import json

    forms = [json.dumps(value)]
    if value is None:
        forms += ["~", "null"]
    if isinstance(value, str) and value in ("a", "b c", "on"):
        forms += [value, f"'{value}'"]
    return forms


def q(key: str) -> str:
    return f'"{key}"' if key[0].isdigit() else key


@st.composite
def block(draw: st.DrawFn, value: Any, indent: int) -> list[str]:
    lines: list[str] = []
    for name, child in value.items() if isinstance(value, dict) else enumerate(value):
        lines += [" " * indent + "# above"] if draw(st.booleans()) else []
        lines += [""] if draw(st.integers(0, 4)) == 0 else []
        head = "-" if isinstance(value, list) else q(str(name)) + ":"
        literal = isinstance(child, str) and child in ("a\nb\n", "a\nb") and draw(st.booleans())
        if literal:
            chomp = "|" if child.endswith("\n") else "|-"
            lines += [
                " " * indent + head + " " + chomp,
                *(" " * (indent + 2) + line for line in child.split("\n") if line),
            ]
        else:
            lines.append(" " * indent + head + draw(rendered(child, indent)))
    return lines


@st.composite
def texts(draw: st.DrawFn) -> str:
    value = draw(ROOTS.filter(bool))
    text = "\n".join(draw(block(value, 0))) + draw(st.sampled_from(["\n", "", "\n# end\n"]))
    return text.replace("\n", draw(st.sampled_from(["\n", "\n", "\r\n"])))


@st.composite
def edits(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    text = draw(texts())
    data = data_of(text)
    return text, draw(ROOTS) if draw(st.integers(0, 3)) == 0 else draw(mutated(data))


@st.composite
def mutated(draw: st.DrawFn, value: Any) -> Any:
    choice = draw(st.integers(0, 5))
    if choice == 0 or not isinstance(value, dict | list):
        return draw(VALUES) if not isinstance(value, dict) else {**value, draw(KEYS): draw(VALUES)}
    if not value:
        return value
    if isinstance(value, list):
        at = draw(st.integers(0, len(value) - 1))
        if choice == 1:
            return [*value[:at], draw(VALUES), *value[at:]]
        return (
            value[:at] + value[at + 1 :] if choice == 2 else [*value[:at], draw(mutated(value[at])), *value[at + 1 :]]
        )
    name = draw(st.sampled_from(sorted(value)))
    if choice == 1:
        return {key: each for key, each in value.items() if key != name}
    return {key: draw(mutated(each)) if key == name else each for key, each in value.items()}


@given(edits())
def test_the_meaning_becomes_the_new_one(case: tuple[str, dict[str, Any]]) -> None:
    text, new = case
    made = edit(text, new)
    assert same(data_of(made), new)
    assert ("\r\n" in made) <= ("\r\n" in text)


@given(texts())
def test_any_text_unchanged(text: str) -> None:
    assert edit(text, data_of(text)) == text


@given(texts(), st.sampled_from(["new", 7, "two\nlines\n"]))
def test_one_new_key_leaves_all_lines(text: str, value: Any) -> None:
    made = edit(text, {**data_of(text), "vendors": {"x": {"y": value}}})
    kept = made.splitlines()
    position = 0
    for line in text.splitlines():
        position = kept.index(line, position) + 1


def test_splices_are_enough_for_ordinary_files() -> None:
    for _, steps, _, _ in EDITS:
        new = changed(TEXT, **steps)
        assert same(data_of(splice(TEXT, read(TEXT), new)), new)


@pytest.mark.parametrize("refused", range(8))
def test_the_further_ways_are_right_too(refused: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the first ways refused, the next ones, down to writing the whole file, give the new meaning."""
    ways = editor._attempts
    monkeypatch.setattr(editor, "_attempts", lambda text, new: list(ways(text, new))[refused:])
    for _, steps, _, _ in EDITS:
        new = changed(TEXT, **steps)
        made = edit(TEXT, new)
        assert same(data_of(made), new)
        assert "# footer" in made or refused == 7
