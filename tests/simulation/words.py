"""What people write: each edit brings a word of its own, so that every edit can be found again.

A prompt has words in a field of its own each (the model's name, a keyword tag, a metadata note) and in paragraphs.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from typing import Any

WORD = re.compile(r"w\d+")
_PARAGRAPH = re.compile(r"p (w\d+)")
_LINE = re.compile(r"^( +)p w\d+\n\n(?= +p w)", re.MULTILINE)
_JSON_LINE = re.compile(r"p w\d+\\n\\n(?=p w)")

New = Callable[[], str]


def words(text: str) -> set[str]:
    return set(WORD.findall(text))


def new_file(new: New, dice: random.Random) -> str:
    """A prompt file as a person writes it."""
    model = f"model:\n  provider: openai\n  name: {new()}\n" if dice.random() < 0.6 else ""
    tags = f"tags: [{new()}]\n" if dice.random() < 0.3 else ""
    note = f"metadata:\n  note: {new()}  # why {new()}\n" if dice.random() < 0.4 else ""
    first = "\n\n".join(f"      p {new()}" for _ in range(dice.choice([2, 3, 4])))
    second = f"  - role: user\n    content: p {new()}\n" if dice.random() < 0.5 else ""
    text = f"messages:\n  - role: system\n    content: |-\n{first}\n{second}"
    return f"template_format: jinja2\n{tags}{model}{text}{note}"


def edited_file(text: str, new: New, dice: random.Random) -> str:
    """The file after one edit: a word put in another's place, a paragraph more, or one less."""
    return _edited(text, new, dice, _LINE, lambda match, word: f"{match}\n\n{_indent(text, match)}p {word}")


def edited_document(document: dict[str, Any], new: New, dice: random.Random) -> dict[str, Any]:
    """The same for a vendor's document."""
    text = json.dumps(document, sort_keys=True)
    made: dict[str, Any] = json.loads(
        _edited(text, new, dice, _JSON_LINE, lambda match, word: f"{match}\\n\\np {word}")
    )
    return made


def _edited(text: str, new: New, dice: random.Random, line: re.Pattern[str], added: Callable[[str, str], str]) -> str:
    kind = dice.random()
    paragraphs = _PARAGRAPH.findall(text)
    if kind < 0.15 and paragraphs and _can_grow(text):
        match = f"p {paragraphs[0]}"
        return text.replace(match, added(match, new()), 1)
    if kind < 0.25:
        lines = line.findall(text)
        if lines:
            return line.sub("", text, count=1)
    found = WORD.findall(text)
    if not found:
        return text
    old = dice.choice(found)
    return re.sub(rf"\b{old}\b", new(), text, count=1)


def _can_grow(text: str) -> bool:
    return "content: |" in text or text.startswith("{")


def _indent(text: str, match: str) -> str:
    found = re.search(rf"^( +){re.escape(match)}$", text, re.MULTILINE)
    return found[1] if found else ""


def promptlayer_document(name: str, new: New, dice: random.Random) -> dict[str, Any]:
    text = "\n\n".join(f"p {new()}" for _ in range(dice.choice([2, 3])))
    message = {"role": "system", "content": [{"type": "text", "text": text}], "template_format": "jinja2"}
    document: dict[str, Any] = {"prompt_name": name, "prompt_template": {"type": "chat", "messages": [message]}}
    if dice.random() < 0.4:
        document["metadata"] = {"model": {"provider": "openai", "name": new()}, "note": new()}
    return document


def braintrust_document(name: str, new: New, dice: random.Random) -> dict[str, Any]:
    text = "\n\n".join(f"p {new()}" for _ in range(dice.choice([2, 3])))
    block = {"type": "chat", "messages": [{"role": "system", "content": text}]}
    data: dict[str, Any] = {"prompt": block, "template_format": "mustache"}
    if dice.random() < 0.4:
        data["options"] = {"model": new()}
    return {"name": name, "slug": name, "prompt_data": data}
