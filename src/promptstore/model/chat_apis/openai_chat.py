"""A prompt as keyword arguments of ``openai.chat.completions.create``."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from promptstore.model.chat_apis.pieces import (
    cannot,
    choice_of,
    content_parts,
    extra_body_of,
    functions_of,
    media_source,
    parameters_of,
    rendered_messages,
    split_keywords,
)
from promptstore.model.prompt_file import PromptFile
from promptstore.model.rendering import Json, given
from promptstore.model.tools import Function, FunctionName

_MESSAGE_KEYS = ("name", "tool_call_id", "tool_calls", "function_call", "refusal", "audio")
_ROLES = {"model": "assistant"}
_OPENAI_PARTS = frozenset({"input_audio", "refusal"})
_NOT_PARAMETERS = frozenset({"use_cache"})
_KEYWORDS = frozenset(
    {
        "audio",
        "extra_headers",
        "extra_query",
        "frequency_penalty",
        "logit_bias",
        "logprobs",
        "max_completion_tokens",
        "max_tokens",
        "metadata",
        "modalities",
        "n",
        "parallel_tool_calls",
        "prediction",
        "presence_penalty",
        "reasoning_effort",
        "response_format",
        "seed",
        "service_tier",
        "stop",
        "store",
        "stream",
        "stream_options",
        "temperature",
        "timeout",
        "top_logprobs",
        "top_p",
        "user",
    }
)
_RESERVED = frozenset({"model", "messages", "tools", "tool_choice", "functions", "function_call", "extra_body"})
_ANTHROPIC_ONLY = frozenset({"top_k", "thinking", "stop_sequences"})
_AUDIO_FORMATS = {"audio/wav": "wav", "audio/x-wav": "wav", "audio/mp3": "mp3", "audio/mpeg": "mp3"}


def openai_arguments(prompt: PromptFile, variables: Mapping[str, object], *, strict: bool = True) -> Json:
    """Keyword arguments for ``openai.chat.completions.create(**arguments)``.

    ``model``, ``messages``, tools and formats of the prompt, and its parameters as they are written; those that are no
    keywords of the SDK go into ``extra_body``, as servers that speak this API want their own. Role ``model`` becomes
    ``assistant``, thinking parts are left out, media become image_url, input_audio or file parts. A completion prompt
    becomes one user message. What the prompt does not name (the model, say) is left out. Raises MissingVariable and
    TemplateError, the latter also for what this API cannot say.
    """
    messages = [
        _message(message, f"messages[{index}]")
        for index, message in enumerate(rendered_messages(prompt, variables, strict))
    ]
    named = given(
        model=prompt.model.name if prompt.model else None,
        messages=messages,
        tools=[{"type": "function", "function": _function(function)} for function in functions_of(prompt)] or None,
        tool_choice=_tool_choice(prompt),
        functions=[_function(function) for function in prompt.functions] if prompt.functions else None,
        function_call=_function_choice(prompt),
        response_format=_response_format(prompt),
    )
    return {**_parameters(prompt), **named}


def _parameters(prompt: PromptFile) -> Json:
    written = parameters_of(prompt)
    foreign = _ANTHROPIC_ONLY if prompt.model and prompt.model.provider == "anthropic" else frozenset()
    kept = {name: value for name, value in written.items() if name not in _NOT_PARAMETERS | foreign}
    stops = written.get("stop_sequences")
    mapped = {"stop": stops, **kept} if foreign and stops else kept
    return split_keywords(mapped, _KEYWORDS, _RESERVED, extra_body_of(prompt))


def _function(function: Function) -> Json:
    return given(
        name=function.name,
        description=function.description,
        parameters=deepcopy(function.parameters),
        strict=function.strict,
    )


def _tool_choice(prompt: PromptFile) -> Any:
    if isinstance(prompt.tool_choice, dict) and prompt.tool_choice.get("type") == "allowed_tools":
        return deepcopy(prompt.tool_choice)
    choice = choice_of(prompt)
    if choice is None or choice.name is None:
        return choice and choice.mode
    return {"type": "function", "function": {"name": choice.name}}


def _function_choice(prompt: PromptFile) -> Any:
    choice = prompt.function_call
    return {"name": choice.name} if isinstance(choice, FunctionName) else choice


def _response_format(prompt: PromptFile) -> Any:
    form = prompt.response_format
    return {"type": form} if isinstance(form, str) else deepcopy(form)


def _message(message: Json, place: str) -> Json:
    more = given(**{key: message.get(key) for key in _MESSAGE_KEYS})
    content = message.get("content")
    if content is not None and not isinstance(content, str):
        content = [said for where, part in content_parts(message, place) for said in _part(part, where)]
    return {"role": _ROLES.get(message["role"], message["role"]), "content": content or _empty(content), **more}


def _empty(content: Any) -> str | None:
    return None if content is None else ""


def _part(part: Json, place: str) -> list[Json]:
    kind = part.get("type")
    if kind == "thinking":
        return []
    if kind == "text":
        return [{"type": "text", "text": part["text"]}]
    if kind in {"image_url", "file"}:
        return [{"type": kind, kind: part[kind]}]
    if kind == "media":
        return [_medium(part["media"], place)]
    if kind in _OPENAI_PARTS:
        return [part]
    raise cannot(place, f"OpenAI's chat API has no part of type {kind!r}", "leave the part out of this prompt")


def _medium(media: Json, place: str) -> Json:
    source = media_source(media)
    if source.kind == "image":
        return {"type": "image_url", "image_url": {"url": source.any_url}}
    if not source.data:
        hint = "inline it as a base64 data URL"
        raise cannot(place, f"OpenAI's chat API takes no URL of {source.media_type}", hint)
    if source.media_type in _AUDIO_FORMATS:
        return {
            "type": "input_audio",
            "input_audio": {"data": source.data, "format": _AUDIO_FORMATS[source.media_type]},
        }
    return {"type": "file", "file": {"file_data": source.any_url, "filename": media.get("title") or "file"}}
