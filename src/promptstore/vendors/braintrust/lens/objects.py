"""The tables of Braintrust's objects: parts, tools, calls and messages."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from typing import Any

from promptstore.errors import NotRepresentable
from promptstore.vendors import shapes
from promptstore.vendors.answers import parsed
from promptstore.vendors.braintrust.lens.normal import NAMESPACE, normal_message, normal_part, normal_tool_call
from promptstore.vendors.shapes import FLAG, FUNCTION_TYPE, OBJECT, OBJECTS, TEXT, Many, Union
from promptstore.vendors.values import Data, Wire, same, without_nulls

Shape = partial(shapes.Shape, NAMESPACE)
Verbatim = partial(shapes.Verbatim, NAMESPACE)

_IMAGE_URL = Shape(without_nulls, {"url": TEXT}, {"detail": TEXT})
_FILE = Shape(without_nulls, {}, {"file_data": TEXT, "filename": TEXT, "file_id": TEXT})


def _foreign(**extra: Any) -> shapes.Verbatim:
    """A part that the prompt file types and Braintrust does not have."""
    return Verbatim(normal_part, "part of the type", extra)


PART = Union(
    {
        "text": Shape(normal_part, {"type": TEXT, "text": TEXT}, {"cache_control": OBJECT}),
        "image_url": Shape(normal_part, {"type": TEXT, "image_url": _IMAGE_URL}),
        "file": Shape(normal_part, {"type": TEXT, "file": _FILE}),
        "thinking": _foreign(thinking=""),
        "media": _foreign(media={"url": ""}),
        "media_variable": _foreign(name=""),
    },
    Verbatim(normal_part, "part of the type"),
)
_PARTS = Many(PART, lambda part: part["type"])

_FUNCTION = Shape(dict, {"name": TEXT}, {"description": TEXT, "parameters": OBJECT, "strict": FLAG})
_TOOLS = Many(
    Union(
        {"function": Shape(dict, {"type": FUNCTION_TYPE, "function": _FUNCTION})}, Verbatim(dict, "tool of the type")
    ),
    lambda tool: (tool["type"], (tool.get("function") or {}).get("name")),
)

_CALL = Shape(without_nulls, {"name": TEXT, "arguments": TEXT})
_TOOL_CALLS = Many(
    Shape(normal_tool_call, {"id": TEXT, "type": FUNCTION_TYPE, "function": _CALL}), lambda call: call["type"]
)


class _Content:
    """A text or a list of parts, the same on both sides."""

    def fits(self, value: Any) -> bool:
        return isinstance(value, str) or _PARTS.fits(value)

    def project(self, value: str | Sequence[Data], at: str) -> str | list[Wire]:
        if isinstance(value, str):
            return value
        for place, part in enumerate(value):
            if part.get("image_variable"):
                where = f"{at.rstrip('.')}[{place}].image_variable"
                hint = "write the variable into the image's URL"
                raise NotRepresentable("Braintrust has no image variables", field=where, hint=hint)
        return _PARTS.project(value, at)

    def lift(self, wire: str | list[Wire], old: str | Sequence[Data] | None) -> str | list[Data]:
        if isinstance(wire, str):
            return wire
        return _PARTS.lift(wire, old if isinstance(old, list) else None)


CONTENT = _Content()

MESSAGE = Shape(
    normal_message,
    {"role": TEXT},
    {
        "name": TEXT,
        "content": CONTENT,
        "tool_call_id": TEXT,
        "tool_calls": _TOOL_CALLS,
        "function_call": _CALL,
        "reasoning": OBJECTS,
        "reasoning_signature": TEXT,
    },
)


def tools_text(tools: Sequence[Data]) -> str:
    """The tools as Braintrust has them: a text of JSON."""
    return json.dumps(_TOOLS.project(tools, "tools."), ensure_ascii=False, separators=(",", ":"))


def tools_in(text: str, old: Sequence[Data] | None = None) -> list[Data]:
    """The tools that such a text holds; none where it is anything else."""
    try:
        value = parsed(text.encode("utf-8", "surrogatepass"))
    except ValueError:
        return []
    return _TOOLS.lift(value, old) if _TOOLS.fits(value) else []


def says_tools(text: str, tools: Sequence[Data]) -> bool:
    """Whether the text is one way to write exactly these tools."""
    return same(_TOOLS.project(tools_in(text), ""), _TOOLS.project(tools, ""))
