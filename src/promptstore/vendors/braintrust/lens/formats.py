"""Where the formats of the prompt file meet those of Braintrust: mustache, nunjucks and none, one for a whole prompt.

A text in which no format sees a construct goes as it is. Everything else is translated where that keeps its meaning.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, cast

from promptstore.errors import NotRepresentable
from promptstore.model.templates.translate import Untranslatable, translate
from promptstore.vendors.braintrust.lens.normal import DEFAULT_FORMAT, NATIVE_FORMATS
from promptstore.vendors.braintrust.lens.shapes import Data, own

if TYPE_CHECKING:
    from promptstore.model.parts import TemplateFormat

FILE_FORMAT = "jinja2"
"""The format of a prompt file that names none."""

_RICHEST = "nunjucks"

_MARK = re.compile(r"\{[{%#]")
_BRACE = re.compile(r"[{}]")


def level_of(data: Data) -> str:
    """The format of the messages that name none."""
    return data.get("template_format") or FILE_FORMAT


def pinned(data: Data) -> str | None:
    """The format that the file wants at Braintrust, whatever its texts are written in."""
    inner = own(data).get("prompt_data")
    wanted = inner.get("template_format") if isinstance(inner, dict) else None
    return wanted if wanted in NATIVE_FORMATS else None


def target_of(data: Data) -> str:
    """The one format in which the whole prompt goes to Braintrust.

    Of those that can say everything the first: the prompt's own, its messages' own, mustache, nunjucks.
    """
    wanted = pinned(data)
    if wanted is not None:
        return wanted
    level, blocks = level_of(data), list(_blocks(data))
    marked = [_format(block, level) for block, _ in blocks if _is_marked(block, level)]
    natives = [fmt for fmt in ([level] if not marked else [*dict.fromkeys(marked)]) if fmt in NATIVE_FORMATS]
    for target in dict.fromkeys([*natives, DEFAULT_FORMAT, _RICHEST]):
        if _all_say(blocks, level, target):
            return target
    return natives[0] if natives else _RICHEST


def _all_say(blocks: list[tuple[Data, str]], level: str, target: str) -> bool:
    try:
        for block, at in blocks:
            converted(block, level, target, at)
    except NotRepresentable:
        return False
    return True


def _blocks(data: Data) -> Iterator[tuple[Data, str]]:
    if data.get("messages") is None:
        yield data, ""
        return
    yield from ((message, f"messages[{place}].") for place, message in enumerate(data["messages"]))


def _format(block: Data, level: str) -> str:
    fmt: str = block.get("template_format") or level
    return fmt


def _is_marked(block: Data, level: str) -> bool:
    fmt = _format(block, level)
    found: list[bool] = []

    def look(text: str, source: str, _: str) -> str:
        found.append(_has_marks(text, source))
        return text

    _mapped(block, fmt, "", look)
    return any(found)


def _has_marks(text: str, source: str) -> bool:
    return bool((_BRACE if source == "f-string" else _MARK).search(text))


def converted(block: Data, level: str, target: str, at: str) -> Data:
    """A message (or a completion) with its texts in the format ``target``. Raises NotRepresentable."""
    return _mapped(block, _format(block, level), at, lambda text, source, place: _text(text, source, target, place))


def _text(text: str, source: str, target: str, place: str) -> str:
    if source == target or not _has_marks(text, source):
        return text
    return _translated(text, source, target, place)


def _translated(text: str, source: str, target: str, place: str) -> str:
    try:
        return translate(text, cast("TemplateFormat", source), cast("TemplateFormat", target))
    except Untranslatable as problem:
        raise _no_way(f"no {target} text for Braintrust: {problem.message}", place, problem.hint) from problem


def _no_way(message: str, place: str, hint: str) -> NotRepresentable:
    return NotRepresentable(message, field=place, hint=hint or "write the text as a mustache or nunjucks template")


Change = Callable[[str, str, str], str]
"""``(text, format, place) -> text``."""


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
