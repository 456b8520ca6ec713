"""Prompts to try a vendor with: plain ones, and texts that get damaged where something on the way is careless."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from promptstore.model.prompt_file import PromptFile

if TYPE_CHECKING:
    from promptstore.vendors.base import Capabilities

_PREFERRED = ("jinja2", "mustache", "nunjucks", "none", "f-string")

TEXTS: Mapping[str, str] = {
    "unicode": "Grüße, 世界! ¿Qué? \N{ROCKET}\N{FAMILY} e\N{COMBINING ACUTE ACCENT} \N{RIGHT-TO-LEFT MARK}שלום",
    "crlf": "first line\r\nsecond line\r\n\r\nlast line\r\n",
    "spaces": "  indented  \n\ttab\t\n \ntrailing   \n\n",
    "final-newline": "one line and its end\n",
    "json": 'Answer like {"a": [1, 2.0, null, true], "b": "say \\"yes\\" \\\\ no"} and nothing else.',
    "markup": "<b>bold</b> & <!-- no --> &amp; # heading\n---\nkey: value\n'quotes' \"too\" $HOME `id` %s %(x)s",
    "variable": "Dear {{ customer }},\nyour order {{ number }} is on its way.",
}
"""Texts by name, in the two-brace way of writing variables."""

BIG = 200_000
"""Characters of the big text."""


def prompt(capabilities: Capabilities, text: str, **more: Any) -> PromptFile:
    """A chat prompt of one user message, in a template format that the vendor stores."""
    fmt = next(name for name in (*_PREFERRED, *capabilities.formats) if name in capabilities.formats)
    return PromptFile.model_validate({"template_format": fmt, "messages": [{"role": "user", "content": text}], **more})


def big() -> str:
    """A text of ``BIG`` characters in lines of different lengths, so that a cut shows wherever it falls."""
    lines: list[str] = []
    size = 0
    while size < BIG:
        lines.append(f"{len(lines)}: " + "the quick brown fox " * (len(lines) % 7 + 1))
        size += len(lines[-1]) + 1
    return "\n".join(lines)
