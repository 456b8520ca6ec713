"""A prompt with its variables filled in: neutral messages, or for a completion prompt the text.

Filled in are texts, the URLs of images and media, file fields, and the arguments of tool calls (save in f-string
messages: JSON is full of braces). A placeholder message gives way to the messages of its variable, an image or media
variable to its images or media.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Protocol

from promptstore.errors import PromptStoreError, TemplateError
from promptstore.model.parts import (
    Content,
    FilePart,
    ImagePart,
    MediaPart,
    MediaVariablePart,
    Part,
    TemplateFormat,
    TextPart,
    ThinkingPart,
)
from promptstore.model.prompt_file import Message, PromptFile
from promptstore.model.templates import render_text, variables_in
from promptstore.model.templates.faults import MissingVariables
from promptstore.model.tools import FunctionCall, ToolCall

Json = dict[str, Any]


def render(prompt: PromptFile, variables: Mapping[str, object], *, strict: bool = True) -> list[Json] | str:
    """The messages as plain dicts (role, content, name, tool calls), or the text of a completion prompt.

    Content is a text or a list of parts, as in the prompt; a completion of parts is a list of parts. Raises
    MissingVariable with every missing name and its place, and TemplateError. Not strict never raises: what is missing
    is empty or left out, what cannot be rendered stays as written. The result shares nothing with the
    prompt and may be changed.
    """
    filling = _Filling(variables, strict)
    rendered: list[Json] | str = walk_prompt(prompt, filling)
    filling.raise_missing()
    return rendered


def variables(prompt: PromptFile) -> tuple[str, ...]:
    """All names that ``render`` wants, placeholders and media among them, in the order of their first appearance.

    Raises TemplateError where a template cannot be read.
    """
    collecting = _Collecting()
    walk_prompt(prompt, collecting)
    return tuple(collecting.names)


def given(**fields: Any) -> Json:
    """Those of the fields that are not None."""
    return {name: value for name, value in fields.items() if value is not None}


class Pass(Protocol):
    """What a walk over the prompt does with each template and each variable that stands for whole values."""

    def text(self, template: str, fmt: TemplateFormat, place: str) -> str: ...

    def items(self, name: str, place: str) -> list[object] | None: ...

    def refuse(self, message: str, place: str, hint: str) -> None: ...


@dataclass(slots=True)
class _Filling:
    variables: Mapping[str, object]
    strict: bool
    missing: dict[str, str] = field(default_factory=dict)

    def text(self, template: str, fmt: TemplateFormat, place: str) -> str:
        try:
            return render_text(template, fmt, self.variables, strict=self.strict)
        except MissingVariables as fault:
            self._miss(fault.names, place)
            return ""
        except TemplateError as fault:
            raise _placed(fault, place) from fault

    def items(self, name: str, place: str) -> list[object] | None:
        value = self.variables.get(name)
        if value is None:
            self._miss((name,) if name not in self.variables else (), place)
            return None
        return list(value) if isinstance(value, list | tuple) else [value]

    def refuse(self, message: str, place: str, hint: str) -> None:
        if self.strict:
            raise TemplateError(f"{place}: {message}", hint=hint)

    def raise_missing(self) -> None:
        if self.missing and self.strict:
            raise MissingVariables(self.missing.keys(), self.missing.values())

    def _miss(self, names: tuple[str, ...], place: str) -> None:
        for name in names:
            self.missing.setdefault(name, place)


@dataclass(slots=True)
class _Collecting:
    names: dict[str, None] = field(default_factory=dict)

    def text(self, template: str, fmt: TemplateFormat, place: str) -> str:
        try:
            self.names |= dict.fromkeys(variables_in(template, fmt))
        except TemplateError as fault:
            raise _placed(fault, place) from fault
        return template

    def items(self, name: str, place: str) -> list[object] | None:  # noqa: ARG002 - the passes' one shape
        self.names[name] = None
        return None

    def refuse(self, message: str, place: str, hint: str) -> None:
        """Nothing was given, so nothing is wrong with it."""


def _placed(fault: PromptStoreError, place: str) -> TemplateError:
    return TemplateError(f"{place}: {fault.message}", hint=fault.hint)


def walk_prompt(prompt: PromptFile, walk: Pass) -> Any:
    if prompt.messages is None:
        return _content(prompt.content, prompt.format, walk, "content")
    messages: list[Json] = []
    for index, message in enumerate(prompt.messages):
        messages += _messages(message, message.template_format or prompt.format, walk, f"messages[{index}]")
    return messages


def _messages(message: Message, fmt: TemplateFormat, walk: Pass, place: str) -> list[Json]:
    if message.role == "placeholder":
        return _placeholder(message.name or "", walk, place)
    content = _content(message.content, fmt, walk, f"{place}.content")
    more = given(
        name=message.name,
        tool_call_id=message.tool_call_id,
        tool_calls=_tool_calls(message.tool_calls, fmt, walk, f"{place}.tool_calls"),
        function_call=_function_call(message.function_call, fmt, walk, f"{place}.function_call"),
        reasoning=None if message.reasoning is None else deepcopy(list(message.reasoning)),
        reasoning_signature=message.reasoning_signature,
    )
    return [{"role": message.role, "content": content, **more}]


def _placeholder(name: str, walk: Pass, place: str) -> list[Json]:
    messages = [
        dict(item) if isinstance(item, Mapping) and isinstance(item.get("role"), str) else None
        for item in walk.items(name, place) or ()
    ]
    if None in messages:
        hint = 'give a list like [{"role": "user", "content": "..."}]; on the command line with --vars FILE'
        walk.refuse(f"variable {name!r} is not a list of messages", place, hint)
    return [message for message in messages if message is not None]


def _tool_calls(calls: tuple[ToolCall, ...] | None, fmt: TemplateFormat, walk: Pass, place: str) -> list[Json] | None:
    if calls is None:
        return None
    return [
        {"id": call.id, "type": call.type, "function": _function_call(call.function, fmt, walk, f"{at}.function")}
        for at, call in ((f"{place}[{index}]", call) for index, call in enumerate(calls))
    ]


def _function_call(call: FunctionCall | None, fmt: TemplateFormat, walk: Pass, place: str) -> Json | None:
    if call is None:
        return None
    literal = fmt == "f-string"
    arguments = call.arguments if literal else walk.text(call.arguments, fmt, f"{place}.arguments")
    return {"name": call.name, "arguments": arguments}


def _content(content: Content | None, fmt: TemplateFormat, walk: Pass, place: str) -> Any:
    if content is None or isinstance(content, str):
        return content if content is None else walk.text(content, fmt, place)
    parts: list[Json] = []
    for index, part in enumerate(content):
        parts += _parts(part, fmt, walk, f"{place}[{index}]")
    return parts


def _parts(part: Part, fmt: TemplateFormat, walk: Pass, place: str) -> list[Json]:
    if isinstance(part, TextPart):
        text = walk.text(part.text, fmt, f"{place}.text")
        return [{"type": "text", "text": text, **given(cache_control=deepcopy(part.cache_control))}]
    if isinstance(part, ThinkingPart):
        return [{"type": "thinking", "thinking": part.thinking, **given(signature=part.signature)}]
    if isinstance(part, ImagePart):
        return _images(part, fmt, walk, place)
    if isinstance(part, MediaVariablePart):
        return _values(part.name, {"type": "media", "media": {}}, walk, place) or []
    if isinstance(part, MediaPart | FilePart):
        return [_medium(part, fmt, walk, place)]
    payload = {name: value for said in part.vendors.values() for name, value in said.items()}
    return [{**deepcopy(payload), "type": part.type}]


def _images(part: ImagePart, fmt: TemplateFormat, walk: Pass, place: str) -> list[Json]:
    shape: Json = {"type": "image_url", "image_url": given(detail=part.image_url.detail)}
    if part.image_variable is not None:
        images = _values(part.image_variable, shape, walk, place)
        if images is not None or not part.image_url.url:
            return images or []
    url = _url(part.image_url.url, fmt, walk, f"{place}.image_url.url")
    return [{**shape, "image_url": {"url": url, **shape["image_url"]}}]


def _medium(part: MediaPart | FilePart, fmt: TemplateFormat, walk: Pass, place: str) -> Json:
    if isinstance(part, MediaPart):
        media = part.media
        url = _url(media.url, fmt, walk, f"{place}.media.url")
        return {
            "type": "media",
            "media": {"url": url, **given(title=media.title, type=media.type, format=media.format)},
        }
    named = given(file_data=part.file.file_data, filename=part.file.filename, file_id=part.file.file_id)
    return {"type": "file", "file": {key: _url(text, fmt, walk, f"{place}.file.{key}") for key, text in named.items()}}


def _url(template: str, fmt: TemplateFormat, walk: Pass, place: str) -> str:
    # Inlined data is long, and base64 has no braces.
    return template if template.startswith("data:") else walk.text(template, fmt, place)


def _values(name: str, shape: Json, walk: Pass, place: str) -> list[Json] | None:
    items = walk.items(name, place)
    if items is None:
        return None
    parts = [_value(item, shape) for item in items]
    if None in parts:
        hint = "give a URL, a data URL, a map with 'url', a content part, or a list of these"
        walk.refuse(f"variable {name!r} holds what is neither an image nor media", place, hint)
    return [part for part in parts if part is not None]


def _value(item: object, shape: Json) -> Json | None:
    kind = shape["type"]
    if isinstance(item, str):
        return {"type": kind, kind: {"url": item, **shape[kind]}}
    if isinstance(item, Mapping) and isinstance(item.get("url"), str):
        return {"type": kind, kind: {**shape[kind], **item}}
    return dict(item) if isinstance(item, Mapping) and isinstance(item.get("type"), str) else None
