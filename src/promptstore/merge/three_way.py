"""Three-way merge of prompts, field by field.

=====================  =========================================================================================
scalars                by path
texts                  by lines (diff3): description, content, text parts, strings in open maps
keyword tags           as a set: our order, then what they added; input variables and a schema's ``required`` too
messages, parts        by their own id, else by role and likeness, so that different ones can be edited, added,
                       removed and moved at once
tools, tool calls      by function name, by id
open maps              by key, at every depth; null, absent, 0, 0.0 and false are five values
=====================  =========================================================================================

What only one side changed is taken, equal changes are one, anything else is a conflict; so is an edit of what the
other side deleted. Without a base, what only one side has is taken, and what differs is a conflict.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from promptstore.merge.rules import Maps, merge_keys
from promptstore.merge.schema import BODIES, PROMPT
from promptstore.merge.text import Side
from promptstore.merge.values import (
    ABSENT,
    Choice,
    FieldConflict,
    Json,
    Outcome,
    Three,
    Value,
    clash,
    merge_value,
)
from promptstore.model.prompt_file import PromptFile


@dataclass(frozen=True, slots=True)
class Merge:
    """The merged prompt as plain data (``PromptFile.data()``); a conflicting field has the chosen side's value."""

    data: dict[str, Json]
    conflicts: tuple[FieldConflict, ...]


def merge(base: PromptFile | None, ours: PromptFile, theirs: PromptFile, *, side: Side = "ours") -> Merge:
    """Merge what ``ours`` and ``theirs`` made of ``base``; ``side`` says whose value stands in conflicting fields.

    The data is always a valid prompt. Swapping ours and theirs gives the same conflicts, swapped, and where there
    are none the same data, up to the order of keyword tags and of keys in maps.
    """
    return merge_choosing(base, ours, theirs, Choice(lambda _: side))


def merge_choosing(base: PromptFile | None, ours: PromptFile, theirs: PromptFile, choice: Choice) -> Merge:
    """The same with a choice of its own for every conflicting field."""
    maps = Maps(base.data() if base else {}, ours.data(), theirs.data())
    fields = merge_keys(maps, "", choice, PROMPT)
    body = _body(maps, choice)
    data = {**_object(fields), **_object(body)}
    return Merge(PromptFile.model_validate(data).data(), fields.conflicts + body.conflicts)


def _object(outcome: Outcome) -> dict[str, Json]:
    if not isinstance(outcome.value, dict):
        raise TypeError("the fields of a prompt are an object")
    return outcome.value


def _body(maps: Maps, choice: Choice) -> Outcome:
    """Messages or content. A side that made a chat of a completion, or the reverse, changed the body as a whole."""
    base, ours, theirs = (_only_body(data) for data in (maps.base, maps.ours, maps.theirs))
    if ours.keys() == theirs.keys():
        return merge_keys(Maps(base, ours, theirs), "", choice, {kind: BODIES[kind] for kind in ours})
    return merge_value(Three(base, ours, theirs), "messages", choice, _kind_clash)


def _only_body(data: Mapping[str, Json]) -> dict[str, Json]:
    return {kind: data[kind] for kind in BODIES if kind in data}


def _kind_clash(three: Three, path: str, choice: Choice) -> Outcome:
    """A conflict that shows a list of messages against a content."""
    outcome = clash(three, path, choice)
    bare = Three(*(_bare(value) for value in (three.base, three.ours, three.theirs)))
    return Outcome(outcome.value, clash(bare, path, choice).conflicts)


def _bare(body: Value) -> Value:
    return next(iter(body.values()), ABSENT) if isinstance(body, dict) else body
