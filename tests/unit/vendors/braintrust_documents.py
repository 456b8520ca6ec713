"""Hypothesis strategies: Braintrust prompts by the published schema of PUT /v1/prompt, with what it leaves open."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st
from promptlayer_documents import anything, names, open_maps, record, scalars, slugs

Json = dict[str, Any]

texts = st.sampled_from(
    [
        "",
        "Hello",
        "Hello {{name}}",
        "{{{raw}}}",
        "{{#s}}x{{/s}}",
        "{% if b %}x{% endif %}",
        '{"a": {}}',
        "{",
        "ends\n",
        "two\r\nlines ",
        "é☃",
    ]
)

text_parts = record({"type": st.just("text")}, {"text": texts, "cache_control": open_maps})
parts = st.one_of(
    text_parts,
    record({"type": st.just("image_url"), "image_url": record({"url": texts}, {"detail": names})}, {}),
    record(
        {"type": st.just("file"), "file": record({}, {"file_data": names, "filename": texts, "file_id": names})}, {}
    ),
    record({"type": st.sampled_from(["input_audio", "thinking", "media", "media_variable"])}, {"name": names}),
)
content = texts | st.lists(parts, max_size=3)
text_content = texts | st.lists(text_parts, max_size=2)
calls = record({"name": names, "arguments": texts}, {})
tool_calls = st.lists(record({"id": names, "type": st.just("function"), "function": calls}, {}), max_size=2)
reasoning = st.lists(record({}, {"id": names, "content": texts}), max_size=2)


def message(role: str, required: Json, optional: Json) -> st.SearchStrategy[Json]:
    return record({"role": st.just(role), **required}, optional)


messages = st.one_of(
    message("system", {}, {"content": text_content, "name": names}),
    message("user", {}, {"content": content, "name": names}),
    message("developer", {}, {"content": text_content, "name": names}),
    message("tool", {}, {"content": text_content, "tool_call_id": names}),
    message("function", {"name": names}, {"content": texts}),
    message("model", {}, {"content": texts}),
    message(
        "assistant",
        {},
        {
            "content": text_content,
            "function_call": calls,
            "name": names,
            "tool_calls": tool_calls,
            "reasoning": reasoning,
            "reasoning_signature": names,
        },
    ),
)
functions = record({"name": names}, {"description": texts, "parameters": open_maps, "strict": st.booleans()})
tool_lists = st.lists(
    st.one_of(
        record({"type": st.just("function"), "function": functions}, {}),
        record({"type": st.just("web_search")}, {"config": open_maps}),
    ),
    max_size=2,
)
tool_texts = st.one_of(
    st.builds(lambda tools, indent: json.dumps(tools, indent=indent), tool_lists, st.sampled_from([None, 2])),
    st.builds(lambda tools: json.dumps(tools, separators=(",", ":"), ensure_ascii=False), tool_lists),
    st.sampled_from(["", "[]", "{{tools}}", "[1]", '[{"type": 5}]', '{"a": 1e999}']),
)
chats = record(
    {"type": st.just("chat"), "messages": st.lists(messages, max_size=4)}, {"tools": tool_texts | st.just(7)}
)
completions = record({"type": st.just("completion"), "content": texts}, {})
others = record({"type": st.just("workflow")}, {"messages": st.just([1])})
response_formats = st.one_of(
    st.just({"type": "json_object"}),
    st.just({"type": "json_schema", "json_schema": {"name": "x", "schema": "{}", "strict": None}}),
    st.none(),
)
params = st.builds(
    lambda one, two: {**one, **two},
    open_maps,
    st.fixed_dictionaries(
        {},
        optional={
            "temperature": scalars,
            "top_p": scalars,
            "topP": scalars,
            "stop": st.lists(names, max_size=2),
            "use_cache": st.booleans(),
            "maxOutputTokens": scalars,
            "reasoning_effort": st.sampled_from(["minimal", "high", None]),
            "reasoning_enabled": st.booleans(),
            "stop_sequences": st.lists(names, max_size=2),
            "response_format": response_formats,
            "tool_choice": st.sampled_from(["auto", {"type": "function", "function": {"name": "a"}}, None, 5]),
            "function_call": st.sampled_from(["none", {"name": "a"}, {"name": "a", "more": 1}]),
        },
    ),
)
models = st.sampled_from(["gpt-4o", "claude-sonnet-4", "own-model", ""])
options = record({}, {"model": models | st.just(3), "params": params, "position": names}) | st.just([1])
prompt_data = record(
    {},
    {
        "prompt": chats | completions | others,
        "options": options,
        "parser": record(
            {"type": st.just("llm_classifier"), "use_cot": st.booleans()},
            {"choice_scores": st.just({"a": 1, "b": 0.5}), "choice": st.lists(names), "allow_no_match": st.booleans()},
        ),
        "tool_functions": st.lists(
            st.one_of(
                record({"type": st.just("function"), "id": names}, {"version": names}),
                record({"type": st.just("global"), "name": names}, {"function_type": st.just("tool")}),
            ),
            max_size=2,
        ),
        "template_format": st.sampled_from(["mustache", "nunjucks", "none"]),
        "mcp": st.dictionaries(names, record({"type": st.just("url"), "url": names}, {"enabled_tools": st.just([])})),
        "origin": record({}, {"prompt_id": names, "project_id": names, "prompt_version": names}),
    },
)
documents = record(
    {"name": slugs | st.just("Some Name"), "slug": slugs | st.just("Some-Slug")},
    {
        "description": texts,
        "prompt_data": prompt_data,
        "tags": st.lists(names, max_size=3),
        "function_type": st.sampled_from(
            ["llm", "scorer", "task", "custom_view", "preprocessor", "facet", "sandbox", "brand_new"]
        ),
        "metadata": st.dictionaries(names, anything, max_size=2),
        "id": names,
        "_xact_id": st.just("1000192656880881099"),
        "created": names,
        "log_id": st.just("p"),
    },
    extra=False,
)
