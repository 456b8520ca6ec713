"""Translation that keeps a template's own spelling where only the braces of its variables differ.

``{{x}}`` in jinja2 and ``{{{x}}}`` in mustache mean the same, spaces within the braces or none, and so does what stands
around them. Kept to the byte, a text comes back as it was, however many vendors it went through. Its final newline and
the line ends of Windows, which jinja2 alone does not render, stay, too: a prompt says the same either way.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from promptstore.model.templates.translate import translate
from promptstore.model.templates.translation.tree import Untranslatable

if TYPE_CHECKING:
    from promptstore.model.parts import TemplateFormat

_NAME = r"(?P<inside>[ \t]*[A-Za-z_][A-Za-z0-9_]*[ \t]*)"
_DOUBLE = re.compile(rf"(?<!\{{)\{{\{{{_NAME}\}}\}}(?!\}})")
_TRIPLE = re.compile(rf"(?<!\{{)\{{\{{\{{{_NAME}\}}\}}\}}(?!\}})")
_DOUBLED = frozenset({"jinja2", "nunjucks"})


def respelled(text: str, source: TemplateFormat, target: TemplateFormat) -> str | None:
    """``text`` in the format ``target`` with nothing changed but the braces of its variables; None where that would
    not mean the same."""
    candidate = _braces(text, source, target)
    if candidate is None:
        return None
    try:
        kept = _canonical(_unix(candidate), target, source)
        same = kept == _canonical(translate(_unix(text), source, target), target, source)
    except Untranslatable:
        return None
    return candidate if same else None


def carried(text: str, source: TemplateFormat, target: TemplateFormat) -> str:
    """``text`` in the format ``target``, in its own spelling where that can be kept. Raises Untranslatable."""
    kept = respelled(text, source, target)
    return translate(text, source, target) if kept is None else kept


def _braces(text: str, source: str, target: str) -> str | None:
    if source in _DOUBLED and target in _DOUBLED:
        return text
    if source in _DOUBLED and target == "mustache":
        return _DOUBLE.sub(r"{{{\g<inside>}}}", text)
    if source == "mustache" and target in _DOUBLED:
        return _TRIPLE.sub(r"{{\g<inside>}}", text)
    return None


def _canonical(text: str, fmt: TemplateFormat, other: TemplateFormat) -> str:
    return translate(text, fmt, other).rstrip("\n")


def _unix(text: str) -> str:
    return text.replace("\r\n", "\n")
