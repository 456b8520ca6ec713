"""Problems of prompt files: the right place, plain words, the nearest known name."""

from __future__ import annotations

import pytest

from promptstore.errors import InvalidPrompt
from promptstore.model.reading import parse_prompt, problems, prompt_from

CASES = [
    ("mesages: []\n", "1:1", "unknown key 'mesages'", "did you mean 'messages'?"),
    ("name: x\ncontent: a\ntemplat_format: none\n", "3:1", "unknown key 'templat_format'", "template_format"),
    ("name: x\n", "1:1", "a prompt needs 'messages' (chat) or 'content' (completion)", "add"),
    ("content: x\nmessages: []\n", "1:1", "not both", "remove one"),
    ("content: x\ntemplate_format: jinja\n", "2:18", "unknown template_format 'jinja'", "did you mean 'jinja2'?"),
    ("content: 5\n", "1:10", "'content' must be a text or a list, not the number 5", 'put it in quotes: "5"'),
    ("content: x\ntags: support\n", "2:7", "'tags' must be a list, not a text", "[a, b]"),
    ("content: x\ntags: [a, 1]\n", "2:11", "item 2 of 'tags' must be a text, not the number 1", '"1"'),
    ("content: x\nmodel: gpt\n", "2:8", "'model' must be a map, not a text", "key: value"),
    ("content: x\nmodel: {nme: gpt}\n", "2:9", "unknown key 'nme'", "did you mean 'name'?"),
    ("content: x\nname: ''\n", "2:7", "'name' is empty", "fill it"),
    ("content: x\ntool_choice: 4\n", "2:14", "'tool_choice' must be a text or a map, not the number 4", "quotes"),
    ("content: x\nfunction_call: {nam: x}\n", "2:17", "unknown key 'nam'", "did you mean 'name'?"),
    ("content: x\nvendors: {braintrust: 3}\n", "2:23", "'braintrust' must be a map, not the number 3", "key: value"),
    ("content: x\ntools:\n  - type: web\n", "3:11", "unknown tool type 'web'", "vendors"),
    ("content: x\ntools:\n  - type: function\n", "3:5", "missing key 'function'", "add 'function:'"),
    ("messages:\n  - role: usr\n    content: x\n", "2:11", "unknown role 'usr'", "did you mean 'user'?"),
    ("messages:\n  - content: x\n", "2:5", "missing key 'role'", "add 'role:'"),
    ("messages:\n  - role: user\n", "2:5", "a user message needs 'content'", "add 'content:'"),
    ("messages:\n  - role: placeholder\n", "2:5", "a placeholder message needs a 'name'", "add 'name:'"),
    ("content:\n  - type: txt\n    text: a\n", "2:11", "unknown part type 'txt'", "did you mean 'text'?"),
    ("content:\n  - text: a\n", "2:5", "missing key 'type'", "'text'"),
    ("content:\n  - type: text\n", "2:5", "missing key 'text'", "add 'text:'"),
    ("content:\n  - {type: code, lang: py, vendors: {b: {}}}\n", "2:18", "unknown key 'lang'", "vendor's own"),
    ("content:\n  - {type: text, text: a, more: 1}\n", "2:27", "unknown key 'more'", "known: 'type', 'text'"),
    ("content: {{ ticket }}\n", "1:11", "a key must be a text", '"{{ x }}"'),
]


@pytest.mark.parametrize(("text", "place", "message", "hint"), CASES)
def test_one_problem_at_its_place(text: str, place: str, message: str, hint: str) -> None:
    (problem,) = problems(text, "prompts/a.yaml")
    assert str(problem.where) == f"prompts/a.yaml:{place}"
    assert message in problem.message
    assert hint in problem.hint


def test_all_problems_come_in_the_order_of_the_text() -> None:
    text = "tags: a\nmessages:\n  - role: usr\n    content: {}\n  - role: user\n    content: x\n    nam: y\nmodel: 1\n"
    with pytest.raises(InvalidPrompt) as caught:
        parse_prompt(text, "a.yaml")
    assert [str(problem.where) for problem in caught.value.problems] == [
        "a.yaml:1:7",
        "a.yaml:3:11",
        "a.yaml:4:14",
        "a.yaml:7:5",
        "a.yaml:8:8",
    ]
    assert caught.value.where.line == 1


def test_a_valid_file_has_no_problems() -> None:
    text = "messages:\n  - role: user\n    content: [{type: code, vendors: {basalt: {a: 1}}}]\ntool_choice: auto\n"
    assert problems(text) == []
    assert parse_prompt(text.encode()).messages is not None


def test_numbers_and_nulls_stay_distinct() -> None:
    prompt = parse_prompt("content: x\nmetadata: {a: 0, b: 0.0, c: null, d: '', e: 1e3}\n")
    assert repr(prompt.metadata) == "{'a': 0, 'b': 0.0, 'c': None, 'd': '', 'e': 1000.0}"


def test_data_from_elsewhere_names_paths() -> None:
    with pytest.raises(InvalidPrompt) as caught:
        prompt_from({"messages": [{"role": "user", "content": 3}, {"role": "user", "content": "x", "nme": "y"}]})
    first, second = caught.value.problems
    assert first.message == "messages[0].content: 'content' must be a text or a list, not the number 3"
    assert (second.message, second.hint) == ("messages[1]: unknown key 'nme'", "did you mean 'name'?")


def test_a_syntax_error_is_the_only_problem() -> None:
    (problem,) = problems("messages: [\nmesages: 1\n", "a.yaml")
    assert problem.where.line == 3
    assert problem.hint == "close what was opened on line 1"
