"""The prompt file as values: what one YAML file under ``prompts/`` means.

A superset of the vendors' schemas. Field order is the canonical order of keys in a file. Ids, versions, digests and
times never stand here.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, JsonValue, StrictStr, model_validator

from promptstore.model.parts import Content, OpenMap, Strict, TemplateFormat, Vendors
from promptstore.model.tools import Function, FunctionCall, FunctionChoice, Tool, ToolCall, ToolChoice

Role = Literal["system", "developer", "user", "assistant", "tool", "function", "placeholder", "model"]

NEEDS_CONTENT = frozenset({"system", "developer", "user", "tool"})
DEFAULT_FORMAT: TemplateFormat = "jinja2"


class Model(Strict):
    """Which model runs the prompt. ``parameters`` is an open map, kept as written."""

    provider: StrictStr | None = None
    name: StrictStr | None = None
    parameters: OpenMap | None = None


class Message(Strict):
    """One message of a chat prompt. ``content`` may be null only where it is written so, or the role allows it."""

    role: Role
    name: StrictStr | None = None
    template_format: TemplateFormat | None = None
    content: Content | None = None
    tool_call_id: StrictStr | None = None
    tool_calls: tuple[ToolCall, ...] | None = None
    function_call: FunctionCall | None = None
    reasoning: tuple[OpenMap, ...] | None = None
    reasoning_signature: StrictStr | None = None
    input_variables: tuple[StrictStr, ...] | None = None
    vendors: Vendors | None = None

    @model_validator(mode="after")
    def _content_is_there(self) -> Message:
        if self.role in NEEDS_CONTENT and "content" not in self.model_fields_set:
            raise ValueError(f"a {self.role} message needs 'content'")
        if self.role in {"placeholder", "function"} and self.name is None:
            raise ValueError(f"a {self.role} message needs a 'name'")
        return self


class PromptFile(Strict):
    """What a prompt file says: a chat prompt (``messages``) or a completion prompt (``content``)."""

    name: Annotated[StrictStr, Field(min_length=1)] | None = None
    description: StrictStr | None = None
    tags: tuple[StrictStr, ...] = ()
    model: Model | None = None
    template_format: TemplateFormat | None = None
    input_variables: tuple[StrictStr, ...] | None = None
    messages: tuple[Message, ...] | None = None
    content: Content | None = None
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice | None = None
    functions: tuple[Function, ...] | None = None
    function_call: FunctionChoice | None = None
    response_format: OpenMap | StrictStr | None = None
    metadata: OpenMap | None = None
    vendors: Vendors | None = None

    @model_validator(mode="after")
    def _chat_or_completion(self) -> PromptFile:
        if self.messages is not None and self.content is not None:
            raise ValueError("a prompt has 'messages' (chat) or 'content' (completion), not both")
        if self.messages is None and self.content is None:
            raise ValueError("a prompt needs 'messages' (chat) or 'content' (completion)")
        return self

    @property
    def format(self) -> TemplateFormat:
        """The template format that messages without one of their own have."""
        return self.template_format or DEFAULT_FORMAT

    def data(self) -> dict[str, JsonValue]:
        """The prompt as plain JSON data: typed keys that are absent or at their default are left out."""
        data = self.model_dump(mode="json", exclude_defaults=True)
        for message in data.get("messages", ()):
            if message["role"] in NEEDS_CONTENT:
                message.setdefault("content", None)
        return data
