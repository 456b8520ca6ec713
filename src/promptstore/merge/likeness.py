"""How alike two messages or parts are: the share of words they have in common."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from promptstore.merge.values import Json

_WORD = re.compile(r"[぀-ヿ㐀-鿿가-힯]|\w+")
"""A word; in scripts that set no spaces, a character."""


_KINDS = frozenset({"role", "type"})
"""Keys whose values say what an item is; a word that all items of a kind have makes none alike."""


def words(value: Json) -> Counter[str]:
    """Every word in ``value``, with how often it occurs."""
    return Counter(word for text in _texts(value) for word in _WORD.findall(text))


def _texts(value: Json) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from () if key in _KINDS else _texts(item)
    elif value is not None:
        yield str(value)


def likeness(one: Counter[str], other: Counter[str]) -> float:
    """Sørensen and Dice's coefficient: 0 is nothing in common, 1 the same words."""
    total = one.total() + other.total()
    return 2 * (one & other).total() / total if total else 0.0
