"""Template formats of vendors that keep one for a whole prompt, both ways. Pure.

A text in which no format sees a construct goes as it is. Everything else is translated where that keeps its meaning.
For vendors that keep a format for each message see ``block_formats``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from promptstore.errors import NotRepresentable
from promptstore.model.templates.translation.respelling import carried
from promptstore.model.templates.translation.tree import Untranslatable
from promptstore.vendors.block_formats import FILE_FORMAT
from promptstore.vendors.values import Data

if TYPE_CHECKING:
    from promptstore.model.parts import TemplateFormat

Change = Callable[[str, str, str], str]
"""``(text, its format, its place) -> text``, or with the target format in the last place."""

MapTexts = Callable[[Data, str, str, Change], Data]
"""``(block, its format, its place, change) -> block``: a copy with every text that the vendor fills variables into."""

_MARK = re.compile(r"\{[{%#]")
_BRACE = re.compile(r"[{}]")


def _translate(text: str, source: str, target: str) -> str:
    return carried(text, cast("TemplateFormat", source), cast("TemplateFormat", target))


def level_of(data: Data) -> str:
    """The format of the messages of a prompt file that name none."""
    return data.get("template_format") or FILE_FORMAT


@dataclass(frozen=True, slots=True)
class PromptFormats:
    """The formats of a vendor that has one for a whole prompt. A block is a message, or a completion."""

    title: str
    """The vendor's name in texts for people."""
    natives: tuple[str, ...]
    """The formats that the vendor has."""
    candidates: tuple[str, ...]
    """Where the file's own formats do not serve, these are tried in this order; the last is the richest."""
    map_texts: MapTexts
    translation: Change = _translate
    """``(text, source format, target format) -> text``; raises Untranslatable."""

    def target_of(self, data: Data) -> str:
        """The one format in which the whole prompt goes out.

        Of those that can say everything the first: the prompt's own, its messages' own, the candidates.
        """
        level, blocks = level_of(data), list(_blocks(data))
        marked = [_format(block, level) for block, _ in blocks if self._is_marked(block, level)]
        natives = [fmt for fmt in ([level] if not marked else [*dict.fromkeys(marked)]) if fmt in self.natives]
        for target in dict.fromkeys([*natives, *self.candidates]):
            if self._all_say(blocks, level, target):
                return target
        return natives[0] if natives else self.candidates[-1]

    def _all_say(self, blocks: list[tuple[Data, str]], level: str, target: str) -> bool:
        try:
            for block, at in blocks:
                self.converted(block, level, target, at)
        except NotRepresentable:
            return False
        return True

    def _is_marked(self, block: Data, level: str) -> bool:
        found: list[bool] = []

        def look(text: str, source: str, _: str) -> str:
            found.append(_has_marks(text, source))
            return text

        self.map_texts(block, _format(block, level), "", look)
        return any(found)

    def converted(self, block: Data, level: str, target: str, at: str) -> Data:
        """A block with its texts in the format ``target``; its ``template_format`` stays. Raises NotRepresentable.

        ``level`` is the format of a block that names none.
        """

        def change(text: str, source: str, place: str) -> str:
            return self._text(text, source, target, place)

        return self.map_texts(block, _format(block, level), at, change)

    def _text(self, text: str, source: str, target: str, place: str) -> str:
        if source == target or not (_has_marks(text, source) or _has_marks(text, target)):
            return text
        try:
            return self.translation(text, source, target)
        except Untranslatable as problem:
            hint = problem.hint or f"write the text as a {' or '.join(self.candidates)} template"
            message = f"no {target} text for {self.title}: {problem.message}"
            raise NotRepresentable(message, field=place, hint=hint) from problem

    def as_written(self, fresh: Data, old: Data, level: str, target: str, still: Callable[[Data], bool]) -> Data:
        """A lifted block in the format that its old state has in the file, where it comes back from there the same.

        ``fresh`` is in the format ``target``; ``still`` tells whether a block goes out as the vendor has it.
        """
        own_format = {"template_format": old["template_format"]} if old.get("template_format") else {}
        wanted = own_format.get("template_format", level)
        if wanted == target:
            return fresh
        try:
            back = self.converted({**fresh, "template_format": target}, level, wanted, "")
        except NotRepresentable:
            return fresh
        del back["template_format"]
        back.update(own_format)
        return back if still(back) else fresh


def _blocks(data: Data) -> Iterator[tuple[Data, str]]:
    if data.get("messages") is None:
        yield data, ""
        return
    yield from ((message, f"messages[{place}].") for place, message in enumerate(data["messages"]))


def _format(block: Data, level: str) -> str:
    fmt: str = block.get("template_format") or level
    return fmt


def _has_marks(text: str, fmt: str) -> bool:
    """Whether a text holds what the format takes for a construct, or might."""
    return bool((_BRACE if fmt == "f-string" else _MARK).search(text))
