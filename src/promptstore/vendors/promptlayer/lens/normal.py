"""PromptLayer's normal form: what is left of an answer or a request once all that only refills is gone.

PromptLayer gives back more than it was sent: nulls, defaults and empty lists in every object. Two documents say the
same exactly when their normal forms are equal, so keys that are null, at their default or empty are dropped, and
``type`` and ``template_format`` are always written. Unknown keys with a value stay verbatim. Open maps (``metadata``,
``model.parameters``, JSON Schemas) are not touched. Total: what is not shaped as expected stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import TYPE_CHECKING, Any, cast

from promptstore.errors import TemplateError
from promptstore.model.templates import variables_in
from promptstore.vendors.namespace import Namespace
from promptstore.vendors.values import Wire, change_each, change_within, same, without_nulls

if TYPE_CHECKING:
    from promptstore.model.parts import TemplateFormat

INTENT_KEY = "promptstore"
"""The metadata key under which a publish of ours leaves its intent."""

DEFAULT_FORMAT = "f-string"
NATIVE_FORMATS = ("f-string", "jinja2")

NAMESPACE = Namespace("promptlayer", "PromptLayer")

_NO_PARAMETERS = {"type": "object", "properties": {}}
_TYPES_SAID_BY_A_KEY = ("text", "thinking", "image_url", "media")


def normalise(raw: Mapping[str, Any]) -> Wire:
    """The normal form of a raw read, a list item, a publish answer, a publish request or a normal form."""
    entry, version = _sides(raw)
    document: Wire = {
        "prompt_name": entry.get("prompt_name"),
        "tags": entry.get("tags"),
        "prompt_template": normal_template(version.get("prompt_template")),
        "metadata": _metadata(version.get("metadata")),
    }
    return {key: value for key, value in document.items() if value not in (None, [], {})}


def _sides(raw: Mapping[str, Any]) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The registry entry and the version: two objects in a publish request, one in everything else."""
    version = raw.get("prompt_version")
    if not isinstance(version, Mapping):
        return raw, raw
    entry = raw.get("prompt_template")
    return (entry if isinstance(entry, Mapping) else {}), version


def _without_empty(wire: Wire, *keys: str) -> None:
    for key in keys:
        if wire.get(key) in ([], ""):
            del wire[key]


def _metadata(metadata: Any) -> Any:
    if not isinstance(metadata, Mapping):
        return metadata
    kept = {key: value for key, value in metadata.items() if key != INTENT_KEY}
    change_within(kept, "model", _model)
    if kept.get("model", 0) in (None, {}):
        del kept["model"]
    return kept


def _model(model: Mapping[str, Any]) -> Wire:
    kept = without_nulls(model)
    if kept.get("parameters") == {}:
        del kept["parameters"]
    return kept


def normal_template(template: Any) -> Any:
    if not isinstance(template, Mapping):
        return template
    kept = without_nulls(template)
    kept.setdefault("type", "chat" if "messages" in kept else "completion")
    if kept["type"] == "chat":
        change_each(kept, "messages", normal_message)
    else:
        kept.setdefault("template_format", DEFAULT_FORMAT)
        _content(kept)
    _calling(kept)
    _without_empty(kept, "dataset_examples")
    _without_derived(kept, kept["messages"] if isinstance(kept.get("messages"), list) else [kept])
    return kept


def _calling(template: Wire) -> None:
    change_each(template, "tools", normal_tool)
    change_each(template, "functions", normal_function)
    _without_empty(template, "tools", "functions")
    change_within(template, "function_call", without_nulls)
    choice = template.get("tool_choice")
    if isinstance(choice, Mapping) and "function" in choice:
        template["tool_choice"] = {"type": "function", **choice}


def normal_message(message: Mapping[str, Any]) -> Wire:
    kept = without_nulls(message)
    kept.setdefault("template_format", DEFAULT_FORMAT)
    _content(kept)
    change_each(kept, "tool_calls", normal_tool_call)
    change_within(kept, "function_call", without_nulls)
    _without_empty(kept, "dataset_examples", "raw_request_display_role")
    _without_derived(kept, [kept])
    return kept


def _content(wire: Wire) -> None:
    if isinstance(wire.get("content"), str):
        wire["content"] = [{"type": "text", "text": wire["content"]}]
    change_each(wire, "content", normal_part)


def normal_part(part: Mapping[str, Any]) -> Wire:
    kept = without_nulls(part)
    said = [key for key in _TYPES_SAID_BY_A_KEY if key in kept]
    if said:
        kept.setdefault("type", said[0])
    change_within(kept, "image_url", without_nulls)
    change_within(kept, "media", without_nulls)
    change_each(kept, "annotations", without_nulls)
    _without_empty(kept, "annotations")
    return kept


def normal_tool(tool: Mapping[str, Any]) -> Wire:
    kept = without_nulls(tool)
    if "function" in kept:
        kept.setdefault("type", "function")
    change_within(kept, "function", normal_function)
    return kept


def normal_tool_call(call: Mapping[str, Any]) -> Wire:
    kept = without_nulls(call)
    kept.setdefault("type", "function")
    change_within(kept, "function", without_nulls)
    return kept


def normal_function(function: Mapping[str, Any]) -> Wire:
    kept = without_nulls(function)
    _without_empty(kept, "description")
    if kept.get("strict") is False:
        del kept["strict"]
    if same(kept.get("parameters"), _NO_PARAMETERS):
        del kept["parameters"]
    return kept


def _without_derived(wire: Wire, blocks: list[Any]) -> None:
    """Drop ``input_variables`` that say no more than the texts do."""
    given = wire.get("input_variables")
    if not isinstance(given, list) or not all(isinstance(name, str) for name in given):
        return
    if not given or _follow(frozenset(given), blocks):
        del wire["input_variables"]


def _follow(given: frozenset[str], blocks: list[Any]) -> bool:
    """Whether the names are those of the texts; names of placeholders and media may be among them or not."""
    texts = frozenset(template_variables(blocks))
    return texts <= given <= texts | frozenset(_slots(blocks))


def template_variables(blocks: list[Any]) -> Iterator[str]:
    """The variables in the texts of messages (or of a completion), each by its own format, with repetitions."""
    for block in blocks:
        if isinstance(block, Mapping):
            yield from chain.from_iterable(_variables(text, block.get("template_format")) for text in _texts(block))


def _variables(text: str, fmt: Any) -> tuple[str, ...]:
    try:
        return variables_in(text, cast("TemplateFormat", fmt)) if fmt in NATIVE_FORMATS else ()
    except TemplateError:
        return ()  # PromptLayer too leaves a text that it cannot read as it is


def _texts(block: Mapping[str, Any]) -> Iterator[str]:
    for part in _parts(block):
        if part.get("type") == "text" and isinstance(part.get("text"), str):
            yield part["text"]


def _slots(blocks: list[Any]) -> Iterator[str]:
    for block in blocks:
        if not isinstance(block, Mapping):
            continue
        if block.get("role") == "placeholder" and isinstance(block.get("name"), str):
            yield block["name"]
        for part in _parts(block):
            slot = part.get("name") if part.get("type") == "media_variable" else part.get("image_variable")
            if isinstance(slot, str):
                yield slot


def _parts(block: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    content = block.get("content")
    yield from (part for part in content if isinstance(part, Mapping)) if isinstance(content, list) else ()
