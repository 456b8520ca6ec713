"""Checks of what clients send, and the three shapes in which PromptLayer's server says no."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from promptstore.vendors.serving import Asked, Refused

MAX_MESSAGE = 72
MAX_NAME = 512

Loc = Sequence[str | int]


def refusal(status: int, message: Any) -> dict[str, Any]:
    """``{"success": false, "message": ...}``; the message is a text, or a list of problems for a bad publish."""
    del status
    return {"success": False, "message": message}


def unprocessable(loc: Loc, message: str, kind: str = "value_error") -> Refused:
    """422 in the shape of a failed validation: ``{"detail": [...]}``."""
    problem = {"loc": list(loc), "msg": message, "type": kind}
    return Refused(422, message, {"detail": [problem]})


def bad_template(message: str, kind: str, *place: str | int) -> Refused:
    """400 whose message is a list, as recorded for templates that the server cannot make sense of."""
    return Refused(400, [{"loc": ["prompt_version", "prompt_template", *place], "msg": message, "type": kind}])


def body_object(asked: Asked) -> Mapping[str, Any]:
    """The body as an object; an empty or null one is the empty object."""
    value = asked.json()
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise unprocessable(["body"], "Input should be a valid dictionary", "dict_type")
    return value


def an_object(value: Any, *loc: str | int) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise unprocessable(["body", *loc], "Input should be a valid dictionary", "dict_type")
    return value


def optional_text(value: Any, *loc: str | int, most: int | None = None) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise unprocessable(["body", *loc], "Input should be a valid string", "string_type")
    if most is not None and len(value) > most:
        raise unprocessable(["body", *loc], f"String should have at most {most} characters", "string_too_long")
    return value


def a_text(value: Any, *loc: str | int, most: int | None = None) -> str:
    text = optional_text(value, *loc, most=most)
    if not text:
        kind, words = ("missing", "Field required") if text is None else ("string_too_short", "String is empty")
        raise unprocessable(["body", *loc], words, kind)
    return text


def texts(value: Any, *loc: str | int) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise unprocessable(["body", *loc], "Input should be a valid list", "list_type")
    return [a_text(item, *loc, place) for place, item in enumerate(value)]


def optional_number(value: Any, *loc: str | int) -> int | None:
    """A whole number from 1; as a query parameter it comes as a text."""
    if value is None:
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value[:18])
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise unprocessable(loc, "Input should be a whole number greater than 0", "greater_than")
    return value


def a_number(value: Any, *loc: str | int) -> int:
    number = optional_number(value, *loc)
    if number is None:
        raise unprocessable(loc, "Field required", "missing")
    return number


def flag(asked: Asked, name: str, default: bool) -> bool:
    text = asked.first(name)
    if text is None:
        return default
    if text.lower() not in {"true", "false", "1", "0"}:
        raise unprocessable(["query", name], "Input should be a valid boolean", "bool_parsing")
    return text.lower() in {"true", "1"}


def choice(asked: Asked, name: str, allowed: Sequence[str]) -> str:
    """A query parameter that is one of a few words; the first is the default."""
    text = asked.first(name) or allowed[0]
    if text not in allowed:
        raise unprocessable(["query", name], f"Input should be one of {', '.join(allowed)}", "literal_error")
    return text


def moment(asked: Asked, name: str) -> datetime | None:
    text = asked.first(name)
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise unprocessable(["query", name], "Input should be a valid datetime", "datetime_parsing") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def many(asked: Asked, name: str) -> list[str]:
    """A query parameter that may be repeated, in either of the usual spellings."""
    return [*asked.query.get(name, ()), *asked.query.get(f"{name}[]", ())]
