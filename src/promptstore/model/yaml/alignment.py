"""Which new item of a list is which old one: equal items first, then the most alike in each gap between them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Any

Pair = tuple[int, int]
MAX_TABLE = 40_000
_IDENTITY = ("role", "type", "name", "id")


def align(old: Sequence[Any], new: Sequence[Any]) -> list[Pair]:
    """Pairs (index in old, index in new), both ascending. What is in no pair was removed or added."""
    matcher = SequenceMatcher(None, [_key(item) for item in old], [_key(item) for item in new], autojunk=False)
    pairs: list[Pair] = []
    for kind, old_from, old_to, new_from, new_to in matcher.get_opcodes():
        if kind == "equal":
            pairs += zip(range(old_from, old_to), range(new_from, new_to), strict=True)
        elif kind == "replace":
            inner = _align_changed(old[old_from:old_to], new[new_from:new_to])
            pairs += [(old_from + i, new_from + j) for i, j in inner]
    return pairs


def _key(item: Any) -> str:
    return json.dumps(item, sort_keys=True)


def _align_changed(old: Sequence[Any], new: Sequence[Any]) -> list[Pair]:
    if len(old) == len(new) == 1 or len(old) * len(new) > MAX_TABLE:
        return list(zip(range(len(old)), range(len(new)), strict=False))
    return _best_path([[_likeness(one, other) for other in new] for one in old])


def _best_path(score: list[list[float]]) -> list[Pair]:
    """The order-preserving pairs with the highest sum of scores."""
    rows, columns = len(score), len(score[0])
    best = [[0.0] * (columns + 1) for _ in range(rows + 1)]
    for i in range(rows - 1, -1, -1):
        for j in range(columns - 1, -1, -1):
            best[i][j] = max(best[i + 1][j], best[i][j + 1], best[i + 1][j + 1] + score[i][j])
    pairs, i, j = [], 0, 0
    while i < rows and j < columns:
        if score[i][j] > 0 and best[i][j] == best[i + 1][j + 1] + score[i][j]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1
    return pairs


def _likeness(one: Any, other: Any) -> float:
    if isinstance(one, dict) and isinstance(other, dict):
        named = [key for key in _IDENTITY if key in one and key in other]
        if any(one[key] != other[key] for key in named if key in ("role", "type")):
            return 0.0
        alike = sum(bool(one[key] == other[key]) for key in named)
        return 1.0 + alike + 2 * _shared_words(one, other)
    if isinstance(one, list) and isinstance(other, list):
        return 0.5 + _shared_words(one, other)
    return 0.25 + _shared_words(one, other) if type(one) is type(other) else 0.0


def _shared_words(one: Any, other: Any) -> float:
    first, second = set(_key(one).split()), set(_key(other).split())
    return len(first & second) / max(1, len(first | second))
