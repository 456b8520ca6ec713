"""The tables of PromptLayer's objects: parts, tools, functions and calls."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from promptstore.vendors import shapes
from promptstore.vendors.promptlayer.lens.normal import (
    NAMESPACE,
    normal_function,
    normal_part,
    normal_tool,
    normal_tool_call,
)
from promptstore.vendors.shapes import FLAG, FUNCTION_TYPE, OBJECT, TEXT, Leaf, Many, Union
from promptstore.vendors.values import Data, Wire, without_nulls

Shape = partial(shapes.Shape, NAMESPACE)
Verbatim = partial(shapes.Verbatim, NAMESPACE)


def _is_function_choice(value: Any) -> bool:
    return isinstance(value, str) or (
        isinstance(value, dict) and set(value) == {"name"} and isinstance(value["name"], str)
    )


FUNCTION_CHOICE = Leaf(_is_function_choice)

_IMAGE_URL = Shape(without_nulls, {"url": TEXT}, {"detail": TEXT})
_MEDIA = Shape(without_nulls, {"url": TEXT}, {"title": TEXT, "type": TEXT, "format": TEXT})

PART = Union(
    {
        "text": Shape(normal_part, {"type": TEXT, "text": TEXT}),
        "thinking": Shape(normal_part, {"type": TEXT, "thinking": TEXT}, {"signature": TEXT}),
        "image_url": Shape(normal_part, {"type": TEXT, "image_url": _IMAGE_URL}, {"image_variable": TEXT}),
        "media": Shape(normal_part, {"type": TEXT, "media": _MEDIA}),
        "media_variable": Shape(normal_part, {"type": TEXT, "name": TEXT}),
        # The prompt file types file parts, PromptLayer has none: one of its own would stand under vendors.
        "file": Verbatim(normal_part, "part of the type", {"file": {}}),
    },
    Verbatim(normal_part, "part of the type"),
)
_PARTS = Many(PART, lambda part: part["type"])

FUNCTION = Shape(normal_function, {"name": TEXT}, {"description": TEXT, "parameters": OBJECT, "strict": FLAG})
FUNCTIONS = Many(FUNCTION, lambda function: function.get("name"))

_FUNCTION_TOOL = Shape(normal_tool, {"type": FUNCTION_TYPE, "function": FUNCTION})
TOOLS = Many(
    Union({"function": _FUNCTION_TOOL}, Verbatim(normal_tool, "tool of the type")),
    lambda tool: (tool["type"], (tool.get("function") or {}).get("name")),
)

CALL = Shape(without_nulls, {"name": TEXT, "arguments": TEXT})
TOOL_CALLS = Many(
    Shape(normal_tool_call, {"id": TEXT, "type": FUNCTION_TYPE, "function": CALL}),
    lambda call: call["type"],
)


class _Content:
    """A text or a list of parts in the prompt file, always parts at PromptLayer."""

    def fits(self, value: Any) -> bool:
        return _PARTS.fits(value)

    def project(self, value: str | Sequence[Data], at: str) -> list[Wire]:
        return _PARTS.project(_spelled_out(value), at)

    def lift(self, wire: list[Wire], old: str | Sequence[Data] | None) -> str | list[Data]:
        parts = _PARTS.lift(wire, None if old is None else _spelled_out(old))
        if isinstance(old, list) or len(parts) != 1 or set(parts[0]) != {"type", "text"}:
            return parts
        text: str = parts[0]["text"]
        return text


def _spelled_out(content: str | Sequence[Data]) -> Sequence[Data]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


CONTENT = _Content()
