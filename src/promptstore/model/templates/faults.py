"""What can be wrong with a template, said the same way by every format."""

from __future__ import annotations

from collections.abc import Iterable

from promptstore.errors import MissingVariable


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


def spot(text: str, offset: int) -> str:
    """Where in the text an offset is, for people: lines and columns count from 1."""
    before = text[:offset]
    return f"line {before.count(chr(10)) + 1}, column {offset - (before.rfind(chr(10)) + 1) + 1} of the text"
