"""The editor's schema says what the model says."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_reading import CASES

from promptstore.model.prompt_file import Message, Model, PromptFile
from promptstore.model.reading import problems
from promptstore.model.schema import prompt_schema
from promptstore.model.yaml.nodes import plain
from promptstore.model.yaml.reader import read
from promptstore.model.yaml.writer import write

jsonschema = pytest.importorskip("jsonschema")
VALIDATOR = jsonschema.Draft202012Validator(prompt_schema())

VALID = [
    "content: x\n",
    "content: null\nmessages: []\n",
    "name: x\ndescription: null\ntags: [a]\nmodel: {provider: openai, name: null, parameters: {a: [1, {b: null}]}}\n"
    "content: x\n",
    "messages:\n  - role: user\n    content: null\n  - role: assistant\n  - role: placeholder\n    name: history\n",
    "messages:\n  - role: user\n    content: [{type: text, text: a, vendors: {x: {}}}]\n"
    "  - role: user\n    content: [{type: code, vendors: {b: {y: 1}}}]\n",
    "messages:\n  - role: user\n    content:\n      - {type: image_url, image_url: {url: u, detail: low}}\n"
    "      - {type: media, media: {url: u}}\n      - {type: media_variable, name: n}\n      - {type: file, file: {}}\n"
    "      - {type: thinking, thinking: hm, signature: s}\n",
    "content: x\ntools:\n  - {type: function, function: {name: f, parameters: {type: object}, strict: true}}\n"
    "  - {type: web, vendors: {openai: {}}}\ntool_choice: {type: function}\nfunctions: [{name: g}]\n"
    "function_call: {name: g}\nresponse_format: json\nmetadata: {}\nvendors: {}\n",
    "messages:\n  - role: assistant\n    tool_calls:\n"
    "      - {id: a, type: function, function: {name: f, arguments: '{}'}}\n"
    "    reasoning: [{a: 1}]\n    function_call: {name: f, arguments: ''}\n",
]


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(prompt_schema())
    assert prompt_schema()["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize("text", VALID)
def test_valid_files_validate(text: str) -> None:
    assert problems(text) == []
    VALIDATOR.validate(plain(read(text)))


@pytest.mark.parametrize("text", [case[0] for case in CASES if "{{" not in case[0]])
def test_invalid_files_do_not(text: str) -> None:
    assert not VALIDATOR.is_valid(plain(read(text)))


@pytest.mark.parametrize("more", ["  - {type: text, vendors: {a: {}}}", "  - {type: web, vendors: {}}", "  - x"])
def test_parts_are_as_strict_as_the_model(more: str) -> None:
    text = f"content:\n{more}\n"
    assert problems(text)
    assert not VALIDATOR.is_valid(plain(read(text)))


def test_every_key_is_described() -> None:
    schema = prompt_schema()
    for keys in (
        schema["properties"],
        schema["$defs"]["Message"]["properties"],
        schema["$defs"]["Model"]["properties"],
    ):
        assert all(value["description"] for value in keys.values())
    assert list(schema["properties"]) == list(PromptFile.model_fields)
    assert list(schema["$defs"]["Message"]["properties"]) == list(Message.model_fields)
    assert list(schema["$defs"]["Model"]["properties"]) == list(Model.model_fields)


TEXT = st.text(max_size=5)
SOME = st.sampled_from([None, "x", 1, [], {}, ["a"], {"a": {}}, {"name": "x"}, {"type": "text", "text": "a"}])
FIELDS: dict[str, Any] = dict.fromkeys(PromptFile.model_fields, SOME)
MESSAGE: dict[str, Any] = dict.fromkeys([name for name in Message.model_fields if name != "role"], SOME)
ROLES = st.sampled_from(["system", "user", "assistant", "placeholder", "tool", "nobody"])
MESSAGES = st.lists(st.fixed_dictionaries({"role": ROLES}, optional={**MESSAGE, "content": TEXT | SOME}), max_size=2)


@given(
    st.fixed_dictionaries({}, optional={"messages": MESSAGES, "content": TEXT | st.lists(SOME, max_size=2)}),
    st.fixed_dictionaries({}, optional=FIELDS),
    st.integers(0, 3),
)
def test_schema_and_model_agree(base: dict[str, Any], more: dict[str, Any], keep: int) -> None:
    data = {**dict(list(more.items())[:keep]), **base}
    assert VALIDATOR.is_valid(data) == (problems(write(data)) == [])
