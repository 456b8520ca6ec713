"""Hypothesis strategies: PromptLayer documents by its published schema, and prompt files with everything in them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from promptstore.model.prompt_file import PromptFile

Json = dict[str, Any]

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from([0.0, 1.0, -1.5, 1e300]),
    st.sampled_from(["", "x", "é\n"]),
)
words = st.sampled_from(["x", "y", "model", "type", "text", "vendors"])
anything = st.recursive(scalars, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(words, inner, max_size=2))
texts = st.sampled_from(
    [
        "",
        "Hello",
        "Hello {name}",
        "{a} and {b}",
        "{{ a }}",
        "{% if b %}x{% endif %}",
        "{{{a}}} {{ b }}",
        '{"a": {{b}}}\n',
        "{{^a}}\nx\n{{/a}}",
        "{{#a}}x{{/a}}",
        '{{ "{{" }} {{ a | upper }}',
        "{first name}",
        "{",
        "ends\n",
        "two\r\nlines ",
        "é☃",
    ]
)
plain_texts = st.sampled_from(["", "Hello", "ends\n", "two\r\nlines ", "é☃"])
names = st.sampled_from(["a", "b", "name", "bot"])
types = st.sampled_from(["code", "shell_call", "server_tool_use", "file"])


open_maps = st.dictionaries(words, anything, max_size=3)
unknown = st.dictionaries(st.sampled_from(["zeta", "eta", "new_key"]), anything, max_size=2)


def record(required: Json, optional: Json, *, extra: bool = True) -> st.SearchStrategy[Json]:
    """An object of the wire: optional keys absent, null or there; unknown keys beside."""
    nullable = {key: st.none() | value for key, value in optional.items()}
    known = st.fixed_dictionaries(required, optional=nullable)
    return st.builds(lambda one, two: {**two, **one}, known, unknown) if extra else known


variables = st.lists(names, max_size=3)
annotations = st.lists(record({"type": st.just("url_citation")}, {"title": names, "start_index": st.integers(0, 2)}))
text_part = record(
    {"type": st.just("text"), "text": texts},
    {"id": names, "annotations": annotations, "thought_signature": names, "cache_control": open_maps},
)
parts = st.one_of(
    text_part,
    st.builds(lambda text: {"type": "text", "text": text}, texts),
    record({"type": st.just("thinking"), "thinking": texts}, {"signature": st.one_of(names, st.just(5)), "id": names}),
    record(
        {"type": st.just("image_url"), "image_url": record({"url": names}, {"detail": names})},
        {"image_variable": names},
    ),
    record(
        {"type": st.just("media"), "media": record({"url": names}, {"title": names, "type": names, "format": names})},
        {},
    ),
    record({"type": st.just("media_variable"), "name": names}, {}),
    record({"type": types}, {"file": open_maps, "config": open_maps, "id": names}),
)
content = st.lists(parts, max_size=3)
functions = record(
    {"name": names},
    {
        "description": texts,
        "parameters": open_maps | st.just({"type": "object", "properties": {}}),
        "strict": st.booleans(),
    },
)
tools = st.one_of(
    record({"type": st.just("function"), "function": functions}, {}),
    record({"type": st.sampled_from(["web_search", "registry", "variable"])}, {"id": names, "config": open_maps}),
)
calls = record({"name": names, "arguments": texts}, {})
tool_calls = st.lists(
    record({"id": names, "type": st.sampled_from(["function", "custom"]), "function": calls}, {"tool_id": names}),
    max_size=2,
)
_everywhere = {
    "name": names,
    "template_format": st.sampled_from(["f-string", "jinja2"]),
    "input_variables": variables,
    "raw_request_display_role": st.sampled_from(["", "user"]),
    "dataset_examples": st.sampled_from([[], [{"a": 1}]]),
}


def message(role: str, required: Json, optional: Json) -> st.SearchStrategy[Json]:
    beside = {key: value for key, value in {**_everywhere, **optional}.items() if key not in required}
    return record({"role": st.just(role), **required}, beside)


messages = st.one_of(
    *(message(role, {"content": content}, {}) for role in ("system", "user", "developer")),
    message("user", {}, {"content": content}),
    message("assistant", {}, {"content": content, "tool_calls": tool_calls, "function_call": calls}),
    message("function", {"name": names}, {"content": content}),
    message("tool", {"content": content, "tool_call_id": names}, {}),
    message("placeholder", {"name": names}, {"content": content}),
)
_template = {
    "functions": st.lists(functions, max_size=2),
    "tools": st.lists(tools, max_size=3),
    "function_call": st.one_of(names, record({"name": names}, {})),
    "tool_choice": st.one_of(names, record({"function": record({"name": names}, {})}, {"type": st.just("function")})),
    "input_variables": variables,
    "dataset_examples": st.just([]),
}
chats = record({"type": st.just("chat"), "messages": st.lists(messages, max_size=4)}, _template)
completions = record(
    {"type": st.just("completion"), "content": content},
    {**_template, "template_format": _everywhere["template_format"]},
)
response_formats = st.one_of(st.just("json_object"), open_maps, st.just([1]))
parameters = st.builds(
    lambda one, two: {**one, **two},
    open_maps,
    st.fixed_dictionaries({}, optional={"response_format": st.none() | response_formats, "temperature": scalars}),
)
models = st.one_of(
    record(
        {"provider": names, "name": names}, {"parameters": parameters, "api_type": names, "display_params": open_maps}
    ),
    record({}, {"provider": names, "name": names, "parameters": parameters}),
    names,
)
metadata = st.builds(
    lambda own, model: {**own, **model},
    st.dictionaries(st.sampled_from(["team", "x", "promptstore"]), anything, max_size=3),
    st.fixed_dictionaries({}, optional={"model": st.none() | models}),
)
slugs = st.sampled_from(["support/summarizer", "a", "b"])
documents = record(
    {"prompt_name": slugs | st.just("Some Name"), "prompt_template": chats | completions},
    {"tags": st.lists(names, max_size=3), "metadata": metadata, "commit_message": texts, "version": st.integers(1, 9)},
)

# Prompt files


def vendors(own: st.SearchStrategy[Json] = unknown) -> st.SearchStrategy[Json]:
    return st.one_of(
        st.fixed_dictionaries({"promptlayer": own}, optional={"braintrust": open_maps}),
        st.fixed_dictionaries({"braintrust": open_maps}),
    )


def written(required: Json, optional: Json) -> st.SearchStrategy[Json]:
    """An object of a prompt file: typed keys absent, null or there, vendors beside."""
    optional = {key: st.none() | value for key, value in {**optional, "vendors": vendors()}.items()}
    return st.fixed_dictionaries(required, optional=optional)


file_parts = st.one_of(
    written({"type": st.just("text"), "text": texts}, {"cache_control": open_maps}),
    written({"type": st.just("thinking"), "thinking": texts}, {"signature": names}),
    written(
        {"type": st.just("image_url"), "image_url": written({"url": names}, {"detail": names})},
        {"image_variable": names},
    ),
    written({"type": st.just("media"), "media": written({"url": names}, {"title": names, "format": names})}, {}),
    written({"type": st.just("media_variable"), "name": names}, {}),
    written({"type": st.just("file"), "file": written({}, {"file_id": names})}, {}),
    st.fixed_dictionaries({"type": st.sampled_from(["code", "x"]), "vendors": vendors()}),
)
file_content = texts | st.lists(file_parts, max_size=3)
file_functions = written({"name": names}, {"description": texts, "parameters": open_maps, "strict": st.booleans()})
file_tools = st.one_of(
    written({"type": st.just("function"), "function": file_functions}, {}),
    st.fixed_dictionaries({"type": st.just("web_search"), "vendors": vendors()}),
)
file_calls = written({"name": names, "arguments": texts}, {})
formats = st.sampled_from(["f-string", "jinja2", "mustache", "nunjucks", "none"])


def file_message(role: str, required: Json, optional: Json) -> st.SearchStrategy[Json]:
    beside = {"name": names, "template_format": formats, "input_variables": variables, **optional}
    return written(
        {"role": st.just(role), **required}, {key: value for key, value in beside.items() if key not in required}
    )


file_messages = st.one_of(
    *(file_message(role, {"content": file_content}, {}) for role in ("system", "user", "developer")),
    file_message("user", {"content": st.none()}, {}),
    file_message(
        "assistant",
        {},
        {
            "content": file_content,
            "function_call": file_calls,
            "tool_calls": st.lists(
                written({"id": names, "type": st.just("function"), "function": file_calls}, {}), max_size=2
            ),
        },
    ),
    file_message("tool", {"content": file_content}, {"tool_call_id": names}),
    file_message("placeholder", {"name": names}, {"content": file_content}),
    file_message("function", {"name": names}, {"content": file_content}),
)
top_own = st.fixed_dictionaries(
    {},
    optional={
        "prompt_template": unknown,
        "metadata": st.fixed_dictionaries({}, optional={"model": st.fixed_dictionaries({"api_type": scalars})}),
    },
)
_body = {
    "name": slugs,
    "description": texts,
    "tags": st.lists(names, max_size=2),
    "model": st.one_of(
        st.fixed_dictionaries({"provider": names, "name": names}, optional={"parameters": st.none() | parameters}),
        st.fixed_dictionaries({}, optional={"provider": names, "parameters": parameters}),
    ),
    "template_format": formats,
    "input_variables": variables,
    "tools": st.lists(file_tools, max_size=3),
    "tool_choice": st.one_of(names, open_maps),
    "functions": st.lists(file_functions, max_size=2),
    "function_call": st.one_of(names, st.fixed_dictionaries({"name": names})),
    "response_format": st.one_of(names, open_maps),
    "metadata": st.dictionaries(st.sampled_from(["team", "x", "zeta"]), anything, max_size=2),
    "vendors": vendors(top_own),
}


def prompt_file(required: Json) -> st.SearchStrategy[PromptFile]:
    data = st.fixed_dictionaries(required, optional=_body)
    return data.map(PromptFile.model_validate)


prompts = st.one_of(
    prompt_file({"messages": st.lists(file_messages, max_size=4)}), prompt_file({"content": file_content})
)
