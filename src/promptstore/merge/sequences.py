"""Three-way merge of lists of objects: which item is which, what became of each, and where it stands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from promptstore.merge.alignment import Kinship
from promptstore.merge.lineage import Line, trace, trace_without_base
from promptstore.merge.placing import Entry, place
from promptstore.merge.values import (
    ABSENT,
    Choice,
    FieldConflict,
    Json,
    Outcome,
    Rule,
    Three,
    clash,
    merge_value,
)

Label = Callable[[str, int, Json], str]
"""``(path of the list, position, item)`` → path of the item."""


@dataclass(frozen=True, slots=True)
class ItemList:
    """The rule for a list of objects. Moves that contradict each other are a conflict of the whole list."""

    kinship: Kinship
    rule: Rule
    label: Label

    def __call__(self, three: Three, path: str, choice: Choice) -> Outcome:
        base, ours, theirs = three.base, three.ours, three.theirs
        if not (isinstance(ours, list) and isinstance(theirs, list)):
            return clash(three, path, choice)
        if isinstance(base, list):
            merged = self._merge((base, ours, theirs), trace(base, ours, theirs, self.kinship), path, choice)
        else:
            lines = trace_without_base(ours, theirs, self.kinship) if base is ABSENT else None
            merged = None if lines is None else self._merge(([], ours, theirs), lines, path, choice)
        return merged or clash(three, path, choice)

    def _merge(
        self, lists: tuple[list[Json], list[Json], list[Json]], lines: Sequence[Line], path: str, choice: Choice
    ) -> Outcome | None:
        entries: list[Entry] = []
        conflicts: list[FieldConflict] = []
        for line in lines:
            outcome = merge_value(line.three(*lists), self._path(line, lists, path), choice, self.rule)
            conflicts += outcome.conflicts
            if outcome.value is not ABSENT:
                entries.append(Entry(line, outcome.value))
        values = place(entries)
        return None if values is None else Outcome(values, tuple(conflicts))

    def _path(self, line: Line, lists: tuple[list[Json], list[Json], list[Json]], path: str) -> str:
        """By the position in ours, else in the base, else in theirs."""
        base, ours, theirs = lists
        for index, items in ((line.ours, ours), (line.base, base), (line.theirs, theirs)):
            if index is not None:
                return self.label(path, index, items[index])
        raise AssertionError("a line is in at least one of the lists")


def numbered(path: str, index: int, item: Json) -> str:  # noqa: ARG001
    """``messages[1]``."""
    return f"{path}[{index}]"
