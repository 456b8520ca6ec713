"""A prompt as keyword arguments of ``anthropic.messages.create``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from promptstore.errors import TemplateError
from promptstore.model.chat_apis.pieces import (
    Choice,
    Source,
    cannot,
    choice_of,
    content_parts,
    extra_body_of,
    functions_of,
    media_source,
    parameters_of,
    rendered_messages,
    source_of,
    split_keywords,
)
from promptstore.model.prompt_file import PromptFile
from promptstore.model.rendering import Json, given
from promptstore.model.tools import Function, FunctionName

DEFAULT_MAX_TOKENS = 1024
"""This API demands ``max_tokens``; a prompt that names none gets this."""

_MAX_TOKENS = ("max_tokens", "max_completion_tokens", "max_output_tokens")
_SHARED = frozenset({"temperature", "top_p", "top_k", "stop_sequences", "stream", "thinking"})
_KEYWORDS = frozenset(
    {"extra_headers", "extra_query", "metadata", "service_tier", "stop_sequences", "stream", "thinking", "timeout"}
)
_RESERVED = frozenset({"model", "max_tokens", "system", "messages", "tools", "tool_choice", "extra_body"})
_OPENAI_ONLY = frozenset(
    {
        *_MAX_TOKENS,
        "frequency_penalty",
        "function_call",
        "functions",
        "logit_bias",
        "logprobs",
        "modalities",
        "n",
        "parallel_tool_calls",
        "prediction",
        "presence_penalty",
        "reasoning_effort",
        "response_format",
        "seed",
        "stop",
        "store",
        "top_logprobs",
        "use_cache",
        "user",
        "verbosity",
    }
)
_NATIVE_BLOCKS = frozenset({"image", "document", "tool_use", "tool_result", "redacted_thinking", "search_result"})
_CHOICES = {"auto": "auto", "none": "none", "required": "any"}


def anthropic_arguments(prompt: PromptFile, variables: Mapping[str, object], *, strict: bool = True) -> Json:
    """Keyword arguments for ``anthropic.messages.create(**arguments)``.

    System and developer texts become ``system``; tool calls and results become blocks; turns of one role that follow
    each other are merged; names of messages, empty texts and unsigned thinking are left out. ``max_tokens`` is the
    prompt's max_tokens (or max_completion_tokens), else 1024. Of parameters written for another provider only those
    pass that mean the same here (``stop`` becomes ``stop_sequences``). What is not a keyword in every release of the
    SDK (``temperature`` is none since 2.0) goes into ``extra_body``, which reaches the API all the same. A completion
    prompt becomes one user message; a prompt of system texts alone gives no messages. Raises MissingVariable and
    TemplateError, the latter also for what this API cannot say.
    """
    rendered = [
        (f"messages[{index}]", message) for index, message in enumerate(rendered_messages(prompt, variables, strict))
    ]
    tools = [_tool(function) for function in (*functions_of(prompt), *(prompt.functions or ()))]
    return given(
        model=prompt.model.name if prompt.model else None,
        max_tokens=_max_tokens(prompt),
        system=_system(rendered),
        messages=_turns(rendered),
        tools=tools or None,
        tool_choice=_tool_choice(prompt) if tools else None,
        **_parameters(prompt),
    )


def _max_tokens(prompt: PromptFile) -> Any:
    written = parameters_of(prompt)
    return next((written[name] for name in _MAX_TOKENS if written.get(name) is not None), DEFAULT_MAX_TOKENS)


def _parameters(prompt: PromptFile) -> Json:
    written, model = parameters_of(prompt), prompt.model
    native = model is not None and (model.provider == "anthropic" or (model.name or "").startswith("claude"))
    kept = {name: value for name, value in written.items() if (name not in _OPENAI_ONLY if native else name in _SHARED)}
    stop = written.get("stop")
    stops = given(stop_sequences=[stop] if isinstance(stop, str) else stop)
    return split_keywords({**stops, **given(**kept)}, _KEYWORDS, _RESERVED, _body(prompt))


def _body(prompt: PromptFile) -> Json:
    body, form = extra_body_of(prompt), _output_format(prompt)
    if form is None:
        return body
    config = parameters_of(prompt).get("output_config")
    return {**body, "output_config": {**(config if isinstance(config, dict) else {}), "format": form}}


def _output_format(prompt: PromptFile) -> Json | None:
    places = {"response_format": prompt.response_format}
    places["model.parameters.response_format"] = parameters_of(prompt).get("response_format")
    place, form = next(((place, form) for place, form in places.items() if form is not None), ("", None))
    kind = form.get("type") if isinstance(form, Mapping) else form
    if kind in {None, "text"}:
        return None
    schema = _schema(form)
    if schema is None:
        hint = "give a json_schema, or describe the answer as a tool's parameters and force it with tool_choice"
        raise cannot(place, f"Anthropic's API has no response format {kind!r} without a schema", hint)
    return {"type": "json_schema", "schema": schema}


def _schema(form: Any) -> Any:
    named = form.get("json_schema") if isinstance(form, Mapping) else None
    return deepcopy(named.get("schema")) if isinstance(named, Mapping) else None


def _tool(function: Function) -> Json:
    schema = deepcopy(function.parameters) or {"type": "object", "properties": {}}
    return given(name=function.name, description=function.description, input_schema=schema)


def _tool_choice(prompt: PromptFile) -> Json | None:
    choice = choice_of(prompt) or _function_choice(prompt)
    parallel = {"disable_parallel_tool_use": True} if parameters_of(prompt).get("parallel_tool_calls") is False else {}
    if choice is None:
        return {"type": "auto", **parallel} if parallel else None
    if choice.mode == "none":
        return {"type": "none"}
    named = {"type": "tool", "name": choice.name} if choice.name else {"type": _CHOICES[choice.mode]}
    return {**named, **parallel}


def _function_choice(prompt: PromptFile) -> Choice | None:
    choice = prompt.function_call
    if choice is None:
        return None
    if isinstance(choice, FunctionName):
        return Choice("function", choice.name)
    return Choice(choice) if choice in _CHOICES else Choice("function", choice)


def _system(rendered: list[tuple[str, Json]]) -> str | list[Json] | None:
    blocks = [
        _text_only(part, where)
        for place, message in rendered
        if message["role"] in {"system", "developer"}
        for where, part in content_parts(message, place)
    ]
    blocks = [block for block in blocks if block["text"].strip()]
    if any("cache_control" in block for block in blocks):
        return blocks
    return "\n\n".join(block["text"] for block in blocks) or None


def _text_only(part: Json, place: str) -> Json:
    if part.get("type") != "text":
        hint = "put it into a user message"
        raise cannot(place, f"Anthropic's system prompt holds no part of type {part.get('type')!r}", hint)
    return _text(part)


def _text(part: Json) -> Json:
    return {"type": "text", "text": part["text"], **given(cache_control=part.get("cache_control"))}


def _turns(rendered: list[tuple[str, Json]]) -> list[Json]:
    turns: list[Json] = []
    for place, message in rendered:
        role, blocks = _turn(message, place)
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] += blocks
        elif blocks:
            turns.append({"role": role, "content": blocks})
    return [{"role": turn["role"], "content": _plain(turn["content"])} for turn in turns]


def _plain(blocks: list[Json]) -> str | list[Json]:
    only = blocks[0]
    text_alone = len(blocks) == 1 and only["type"] == "text" and "cache_control" not in only
    return str(only["text"]) if text_alone else blocks


def _turn(message: Json, place: str) -> tuple[str, list[Json]]:
    role = message["role"]
    if role in {"system", "developer"}:
        return "", []
    if role == "tool":
        return "user", [_tool_result(message, place)]
    if role in {"assistant", "model"}:
        return "assistant", [*_blocks(message, place, "assistant"), *_tool_uses(message, place)]
    if role == "user":
        return "user", _blocks(message, place, "user")
    raise cannot(place, f"Anthropic's API has no role {role!r}", "use the role tool, with the id of the call")


def _blocks(message: Json, place: str, role: str) -> list[Json]:
    return [block for where, part in content_parts(message, place) for block in _block(part, where, role)]


def _block(part: Json, place: str, role: str) -> list[Json]:
    kind = part.get("type")
    if kind == "text":
        return [_text(part)] if part["text"].strip() else []
    if kind == "thinking":
        return [part] if part.get("signature") and role == "assistant" else []
    if kind == "image_url":
        return [_medium(source_of(part["image_url"]["url"]), None, place)]
    if kind == "media":
        return [_medium(media_source(part["media"]), part["media"].get("title"), place)]
    if kind == "file":
        return [_file(part["file"], place)]
    if kind in _NATIVE_BLOCKS:
        return [part]
    raise cannot(place, f"Anthropic's API has no part of type {kind!r}", "leave the part out of this prompt")


def _file(file: Json, place: str) -> Json:
    if "file_id" in file:
        return {"type": "document", "source": {"type": "file", "file_id": file["file_id"]}}
    source = source_of(file.get("file_data", ""), "application/pdf", "base64")
    return _medium(source, file.get("filename"), place)


def _medium(source: Source, title: str | None, place: str) -> Json:
    if source.data:
        said = {"type": "base64", "media_type": source.media_type or "image/png", "data": source.data}
    else:
        said = {"type": "url", "url": source.url}
    if source.kind == "image":
        return {"type": "image", "source": said}
    if source.media_type == "application/pdf":
        return {"type": "document", "source": said, **given(title=title)}
    raise cannot(place, f"Anthropic's API takes no {source.media_type}", "give an image or a PDF")


def _tool_result(message: Json, place: str) -> Json:
    call = message.get("tool_call_id")
    if not call:
        raise cannot(place, "a tool message needs the id of its call", "add tool_call_id")
    blocks = _blocks(message, place, "user")
    return {"type": "tool_result", "tool_use_id": call, **given(content=_plain(blocks) if blocks else None)}


def _tool_uses(message: Json, place: str) -> list[Json]:
    if message.get("function_call"):
        raise cannot(f"{place}.function_call", "Anthropic's API has calls with ids only", "use tool_calls")
    calls = enumerate(message.get("tool_calls") or ())
    return [_tool_use(call, f"{place}.tool_calls[{index}]") for index, call in calls]


def _tool_use(call: Json, place: str) -> Json:
    try:
        identity, name, arguments = call["id"], call["function"]["name"], call["function"]["arguments"]
    except (KeyError, TypeError) as problem:
        raise cannot(place, "is not a tool call", "correct the messages you passed in") from problem
    return {"type": "tool_use", "id": identity, "name": name, "input": _input(arguments, f"{place}.function.arguments")}


def _input(arguments: str, place: str) -> Json:
    try:
        value = json.loads(arguments or "{}")
    except (ValueError, TypeError) as problem:
        raise _bad_arguments(place, str(problem)) from problem
    if not isinstance(value, dict):
        raise _bad_arguments(place, "not an object")
    return value


def _bad_arguments(place: str, problem: str) -> TemplateError:
    return cannot(place, f"the arguments are not a JSON object ({problem})", 'write them as one, like {"city": "Rome"}')
