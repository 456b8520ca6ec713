"""Where the formats of the prompt file meet those of Braintrust, which has one for a whole prompt."""

from __future__ import annotations

from typing import Any

from promptstore.vendors.braintrust.lens.normal import DEFAULT_FORMAT, NAMESPACE, NATIVE_FORMATS
from promptstore.vendors.prompt_formats import Change, PromptFormats
from promptstore.vendors.values import Data


def pinned(data: Data) -> str | None:
    """The format that the file wants at Braintrust, whatever its texts are written in."""
    inner = NAMESPACE.own(data).get("prompt_data")
    wanted = inner.get("template_format") if isinstance(inner, dict) else None
    return wanted if wanted in NATIVE_FORMATS else None


def _mapped(block: Data, fmt: str, at: str, change: Change) -> Data:
    """A copy of a block with every text that Braintrust's SDKs fill variables into."""
    mapped = dict(block)
    content = block.get("content")
    if isinstance(content, str):
        mapped["content"] = change(content, fmt, f"{at}content")
    elif content is not None:
        mapped["content"] = [_part(part, fmt, f"{at}content[{n}]", change) for n, part in enumerate(content)]
    if block.get("tool_calls"):
        # In an f-string message the arguments, JSON full of braces, are no template.
        source = "none" if fmt == "f-string" else fmt
        mapped["tool_calls"] = [
            _inner(call, "function", ("arguments",), source, f"{at}tool_calls[{n}]", change)
            for n, call in enumerate(block["tool_calls"])
        ]
    return mapped


def _part(part: Data, fmt: str, at: str, change: Change) -> Data:
    if isinstance(part.get("text"), str):
        return {**part, "text": change(part["text"], fmt, f"{at}.text")}
    for key, fields in (("image_url", ("url",)), ("file", ("file_data", "filename", "file_id"))):
        if isinstance(part.get(key), dict):
            return _inner(part, key, fields, fmt, at, change)
    return part


def _inner(outer: Data, key: str, fields: tuple[str, ...], fmt: str, at: str, change: Change) -> Data:
    inner: dict[str, Any] = outer[key]
    texts = {
        field: change(inner[field], fmt, f"{at}.{key}.{field}") for field in fields if isinstance(inner.get(field), str)
    }
    return {**outer, key: {**inner, **texts}}


FORMATS = PromptFormats(NAMESPACE.title, NATIVE_FORMATS, (DEFAULT_FORMAT, "nunjucks"), _mapped)
