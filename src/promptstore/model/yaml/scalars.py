"""YAML 1.2 core schema: what a plain scalar means. ``on``, ``yes``, ``012`` and dates hold no surprises."""

from __future__ import annotations

import math
import re

CONTROLS = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff"
FORBIDDEN = re.compile(f"[{CONTROLS}]")
"""Characters that YAML parsers disagree on when they stand raw in a file."""

_WORDS: dict[str, bool | None] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
STARTS = frozenset(["", *"~nNtTfF+-.0123456789"])
"""First characters of plain scalars that may mean something else than a text."""
_INT = re.compile(r"[-+]?[0-9]+")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
MAX_DIGITS = 4300


def resolve(text: str) -> str | int | float | bool | None:
    """The value of a plain scalar.

    Raises ValueError, with a message for people, for numbers that JSON does not have.
    """
    if text[:1] not in STARTS:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return _whole(text, 10)
    if _BASED.fullmatch(text):
        return _whole(text[2:], 8 if text[1] == "o" else 16)
    if _FLOAT.fullmatch(text):
        return _finite(text)
    if _NOT_FINITE.fullmatch(text):
        raise ValueError(f"{text} is not a number that JSON has")
    return text


def _whole(digits: str, base: int) -> int:
    if len(digits) > MAX_DIGITS * 3 // 4:
        raise ValueError(f"a number of {len(digits)} digits is too long")
    return int(digits, base)


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is too large for a number")
    return value
