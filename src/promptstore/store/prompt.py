"""A prompt as read from the store: one version, with its identity, ready to render."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from promptstore.model.parts import Content, OpenMap, TemplateFormat, Vendors
    from promptstore.model.prompt_file import Message, Model, PromptFile
    from promptstore.model.tools import Function, FunctionChoice, Tool, ToolChoice


@dataclass(frozen=True, slots=True)
class Prompt:
    """One version of one prompt.

    ``version`` is its number (None for a text that is no numbered version), ``commit`` the commit it stands at (None
    for the working file), ``digest`` the SHA-256 of its meaning. What the file says is in ``file`` and in the
    properties.
    """

    slug: str
    version: int | None
    commit: str | None
    digest: str
    file: PromptFile

    @property
    def name(self) -> str:
        """A person's title; the slug where the file gives none."""
        return self.file.name or self.slug

    @property
    def description(self) -> str | None:
        return self.file.description

    @property
    def tags(self) -> tuple[str, ...]:
        """The keyword tags of the file (deployment tags: `Store.tags`)."""
        return self.file.tags

    @property
    def model(self) -> Model | None:
        return self.file.model

    @property
    def template_format(self) -> TemplateFormat:
        return self.file.format

    @property
    def messages(self) -> tuple[Message, ...] | None:
        return self.file.messages

    @property
    def content(self) -> Content | None:
        return self.file.content

    @property
    def tools(self) -> tuple[Tool, ...]:
        return self.file.tools

    @property
    def tool_choice(self) -> ToolChoice | None:
        return self.file.tool_choice

    @property
    def functions(self) -> tuple[Function, ...] | None:
        return self.file.functions

    @property
    def function_call(self) -> FunctionChoice | None:
        return self.file.function_call

    @property
    def response_format(self) -> OpenMap | str | None:
        return self.file.response_format

    @property
    def metadata(self) -> OpenMap | None:
        return self.file.metadata

    @property
    def vendors(self) -> Vendors | None:
        return self.file.vendors

    @property
    def variables(self) -> tuple[str, ...]:
        """The names that `render` wants, in the order of their first appearance."""
        from promptstore.model.rendering import variables

        return variables(self.file)

    def render(self, variables: dict[str, Any] | None = None, /, *, strict: bool = True, **more: Any) -> Any:
        """The messages (or, for a completion prompt, the text) with the variables filled in.

        Variables come as keyword arguments, or as a mapping for names that are no identifiers. Raises MissingVariable;
        with ``strict=False`` a missing one is empty.
        """
        from promptstore.model.rendering import render

        return render(self.file, {**(variables or {}), **more}, strict=strict)

    def openai(self, variables: dict[str, Any] | None = None, /, **more: Any) -> dict[str, Any]:
        """Keyword arguments for ``openai.chat.completions.create``."""
        from promptstore.model.chat_apis import openai_arguments

        return openai_arguments(self.file, {**(variables or {}), **more})

    def anthropic(self, variables: dict[str, Any] | None = None, /, **more: Any) -> dict[str, Any]:
        """Keyword arguments for ``anthropic.messages.create``."""
        from promptstore.model.chat_apis import anthropic_arguments

        return anthropic_arguments(self.file, {**(variables or {}), **more})
