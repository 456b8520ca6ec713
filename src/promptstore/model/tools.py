"""Tools: what a prompt lets the model call, and the calls that a message may hold."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, StrictBool, StrictStr, Tag

from promptstore.model.parts import OpenMap, Strict, Vendors


class Function(Strict):
    """A function's name, and its parameters as a JSON Schema."""

    name: StrictStr
    description: StrictStr | None = None
    parameters: OpenMap | None = None
    strict: StrictBool | None = None
    vendors: Vendors | None = None


class FunctionTool(Strict):
    type: Literal["function"]
    function: Function
    vendors: Vendors | None = None


class VendorTool(Strict):
    """A tool that only one vendor has (built-in web search, a registry reference, an MCP server ...)."""

    type: StrictStr
    vendors: Annotated[Vendors, Field(min_length=1)]


def _tool_kind(value: Any) -> str:
    kind = value.get("type") if isinstance(value, dict) else getattr(value, "type", None)
    return "function" if kind == "function" else "vendor"


Tool = Annotated[
    Annotated[FunctionTool, Tag("function")] | Annotated[VendorTool, Tag("vendor")],
    Discriminator(_tool_kind),
]


class FunctionName(Strict):
    name: StrictStr


ToolChoice = StrictStr | OpenMap
"""``auto``, ``none``, ``required``, or an object that forces one function (the vendors differ in its shape)."""

FunctionChoice = StrictStr | FunctionName


class FunctionCall(Strict):
    name: StrictStr
    arguments: StrictStr
    vendors: Vendors | None = None


class ToolCall(Strict):
    id: StrictStr
    type: Literal["function"]
    function: FunctionCall
    vendors: Vendors | None = None
