"""Bodies of HTTP answers: strict JSON, what an error says, and texts that are safe to show."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

MAX_SHOWN = 300
MAX_WORDS = 80

_BEGINNING = 4096

_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+")
_UNPRINTABLE = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")


def parsed(body: bytes) -> Any:
    """The JSON value of a body. Raises ValueError for everything that is not strict, finite, flat enough JSON."""
    try:
        return json.loads(body.decode("utf-8-sig"), parse_constant=_refuse, parse_float=_finite)
    except RecursionError as problem:
        raise ValueError("nested too deeply") from problem


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError(f"{text} is too large for a number")
    return number


def said(body: bytes) -> str:
    """What an error's body says: its message, error or detail (a text, an object or a list), else its first words."""
    try:
        value = parsed(body)
    except ValueError:
        return first_words(body)
    return _message(value) or first_words(body)


def _message(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "; ".join(filter(None, map(_message, value)))
    if not isinstance(value, Mapping):
        return ""
    if isinstance(value.get("msg"), str):
        place = value.get("loc")
        return f"{'.'.join(map(str, place))}: {value['msg']}" if isinstance(place, list) else str(value["msg"])
    return next(filter(None, (_message(value.get(key)) for key in ("message", "error", "detail"))), "")


def first_words(body: bytes) -> str:
    """The beginning of a body, on one line; cut it to ``MAX_WORDS`` after the redaction, lest half a key stays."""
    return _one_line(body[:_BEGINNING].decode("utf-8", "replace")) or "an empty body"


def _one_line(text: str) -> str:
    return _UNPRINTABLE.sub(" ", text).strip()


class Redaction:
    """Makes a text safe to show: no key, no e-mail address, no control characters, not long."""

    def __init__(self, secret: str | None) -> None:
        self._secret = _pattern(secret) if secret else None

    def __repr__(self) -> str:
        return "Redaction()"

    def __call__(self, text: str, limit: int = MAX_SHOWN) -> str:
        hidden = self._secret.sub("***", text) if self._secret else text
        shown = _one_line(_EMAIL.sub("<e-mail>", hidden))
        return shown if len(shown) <= limit else shown[: limit - 3] + "..."


def _pattern(secret: str) -> re.Pattern[str]:
    """A short key is only hidden as a word of its own: else it would garble the text."""
    escaped = re.escape(secret)
    return re.compile(escaped if len(secret) >= 8 else rf"(?<!\w){escaped}(?!\w)")
