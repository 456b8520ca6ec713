"""Hypothesis strategies: Basalt's prompts by its published schema, and prompt files with everything in them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from promptlayer_documents import anything, open_maps, record
from promptlayer_documents import prompts as any_prompts

from promptstore.model.prompt_file import PromptFile

Json = dict[str, Any]

slugs = st.sampled_from(["support/summarizer", "greeting", "a", "Prompt-Slug", "my prompt"])
texts = st.sampled_from(["", "Hello", "Hello {{ name }}", "{% if b %}x{% endif %}\n", "{x}", '{"a": 1}', "a\r\nb "])
numbers = st.sampled_from([0, 1, 0.0, 1.0, 0.5, -1, 100, None])
parameters = record(
    {"maxLength": numbers, "responseFormat": st.sampled_from(["text", "json_object", "json", ""])},
    {
        "temperature": numbers,
        "topP": numbers,
        "topK": numbers,
        "frequencyPenalty": numbers,
        "presencePenalty": numbers,
        "jsonObject": open_maps,
        "reasoningEffort": st.sampled_from(["low", ""]),
        "tools": record({"tools": st.lists(open_maps, max_size=2), "toolChoice": open_maps | st.just("auto")}, {}),
    },
)
clients = st.sampled_from(["open-ai", "anthropic", "hugging-face", "mistral", "gemini", "azure", "bedrock", "xai"])
models = st.one_of(
    record(
        {
            "provider": st.sampled_from(["open-ai", "cerebras", ""]),
            "client": clients,
            "model": st.sampled_from(["gpt-4o", ""]),
            "version": st.sampled_from(["latest", "2024-08-06"]),
            "parameters": parameters,
        },
        {},
    ),
    st.dictionaries(st.sampled_from(["provider", "client", "model", "version", "parameters", "zeta"]), anything),
)
answers = record(
    {"text": texts, "version": st.sampled_from(["1.0.0", "3"]), "slug": slugs, "model": models},
    {"systemText": texts, "tag": st.sampled_from(["latest", "production"])},
)
"""The ``prompt`` of a get."""

_content = st.one_of(texts, st.none(), texts.map(lambda text: [{"type": "text", "text": text}]), st.just([]))
_formats = {"template_format": st.sampled_from(["jinja2", "f-string", "mustache", "nunjucks", "none"])}


def _message(role: str) -> st.SearchStrategy[Json]:
    optional = {**_formats, "input_variables": st.just(["x"]), "vendors": st.just({"promptlayer": {"a": 1}})}
    return st.fixed_dictionaries({"role": st.just(role), "content": _content}, optional=optional)


_own = st.fixed_dictionaries(
    {},
    optional={
        "slug": st.sampled_from(["Other", "support/summarizer"]),
        "model": st.fixed_dictionaries({}, optional={"client": clients, "version": st.just("latest"), "x": anything}),
        "zeta": anything,
    },
)
_vendors = st.fixed_dictionaries({}, optional={"basalt": _own, "promptlayer": open_maps})
_file_model = st.fixed_dictionaries(
    {}, optional={"provider": st.just("open-ai"), "name": st.just("gpt-4o"), "parameters": open_maps}
)
fitting_prompts = st.fixed_dictionaries(
    {
        "messages": st.tuples(st.none() | _message("system"), st.none() | _message("user")).map(
            lambda pair: [message for message in pair if message is not None]
        )
    },
    optional={
        **_formats,
        "name": st.just("A title"),
        "description": st.just("What for"),
        "tags": st.just(["cx"]),
        "model": _file_model,
        "metadata": open_maps,
        "vendors": _vendors,
    },
).map(PromptFile.model_validate)
"""Prompt files that Basalt could hold, but for a template of another format here and there."""

prompts = st.one_of(fitting_prompts, any_prompts)
