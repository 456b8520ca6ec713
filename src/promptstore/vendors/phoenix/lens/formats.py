"""Where the formats of the prompt file meet those of Phoenix, which has one for a whole prompt.

Its server fills in the whole of mustache, its Python client only ``{{ name }}`` and knows no ``{{{ name }}}``; neither
escapes HTML. So a text is only translated to what both read alike. A prompt that is written in mustache goes as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from promptstore.model.templates.translation.respelling import carried
from promptstore.model.templates.translation.tree import NOWHERE, Untranslatable
from promptstore.vendors.phoenix.lens.normal import FORMATS, NAMESPACE
from promptstore.vendors.prompt_formats import Change, PromptFormats
from promptstore.vendors.values import Data

if TYPE_CHECKING:
    from promptstore.model.parts import TemplateFormat

NATIVE: Mapping[str, str] = {theirs: ours for ours, theirs in FORMATS.items()}
"""Phoenix's template format -> the prompt file's."""

_RAW = re.compile(r"\{\{\{([^{}]*)\}\}\}")
_PLAIN = re.compile(r"\{\{[ \t]*\w+[ \t]*\}\}")
_ODD = re.compile(r"\{\{|\}\}|[{\\]\0")


def _translated(text: str, source: str, target: str) -> str:
    there = carried(text, cast("TemplateFormat", source), cast("TemplateFormat", target))
    return _read_alike(_RAW.sub(r"{{\1}}", there)) if target == "mustache" else there


def _read_alike(text: str) -> str:
    """The text, if the server and the client of Phoenix fill in the same variables at the same places."""
    odd = _ODD.search(_PLAIN.sub("\0", text))
    if odd is None:
        return text
    origin = NOWHERE._replace(construct=odd[0].replace("\0", "{{"))
    problem = "is not read alike by all that fill in Phoenix's mustache texts"
    raise Untranslatable(origin, problem, "use plain variables, or write the prompt in mustache")


def _mapped(block: Data, fmt: str, at: str, change: Change) -> Data:
    """A copy of a block with every text that Phoenix fills variables into: the result of a tool is none."""
    content = block.get("content")
    if block.get("role") == "tool" and block.get("tool_call_id") is not None:
        return dict(block)
    if isinstance(content, str):
        return {**block, "content": change(content, fmt, f"{at}content")}
    if not content:
        return dict(block)
    texts = enumerate(content)
    return {**block, "content": [_part(part, fmt, f"{at}content[{place}].text", change) for place, part in texts]}


def _part(part: Data, fmt: str, at: str, change: Change) -> Data:
    return {**part, "text": change(part["text"], fmt, at)} if isinstance(part.get("text"), str) else part


PROMPT_FORMATS = PromptFormats(NAMESPACE.title, tuple(FORMATS), ("mustache", "f-string"), _mapped, _translated)
