"""What both chat APIs need of a prompt: its rendered messages, its choice of tool, and where its media are."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from promptstore.errors import TemplateError
from promptstore.model.prompt_file import PromptFile
from promptstore.model.rendering import Json, render
from promptstore.model.tools import Function, FunctionTool

_MEDIA_TYPES = {
    "gif": "image/gif",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "mp3": "audio/mp3",
    "pdf": "application/pdf",
    "png": "image/png",
    "txt": "text/plain",
    "wav": "audio/wav",
    "webp": "image/webp",
}


def cannot(place: str, message: str, hint: str) -> TemplateError:
    """The error for what one API has no way to say."""
    return TemplateError(f"{place}: {message}", hint=hint)


def rendered_messages(prompt: PromptFile, variables: Mapping[str, object], strict: bool) -> list[Json]:
    """The rendered messages; a completion prompt is one user message."""
    rendered = render(prompt, variables, strict=strict)
    return [{"role": "user", "content": rendered}] if prompt.messages is None else list(rendered)  # type: ignore[arg-type]


def content_parts(message: Json, place: str) -> list[tuple[str, Json]]:
    """The content as parts, each with its place; a text is one text part."""
    content = message.get("content")
    if content is None:
        return []
    if isinstance(content, str):
        return [(f"{place}.content", {"type": "text", "text": content})]
    if not isinstance(content, list | tuple) or not all(_well_formed(part) for part in content):
        raise cannot(f"{place}.content", "is neither a text nor a list of parts", "correct the messages you passed in")
    return [(f"{place}.content[{index}]", dict(part)) for index, part in enumerate(content)]


def _well_formed(part: object) -> bool:
    # Messages given for a placeholder are the caller's own.
    if not isinstance(part, Mapping):
        return False
    kind = part.get("type")
    inner = part.get(kind) if isinstance(kind, str) else None
    if kind in {"text", "thinking"}:
        return isinstance(inner, str)
    if kind in {"image_url", "media"}:
        return isinstance(inner, Mapping) and isinstance(inner.get("url"), str)
    return kind != "file" or isinstance(inner, Mapping)


def parameters_of(prompt: PromptFile) -> Json:
    """The model's parameters; a copy."""
    return deepcopy(dict(prompt.model.parameters or {})) if prompt.model else {}


def extra_body_of(prompt: PromptFile) -> Json:
    """What the prompt's own parameters put into ``extra_body``; a copy."""
    body = parameters_of(prompt).get("extra_body")
    return dict(body) if isinstance(body, Mapping) else {}


def split_keywords(parameters: Json, keywords: frozenset[str], reserved: frozenset[str], body: Json) -> Json:
    """The parameters as keyword arguments of an SDK: those it may not know as keywords go into ``extra_body``."""
    known = {name: value for name, value in parameters.items() if name in keywords}
    other = {name: value for name, value in parameters.items() if name not in keywords | reserved}
    extra = {**other, **body}
    return {**known, "extra_body": extra} if extra else known


def functions_of(prompt: PromptFile) -> list[Function]:
    """The functions the model may call, from ``tools``. Raises TemplateError for a tool that only one vendor has."""
    for index, tool in enumerate(prompt.tools):
        if not isinstance(tool, FunctionTool):
            hint = "give the call its own tools, or make it a JSON Schema function"
            raise cannot(f"tools[{index}]", f"a tool of type {tool.type!r} is known to one vendor only", hint)
    return [tool.function for tool in prompt.tools if isinstance(tool, FunctionTool)]


@dataclass(frozen=True, slots=True)
class Choice:
    """Which tool is to be called: ``mode`` is auto, none, required, or function with its ``name``."""

    mode: str
    name: str | None = None


_MODES = {"auto": "auto", "none": "none", "required": "required", "any": "required"}


def choice_of(prompt: PromptFile) -> Choice | None:
    """The prompt's tool_choice in whichever vendor's shape it is written; None where there is none."""
    choice = prompt.tool_choice
    if choice is None:
        return None
    found = _choice_by_word(choice, prompt) if isinstance(choice, str) else _choice_by_map(choice)
    if found is None:
        raise cannot("tool_choice", f"{choice!r} is not understood", "use auto, none, required or a tool's name")
    return found


def _choice_by_word(word: str, prompt: PromptFile) -> Choice | None:
    if word in _MODES:
        return Choice(_MODES[word])
    names = {tool.function.name for tool in prompt.tools if isinstance(tool, FunctionTool)}
    return Choice("function", word) if word in names else None


def _choice_by_map(choice: Mapping[str, Any]) -> Choice | None:
    kind = choice.get("type")
    function = choice.get("function")
    name = function.get("name") if isinstance(function, Mapping) else choice.get("name")
    if kind in {"function", "tool"} and isinstance(name, str):
        return Choice("function", name)
    return Choice(_MODES[kind]) if kind in _MODES else None


@dataclass(frozen=True, slots=True)
class Source:
    """Where a medium is: inlined as base64 ``data``, or at a ``url``. ``media_type`` is empty where unknown."""

    media_type: str
    url: str = ""
    data: str = ""

    @property
    def kind(self) -> str:
        """``image``, ``audio``, ``application`` ...; unknown media count as images, which they mostly are."""
        return self.media_type.partition("/")[0] or "image"

    @property
    def any_url(self) -> str:
        """The URL, or the data as a data URL."""
        return f"data:{self.media_type};base64,{self.data}" if self.data else self.url


def source_of(url: str, media_type: str | None = None, form: str | None = None) -> Source:
    """Read a URL, a data URL or (where ``form`` is ``base64``) bare base64."""
    head, comma, data = url.partition(",")
    if head.startswith("data:") and head.endswith(";base64") and comma:
        return Source(head.removeprefix("data:").partition(";")[0] or media_type or "", data=data)
    if form == "base64" and "://" not in url:
        return Source(media_type or "image/png", data=url)
    extension = url.partition("?")[0].rpartition(".")[2].lower()
    return Source(media_type or _MEDIA_TYPES.get(extension, ""), url=url)


def media_source(media: Mapping[str, Any]) -> Source:
    """The source of a ``media`` part's map."""
    return source_of(str(media.get("url", "")), media.get("type"), media.get("format"))
