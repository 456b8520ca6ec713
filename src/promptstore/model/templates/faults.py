"""What can be wrong with a template, said the same way by every format."""

from __future__ import annotations

from collections.abc import Iterable

from promptstore.errors import MissingVariable, TemplateError


class TemplateFault(TemplateError):
    """A text that cannot be read as a template; ``line`` and ``column`` within the text, from 1, where known."""

    def __init__(self, message: str, hint: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(message, hint=hint)
        self.line = line
        self.column = column


class MissingVariables(MissingVariable):
    """Every variable that was not given; ``names`` in the order of their first appearance."""

    def __init__(self, names: Iterable[str], places: Iterable[str] = ()) -> None:
        self.names = tuple(names)
        super().__init__(_sentence(self.names, tuple(places)), hint=_how_to_give(self.names))


def _sentence(names: tuple[str, ...], places: tuple[str, ...]) -> str:
    told = [f"{name!r} in {place}" for name, place in zip(names, places, strict=True)] if places else map(repr, names)
    noun = "variable" if len(names) == 1 else "variables"
    return f"missing {noun}: {', '.join(told)}"


def _how_to_give(names: tuple[str, ...]) -> str:
    options = " ".join(f"-v {name}=..." if name.isidentifier() else f"-v '{name}=...'" for name in names)
    keywords = ", ".join(f"{name}=..." if name.isidentifier() else f'**{{"{name}": ...}}' for name in names)
    return f"pass {options} on the command line, or {keywords} in Python"


def position(text: str, offset: int) -> tuple[int, int]:
    """Line and column of an offset, from 1."""
    before = text[:offset]
    return before.count("\n") + 1, offset - before.rfind("\n")


def spot(text: str, offset: int) -> str:
    """Where in the text an offset is, for people."""
    line, column = position(text, offset)
    return f"line {line}, column {column} of the text"
