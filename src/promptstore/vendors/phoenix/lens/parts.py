"""The content of one message, both ways: at Phoenix the calls and results of tools are parts of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from promptstore.errors import NotRepresentable
from promptstore.vendors.phoenix.lens.tools import Shape, Verbatim
from promptstore.vendors.shapes import TEXT, Many, Union
from promptstore.vendors.values import Data, Wire

_FILLED = re.compile(r"\{[{%#]")
"""What some format takes for a construct; in an f-string such a text is no template."""


def _foreign(**extra: Any) -> Any:
    """A part that the prompt file types and Phoenix does not have."""
    return Verbatim(dict, "part of the type", extra)


_PARTS = Many(
    Union(
        {
            "text": Shape(dict, {"type": TEXT, "text": TEXT}),
            "image_url": _foreign(image_url={"url": ""}),
            "file": _foreign(file={}),
            "thinking": _foreign(thinking=""),
            "media": _foreign(media={"url": ""}),
            "media_variable": _foreign(name=""),
        },
        Verbatim(dict, "part of the type"),
    ),
    lambda part: part["type"],
)


def project_parts(message: Data, fmt: str, at: str) -> list[Wire]:
    """The parts of a message, whose texts are in Phoenix's format already; ``fmt`` is the one it has in the file."""
    calls = message.get("tool_calls") or []
    if message["role"] == "tool" and message.get("tool_call_id") is not None:
        return [_result(message, fmt, at), *_calls(calls, fmt, at)]
    content = message.get("content")
    spelled = [{"type": "text", "text": content}] if isinstance(content, str) else content or []
    parts = [*_PARTS.project(spelled, f"{at}content."), *_calls(calls, fmt, at)]
    if not parts:
        hint = "write a text, be it empty"
        raise NotRepresentable("Phoenix has no message without content", field=f"{at}content", hint=hint)
    return parts


def _result(message: Data, fmt: str, at: str) -> Wire:
    content = message.get("content")
    if isinstance(content, list):
        if len(content) != 1 or set(content[0]) != {"type", "text"}:
            hint = "make it one text"
            raise NotRepresentable("Phoenix's result of a tool is one value", field=f"{at}content", hint=hint)
        content = content[0]["text"]
    _check_unfilled(content or "", fmt, f"{at}content", "the results of tools")
    return {"type": "tool_result", "tool_call_id": message["tool_call_id"], "tool_result": content}


def _calls(calls: Sequence[Data], fmt: str, at: str) -> list[Wire]:
    for place, call in enumerate(calls):
        _check_unfilled(call["function"]["arguments"], fmt, f"{at}tool_calls[{place}]", "the calls of tools")
    return [
        {"type": "tool_call", "tool_call_id": call["id"], "tool_call": {"type": "function", **_named(call)}}
        for call in calls
    ]


def _named(call: Data) -> Wire:
    return {"name": call["function"]["name"], "arguments": call["function"]["arguments"]}


def _check_unfilled(text: str, fmt: str, field: str, what: str) -> None:
    if fmt not in {"none", "f-string"} and _FILLED.search(text):
        hint = "write it out, or keep this prompt from Phoenix"
        raise NotRepresentable(f"Phoenix fills no variables into {what}", field=field, hint=hint)


def lift_plainly(wire: Wire, old: Data) -> Data | None:
    """The content in the prompt file's own words; None where those cannot say it."""
    parts = list(wire["content"])
    if wire["role"] == "tool" and len(parts) == 1 and _is_result(parts[0]):
        return {"tool_call_id": parts[0]["tool_call_id"], "content": parts[0]["tool_result"]}
    calls: list[Data] = []
    while parts and wire["role"] in {"assistant", "model"} and _is_call(parts[-1]):
        calls.insert(0, _call(parts.pop()))
    told = {"tool_calls": calls} if calls else {}
    if not parts:
        return told
    plain = len(parts) == 1 and set(parts[0]) == {"type", "text"} and not isinstance(old.get("content"), list)
    return {"content": parts[0]["text"] if plain else lift_parts(parts, old), **told}


def lift_parts(parts: list[Wire], old: Data) -> list[Data]:
    """Each part as one of the file's."""
    before = old.get("content")
    return _PARTS.lift(parts, before if isinstance(before, list) else None)


def fits(content: Any) -> bool:
    """Whether every part can be one of the file's."""
    return _PARTS.fits(content)


def _is_result(part: Wire) -> bool:
    keys = set(part) == {"type", "tool_call_id", "tool_result"} and part["type"] == "tool_result"
    return keys and isinstance(part["tool_call_id"], str) and isinstance(part["tool_result"], str | None)


def _is_call(part: Wire) -> bool:
    if set(part) != {"type", "tool_call_id", "tool_call"} or part["type"] != "tool_call":
        return False
    call = part["tool_call"]
    keys = isinstance(call, dict) and set(call) == {"type", "name", "arguments"} and call["type"] == "function"
    return keys and all(isinstance(text, str) for text in (part["tool_call_id"], call["name"], call["arguments"]))


def _call(part: Wire) -> Data:
    call = part["tool_call"]
    function = {"name": call["name"], "arguments": call["arguments"]}
    return {"id": part["tool_call_id"], "type": "function", "function": function}
