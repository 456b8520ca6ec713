"""What differs between two prompts by field, and between two texts by word."""

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptstore.model.changes import Change, changes, fields, word_diff
from promptstore.model.digest import prompt_digest
from promptstore.model.prompt_file import PromptFile

SYSTEM = {"role": "system", "content": "Be kind."}
USER = {"role": "user", "content": "{{ ticket }}"}
ANSWER = {"role": "assistant", "content": "Yes."}


def prompt_of(*messages, **given_fields):
    return PromptFile.model_validate({"messages": list(messages), **given_fields})


def pairs(old, new):
    return [(change.path, change.old, change.new) for change in changes(old, new)]


def test_each_field_has_its_path():
    old = prompt_of(
        SYSTEM, USER, tags=["a"], model={"name": "m", "parameters": {"temperature": 0}}, metadata={"team": "cx"}
    )
    new = prompt_of(
        {**SYSTEM, "content": "Be brief."},
        USER,
        tags=["a", "b"],
        model={"name": "m", "parameters": {"temperature": 1, "top p": 0.5}},
        metadata={"team": "dx", "x.y": 1},
    )
    assert pairs(old, new) == [
        ("tags", ["a"], ["a", "b"]),
        ("model.parameters.temperature", 0, 1),
        ('model.parameters["top p"]', None, 0.5),
        ("messages[0].content", "Be kind.", "Be brief."),
        ("metadata.team", "cx", "dx"),
        ('metadata["x.y"]', None, 1),
    ]


def test_an_inserted_message_is_one_change():
    assert pairs(prompt_of(SYSTEM, USER), prompt_of(SYSTEM, ANSWER, USER)) == [("messages[1]", None, ANSWER)]
    assert pairs(prompt_of(SYSTEM, ANSWER, USER), prompt_of(SYSTEM, USER)) == [("messages[1]", ANSWER, None)]


def test_a_message_inserted_beside_changed_ones_is_told_apart_by_its_role():
    old = prompt_of(SYSTEM, USER)
    new = prompt_of({**SYSTEM, "content": "s"}, ANSWER, {**USER, "content": "u"})
    assert pairs(old, new) == [
        ("messages[0].content", "Be kind.", "s"),
        ("messages[1]", None, ANSWER),
        ("messages[2].content", "{{ ticket }}", "u"),
    ]


def test_another_role_at_the_same_place_is_a_change_of_that_message():
    new = prompt_of({"role": "developer", "content": "Be kind."}, USER)
    assert pairs(prompt_of(SYSTEM, USER), new) == [("messages[0].role", "system", "developer")]


def test_parts_and_tools_are_aligned_too():
    def with_tools(*names, text="a"):
        tools = [{"type": "function", "function": {"name": name}} for name in names]
        return prompt_of({"role": "user", "content": [{"type": "text", "text": text}]}, tools=tools)

    assert fields(with_tools("a", "b"), with_tools("b", text="c")) == ["messages[0].content[0].text", "tools[0]"]


def test_a_long_text_is_one_change_with_both_texts():
    long = "line\n" * 500
    old, new = prompt_of({"role": "user", "content": long}), prompt_of({"role": "user", "content": long + "more"})
    assert changes(old, new) == [Change("messages[0].content", long, long + "more")]


def test_a_prompt_that_comes_or_goes():
    prompt = prompt_of(SYSTEM, name="A", tags=["t"])
    assert pairs(None, prompt) == [("name", None, "A"), ("tags", None, ["t"]), ("messages[0]", None, SYSTEM)]
    assert pairs(prompt, None) == [("name", "A", None), ("tags", ["t"], None), ("messages[0]", SYSTEM, None)]
    assert changes(None, None) == []


def test_chat_to_completion():
    assert fields(prompt_of(SYSTEM), PromptFile.model_validate({"content": "x"})) == ["content", "messages[0]"]


@pytest.mark.parametrize(("old", "new"), [(1, 1.0), (0, None), (0, False), ({}, None), ({}, []), ("", None), ("1", 1)])
def test_values_that_only_look_alike_differ(old, new):
    before, after = prompt_of(SYSTEM, metadata={"a": old}), prompt_of(SYSTEM, metadata={"a": new})
    assert pairs(before, after) == [("metadata.a", old, new)]


def test_null_and_absent_differ():
    before, after = prompt_of(SYSTEM, metadata={"a": None, "b": 1}), prompt_of(SYSTEM, metadata={"b": 1})
    assert pairs(before, after) == [("metadata.a", None, None)]


def test_two_ways_of_saying_the_same_are_no_change():
    written = prompt_of({**USER, "template_format": "jinja2"}, template_format="jinja2")
    assert changes(written, prompt_of(USER)) == []


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2) | st.sampled_from([0.0, 1.0, "", "a"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "c d"]), inner, max_size=3),
    max_leaves=6,
)
MESSAGES = st.lists(st.sampled_from([SYSTEM, USER, ANSWER, {**USER, "content": "x"}]), max_size=5)
PROMPTS = st.builds(
    lambda messages, metadata: prompt_of(*messages, metadata=metadata),
    MESSAGES,
    st.dictionaries(st.sampled_from(["a", "b"]), VALUES, max_size=2),
)


@given(PROMPTS, PROMPTS)
def test_there_are_changes_exactly_where_the_digests_differ(old, new):
    assert bool(changes(old, new)) == (prompt_digest(old) != prompt_digest(new))


@given(PROMPTS, PROMPTS)
def test_what_comes_one_way_goes_the_other(old, new):
    there, back = changes(old, new), changes(new, old)
    gained = sorted(repr((change.old, change.new)) for change in there if "messages" not in change.path)
    lost = sorted(repr((change.new, change.old)) for change in back if "messages" not in change.path)
    assert gained == lost


TEXTS = st.text(st.sampled_from("ab c\n\t.é\r"), max_size=40) | st.text(max_size=20)


@given(TEXTS, TEXTS)
def test_what_stays_and_goes_is_the_old_text_and_what_stays_and_comes_the_new(old, new):
    diff = word_diff(old, new)
    assert "".join(text for operation, text in diff if operation in "=-") == old
    assert "".join(text for operation, text in diff if operation in "=+") == new
    assert all(text for _, text in diff)
    assert all(one[0] != other[0] for one, other in pairwise(diff))


def test_only_the_words_that_differ_are_told():
    assert word_diff("the quick brown fox\nstays", "the quick red fox.\nstays") == [
        ("=", "the quick "),
        ("-", "brown"),
        ("+", "red"),
        ("=", " fox"),
        ("+", "."),
        ("=", "\nstays"),
    ]
    assert word_diff("same", "same") == [("=", "same")]
    assert word_diff("", "") == []


@pytest.mark.parametrize("separator", [" ", "\n"])
def test_a_long_text_keeps_its_common_words(separator):
    chance = random.Random(1)
    words = [f"w{chance.randrange(900)}" for _ in range(2400)]
    edited = [("new" if index % 50 == 0 else word) for index, word in enumerate(words)]
    diff = word_diff(separator.join(words), separator.join(edited))
    assert sum(len(text) for operation, text in diff if operation == "=") > 0.9 * len(separator.join(edited))


@pytest.mark.timeout(60)
def test_texts_of_one_repeated_line_come_to_an_end():
    for old, new in (("\n" * 30000 + "a", "x\n" + "\n" * 20000 + "b"), ("a " * 30000, "b a " * 20000)):
        diff = word_diff(old, new)
        assert "".join(text for operation, text in diff if operation != "+") == old
        assert "".join(text for operation, text in diff if operation != "-") == new
