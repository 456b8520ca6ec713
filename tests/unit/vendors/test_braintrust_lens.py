"""What Braintrust's lens makes of the cases that people meet."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from braintrust_documents import documents
from hypothesis import given
from lens_laws import exactly, quick
from promptlayer_documents import slugs

from promptstore.errors import BadResponse, NotRepresentable
from promptstore.model.prompt_file import PromptFile
from promptstore.vendors.braintrust.lens import LENS


@quick
@given(documents, slugs)
def test_one_edit_at_the_vendor_is_one_edit_in_the_file(raw: dict[str, Any], slug: str) -> None:
    old = LENS.lift(raw, slug, None)
    document = LENS.project(old, slug)
    if document.get("prompt_data", {}).get("prompt", {}).get("type") != "chat":
        return
    edited = copy.deepcopy(document)
    edited["prompt_data"]["prompt"]["messages"].append({"role": "user", "content": "Hello!"})
    lifted, before = LENS.lift(edited, slug, old).data(), old.data()
    assert exactly(lifted["messages"], [*before["messages"], {"role": "user", "content": "Hello!"}])
    assert exactly({**lifted, "messages": 0}, {**before, "messages": 0})


ANSWER = {
    "id": "7c1c5b3e-0000-4000-8000-000000000000",
    "_xact_id": "1000192656880881099",
    "project_id": "p",
    "log_id": "p",
    "org_id": "o",
    "created": "2026-01-02T03:04:05.000Z",
    "function_data": {"type": "prompt"},
    "name": "Support summarizer",
    "slug": "Support-Summarizer",
    "description": "Summarises a ticket.",
    "tags": ["support"],
    "metadata": {"team": "cx"},
    "function_type": "llm",
    "prompt_data": {
        "prompt": {
            "type": "chat",
            "messages": [
                {"role": "system", "content": "Be careful.", "name": None},
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "{{ticket}}", "cache_control": {"type": "ephemeral"}},
                        {"type": "image_url", "image_url": {"url": "{{picture}}", "detail": "low"}},
                        {"type": "file", "file": {"file_id": "f-1"}},
                        {"type": "input_audio", "input_audio": {"data": "x"}},
                    ],
                },
                {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [{"id": "c", "type": "function", "function": {"name": "look", "arguments": "{}"}}],
                    "reasoning": [{"id": "r", "content": "hm"}],
                    "reasoning_signature": "s",
                },
            ],
            "tools": '[ {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}} ]',
        },
        "options": {
            "model": "gpt-4o",
            "params": {"temperature": 1.0, "stop": None, "use_cache": True, "response_format": {"type": "json_object"}},
            "position": "0|hzzzzz:",
        },
        "parser": {"type": "llm_classifier", "use_cot": True, "choice_scores": {"A": 1}},
        "tool_functions": [{"type": "global", "name": "x"}],
        "template_format": None,
        "mcp": {"m": {"type": "url", "url": "https://x.example", "enabled_tools": None}},
        "origin": {"prompt_id": "1", "project_id": None},
    },
}
LIFTED = {
    "name": "Support summarizer",
    "description": "Summarises a ticket.",
    "tags": ["support"],
    "model": {
        "provider": "openai",
        "name": "gpt-4o",
        "parameters": {"temperature": 1.0, "stop": None, "use_cache": True},
    },
    "template_format": "mustache",
    "messages": [
        {"role": "system", "content": "Be careful."},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "{{ticket}}", "cache_control": {"type": "ephemeral"}},
                {"type": "image_url", "image_url": {"url": "{{picture}}", "detail": "low"}},
                {"type": "file", "file": {"file_id": "f-1"}},
                {"type": "input_audio", "vendors": {"braintrust": {"input_audio": {"data": "x"}}}},
            ],
        },
        {
            "role": "assistant",
            "tool_calls": [{"id": "c", "type": "function", "function": {"name": "look", "arguments": "{}"}}],
            "reasoning": [{"id": "r", "content": "hm"}],
            "reasoning_signature": "s",
        },
    ],
    "tools": [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}],
    "response_format": {"type": "json_object"},
    "vendors": {
        "braintrust": {
            "slug": "Support-Summarizer",
            "function_type": "llm",
            "metadata": {"team": "cx"},
            "prompt_data": {
                "prompt": {"tools": ANSWER["prompt_data"]["prompt"]["tools"]},  # type: ignore[index]
                "options": {"position": "0|hzzzzz:"},
                "parser": {"type": "llm_classifier", "use_cot": True, "choice_scores": {"A": 1}},
                "tool_functions": [{"type": "global", "name": "x"}],
                "mcp": {"m": {"type": "url", "url": "https://x.example", "enabled_tools": None}},
                "origin": {"prompt_id": "1"},
            },
        }
    },
}


def prompt(**data: Any) -> PromptFile:
    body = {} if {"messages", "content"} & set(data) else {"messages": []}
    return PromptFile.model_validate({**body, **data})


def test_an_import_says_everything_in_the_file() -> None:
    lifted = LENS.lift(ANSWER, "support-summarizer", None)
    assert exactly(lifted.data(), LIFTED)
    assert exactly(LENS.project(lifted, "support-summarizer"), LENS.normalise(ANSWER))
    assert LENS.key(LENS.normalise(ANSWER)) == "Support-Summarizer"


def test_refilled_nulls_and_the_default_format_say_nothing() -> None:
    short = {"name": "a", "slug": "a", "prompt_data": {"prompt": {"type": "completion", "content": "x"}}}
    nulls = dict.fromkeys(["description", "tags", "metadata", "function_type"])
    options = {"model": None, "params": {}}
    full = {**short, **nulls, "prompt_data": {**short["prompt_data"], "options": options, "parser": None}}  # type: ignore[dict-item]
    full["prompt_data"]["template_format"] = "mustache"  # type: ignore[index]
    assert exactly(LENS.normalise(full), LENS.normalise(short))


def test_a_tools_text_of_the_vendors_own_writing_comes_back_until_the_tools_change() -> None:
    data = LENS.lift(ANSWER, "s", None).data()
    written = ANSWER["prompt_data"]["prompt"]["tools"]  # type: ignore[index]
    assert LENS.project(PromptFile.model_validate(data), "s")["prompt_data"]["prompt"]["tools"] == written
    data["tools"][0]["function"]["name"] = "see"  # type: ignore[index,call-overload]
    sent = LENS.project(PromptFile.model_validate(data), "s")["prompt_data"]["prompt"]["tools"]
    assert json.loads(sent)[0]["function"]["name"] == "see"
    del data["tools"]
    assert "tools" not in LENS.project(PromptFile.model_validate(data), "s")["prompt_data"]["prompt"]


@pytest.mark.parametrize("text", ["", "not json", "{{tools}}", '{"a": 1}', "[NaN]", "[1e999]", "[ ]"])
def test_a_tools_text_that_is_no_list_of_tools_survives(text: str) -> None:
    block = {"type": "chat", "messages": [], "tools": text}
    raw = {"name": "s", "slug": "s", "prompt_data": {"prompt": block}}
    lifted = LENS.lift(raw, "s", None)
    assert lifted.tools == ()
    assert LENS.project(lifted, "s")["prompt_data"]["prompt"]["tools"] == text


def test_an_edit_keeps_what_braintrust_cannot_hold_and_every_other_spelling() -> None:
    old = prompt(
        model={"provider": "openai.azure", "name": "gpt-4o", "parameters": {"tool_choice": "auto"}},
        metadata={"ours": 1},
        input_variables=["a"],
        messages=[
            {"role": "system", "content": "One", "vendors": {"promptlayer": {"k": 1}}},
            {"role": "user", "template_format": "f-string", "content": "Two"},
        ],
        vendors={"promptlayer": {"metadata": {}}},
    )
    document = LENS.project(old, "s")
    document["prompt_data"]["prompt"]["messages"][0]["content"] = "Uno {{x}}"
    expected = old.data()
    expected["messages"][0].update({"content": "Uno {{x}}", "template_format": "mustache"})  # type: ignore[index,call-overload,union-attr]
    assert exactly(LENS.lift(document, "s", old).data(), expected)


@pytest.mark.parametrize("fmt", ["jinja2", "f-string"])
def test_an_edit_comes_back_in_the_format_of_the_file(fmt: str) -> None:
    texts = {"jinja2": ["Hi {{name}}", "Bye {{name}}"], "f-string": ["Hi {name}", "Bye {name}"]}[fmt]
    blocks = [{"role": "user", "content": text} for text in texts]
    old = prompt(template_format=fmt, messages=blocks[:1])
    document = LENS.project(old, "s")
    document["prompt_data"]["prompt"]["messages"] = [{"role": "user", "content": "Bye {{{name}}}"}]
    assert exactly(LENS.lift(document, "s", old).data(), {"template_format": fmt, "messages": blocks[1:]})
    completion = prompt(template_format=fmt, content=texts[0])
    document = LENS.project(completion, "s")
    document["prompt_data"]["prompt"]["content"] = "Bye {{{name}}}"
    assert exactly(LENS.lift(document, "s", completion).data(), {"template_format": fmt, "content": texts[1]})


@pytest.mark.parametrize(
    ("before", "name", "after"),
    [
        ({"provider": "openai.azure", "name": "gpt-4o"}, "gpt-5", {"provider": "openai.azure", "name": "gpt-5"}),
        ({"provider": "openai", "name": "gpt-4o"}, "claude-x", {"provider": "anthropic", "name": "claude-x"}),
        ({"provider": "mine", "name": "a"}, "b", {"provider": "mine", "name": "b"}),
        ({"name": "gpt-4o"}, "gpt-5", {"name": "gpt-5"}),
        (None, "gemini-2", {"provider": "google", "name": "gemini-2"}),
    ],
)
def test_the_provider_follows_the_model_only_into_another_family(before: Any, name: str, after: Any) -> None:
    old = prompt(model=before) if before else prompt()
    document = LENS.project(old, "s")
    document["prompt_data"]["options"] = {"model": name}
    assert LENS.lift(document, "s", old).data()["model"] == after


@pytest.mark.parametrize(
    ("fmt", "text", "sent"),
    [
        ("mustache", "{{#a}}x{{/a}}", ("mustache", "{{#a}}x{{/a}}")),
        ("nunjucks", "{% if a %}x{% endif %}", ("nunjucks", "{% if a %}x{% endif %}")),
        ("none", "{{ as is }}", ("none", "{{ as is }}")),
        ("jinja2", "plain\n", ("mustache", "plain\n")),
        ("jinja2", '{"a": 1}', ("mustache", '{"a": 1}')),
        ("f-string", "plain", ("mustache", "plain")),
        (None, "plain", ("mustache", "plain")),
        ("jinja2", "Hi {{ name }}", ("mustache", "Hi {{{ name }}}")),
        ("jinja2", "Hi {{name}}\n", ("mustache", "Hi {{{name}}}\n")),
        ("f-string", 'Hi {name} {{"a": 1}}', ("mustache", 'Hi {{{name}}} {"a": 1}')),
        ("jinja2", '{% if a == "b" %}x{% endif %}', ("nunjucks", '{% if a == "b" %}x{% endif %}')),
    ],
)
def test_a_prompt_goes_in_the_first_format_that_says_it(fmt: str | None, text: str, sent: tuple[str, str]) -> None:
    old = prompt(content=text, template_format=fmt)
    data = LENS.project(old, "s")["prompt_data"]
    assert (data["template_format"], data["prompt"]["content"]) == sent


def test_messages_of_several_formats_go_in_one() -> None:
    messages = [
        {"role": "system", "content": "{{#a}}x{{/a}}", "template_format": "mustache"},
        {"role": "user", "content": "{b}", "template_format": "f-string"},
    ]
    old = prompt(messages=messages)
    document = LENS.project(old, "s")
    assert document["prompt_data"]["template_format"] == "mustache"
    assert [one["content"] for one in document["prompt_data"]["prompt"]["messages"]] == ["{{#a}}x{{/a}}", "{{{b}}}"]
    document["prompt_data"]["prompt"]["messages"][0]["content"] = "edited"
    assert LENS.lift(document, "s", old).data()["messages"][1] == messages[1]


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"messages": [{"role": "placeholder", "name": "x"}]}, "messages[0].role"),
        ({"functions": [{"name": "f"}]}, "functions"),
        ({"content": "x", "tools": [{"type": "function", "function": {"name": "f"}}]}, "tools"),
        ({"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}, "content"),
        (
            {"messages": [{"role": "user", "content": [{"type": "thinking", "thinking": "x"}]}]},
            "messages[0].content[0]",
        ),
        ({"tools": [{"type": "web_search", "vendors": {"promptlayer": {}}}]}, "tools[0]"),
        ({"tool_choice": "auto", "model": {"parameters": {"tool_choice": "none"}}}, "tool_choice"),
        ({"vendors": {"braintrust": {"prompt": 3}}}, "vendors.braintrust.prompt"),
        ({"vendors": {"braintrust": {"slug": None}}}, "vendors.braintrust.slug"),
        (
            {
                "messages": [
                    {
                        "role": "user",
                        "content": [{"type": "image_url", "image_url": {"url": ""}, "image_variable": "x"}],
                    }
                ]
            },
            "messages[0].content[0].image_variable",
        ),
        ({"template_format": "jinja2", "content": "{% macro m() %}{% endmacro %}"}, "content"),
    ],
)
def test_what_braintrust_cannot_hold_is_named(data: dict[str, Any], field: str) -> None:
    with pytest.raises(NotRepresentable) as caught:
        LENS.project(prompt(**data), "s")
    assert caught.value.field == field
    assert caught.value.hint


@pytest.mark.parametrize(
    "data",
    [
        [],
        {"prompt": []},
        {"prompt": {"type": "chat"}},
        {"prompt": {"type": "chat", "messages": ["x"]}},
        {"prompt": {"type": "chat", "messages": [{"role": "critic"}]}},
        {"prompt": {"type": "chat", "messages": [{"role": "function"}]}},
        {"prompt": {"type": "completion", "content": 5}},
        {"prompt": {"type": "completion", "content": "\ud800"}},
        {"prompt": None, "template_format": "handlebars"},
    ],
)
def test_what_is_no_document_is_not_lifted(data: Any) -> None:
    with pytest.raises(BadResponse):
        LENS.lift({"name": "n", "slug": "n", "prompt_data": data or [1]}, "s", None)
