"""The core of the git merge driver: three prompt files in, one out, with markers only around fields in conflict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from promptstore.merge.markers import mark
from promptstore.merge.rewriting import rewrite
from promptstore.merge.text import merge_text
from promptstore.merge.three_way import Merge, merge_choosing
from promptstore.merge.values import Choice, FieldConflict
from promptstore.model.prompt_file import PromptFile
from promptstore.model.reading import parse_prompt, problems


@dataclass(frozen=True, slots=True)
class FileMerge:
    """The merged file; ``conflicted`` says that it holds conflict markers."""

    text: str
    conflicted: bool


def merge_files(base: str | None, ours: str, theirs: str, path: str) -> FileMerge:
    """Merge three texts of the prompt file ``path``; ``base`` is None where both sides added it.

    Comments and layout of both sides stay where git's own line merge can bring them together, else ours do. In a
    conflict each field is marked with both variants, of a text only the lines that conflict; taking one side of every
    conflict gives a valid prompt. Raises InvalidPrompt where one of the texts is not a valid prompt file: then only
    git's line merge is left.
    """
    old = None if base is None else parse_prompt(base, path)
    onto = _by_lines(base, ours, theirs)
    merging = _Merging(old, parse_prompt(ours, path), parse_prompt(theirs, path), onto)
    conflicts = merging.result(lambda _: False).conflicts
    if conflicts:
        return FileMerge(_marked(merging, conflicts), conflicted=True)
    return FileMerge(merging.text(lambda _: False), conflicted=False)


@dataclass(frozen=True, slots=True)
class _Merging:
    """A merge whose conflicts can go either way, and the text that its outcomes are written onto."""

    base: PromptFile | None
    ours: PromptFile
    theirs: PromptFile
    onto: str

    def result(self, taken: Callable[[str], bool]) -> Merge:
        """The merge with their value in the conflicting fields that are ``taken``."""
        choice = Choice(lambda field: "theirs" if taken(field) else "ours", by_lines=True)
        return merge_choosing(self.base, self.ours, self.theirs, choice)

    def text(self, taken: Callable[[str], bool]) -> str:
        return rewrite(self.onto, self.result(taken).data)


def _marked(merging: _Merging, conflicts: Sequence[FieldConflict]) -> str:
    whole = {conflict.field for conflict in conflicts if not _is_text(conflict)}
    variants = [merging.text(field.__eq__) for field in sorted(whole)]
    return mark(merging.text(lambda _: False), merging.text(lambda _: True), variants)


def _is_text(conflict: FieldConflict) -> bool:
    return all(isinstance(value, str) for value in (conflict.base, conflict.ours, conflict.theirs))


def _by_lines(base: str | None, ours: str, theirs: str) -> str:
    """Our text with their changes of other lines, comments among them; ours alone where that is no valid prompt."""
    if base is None:
        return ours
    merged = merge_text(base, ours, theirs).text("ours")
    return merged if not problems(merged) else ours
