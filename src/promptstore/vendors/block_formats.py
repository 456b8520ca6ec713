"""Template formats of vendors that keep one for each message, both ways. Pure.

For vendors that keep one for a whole prompt see ``prompt_formats``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from promptstore.errors import NotRepresentable
from promptstore.model.templates.translation.respelling import carried, respelled
from promptstore.model.templates.translation.tree import Untranslatable
from promptstore.vendors.values import Data

FILE_FORMAT = "jinja2"
"""The format of a prompt file that names none."""

_MARK = re.compile(r"\{[^{}]*\}|[{}]")
_BRACE = re.compile(r"[{}]")
_TAG = re.compile(r"\{[{%#]")
_LITERAL_BRACE = re.compile(r"\{\{|\}\}")


@dataclass(frozen=True, slots=True)
class BlockFormats:
    """The formats of a vendor that has f-strings and one richer format, for each block (a message, a completion)."""

    title: str
    """The vendor's name in texts for people."""
    natives: tuple[str, ...] = ("f-string", "jinja2")
    """The formats that go out as they are."""
    rich: str = "jinja2"
    """Takes what is more than plain variables, and literal braces (which clients may leave doubled in f-strings)."""

    def native(self, block: Data, level: str, at: str) -> Data:
        """A block in a format that the vendor has, written out in ``template_format``.

        ``level`` is the format of a block that names none, ``at`` the block's place. Any other format is translated:
        to the richer one where only the braces of its variables differ there, else to an f-string where that can say
        it without literal braces, else to the richer one. Raises NotRepresentable, naming construct and place, for
        what has no like in either.
        """
        fmt = block.get("template_format") or level
        if fmt in self.natives:
            return {**block, "template_format": fmt}
        self._refuse_marked_urls(block, fmt, at)
        try:
            return self._translated(block, fmt)
        except Untranslatable as problem:
            message = f"{self.title} has no template format {fmt!r}, and {problem.message}"
            raise NotRepresentable(message, field=f"{at}content", hint=problem.hint) from problem

    def _translated(self, block: Data, fmt: str) -> Data:
        if self._keeps_spelling(block, fmt):
            return _mapped(block, self.rich, lambda text: _text(text, fmt, self.rich))
        flat = _in_format(block, fmt, "f-string")
        if flat is not None and not any(map(_LITERAL_BRACE.search, _texts(flat.get("content")))):
            return flat
        try:
            return _mapped(block, self.rich, lambda text: _text(text, fmt, self.rich))
        except Untranslatable:
            if flat is None:
                raise
            return flat  # names that only f-strings can hold

    def _keeps_spelling(self, block: Data, fmt: Any) -> bool:
        marked = [text for text in _texts(block.get("content")) if _TAG.search(text)]
        return bool(marked) and all(respelled(text, fmt, self.rich) is not None for text in marked)  # type: ignore[arg-type]

    def foreign(self, block: Data, old: Data, level: str) -> Data | None:
        """A block of the vendor's in the format that its old state has in the file; None where that is no translation.

        Texts that still say what one of the old texts says stay as they were written.
        """
        fmt = old.get("template_format") or level
        if fmt in self.natives:
            return None
        source = block["template_format"]
        known = dict(_spellings(old, fmt, source))
        try:
            there = _mapped(block, fmt, lambda text: known[text] if text in known else _text(text, source, fmt))
        except Untranslatable:
            return None
        return there if old.get("template_format") else {key: there[key] for key in there if key != "template_format"}

    def _refuse_marked_urls(self, block: Data, fmt: str, at: str) -> None:
        """Such a vendor fills no variables into URLs, others do."""
        content = block.get("content")
        for part in content if isinstance(content, list) else ():
            url = (part.get("image_url") or part.get("media") or {}).get("url") or ""
            mark = _MARK.search(url)
            if mark:
                where = f"{_shown(mark[0])} at column {mark.start() + 1} of its URL"
                raise NotRepresentable(
                    f"{self.title} fills no variables into URLs, and the format is {fmt!r} with {where}",
                    field=f"{at}content",
                    hint="write the URL without braces, or use an image variable",
                )


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
    """A text in which neither format sees a construct goes as it is: with its final newline and its line ends, too,
    which jinja2 alone does not render."""
    marks = _BRACE if "f-string" in {source, target} else _TAG
    return carried(text, source, target) if marks.search(text) else text


def _mapped(block: Data, fmt: str, change: Callable[[str], str]) -> Data:
    content = block.get("content")
    if isinstance(content, str):
        return {**block, "template_format": fmt, "content": change(content)}
    if not content:
        return {**block, "template_format": fmt}
    parts = [{**part, "text": change(part["text"])} if _has_text(part) else part for part in content]
    return {**block, "template_format": fmt, "content": parts}


def _texts(content: Any) -> Iterator[str]:
    """Every text that variables are filled into."""
    if isinstance(content, str):
        yield content
        return
    yield from (part["text"] for part in content or () if _has_text(part))


def _has_text(part: Data) -> bool:
    return part.get("type") == "text" and isinstance(part.get("text"), str)


def _shown(text: str) -> str:
    line = text.split("\n", 1)[0]
    return line if len(line) <= 40 else line[:37] + "..."
