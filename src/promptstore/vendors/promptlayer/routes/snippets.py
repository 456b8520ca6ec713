"""Snippets: ``@@@name@@@`` in a text stands for the text of another prompt, a completion; filled in when read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from promptstore.vendors.values import Wire

_TAG = re.compile(r"@@@(.+?)(?:@(version_number|label):(.+?))?@@@")
_DEEPEST = 10

Find = Callable[[str, str | None, str | None], Wire | None]
"""``(name, "version_number" | "label" | None, which) -> template``; None where there is no such snippet."""


@dataclass
class Snippets:
    """Fills one template, and remembers what it used and what was missing."""

    find: Find
    used: dict[tuple[str, str | None, str | None], None] = field(default_factory=dict)
    missing: dict[str, None] = field(default_factory=dict)

    def filled(self, template: Wire) -> Wire:
        """The template with every snippet in place; one that is missing stays as it is written."""
        return _texts_mapped(template, lambda text: self._text(text, 0))

    def _text(self, text: str, depth: int) -> str:
        return _TAG.sub(lambda found: self._replacement(found, depth), text)

    def _replacement(self, found: re.Match[str], depth: int) -> str:
        name, kind, which = found[1], found[2], found[3]
        template = self.find(name, kind, which) if depth < _DEEPEST else None
        if template is None:
            self.missing.setdefault(name)
            return found[0]
        self.used.setdefault((name, kind, which))
        return "".join(self._text(text, depth + 1) for text in texts_of(template))


def texts_of(template: Mapping[str, Any]) -> Iterator[str]:
    """Every text part of a template."""
    found: list[str] = []
    _texts_mapped(template, lambda text: found.append(text) or text)  # type: ignore[func-returns-value]
    yield from found


def _texts_mapped(template: Mapping[str, Any], change: Callable[[str], str]) -> Wire:
    """A copy of a template with each text part changed."""
    if template.get("type") == "chat":
        return {**template, "messages": [_block(message, change) for message in template.get("messages", [])]}
    return _block(template, change)


def _block(block: Mapping[str, Any], change: Callable[[str], str]) -> Wire:
    content = block.get("content")
    if not isinstance(content, list):
        return dict(block)
    return {**block, "content": [_part(part, change) for part in content]}


def _part(part: Any, change: Callable[[str], str]) -> Any:
    if isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text"), str):
        return {**part, "text": change(part["text"])}
    return part
