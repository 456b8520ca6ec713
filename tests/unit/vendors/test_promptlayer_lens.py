"""What PromptLayer's lens makes of the cases that people meet."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lens_laws import exactly, projected, quick
from promptlayer_documents import prompts, slugs

from promptstore.errors import BadResponse, NotRepresentable
from promptstore.model.prompt_file import PromptFile
from promptstore.vendors.promptlayer.lens import LENS


@quick
@given(prompts, slugs, st.sampled_from(["Hello!", "{fresh}"]))
def test_one_edit_at_the_vendor_is_one_edit_in_the_file(prompt: PromptFile, slug: str, text: str) -> None:
    document = projected(LENS, prompt, slug)
    if document is None or document["prompt_template"]["type"] == "completion":
        return
    edited = copy.deepcopy(document)
    message = {"role": "user", "template_format": "jinja2", "content": [{"type": "text", "text": text}]}
    edited["prompt_template"]["messages"].append(message)
    lifted = LENS.lift(edited, slug, prompt).data()
    if "messages" not in lifted:
        return  # an overlay of the file replaces the messages
    assert exactly(LENS.project(PromptFile.model_validate(lifted), slug), LENS.normalise(edited))
    before = prompt.data()
    untouched = [key for key in before if key not in {"messages", "template_format", "input_variables"}]
    assert exactly({key: lifted.get(key) for key in untouched}, {key: before[key] for key in untouched})
    assert exactly(lifted["messages"][: len(before["messages"])], before["messages"])


RAW = {
    "success": True,
    "id": 7,
    "prompt_name": "Support summarizer",
    "version": 3,
    "workspace_id": 1,
    "created_at": "2026-01-02T03:04:05",
    "commit_message": "tune",
    "snippets": [],
    "llm_kwargs": None,
    "tags": ["support"],
    "metadata": {
        "model": {
            "provider": "openai",
            "name": "gpt-4o",
            "parameters": {"temperature": 1.0, "stop": None, "response_format": {"type": "json_object"}},
            "api_type": "chat-completions",
            "base_model": None,
        },
        "team": "cx",
        "none": None,
        "promptstore": {"intent": "abc"},
    },
    "prompt_template": {
        "type": "chat",
        "functions": None,
        "tools": [{"type": "function", "function": {"name": "look", "description": "", "strict": False}}],
        "function_call": None,
        "tool_choice": None,
        "input_variables": ["ticket"],
        "dataset_examples": [],
        "messages": [
            {
                "role": "system",
                "content": [{"type": "text", "text": "Be careful.", "id": None, "annotations": []}],
                "input_variables": [],
                "template_format": "f-string",
                "raw_request_display_role": "",
                "dataset_examples": [],
                "name": None,
            },
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "{{ ticket }}", "thought_signature": "s"},
                    {"type": "code", "code": 1},
                ],
                "input_variables": ["ticket"],
                "template_format": "jinja2",
                "mood": "calm",
            },
        ],
    },
}
NORMAL = {
    "prompt_name": "Support summarizer",
    "tags": ["support"],
    "metadata": {
        "model": {
            "provider": "openai",
            "name": "gpt-4o",
            "parameters": {"temperature": 1.0, "stop": None, "response_format": {"type": "json_object"}},
            "api_type": "chat-completions",
        },
        "team": "cx",
        "none": None,
    },
    "prompt_template": {
        "type": "chat",
        "tools": [{"type": "function", "function": {"name": "look"}}],
        "messages": [
            {
                "role": "system",
                "content": [{"type": "text", "text": "Be careful."}],
                "template_format": "f-string",
            },
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "{{ ticket }}", "thought_signature": "s"},
                    {"type": "code", "code": 1},
                ],
                "template_format": "jinja2",
                "mood": "calm",
            },
        ],
    },
}
LIFTED = {
    "name": "Support summarizer",
    "tags": ["support"],
    "model": {"provider": "openai", "name": "gpt-4o", "parameters": {"temperature": 1.0, "stop": None}},
    "template_format": "f-string",
    "messages": [
        {"role": "system", "content": "Be careful."},
        {
            "role": "user",
            "template_format": "jinja2",
            "content": [
                {"type": "text", "text": "{{ ticket }}", "vendors": {"promptlayer": {"thought_signature": "s"}}},
                {"type": "code", "vendors": {"promptlayer": {"code": 1}}},
            ],
            "vendors": {"promptlayer": {"mood": "calm"}},
        },
    ],
    "tools": [{"type": "function", "function": {"name": "look"}}],
    "response_format": {"type": "json_object"},
    "metadata": {"team": "cx", "none": None},
    "vendors": {"promptlayer": {"metadata": {"model": {"api_type": "chat-completions"}}}},
}


def test_an_answer_full_of_refilled_keys_is_normalised() -> None:
    assert exactly(LENS.normalise(RAW), NORMAL)


def test_a_publish_request_has_the_same_normal_form() -> None:
    request = {
        "prompt_template": {"prompt_name": "Support summarizer", "tags": ["support"], "folder_id": 4},
        "prompt_version": {key: RAW[key] for key in ("prompt_template", "metadata", "commit_message")},
        "release_labels": ["production"],
    }
    assert exactly(LENS.normalise(request), NORMAL)


def test_an_import_says_everything_in_the_file() -> None:
    lifted = LENS.lift(RAW, "support/summarizer", None)
    assert exactly(lifted.data(), LIFTED)


def test_a_name_equal_to_the_slug_is_left_out() -> None:
    assert LENS.lift({**RAW, "prompt_name": "a/b"}, "a/b", None).name is None


def prompt(**data: Any) -> PromptFile:
    body = {} if {"messages", "content"} & set(data) else {"messages": []}
    return PromptFile.model_validate({**body, **data})


def test_an_edit_keeps_what_promptlayer_cannot_hold_and_every_other_spelling() -> None:
    old = prompt(
        description="ours",
        model={"provider": "openai", "name": "gpt-4o", "parameters": {"response_format": "json"}},
        metadata={},
        messages=[
            {"role": "system", "content": [{"type": "text", "text": "One", "cache_control": {"type": "ephemeral"}}]},
            {"role": "user", "template_format": "none", "content": "Two", "vendors": {"braintrust": {"k": 1}}},
        ],
        vendors={"braintrust": {"function_type": "llm"}},
    )
    document = LENS.project(old, "s")
    document["prompt_template"]["messages"][0]["content"][0]["text"] = "Uno"
    document["prompt_template"]["messages"][1]["content"][0]["text"] = "Dos"
    expected = old.data()
    expected["messages"][0]["content"][0]["text"] = "Uno"  # type: ignore[index,call-overload]
    expected["messages"][1]["content"] = "Dos"  # type: ignore[index,call-overload]
    assert exactly(LENS.lift(document, "s", old).data(), expected)


def test_what_other_vendors_hold_survives_a_change_of_what_promptlayer_holds() -> None:
    message = {"role": "user", "content": "x", "vendors": {"promptlayer": {"mood": "calm"}, "braintrust": {"k": 1}}}
    old = prompt(messages=[message])
    document = LENS.project(old, "s")
    document["prompt_template"]["messages"][0]["mood"] = "wild"
    lifted = LENS.lift(document, "s", old).data()["messages"]
    assert exactly(lifted, [{**message, "vendors": {"promptlayer": {"mood": "wild"}, "braintrust": {"k": 1}}}])


@pytest.mark.parametrize(
    ("given_names", "kept"),
    [([], False), (["b", "a"], False), (["a", "b", "history"], False), (["a"], True), (["a", "b", "c"], True)],
)
def test_input_variables_stay_only_where_they_say_more_than_the_texts(given_names: list[str], kept: bool) -> None:
    messages = [
        {"role": "user", "content": [{"type": "text", "text": "{a} {b}"}]},
        {"role": "placeholder", "name": "history", "content": []},
    ]
    template = {"type": "chat", "messages": messages, "input_variables": given_names}
    normal = LENS.normalise({"prompt_name": "n", "prompt_template": template})
    assert ("input_variables" in normal["prompt_template"]) is kept


def test_an_inserted_message_leaves_its_neighbours_alone() -> None:
    messages = [{"role": "user", "content": text, "vendors": {"braintrust": {"n": text}}} for text in ("a", "b", "c")]
    old = prompt(messages=messages)
    document = LENS.project(old, "s")
    wires = document["prompt_template"]["messages"]
    wires.insert(1, {**wires[0], "content": [{"type": "text", "text": "new"}]})
    lifted = LENS.lift(document, "s", old).data()["messages"]
    new = {"role": "user", "content": "new"}
    assert exactly(lifted, [messages[0], new, messages[1], messages[2]])


def test_one_type_of_number_is_not_the_other() -> None:
    old = prompt(model={"provider": "p", "name": "n", "parameters": {"temperature": 1}})
    document = LENS.project(old, "s")
    document["metadata"]["model"]["parameters"]["temperature"] = 1.0
    lifted = LENS.lift(document, "s", old)
    assert exactly(lifted.data()["model"], {"provider": "p", "name": "n", "parameters": {"temperature": 1.0}})


@pytest.mark.parametrize(
    ("fmt", "text", "sent"),
    [
        ("none", "ends\n", "f-string"),
        ("mustache", "plain", "f-string"),
        (None, "plain", "jinja2"),
        ("f-string", "{a}", "f-string"),
    ],
)
def test_a_text_without_marks_is_the_same_in_every_format(fmt: str | None, text: str, sent: str) -> None:
    document = LENS.project(prompt(content=text, template_format=fmt), "s")
    assert document["prompt_template"]["template_format"] == sent


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"template_format": "mustache", "content": "Hi {{#name}}x{{/name}}"}, "content"),
        (
            {"messages": [{"role": "user", "template_format": "nunjucks", "content": "{{ x | dump }}"}]},
            "messages[0].content",
        ),
        (
            {
                "template_format": "nunjucks",
                "content": [{"type": "image_url", "image_url": {"url": "{{ picture }}"}}],
            },
            "content",
        ),
        ({"messages": [{"role": "model", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "assistant", "reasoning": [{"text": "x"}]}]}, "messages[0].reasoning"),
        ({"content": [{"type": "file", "file": {"file_id": "x"}}]}, "content[0]"),
        (
            {"messages": [{"role": "user", "content": [{"type": "odd", "vendors": {"basalt": {}}}]}]},
            "messages[0].content[0]",
        ),
        ({"tools": [{"type": "web_search", "vendors": {"braintrust": {}}}]}, "tools[0]"),
        ({"model": {"name": "gpt-4o"}}, "model.provider"),
        ({"model": {"provider": "openai"}}, "model.name"),
        ({"response_format": {"type": "json"}}, "model.provider"),
        ({"metadata": {"model": 1}}, "metadata.model"),
        ({"metadata": {"promptstore": 1}}, "metadata.promptstore"),
        ({"name": "x" * 513}, "name"),
        ({"name": ".."}, "name"),
        ({"vendors": {"promptlayer": {"provider_id": 3}}}, "vendors.promptlayer.provider_id"),
    ],
)
def test_what_promptlayer_cannot_hold_is_named(data: dict[str, Any], field: str) -> None:
    with pytest.raises(NotRepresentable) as caught:
        LENS.project(prompt(**data), "s")
    assert caught.value.field == field
    assert caught.value.hint


def test_only_what_a_vendors_overlay_adds_makes_a_model_whole() -> None:
    over = {"promptlayer": {"metadata": {"model": {"provider": "openai"}}}}
    document = LENS.project(prompt(model={"name": "gpt-4o"}, vendors=over), "s")
    assert document["metadata"] == {"model": {"provider": "openai", "name": "gpt-4o"}}


@pytest.mark.parametrize(
    "template",
    [
        None,
        {"type": "chat", "messages": None},
        {"type": "chat", "messages": ["x"]},
        {"type": "chat", "messages": [{"role": "critic", "content": []}]},
        {"type": "chat", "messages": [{"role": "placeholder", "content": []}]},
        {"type": "chat", "messages": [{"role": "user", "content": [{"type": "text", "text": 5}]}]},
        {"type": "chat", "messages": [{"role": "user", "content": [], "template_format": "handlebars"}]},
        {"type": "completion", "content": 5},
        {"type": "completion", "content": [{"type": "text", "text": "\ud800"}]},
        {"type": "workflow"},
    ],
)
def test_what_is_no_document_is_not_lifted(template: Any) -> None:
    with pytest.raises(BadResponse):
        LENS.lift({"prompt_name": "n", "prompt_template": template}, "s", None)
