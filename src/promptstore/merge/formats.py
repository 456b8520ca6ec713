"""One template format for three texts, before they are merged line by line.

Where one side changed a prompt's format and the other its texts, the lines of the two mean different things: ``{x}``
is a variable in an f-string and plain text in jinja2. So the other two prompts are first said in the changed format.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from promptstore.merge.text import Side
from promptstore.merge.three_way import Merge, merge_choosing
from promptstore.merge.values import Choice
from promptstore.model.prompt_file import PromptFile
from promptstore.model.templates.translate import translate

if TYPE_CHECKING:
    from promptstore.model.parts import TemplateFormat

Data = dict[str, Any]
DEFAULT = "jinja2"
"""The format of a prompt file that names none."""


class Three(NamedTuple):
    """What is merged."""

    base: PromptFile
    ours: PromptFile
    theirs: PromptFile


def merge_in_one_format(
    base: PromptFile | None, ours: PromptFile, theirs: PromptFile, *, side: Callable[[str], Side] = lambda _: "ours"
) -> Merge:
    """The merge, after `in_one_format` where there is a base. Raises Untranslatable like it.

    ``side`` says whose value stands in a conflicting field.
    """
    if base is None:
        return merge_choosing(None, ours, theirs, Choice(side))
    return merge_choosing(*in_one_format(base, ours, theirs), Choice(side))


def in_one_format(base: PromptFile, ours: PromptFile, theirs: PromptFile) -> Three:
    """The three, those of the old format said in the one that a single side changed to.

    Where both sides changed it, or messages came or went beside mixed formats, nothing is done: that is for the merge.
    Raises Untranslatable, naming the construct, where the new format has nothing for what the others say.
    """
    old, here, there = (formats(prompt) for prompt in (base, ours, theirs))
    if old == there != here:
        return Three(_like(base, ours), ours, _like(theirs, ours))
    if old == here != there:
        return Three(_like(base, theirs), _like(ours, theirs), theirs)
    return Three(base, ours, theirs)


def formats(prompt: PromptFile) -> tuple[str, ...]:
    """The format of each message, or the one of all of them."""
    data = prompt.data()
    found = tuple(_format(block, data) for block in _blocks(data))
    return found[:1] if len(set(found)) == 1 else found


def _format(block: Data, data: Data) -> str:
    return str(block.get("template_format") or data.get("template_format") or DEFAULT)


def _blocks(data: Data) -> list[Data]:
    messages = data.get("messages")
    return [data] if messages is None else list(messages)


def _like(prompt: PromptFile, other: PromptFile) -> PromptFile:
    """``prompt`` with its texts in the formats of ``other``, spelled out where ``other`` spells them out."""
    data, model = prompt.data(), other.data()
    blocks, models = _blocks(data), _blocks(model)
    if len(formats(other)) != 1 and len(blocks) != len(models):
        return prompt
    if data.get("messages") is None or model.get("messages") is None:
        return prompt if ("messages" in data) != ("messages" in model) else _said(_block(data, data, model, model))
    counterparts = models + [models[-1]] * len(blocks)
    messages = [_block(block, data, like, model) for block, like in zip(blocks, counterparts, strict=False)]
    return _said(_spelled({**data, "messages": messages}, model))


def _said(data: Data) -> PromptFile:
    return PromptFile.model_validate(data)


def _block(block: Data, data: Data, like: Data, model: Data) -> Data:
    source, target = _format(block, data), _format(like, model)
    changed = {**block, "content": _content(block["content"], source, target)} if block.get("content") else block
    return _spelled(changed, like)


def _spelled(block: Data, like: Data) -> Data:
    rest = {key: value for key, value in block.items() if key != "template_format"}
    return {**rest, "template_format": like["template_format"]} if "template_format" in like else rest


def _content(content: Any, source: str, target: str) -> Any:
    if isinstance(content, str):
        return _text(content, source, target)
    return list(_parts(content, source, target))


def _parts(parts: list[Data], source: str, target: str) -> Iterator[Data]:
    for part in parts:
        text = part.get("text")
        yield {**part, "text": _text(text, source, target)} if isinstance(text, str) else part


def _text(text: str, source: str, target: str) -> str:
    return translate(text, cast("TemplateFormat", source), cast("TemplateFormat", target))
