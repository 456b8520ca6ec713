"""What Phoenix's lens makes of the cases that people meet."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from lens_laws import exactly, quick
from phoenix_documents import documents, slugs

from promptstore.errors import BadResponse, NotRepresentable
from promptstore.model.prompt_file import PromptFile
from promptstore.vendors.phoenix.lens import LENS


@quick
@given(documents, slugs)
def test_one_edit_at_the_vendor_is_one_edit_in_the_file(raw: dict[str, Any], slug: str) -> None:
    old = LENS.lift(raw, slug, None)
    document = LENS.project(old, slug)
    if document["version"]["template"]["type"] != "chat":
        return
    edited = copy.deepcopy(document)
    edited["version"]["template"]["messages"].append({"role": "user", "content": "Hello!"})
    lifted, before = LENS.lift(edited, slug, old).data(), old.data()
    assert exactly(lifted["messages"], [*before["messages"], {"role": "user", "content": "Hello!"}])
    assert exactly({**lifted, "messages": 0}, {**before, "messages": 0})


ANSWER = {
    "id": "UHJvbXB0OjE=",
    "source_prompt_id": None,
    "name": "support--summarizer",
    "description": "  Summarises a ticket.\n",
    "metadata": {"team": "cx"},
    "version": {
        "id": "UHJvbXB0VmVyc2lvbjox",
        "description": "First try",
        "metadata": {"promptstore": {"intent": "abc"}, "reviewed": True},
        "model_provider": "OPENAI",
        "model_name": "gpt-4o",
        "template_type": "CHAT",
        "template_format": "MUSTACHE",
        "template": {
            "type": "chat",
            "messages": [
                {"role": "system", "content": "Be careful."},
                {"role": "user", "content": [{"type": "text", "text": "{{ticket}}"}]},
                {
                    "role": "ai",
                    "content": [
                        {"type": "text", "text": "I look."},
                        {
                            "type": "tool_call",
                            "tool_call_id": "c",
                            "tool_call": {"type": "function", "name": "look", "arguments": "{}"},
                        },
                    ],
                },
                {"role": "tool", "content": [{"type": "tool_result", "tool_call_id": "c", "tool_result": "seen"}]},
                {"role": "tool", "content": [{"type": "tool_result", "tool_call_id": "c", "tool_result": {"a": 1}}]},
            ],
        },
        "invocation_parameters": {"type": "azure_openai", "azure_openai": {"temperature": 0, "extra_body": {"n": 1}}},
        "tools": {
            "type": "tools",
            "tools": [
                {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}},
                {"type": "raw", "raw": {"type": "web_search"}},
            ],
            "tool_choice": {"type": "specific_function", "function_name": "look"},
            "disable_parallel_tool_calls": True,
        },
        "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {}}},
    },
}
LIFTED = {
    "description": "Summarises a ticket.",
    "model": {"provider": "openai", "name": "gpt-4o", "parameters": {"temperature": 0.0, "extra_body": {"n": 1}}},
    "template_format": "mustache",
    "messages": [
        {"role": "system", "content": "Be careful."},
        {"role": "user", "content": "{{ticket}}"},
        {
            "role": "assistant",
            "content": "I look.",
            "tool_calls": [{"id": "c", "type": "function", "function": {"name": "look", "arguments": "{}"}}],
        },
        {"role": "tool", "content": "seen", "tool_call_id": "c"},
        {
            "role": "tool",
            "content": [
                {"type": "tool_result", "vendors": {"phoenix": {"tool_call_id": "c", "tool_result": {"a": 1}}}}
            ],
        },
    ],
    "tools": [
        {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}},
        {"type": "raw", "vendors": {"phoenix": {"raw": {"type": "web_search"}}}},
    ],
    "tool_choice": {"type": "function", "function": {"name": "look"}},
    "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {}}},
    "metadata": {"team": "cx"},
    "vendors": {
        "phoenix": {"version": {"metadata": {"reviewed": True}, "tools": {"disable_parallel_tool_calls": True}}}
    },
}


def lifted(document: dict[str, Any], slug: str = "support/summarizer", old: Any = None) -> dict[str, Any]:
    return LENS.lift(document, slug, PromptFile.model_validate(old) if old else None).data()


def sent(data: dict[str, Any], slug: str = "a") -> dict[str, Any]:
    return LENS.project(PromptFile.model_validate(data), slug)


def held(data: dict[str, Any]) -> NotRepresentable:
    with pytest.raises(NotRepresentable) as caught:
        sent(data)
    assert caught.value.hint
    return caught.value


def test_everything_that_phoenix_says_has_a_place_in_the_file() -> None:
    assert exactly(lifted(ANSWER), LIFTED)


def user(text: Any, **more: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}], **more}


def test_a_prompt_needs_no_model_here_though_phoenix_demands_one() -> None:
    version = sent(user("Hi"))["version"]
    assert (version["model_provider"], version["model_name"]) == ("OPENAI", "")
    assert lifted(sent(user("Hi")), "a") == {"template_format": "mustache", **user("Hi")}


@pytest.mark.parametrize(
    ("model", "provider"),
    [
        ({"name": "claude-sonnet-4", "parameters": {"max_tokens": 5}}, "ANTHROPIC"),
        ({"provider": "openai.azure", "name": "own"}, "AZURE_OPENAI"),
        ({"provider": "amazon.bedrock", "name": "own"}, "AWS"),
    ],
)
def test_a_provider_keeps_the_word_that_the_file_has_for_it(model: dict[str, Any], provider: str) -> None:
    data = user("Hi", model=model, template_format="mustache")
    document = sent(data)
    assert document["version"]["model_provider"] == provider
    document["version"]["model_name"] = "claude-other"
    again = lifted(document, "a", data)
    assert again["model"] == {**model, "name": "claude-other"}


def test_parameters_that_phoenix_does_not_type_go_into_the_request_beside_them() -> None:
    model = {"provider": "openai", "name": "gpt-4o", "parameters": {"temperature": 0, "n": 2, "stop": "END"}}
    data = user("Hi", model=model, response_format={"type": "json_object"}, template_format="none")
    document = sent(data)
    assert exactly(
        document["version"]["invocation_parameters"]["openai"],
        {"temperature": 0.0, "stop": ["END"], "extra_body": {"n": 2, "response_format": {"type": "json_object"}}},
    )
    document["version"]["invocation_parameters"]["openai"]["top_p"] = 0.5
    again = lifted(document, "a", data)
    assert exactly(again["model"]["parameters"], {"temperature": 0, "n": 2, "stop": "END", "top_p": 0.5})
    assert again["response_format"] == {"type": "json_object"}


@pytest.mark.parametrize(
    ("data", "field"),
    [
        (user("Hi", model={"provider": "mistral", "name": "x"}), "model.provider"),
        (user("Hi", model={"name": "own"}), "model.provider"),
        (user("Hi", model={"provider": "anthropic", "name": "x"}), "model.parameters.max_tokens"),
        (user("Hi", model={"provider": "google", "parameters": {"n": 1}}), "model.parameters.n"),
        (user("{% for x in y %}{{ x }}{% endfor %}"), "messages[0].content"),
        (user([{"type": "image_url", "image_url": {"url": "x"}}]), "messages[0].content[0]"),
        ({"messages": [{"role": "assistant", "content": None}]}, "messages[0].content"),
        ({"messages": [{"role": "placeholder", "name": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "name": "bob", "content": "x"}]}, "messages[0].name"),
        ({"messages": [{"role": "tool", "tool_call_id": "1", "content": "{{ x }}"}]}, "messages[0].content"),
        ({"content": "Complete this"}, "content"),
        (user("Hi", tool_choice="required"), "tool_choice"),
        (user("Hi", metadata={"deep": [1 << 63]}), "metadata.deep.0"),
        (user("Hi", vendors={"phoenix": {"name": "No Name"}}), "vendors.phoenix.name"),
        (user("Hi", vendors={"phoenix": {"labels": []}}), "vendors.phoenix.labels"),
    ],
)
def test_what_phoenix_cannot_hold_is_held(data: dict[str, Any], field: str) -> None:
    assert held(data).field == field


@pytest.mark.parametrize(
    ("text", "fmt", "there", "theirs"),
    [
        ("Hi {{ name }}!", "jinja2", "Hi {{ name }}!", "MUSTACHE"),
        ("Hi {name}!", "f-string", "Hi {name}!", "F_STRING"),
        ("{{#a}}x{{/a}}", "mustache", "{{#a}}x{{/a}}", "MUSTACHE"),
        ("{{ x }}", "none", "{{ x }}", "NONE"),
        ('{"a": {{ b }}}', "jinja2", '{"a": {{ b }}}', "MUSTACHE"),
        ("{{ '{{' }} {{ a }}", "jinja2", "{{{{ {a}", "F_STRING"),
        ("{% raw %}{{% endraw %}{{ a }}", "jinja2", "{{{a}", "F_STRING"),
    ],
)
def test_texts_go_in_a_format_that_the_server_and_the_client_read_alike(
    text: str, fmt: str, there: str, theirs: str
) -> None:
    version = sent(user(text, template_format=fmt))["version"]
    assert version["template"]["messages"][0]["content"] == [{"type": "text", "text": there}]
    assert version["template_format"] == theirs


def test_an_edit_comes_back_in_the_format_that_the_file_has() -> None:
    data = user("Hi {{ name }}!")
    document = sent(data)
    document["version"]["template"]["messages"][0]["content"][0]["text"] = "Hello {{name}}, {{day}}!"
    assert lifted(document, "a", data) == user("Hello {{name}}, {{day}}!")


def test_a_string_template_stays_one() -> None:
    document = {
        "name": "a",
        "version": {
            "model_provider": "OPENAI",
            "model_name": "gpt-4o",
            "template": {"type": "string", "template": "Complete {{this}}"},
            "template_format": "MUSTACHE",
            "invocation_parameters": {"type": "openai", "openai": {}},
        },
    }
    data = lifted(document, "a")
    assert data["content"] == "Complete {{this}}"
    assert exactly(sent(data), LENS.normalise(document))


@pytest.mark.parametrize(("slug", "name"), [("support/summarizer", "support--summarizer"), ("v1.2/x-", "v1-2--x")])
def test_a_name_is_made_of_the_slug(slug: str, name: str) -> None:
    assert sent(user("Hi"), slug)["name"] == name == LENS.key(sent(user("Hi"), slug))


@pytest.mark.parametrize(
    "change",
    [
        {"name": 5},
        {"description": 5},
        {"version": 5},
        {"version": {**ANSWER["version"], "template": {"type": "odd"}}},  # type: ignore[dict-item]
        {"version": {**ANSWER["version"], "template_format": "JINJA"}},  # type: ignore[dict-item]
        {"version": {**ANSWER["version"], "template": {"type": "chat", "messages": [{"role": "x"}]}}},  # type: ignore[dict-item]
        {"version": {**ANSWER["version"], "template": {"type": "chat", "messages": [{"role": "user", "content": []}]}}},  # type: ignore[dict-item]
    ],
)
def test_what_makes_no_sense_is_no_document(change: dict[str, Any]) -> None:
    with pytest.raises(BadResponse):
        LENS.lift({**ANSWER, **change}, "a", None)
