"""Hypothesis strategies: Phoenix's prompts by its OpenAPI, with what it leaves open."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from promptlayer_documents import names, open_maps, record, scalars

from promptstore.model.prompt_file import PromptFile

Json = dict[str, Any]

texts = st.sampled_from(
    [
        "",
        "Hello",
        "Hello {{name}}",
        "Hello {name}",
        "{{{raw}}}",
        "{{#s}}x{{/s}}",
        "{% if b %}x{% endif %}",
        '{"a": {}}',
        "{",
        "\\",
        "ends\n",
        "two\r\nlines ",
        "é☃",
    ]
)
identifiers = st.sampled_from(["a", "support--summarizer", "a-b_c", "0x"])
slugs = st.sampled_from(["a", "support/summarizer", "v1.2/x-", "a--b", "deep/er/x"])

text_parts = record({"type": st.just("text"), "text": texts}, {}, extra=False)
call_parts = record(
    {
        "type": st.just("tool_call"),
        "tool_call_id": names,
        "tool_call": record({"type": st.just("function"), "name": names, "arguments": texts}, {}, extra=False),
    },
    {},
    extra=False,
)
result_parts = record(
    {"type": st.just("tool_result"), "tool_call_id": names, "tool_result": texts | scalars | open_maps},
    {},
    extra=False,
)
part_lists = st.lists(text_parts | call_parts | result_parts, min_size=1, max_size=3)
content = texts | part_lists
roles = st.sampled_from(["user", "assistant", "model", "ai", "tool", "system", "developer"])
messages = record({"role": roles, "content": content}, {}, extra=False)
templates = st.one_of(
    record({"type": st.just("chat"), "messages": st.lists(messages, max_size=4)}, {}, extra=False),
    record({"type": st.just("string"), "template": texts}, {}, extra=False),
)

wholes = st.sampled_from([0, 1, 2000, 5.0])
fractions = st.sampled_from([0, 1, 0.5, 1.0])
of_openai: Json = {
    "temperature": fractions,
    "max_tokens": wholes,
    "max_completion_tokens": wholes,
    "frequency_penalty": fractions,
    "presence_penalty": fractions,
    "top_p": fractions,
    "seed": wholes,
    "stop": st.lists(names, max_size=2),
    "reasoning_effort": st.sampled_from(["none", "high"]),
    "extra_body": open_maps,
}
thinking = st.sampled_from(
    [{"type": "disabled"}, {"type": "enabled", "budget_tokens": 1024}, {"type": "adaptive", "display": "omitted"}]
)
of_anthropic: Json = {
    "temperature": fractions,
    "stop_sequences": st.lists(names, max_size=2),
    "output_config": st.sampled_from([{}, {"effort": "max"}]),
    "thinking": thinking,
    "extra_body": open_maps,
}
of_google: Json = {
    "temperature": fractions,
    "max_output_tokens": wholes,
    "top_k": wholes,
    "thinking_config": st.sampled_from([{}, {"thinking_budget": 5, "include_thoughts": True}]),
}
of_aws: Json = {"max_tokens": wholes, "top_p": fractions, "stop_sequences": st.lists(names, max_size=2)}


def parameters(kind: str, required: Json, optional: Json) -> st.SearchStrategy[Json]:
    return record({"type": st.just(kind), kind: record(required, optional, extra=False)}, {}, extra=False)


openai = st.one_of(*(parameters(kind, {}, of_openai) for kind in ("openai", "azure_openai", "ollama")))
anthropic = parameters("anthropic", {"max_tokens": st.just(2000)}, of_anthropic)
google = parameters("google", {}, of_google)
aws = parameters("aws", {}, of_aws)
models: Json = {"model_name": st.sampled_from(["gpt-4o", "claude-sonnet-4", "own-model", ""])}


def model(provider: str, params: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    return record({"model_provider": st.just(provider), "invocation_parameters": params, **models}, {}, extra=False)


any_model = st.one_of(
    *(model(provider, openai) for provider in ("OPENAI", "AZURE_OPENAI", "MINIMAX", "META")),
    model("ANTHROPIC", anthropic),
    model("GOOGLE", google),
    model("AWS", aws),
    model("ANTHROPIC", openai),  # the server does not compare them on a prompt's first version
    model("BRAND_NEW", openai),
)
functions = record(
    {"name": names}, {"description": texts, "parameters": open_maps, "strict": st.booleans()}, extra=False
)
tool = st.one_of(
    record({"type": st.just("function"), "function": functions}, {}, extra=False),
    record({"type": st.just("raw"), "raw": open_maps}, {}, extra=False),
)
tools = record(
    {"type": st.just("tools"), "tools": st.lists(tool, min_size=1, max_size=2)},
    {
        "tool_choice": st.sampled_from(
            [
                {"type": "none"},
                {"type": "zero_or_more"},
                {"type": "one_or_more"},
                {"type": "specific_function", "function_name": "a"},
            ]
        ),
        "disable_parallel_tool_calls": st.booleans(),
    },
    extra=False,
)
response_formats = record(
    {
        "type": st.just("json_schema"),
        "json_schema": record(
            {"name": names}, {"description": texts, "schema": open_maps, "strict": st.booleans()}, extra=False
        ),
    },
    {},
    extra=False,
)


def _joined(one: Json, two: Json) -> Json:
    return {**one, **two}


versions = st.builds(
    _joined,
    record(
        {"template": templates, "template_format": st.sampled_from(["MUSTACHE", "F_STRING", "NONE"])},
        {
            "id": st.just("UHJvbXB0VmVyc2lvbjox"),
            "description": texts,
            "template_type": st.just("CHAT"),
            "metadata": open_maps | st.just({"promptstore": {"intent": "x"}}),
            "tools": tools | st.none(),
            "response_format": response_formats | st.none(),
            "brand_new": scalars,
        },
        extra=False,
    ),
    any_model,
)
documents = record(
    {"name": identifiers, "version": versions},
    {"description": texts | st.none(), "metadata": open_maps, "source_prompt_id": names, "id": names},
    extra=False,
)

# Prompt files that Phoenix can mostly hold

file_parts = st.one_of(
    st.builds(lambda text: {"type": "text", "text": text}, texts),
    record(
        {"type": st.just("tool_call"), "vendors": st.just({"phoenix": {"tool_call_id": "1", "tool_call": {}}})},
        {},
        extra=False,
    ),
    st.just({"type": "image_url", "image_url": {"url": "x"}}),
)
file_content = texts | st.lists(file_parts, max_size=2)
formats = st.sampled_from(["f-string", "jinja2", "mustache", "nunjucks", "none"])
file_calls = record({"name": names, "arguments": texts}, {}, extra=False)
file_messages = st.one_of(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["system", "user", "developer", "model"]), "content": file_content},
        optional={"template_format": formats, "input_variables": st.just(["a"]), "vendors": st.just({"phoenix": {}})},
    ),
    st.fixed_dictionaries(
        {"role": st.just("assistant")},
        optional={
            "content": texts,
            "tool_calls": st.lists(
                record({"id": names, "type": st.just("function"), "function": file_calls}, {}, extra=False), max_size=2
            ),
        },
    ),
    st.fixed_dictionaries(
        {"role": st.just("tool"), "content": texts | st.none()}, optional={"tool_call_id": names, "name": st.none()}
    ),
)
file_models = st.fixed_dictionaries(
    {},
    optional={
        "provider": st.sampled_from(["openai", "OpenAI", "azure", "anthropic", "google", "bedrock", "mistral"]),
        "name": st.sampled_from(["gpt-4o", "claude-x", "own"]),
        "parameters": st.fixed_dictionaries(
            {},
            optional={
                "max_tokens": wholes,
                "temperature": fractions | st.just("hot"),
                "stop": st.just("x"),
                "n": st.just(2),
                "extra_body": open_maps,
                "top_k": st.just(3),
            },
        ),
    },
)
file_tools = st.lists(
    st.one_of(
        st.just({"type": "function", "function": {"name": "a", "parameters": {"type": "object"}}}),
        st.just({"type": "raw", "vendors": {"phoenix": {"raw": {"type": "web_search"}}, "other": {}}}),
    ),
    max_size=2,
)
_prompt = st.fixed_dictionaries(
    {"messages": st.lists(file_messages, max_size=3)},
    optional={
        "name": st.just("A title"),
        "description": texts,
        "tags": st.just(["x"]),
        "model": file_models,
        "template_format": formats,
        "tools": file_tools,
        "tool_choice": st.sampled_from(
            ["auto", "any", {"type": "none"}, {"type": "tool", "name": "a"}, {"type": "odd", "x": 1}]
        ),
        "response_format": st.sampled_from(
            ["json", {"type": "json_object"}, {"type": "json_schema", "json_schema": {"name": "x", "schema": {}}}]
        ),
        "metadata": st.sampled_from([{}, {"team": "cx", "n": 1.0}, {"big": 1 << 70}]),
        "vendors": st.sampled_from(
            [{"phoenix": {"name": "own-name"}}, {"phoenix": {"version": {"template_format": "F_STRING"}}}, {"x": {}}]
        ),
    },
)
fitting_prompts = _prompt.map(PromptFile.model_validate)


def mixed(one: Json, two: Json, data: st.DataObject) -> Json:
    """A version that has some of its fields from another one, as after an edit."""
    version = dict(one["version"])
    for key in ("template", "template_format", "tools", "response_format", "metadata"):
        if data.draw(st.booleans(), label=key) and key in two["version"]:
            version[key] = two["version"][key]
    return {**one, "version": version}
