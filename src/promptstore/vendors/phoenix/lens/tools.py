"""Tools, the choice among them and the format of the answer, both ways."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from promptstore.errors import NotRepresentable
from promptstore.vendors import shapes
from promptstore.vendors.phoenix.lens.normal import NAMESPACE, normal_tool
from promptstore.vendors.shapes import FLAG, FUNCTION_TYPE, OBJECT, TEXT, Many, Union
from promptstore.vendors.values import Data, Wire, without_nulls

Shape = partial(shapes.Shape, NAMESPACE)
Verbatim = partial(shapes.Verbatim, NAMESPACE)

_FUNCTION = Shape(without_nulls, {"name": TEXT}, {"description": TEXT, "parameters": OBJECT, "strict": FLAG})
_TOOLS = Many(
    Union(
        {"function": Shape(normal_tool, {"type": FUNCTION_TYPE, "function": _FUNCTION})},
        Verbatim(normal_tool, "tool of the type"),
    ),
    lambda tool: (tool["type"], (tool.get("function") or {}).get("name")),
)

_WORDS: Mapping[str, str] = {"none": "none", "auto": "zero_or_more", "required": "one_or_more", "any": "one_or_more"}
_LIFTED: Mapping[str, str] = {"none": "none", "zero_or_more": "auto", "one_or_more": "required"}
_IDLE = frozenset({"none", "auto"})


def project_tools(tools: Sequence[Data], choice: Any) -> Wire | None:
    """``tools`` of a version; None where there are none."""
    if not tools:
        if choice is not None and _plain(choice) not in _IDLE:
            hint = "name tools, or take the choice out"
            raise NotRepresentable("Phoenix has no choice of tools without tools", field="tool_choice", hint=hint)
        return None
    chosen = {} if choice is None else {"tool_choice": _project_choice(choice)}
    return {"type": "tools", "tools": _TOOLS.project(tools, "tools."), **chosen}


def _plain(choice: Any) -> str | None:
    """The word of a choice that names no tool: ``auto``, or ``{"type": "auto"}``."""
    word = choice.get("type") if isinstance(choice, Mapping) and set(choice) == {"type"} else choice
    return word if isinstance(word, str) else None


def _project_choice(choice: Any) -> Wire:
    word = _plain(choice)
    if word is not None and word in _WORDS:
        return {"type": _WORDS[word]}
    name = _function_in(choice) if isinstance(choice, Mapping) else None
    if name is None:
        hint = "use auto, none, required, or {type: function, function: {name: ...}}"
        raise NotRepresentable("Phoenix does not know this choice of tools", field="tool_choice", hint=hint)
    return {"type": "specific_function", "function_name": name}


def _function_in(choice: Mapping[str, Any]) -> str | None:
    """The name in OpenAI's or Anthropic's way of forcing one function."""
    function = choice.get("function")
    if set(choice) == {"type", "function"} and isinstance(function, Mapping) and set(function) == {"name"}:
        name = function["name"]
    elif set(choice) == {"type", "name"} and choice["type"] in {"tool", "function"}:
        name = choice["name"]
    else:
        return None
    return name if isinstance(name, str) else None


def lift_tools(tools: Any, old: Data) -> Data:
    """``tools`` and ``tool_choice`` of the file; what does not fit there is left out."""
    if not isinstance(tools, Mapping) or not _TOOLS.fits(tools.get("tools")) or not tools["tools"]:
        return {}
    data: Data = {"tools": _TOOLS.lift(tools["tools"], old.get("tools"))}
    choice = tools.get("tool_choice")
    if isinstance(choice, Mapping):
        lifted = _lift_choice(choice, old.get("tool_choice"))
        data.update({} if lifted is None else {"tool_choice": lifted})
    return data


def _lift_choice(choice: Mapping[str, Any], old: Any) -> Any:
    try:
        if old is not None and _project_choice(old) == choice:
            return old
    except NotRepresentable:
        pass  # the old choice says something else
    if set(choice) == {"type", "function_name"} and isinstance(choice["function_name"], str):
        return {"type": "function", "function": {"name": choice["function_name"]}}
    return _LIFTED.get(choice.get("type", "")) if set(choice) == {"type"} else None


_SCHEMA = Shape(without_nulls, {"name": TEXT}, {"description": TEXT, "schema": OBJECT, "strict": FLAG})


def is_json_schema(wanted: Any) -> bool:
    """Whether a response format is the one form that Phoenix types."""
    if not isinstance(wanted, Mapping) or set(wanted) != {"type", "json_schema"} or wanted["type"] != "json_schema":
        return False
    inner = wanted["json_schema"]
    known = {**_SCHEMA.required, **_SCHEMA.optional}
    return _SCHEMA.fits(inner) and all(key in known and known[key].fits(value) for key, value in inner.items())
