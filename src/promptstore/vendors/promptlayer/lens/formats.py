"""Where the formats of the prompt file meet those of PromptLayer, which knows f-string and jinja2 only."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from promptstore.errors import NotRepresentable
from promptstore.model.templates.translate import Untranslatable, translate
from promptstore.vendors.promptlayer.lens.normal import NATIVE_FORMATS

Data = dict[str, Any]
"""A part of a prompt file as plain JSON data."""

_MARK = re.compile(r"\{[^{}]*\}|[{}]")
_LITERAL_BRACE = re.compile(r"\{\{|\}\}")


def native(block: Data, level: str, at: str) -> Data:
    """A message (or a completion) in a format that PromptLayer has, written out in ``template_format``.

    ``level`` is the format of a block that names none. Any other format is translated: to an f-string, or to jinja2
    where there are literal braces (which PromptLayer's JavaScript client leaves doubled in f-strings) or more than
    plain variables. Raises NotRepresentable, naming construct and place, for what has no like in either.
    """
    fmt = block.get("template_format") or level
    if fmt in NATIVE_FORMATS:
        return {**block, "template_format": fmt}
    _refuse_marked_urls(block, fmt, at)
    try:
        return _translated(block, fmt)
    except Untranslatable as problem:
        message = f"PromptLayer has no template format {fmt!r}, and {problem.message}"
        raise NotRepresentable(message, field=f"{at}content", hint=problem.hint) from problem


def _translated(block: Data, fmt: str) -> Data:
    flat = _in_format(block, fmt, "f-string")
    if flat is not None and not any(map(_LITERAL_BRACE.search, _texts(flat.get("content")))):
        return flat
    try:
        return _mapped(block, "jinja2", lambda text: _text(text, fmt, "jinja2"))
    except Untranslatable:
        if flat is None:
            raise
        return flat  # names that only f-strings can hold


def foreign(block: Data, old: Data, level: str) -> Data | None:
    """A block of PromptLayer's in the format that its old state has in the file; None where that is no translation.

    Texts that still say what one of the old texts says stay as they were written.
    """
    fmt = old.get("template_format") or level
    if fmt in NATIVE_FORMATS:
        return None
    source = block["template_format"]
    known = dict(_spellings(old, fmt, source))
    try:
        there = _mapped(block, fmt, lambda text: known[text] if text in known else _text(text, source, fmt))
    except Untranslatable:
        return None
    return there if old.get("template_format") else {key: there[key] for key in there if key != "template_format"}


def _spellings(old: Data, fmt: str, target: str) -> Iterator[tuple[str, str]]:
    for text in _texts(old.get("content")):
        try:
            yield _text(text, fmt, target), text
        except Untranslatable:
            continue


def _in_format(block: Data, fmt: str, target: str) -> Data | None:
    try:
        return _mapped(block, target, lambda text: _text(text, fmt, target))
    except Untranslatable:
        return None


def _text(text: str, source: Any, target: Any) -> str:
    return translate(text, source, target)


def _mapped(block: Data, fmt: str, change: Callable[[str], str]) -> Data:
    content = block.get("content")
    if isinstance(content, str):
        return {**block, "template_format": fmt, "content": change(content)}
    if not content:
        return {**block, "template_format": fmt}
    parts = [{**part, "text": change(part["text"])} if _has_text(part) else part for part in content]
    return {**block, "template_format": fmt, "content": parts}


def _texts(content: Any) -> Iterator[str]:
    """Every text that PromptLayer fills variables into."""
    if isinstance(content, str):
        yield content
        return
    yield from (part["text"] for part in content or () if _has_text(part))


def _has_text(part: Data) -> bool:
    return part.get("type") == "text" and isinstance(part.get("text"), str)


def _refuse_marked_urls(block: Data, fmt: str, at: str) -> None:
    """PromptLayer fills no variables into URLs, other vendors do."""
    content = block.get("content")
    for part in content if isinstance(content, list) else ():
        url = (part.get("image_url") or part.get("media") or {}).get("url") or ""
        mark = _MARK.search(url)
        if mark:
            where = f"{_shown(mark[0])} at column {mark.start() + 1} of its URL"
            raise NotRepresentable(
                f"PromptLayer fills no variables into URLs, and the format is {fmt!r} with {where}",
                field=f"{at}content",
                hint="write the URL without braces, or use an image variable",
            )


def _shown(text: str) -> str:
    line = text.split("\n", 1)[0]
    return line if len(line) <= 40 else line[:37] + "..."
