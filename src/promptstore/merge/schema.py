"""How each field of a prompt is merged. Fields not named here are scalars."""

from __future__ import annotations

from promptstore.merge.alignment import Kinship
from promptstore.merge.rules import ByType, Fields, absent_is_empty, json_schema, maps_of, open_map, text, word_set
from promptstore.merge.sequences import ItemList, Label, numbered
from promptstore.merge.values import ABSENT, Choice, Json, Outcome, Rule, Three, below, clash, same
from promptstore.model import parts, tools
from promptstore.model.prompt_file import Message, Model, PromptFile


def _string(item: Json, *keys: str) -> str | None:
    for key in keys:
        item = item.get(key) if isinstance(item, dict) else None
    return item if isinstance(item, str) else None


def _type(item: Json) -> str:
    return _string(item, "type") or ""


def _named(*keys: str) -> Label:
    """The label of items with a name: ``tools.get_weather``; those without go by position."""

    def label(path: str, index: int, item: Json) -> str:
        name = _string(item, *keys)
        return numbered(path, index, item) if name is None else below(path, name)

    return label


def _keyed(*keys: str) -> Kinship:
    """Items that are the same where the string at ``keys`` is the same."""
    return Kinship(kind=_type, key=lambda item: _string(item, *keys), by_key_only=True)


# --- content ---------------------------------------------------------------------------------------------------

_PART_KEYS = (("name",), ("image_url", "url"), ("media", "url"), ("file", "file_id"), ("file", "filename"))


def _part_key(part: Json) -> str | None:
    return next((key for keys in _PART_KEYS if (key := _string(part, *keys)) is not None), None)


_part = ByType(
    {
        "text": Fields(parts.TextPart, {"text": text, "cache_control": open_map}),
        "thinking": Fields(parts.ThinkingPart, {"thinking": text}),
        "image_url": Fields(parts.ImagePart, {"image_url": Fields(parts.ImageUrl)}),
        "media": Fields(parts.MediaPart, {"media": Fields(parts.Media)}),
        "media_variable": Fields(parts.MediaVariablePart),
        "file": Fields(parts.FilePart, {"file": Fields(parts.File)}),
    },
    other=Fields(parts.VendorPart),
)
_parts = ItemList(Kinship(kind=_type, key=_part_key), _part, numbered)


def content(three: Three, path: str, choice: Choice) -> Outcome:
    """A text by lines, a list of parts by part; where one side turned the one into the other, a conflict."""
    return (text if isinstance(three.ours, str) else _parts)(three, path, choice)


# --- tools -----------------------------------------------------------------------------------------------------

_FUNCTION = {"description": text, "parameters": json_schema}
_INLINE = {name: f".{name}" for name in tools.Function.model_fields} | {"vendors": ".function.vendors"}
"""``tools.get_weather.parameters`` is short for ``.function.parameters``; the tool itself has vendors too."""

_tool = ByType(
    {
        "function": Fields(
            tools.FunctionTool, {"function": Fields(tools.Function, _FUNCTION, _INLINE)}, {"function": ""}
        )
    },
    other=Fields(tools.VendorTool),
)
_tools = ItemList(_keyed("function", "name"), _tool, _named("function", "name"))
_functions = ItemList(_keyed("name"), Fields(tools.Function, _FUNCTION), _named("name"))
_tool_calls = ItemList(_keyed("id"), Fields(tools.ToolCall, {"function": Fields(tools.FunctionCall)}), _named("id"))

# --- messages --------------------------------------------------------------------------------------------------


def _role(message: Json) -> str:
    return _string(message, "role") or ""


def _message_key(message: Json) -> str | None:
    """The call that a tool message answers, the name of a placeholder."""
    own = {"tool": "tool_call_id", "placeholder": "name"}.get(_role(message))
    name = _string(message, own) if own else None
    return None if name is None else f"{_role(message)}:{name}"


_message = Fields(
    Message,
    {
        "content": content,
        "tool_calls": _tool_calls,
        "function_call": Fields(tools.FunctionCall),
        "input_variables": word_set,
    },
)
messages = ItemList(Kinship(kind=_role, key=_message_key), _message, numbered)

# --- the prompt ------------------------------------------------------------------------------------------------

_model = Fields(Model, {"parameters": open_map})


def model(three: Three, path: str, choice: Choice) -> Outcome:
    """By path; but where both changed the name, providers that differ conflict too: a name is one provider's name."""
    outcome = _model(three, path, choice)
    maps = maps_of(three)
    fields = [conflict.field for conflict in outcome.conflicts]
    if maps is None or below(path, "name") not in fields or not isinstance(outcome.value, dict):
        return outcome
    provider = maps.at("provider")
    if below(path, "provider") in fields or same(provider.ours, provider.theirs):
        return outcome
    chosen = clash(provider, below(path, "provider"), choice)
    value = {key: item for key, item in outcome.value.items() if key != "provider"}
    value |= {} if chosen.value is ABSENT else {"provider": chosen.value}
    return Outcome(value, (*chosen.conflicts, *outcome.conflicts))


BODIES: dict[str, Rule] = {"messages": messages, "content": content}
"""A prompt has one of them."""

_FIELDS = Fields(
    PromptFile,
    {
        "description": text,
        "tags": absent_is_empty(word_set),
        "model": model,
        "input_variables": word_set,
        "tools": absent_is_empty(_tools),
        "functions": _functions,
        "response_format": json_schema,
        "metadata": open_map,
    },
)
PROMPT: dict[str, Rule] = {name: rule for name, rule in _FIELDS.rules().items() if name not in BODIES}
"""The rules of all fields but the body."""
