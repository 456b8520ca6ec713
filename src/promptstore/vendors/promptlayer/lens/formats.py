"""Where the formats of the prompt file meet those of PromptLayer, which knows f-string and jinja2 only."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from promptstore.errors import NotRepresentable
from promptstore.vendors.promptlayer.lens.normal import NATIVE_FORMATS

Data = dict[str, Any]
"""A part of a prompt file as plain JSON data."""

_MARK = re.compile(r"\{[^{}]*\}|[{}]")


def native(block: Data, level: str, at: str) -> Data:
    """A message (or a completion) in a format that PromptLayer has, written out in ``template_format``.

    ``level`` is the format of a block that names none. A text without braces is the same in every format; it goes as an
    f-string, since jinja2 drops a final newline. Raises NotRepresentable for anything else in a foreign format.
    """
    fmt = block.get("template_format") or level
    if fmt in NATIVE_FORMATS:
        return {**block, "template_format": fmt}
    _refuse_marks(block, fmt, at)
    return {**block, "template_format": "f-string"}


def _refuse_marks(block: Data, fmt: str, at: str) -> None:
    for text in _templated(block.get("content")):
        mark = _MARK.search(text)
        if mark:
            raise NotRepresentable(
                f"PromptLayer has no template format {fmt!r}, and the text holds {_shown(text[mark.start() :])!r}",
                field=f"{at}content",
                hint="write the text as an f-string or jinja2 template",
            )


def _shown(text: str) -> str:
    line = text.split("\n", 1)[0]
    return line if len(line) <= 40 else line[:37] + "..."


def _templated(content: Any) -> Iterator[str]:
    """Every text that some vendor fills variables into."""
    if isinstance(content, str):
        yield content
        return
    for part in content or ():
        inner = part.get("image_url") or part.get("media") or {}
        yield from (text for text in (part.get("text"), inner.get("url")) if text)
