"""A prompt as keyword arguments for the OpenAI and Anthropic SDKs."""

import copy
import json

import pytest

from promptstore.errors import MissingVariable, TemplateError
from promptstore.model.chat_apis import DEFAULT_MAX_TOKENS, anthropic_arguments, openai_arguments
from promptstore.model.prompt_file import PromptFile

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOL = {"type": "function", "function": {"name": "weather", "description": "Says it.", "parameters": SCHEMA}}
CALL = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Rome"}'}}
PNG = "data:image/png;base64,iVBORw0KGgo="


def prompt_of(*messages, **fields):
    return PromptFile.model_validate({"messages": list(messages), **fields})


def user(content):
    return {"role": "user", "content": content}


def model(provider="openai", name="gpt-4o", **parameters):
    return {"provider": provider, "name": name, "parameters": parameters}


CONVERSATION = prompt_of(
    {"role": "system", "content": "Be {{ tone }}."},
    {"role": "developer", "content": "Use tools."},
    user("Weather?"),
    user("In Rome."),
    {"role": "assistant", "content": "Let me see.", "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "c1", "content": "sunny"},
    {"role": "model", "content": "Sunny."},
    tools=[TOOL],
    tool_choice="required",
    model=model(temperature=0.2, max_tokens=50, frequency_penalty=1, stop="END", seed=7),
)


def test_openai_gets_the_whole_call():
    arguments = openai_arguments(CONVERSATION, {"tone": "kind"})
    assert arguments == {
        "temperature": 0.2,
        "max_tokens": 50,
        "frequency_penalty": 1,
        "stop": "END",
        "seed": 7,
        "model": "gpt-4o",
        "messages": [
            {"role": "system", "content": "Be kind."},
            {"role": "developer", "content": "Use tools."},
            user("Weather?"),
            user("In Rome."),
            {"role": "assistant", "content": "Let me see.", "tool_calls": [CALL]},
            {"role": "tool", "content": "sunny", "tool_call_id": "c1"},
            {"role": "assistant", "content": "Sunny."},
        ],
        "tools": [TOOL],
        "tool_choice": "required",
    }


def test_anthropic_gets_the_whole_call():
    arguments = anthropic_arguments(CONVERSATION, {"tone": "kind"})
    assert arguments == {
        "model": "gpt-4o",
        "max_tokens": 50,
        "system": "Be kind.\n\nUse tools.",
        "messages": [
            user([{"type": "text", "text": "Weather?"}, {"type": "text", "text": "In Rome."}]),
            {
                "role": "assistant",
                "content": [
                    {"type": "text", "text": "Let me see."},
                    {"type": "tool_use", "id": "c1", "name": "weather", "input": {"city": "Rome"}},
                ],
            },
            user([{"type": "tool_result", "tool_use_id": "c1", "content": "sunny"}]),
            {"role": "assistant", "content": "Sunny."},
        ],
        "tools": [{"name": "weather", "description": "Says it.", "input_schema": SCHEMA}],
        "tool_choice": {"type": "any"},
        "stop_sequences": ["END"],
        "extra_body": {"temperature": 0.2},
    }


@pytest.mark.parametrize("arguments_of", [openai_arguments, anthropic_arguments])
def test_both_are_json_strict_and_safe_to_change(arguments_of):
    with pytest.raises(MissingVariable, match="'tone'"):
        arguments_of(CONVERSATION, {})
    before = copy.deepcopy(CONVERSATION.data())
    arguments = arguments_of(CONVERSATION, {"tone": "kind"})
    json.dumps(arguments)
    tool = arguments["tools"][0]
    (tool.get("function") or tool).popitem()[1].clear()
    assert CONVERSATION.data() == before


@pytest.mark.parametrize("arguments_of", [openai_arguments, anthropic_arguments])
def test_a_completion_is_one_user_message(arguments_of):
    arguments = arguments_of(PromptFile.model_validate({"content": "Say {{ a }}"}), {"a": "hi"})
    assert arguments["messages"] == [user("Say hi")]
    assert "model" not in arguments


@pytest.mark.parametrize(
    ("written", "openai", "anthropic"),
    [
        ("auto", "auto", {"type": "auto"}),
        ("none", "none", {"type": "none"}),
        ("any", "required", {"type": "any"}),
        ({"type": "any"}, "required", {"type": "any"}),
        (
            {"type": "function", "function": {"name": "weather"}},
            {"type": "function", "function": {"name": "weather"}},
            {"type": "tool", "name": "weather"},
        ),
        (
            {"type": "tool", "name": "weather"},
            {"type": "function", "function": {"name": "weather"}},
            {"type": "tool", "name": "weather"},
        ),
        ("weather", {"type": "function", "function": {"name": "weather"}}, {"type": "tool", "name": "weather"}),
    ],
)
def test_tool_choice_in_each_ones_shape(written, openai, anthropic):
    prompt = prompt_of(user("x"), tools=[TOOL], tool_choice=written)
    assert openai_arguments(prompt, {})["tool_choice"] == openai
    assert anthropic_arguments(prompt, {})["tool_choice"] == anthropic


def test_a_choice_that_nobody_understands_is_told():
    prompt = prompt_of(user("x"), tools=[TOOL], tool_choice="sometimes")
    for arguments_of in (openai_arguments, anthropic_arguments):
        with pytest.raises(TemplateError, match="tool_choice: 'sometimes'"):
            arguments_of(prompt, {})


def test_legacy_functions():
    prompt = prompt_of(user("x"), functions=[TOOL["function"]], function_call={"name": "weather"})
    openai = openai_arguments(prompt, {})
    assert openai["functions"] == [TOOL["function"]]
    assert openai["function_call"] == {"name": "weather"}
    anthropic = anthropic_arguments(prompt, {})
    assert anthropic["tools"][0]["input_schema"] == SCHEMA
    assert anthropic["tool_choice"] == {"type": "tool", "name": "weather"}


MEDIA = [
    {"type": "image_url", "image_url": {"url": PNG, "detail": "low"}},
    {"type": "media", "media": {"url": "https://x/a.jpg", "type": "image/jpeg"}},
    {"type": "media", "media": {"url": "JVBERi0=", "type": "application/pdf", "format": "base64", "title": "a.pdf"}},
    {"type": "file", "file": {"file_data": "data:application/pdf;base64,JVBERi0=", "filename": "b.pdf"}},
]


def test_media_for_openai():
    pdf = "data:application/pdf;base64,JVBERi0="
    assert openai_arguments(prompt_of(user(MEDIA)), {})["messages"][0]["content"] == [
        MEDIA[0],
        {"type": "image_url", "image_url": {"url": "https://x/a.jpg"}},
        {"type": "file", "file": {"file_data": pdf, "filename": "a.pdf"}},
        {"type": "file", "file": {"file_data": pdf, "filename": "b.pdf"}},
    ]


def test_media_for_anthropic():
    pdf = {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}
    assert anthropic_arguments(prompt_of(user(MEDIA)), {})["messages"][0]["content"] == [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}},
        {"type": "image", "source": {"type": "url", "url": "https://x/a.jpg"}},
        {"type": "document", "source": pdf, "title": "a.pdf"},
        {"type": "document", "source": pdf, "title": "b.pdf"},
    ]


