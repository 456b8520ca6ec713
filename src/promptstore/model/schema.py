"""The JSON Schema of a prompt file, for editors: completion, hovers, and errors while typing."""

from __future__ import annotations

from typing import Any

from promptstore.model.parts import PART_TYPES
from promptstore.model.prompt_file import NEEDS_CONTENT, PromptFile

DRAFT = "https://json-schema.org/draft/2020-12/schema"
Schema = dict[str, Any]

_VENDORS = "What only one vendor has, word for word, by vendor: promptlayer, braintrust, basalt, phoenix."
_FORMAT = "How variables are written: f-string {x}, jinja2 or nunjucks or mustache {{ x }}, or none."
_VARIABLES = "Names of the variables, where a vendor keeps such a list. Rendering does not need it."
_CONTENT = "The text, or a list of typed parts (text, image_url, media, file ...)."

_DESCRIPTIONS: dict[str, dict[str, str]] = {
    "PromptFile": {
        "name": "A title for people. Without it the prompt is called by its path.",
        "description": "What the prompt is for.",
        "tags": "Keywords for finding the prompt. They have no part in deployment.",
        "model": "The model that runs the prompt.",
        "template_format": f"{_FORMAT} Without it: jinja2. A message may have its own.",
        "input_variables": _VARIABLES,
        "messages": "The messages of a chat prompt. A prompt has either messages or content.",
        "content": f"What a completion prompt says instead of messages. {_CONTENT}",
        "tools": "Functions that the model may call.",
        "tool_choice": "Which tool the model must or may call: auto, none, required, or an object that names one.",
        "functions": "Functions in the older form, without a type.",
        "function_call": "Which of the functions the model must or may call: auto, none, or {name: ...}.",
        "response_format": "The form of the answer, such as a JSON Schema.",
        "metadata": "Anything you want to keep with the prompt.",
        "vendors": _VENDORS,
    },
    "Model": {
        "provider": "Who runs the model: openai, anthropic, google ...",
        "name": "The model's name at the provider.",
        "parameters": "Temperature, token limit and the like, kept as written.",
    },
    "Message": {
        "role": "Who speaks. A placeholder stands for messages that are put in when rendering.",
        "name": "The speaker's name; of a placeholder, its variable; of a function message, the function.",
        "template_format": f"{_FORMAT} Without it: the prompt's.",
        "content": _CONTENT,
        "tool_call_id": "Which tool call this message answers.",
        "tool_calls": "The tool calls that the assistant makes.",
        "function_call": "The function call that the assistant makes, in the older form.",
        "reasoning": "What the model thought, as the provider gives it.",
        "reasoning_signature": "The provider's signature of the reasoning.",
        "input_variables": _VARIABLES,
        "vendors": _VENDORS,
    },
    "Function": {
        "name": "The function's name.",
        "description": "What the function does, for the model.",
        "parameters": "The arguments as a JSON Schema.",
        "strict": "Must the model keep exactly to the schema?",
        "vendors": _VENDORS,
    },
    "FunctionCall": {"name": "The function.", "arguments": "The arguments as JSON text.", "vendors": _VENDORS},
    "TextPart": {"text": "The text.", "cache_control": "The provider's caching of this part."},
    "ImagePart": {"image_url": "The picture.", "image_variable": "The variable that holds the picture."},
    "ImageUrl": {"url": "Address or data URL.", "detail": "auto, low or high."},
    "MediaVariablePart": {"name": "The variable that holds the media."},
    "VendorPart": {
        "type": "A part type that only one vendor has.",
        "vendors": f"{_VENDORS} All of the part stands here.",
    },
    "VendorTool": {
        "type": "A tool type that only one vendor has.",
        "vendors": f"{_VENDORS} All of the tool stands here.",
    },
}


def prompt_schema() -> Schema:
    """The JSON Schema (draft 2020-12) of a prompt file: valid files validate, unknown keys do not."""
    raw = PromptFile.model_json_schema()
    definitions: Schema = raw.pop("$defs")
    for name, schema in {"PromptFile": raw, **definitions}.items():
        _describe(name, schema)
    _add_rules(raw, definitions)
    head = {"$schema": DRAFT, "title": "Prompt file", "description": "A prompt as promptstore keeps it in git."}
    return {**head, **_plainer({key: raw[key] for key in raw if key not in head}), "$defs": _plainer(definitions)}


def _describe(name: str, schema: Schema) -> None:
    """Our words for the keys; the classes' own docstrings speak to programmers."""
    schema.pop("description", None)
    schema.pop("title", None)
    words = _DESCRIPTIONS.get(name, {})
    for key, value in schema.get("properties", {}).items():
        value.pop("title", None)
        if key in words or key == "vendors":
            value["description"] = words.get(key, _VENDORS)


def _add_rules(prompt: Schema, definitions: Schema) -> None:
    """What the model's validators say beyond the types of single keys."""
    null = {"type": "null"}
    prompt["anyOf"] = [
        {"required": ["messages"], "properties": {"messages": {"type": "array"}, "content": null}},
        {"required": ["content"], "properties": {"content": {"type": ["string", "array"]}, "messages": null}},
    ]
    definitions["Message"]["allOf"] = [
        _when_role(sorted(NEEDS_CONTENT), {"required": ["content"]}),
        _when_role(["function", "placeholder"], {"required": ["name"], "properties": {"name": {"type": "string"}}}),
    ]
    definitions["VendorPart"]["properties"]["type"]["not"] = {"enum": list(PART_TYPES)}
    definitions["VendorTool"]["properties"]["type"]["not"] = {"enum": ["function"]}


def _when_role(roles: list[str], then: Schema) -> Schema:
    return {"if": {"required": ["role"], "properties": {"role": {"enum": roles}}}, "then": then}


def _plainer(schema: Any) -> Any:
    """Without what only pydantic reads, and with ``anyOf`` for choices, which editors explain better."""
    if isinstance(schema, list):
        return [_plainer(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: value for key, value in schema.items() if not _noise(key, value)}
    return {"anyOf" if key == "oneOf" else key: _plainer(value) for key, value in kept.items()}


def _noise(key: str, value: Any) -> bool:
    return key == "discriminator" or (key == "default" and value in (None, []))
