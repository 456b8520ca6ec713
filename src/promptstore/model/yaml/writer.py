"""Write a prompt file from its data, in the canonical layout. Exactness first: what was written is read again."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from promptstore.errors import InvalidPrompt
from promptstore.model.yaml.emitter import Emitter, Item, Map, item_of
from promptstore.model.yaml.nodes import plain, same
from promptstore.model.yaml.reader import read
from promptstore.model.yaml.shapes import prompt_slot

_SURROGATE = re.compile("[\ud800-\udfff]")


def write(data: Mapping[str, Any]) -> str:
    """The text of a prompt file that means ``data``: canonical key order and layout.

    Raises InvalidPrompt for what no such file can hold: lone surrogates, numbers that JSON does not have, more than 64
    levels or 8 MiB.
    """
    check_writable(data)
    root = item_of(data, prompt_slot())
    for emitter in (Emitter(), Emitter(blocks=False)):
        text = root_text(root, emitter)
        if means(text, data):
            return text
    raise InvalidPrompt("the data cannot be written as a prompt file", hint="keep keys and texts shorter")


def root_text(root: Item, emitter: Emitter) -> str:
    if not isinstance(root, Map) or not root.entries:
        return "{}\n"
    return "\n".join(emitter.lines(root)) + "\n"


def means(text: str, data: Mapping[str, Any]) -> bool:
    """Does ``text`` read back as exactly ``data``?"""
    try:
        return same(plain(read(text)), dict(data))
    except InvalidPrompt:
        return False


def check_writable(data: Mapping[str, Any]) -> None:
    """Raise InvalidPrompt where ``data`` is not JSON, or holds half of a surrogate pair."""
    try:
        text = json.dumps(data, ensure_ascii=False, allow_nan=False, default=_mapping)
    except (TypeError, ValueError) as error:
        raise InvalidPrompt(f"not JSON data: {error}", hint="a prompt holds texts, numbers, lists and maps") from None
    except RecursionError:
        raise InvalidPrompt("nested too deep", hint="flatten the data") from None
    found = _SURROGATE.search(text)
    if found:
        near = text[max(0, found.start() - 20) : found.start()]
        raise InvalidPrompt(
            f"half of a surrogate pair (U+{ord(found[0]):04X}) after {near!r}", hint="write the whole character"
        )


def _mapping(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is not JSON")