def test_audio_goes_to_openai_only():
    sound = {"type": "media", "media": {"url": "data:audio/wav;base64,UklGRg==", "type": "audio/wav"}}
    content = openai_arguments(prompt_of(user([sound])), {})["messages"][0]["content"]
    assert content == [{"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}}]
    with pytest.raises(TemplateError, match=r"messages\[0\]\.content\[0\]: .*audio/wav"):
        anthropic_arguments(prompt_of(user([sound])), {})


def test_thinking_goes_where_it_is_signed():
    signed = {"type": "thinking", "thinking": "hm", "signature": "s"}
    unsigned = {"type": "thinking", "thinking": "hm"}
    text = {"type": "text", "text": "a"}
    prompt = prompt_of(user("x"), {"role": "assistant", "content": [signed, unsigned, text]})
    assert openai_arguments(prompt, {})["messages"][1]["content"] == [text]
    assert anthropic_arguments(prompt, {})["messages"][1]["content"] == [signed, text]


def test_parameters_of_an_anthropic_prompt():
    own = model(
        "anthropic", "claude-x", max_tokens=9, top_k=5, stop_sequences=["E"], service_tier="auto", n=2, top_p=None
    )
    prompt = prompt_of(user("x"), model=own)
    arguments = anthropic_arguments(prompt, {})
    kept = {name: arguments[name] for name in arguments if name not in {"model", "messages"}}
    assert kept == {"max_tokens": 9, "stop_sequences": ["E"], "service_tier": "auto", "extra_body": {"top_k": 5}}
    openai = openai_arguments(prompt, {})
    assert openai["stop"] == ["E"]
    assert "extra_body" not in openai


def test_what_is_no_keyword_of_the_sdk_goes_into_the_body():
    prompt = prompt_of(user("x"), model=model(temperature=0.5, min_p=0.1, extra_body={"top_k": 3}, messages=["no"]))
    arguments = openai_arguments(prompt, {})
    assert arguments["temperature"] == 0.5
    assert arguments["extra_body"] == {"min_p": 0.1, "top_k": 3}
    assert arguments["messages"] == [user("x")]


def test_max_tokens_is_always_there():
    assert anthropic_arguments(prompt_of(user("x")), {})["max_tokens"] == DEFAULT_MAX_TOKENS == 1024
    prompt = prompt_of(user("x"), model=model(max_completion_tokens=7))
    assert anthropic_arguments(prompt, {})["max_tokens"] == 7


def test_cached_system_texts_stay_blocks():
    block = {"type": "text", "text": "long", "cache_control": {"type": "ephemeral"}}
    prompt = prompt_of({"role": "system", "content": [block]}, user("x"))
    assert anthropic_arguments(prompt, {})["system"] == [block]
    assert openai_arguments(prompt, {})["messages"][0]["content"] == [{"type": "text", "text": "long"}]


def test_empty_texts_are_left_out_for_anthropic():
    prompt = prompt_of({"role": "system", "content": ""}, user("{{ a }}"), {"role": "assistant"}, user("b"))
    arguments = anthropic_arguments(prompt, {"a": " "})
    assert arguments["messages"] == [user("b")]
    assert "system" not in arguments


def test_calls_one_at_a_time():
    prompt = prompt_of(user("x"), tools=[TOOL], model=model(parallel_tool_calls=False))
    assert anthropic_arguments(prompt, {})["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": True}


def test_response_format():
    schema = {"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA}}
    prompt = prompt_of(user("x"), response_format=schema)
    assert openai_arguments(prompt, {})["response_format"] == schema
    output = {"format": {"type": "json_schema", "schema": SCHEMA}}
    assert anthropic_arguments(prompt, {})["extra_body"] == {"output_config": output}
    in_parameters = prompt_of(user("x"), model=model("anthropic", "claude-x", response_format=schema))
    assert anthropic_arguments(in_parameters, {})["extra_body"] == {"output_config": output}
    assert openai_arguments(prompt_of(user("x"), response_format="text"), {})["response_format"] == {"type": "text"}
    assert "extra_body" not in anthropic_arguments(prompt_of(user("x"), response_format="text"), {})


def test_a_response_format_without_schema_is_no_anthropic_one():
    with pytest.raises(TemplateError, match=r"^response_format") as caught:
        anthropic_arguments(prompt_of(user("x"), response_format="json_object"), {})
    assert "tool" in caught.value.hint
    with pytest.raises(TemplateError, match=r"^model\.parameters\.response_format"):
        anthropic_arguments(prompt_of(user("x"), model=model(response_format={"type": "json_object"})), {})


BAD_CALL = {**CALL, "function": {"name": "weather", "arguments": "[1]"}}
CODE = {"type": "code", "vendors": {"promptlayer": {"code": "1"}}}
SEARCH = {"type": "web_search", "vendors": {"promptlayer": {"id": "w"}}}


@pytest.mark.parametrize(
    ("prompt", "place", "apis"),
    [
        (prompt_of(user([CODE])), "messages[0].content[0]", "both"),
        (prompt_of(user("x"), tools=[TOOL, SEARCH]), "tools[1]", "both"),
        (prompt_of({"role": "system", "content": [MEDIA[0]]}), "messages[0].content[0]", "anthropic"),
        (prompt_of({"role": "function", "name": "f", "content": "x"}), "messages[0]", "anthropic"),
        (prompt_of({"role": "assistant", "tool_calls": [BAD_CALL]}), "messages[0].tool_calls[0]", "anthropic"),
        (prompt_of({"role": "tool", "content": "x"}), "messages[0]", "anthropic"),
        (prompt_of(user([{"type": "media", "media": {"url": "https://x/a.pdf"}}])), "messages[0].content[0]", "openai"),
    ],
)
def test_what_cannot_be_said_is_told_with_its_place(prompt, place, apis):
    asked = {"openai": [openai_arguments], "anthropic": [anthropic_arguments]}
    for arguments_of in asked.get(apis, [openai_arguments, anthropic_arguments]):
        with pytest.raises(TemplateError) as caught:
            arguments_of(prompt, {})
        assert caught.value.message.startswith(place)
        assert caught.value.hint


def test_messages_of_a_placeholder_pass_through():
    prompt = prompt_of({"role": "placeholder", "name": "history"}, user("now"))
    block = {"type": "tool_result", "tool_use_id": "t", "content": "ok"}
    history = [{"role": "user", "content": [block], "template_format": "jinja2", "input_variables": []}]
    messages = anthropic_arguments(prompt, {"history": history})["messages"]
    assert messages == [user([block, {"type": "text", "text": "now"}])]
    openai = openai_arguments(prompt, {"history": [{"role": "user", "content": "a", "input_variables": []}]})
    assert openai["messages"] == [user("a"), user("now")]


@pytest.mark.parametrize("part", [{"type": "text"}, {"type": "image_url", "image_url": "u"}, "text", {"type": "file"}])
def test_malformed_messages_of_a_placeholder_are_told(part):
    prompt = prompt_of({"role": "placeholder", "name": "history"})
    for arguments_of in (openai_arguments, anthropic_arguments):
        with pytest.raises(TemplateError, match=r"messages\[0\]\.content"):
            arguments_of(prompt, {"history": [{"role": "user", "content": [part]}]})
