"""Rules for scalars, texts, sets and maps. A rule is asked only where both sides changed a field, and differently."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pydantic import BaseModel, ValidationError

from promptstore.merge.text import merge_text
from promptstore.merge.values import (
    ABSENT,
    Choice,
    FieldConflict,
    Json,
    Outcome,
    Rule,
    Three,
    Value,
    below,
    clash,
    merge_value,
)

scalar: Rule = clash
"""A scalar, or a value that only makes sense whole."""


def text(three: Three, path: str, choice: Choice) -> Outcome:
    """A text is merged by lines; a text of one line that both sides changed is a conflict."""
    base, ours, theirs = three.base, three.ours, three.theirs
    if not (isinstance(base, str) and isinstance(ours, str) and isinstance(theirs, str)):
        return clash(three, path, choice)
    merged = merge_text(base, ours, theirs)
    if not merged.conflicted:
        return Outcome(merged.text())
    outcome = clash(three, path, choice)
    return Outcome(merged.text(choice.side(path)), outcome.conflicts) if choice.by_lines else outcome


def word_set(three: Three, path: str, choice: Choice) -> Outcome:
    """A list of words is merged as a set: our order, less what they took away, then what they added.

    A word stands once in what comes out.
    """
    lists = [_strings(value) for value in (three.base, three.ours, three.theirs)]
    base, ours, theirs = lists
    if ours is None or theirs is None:
        return clash(three, path, choice)
    known = frozenset(base or ())
    kept = [word for word in ours if word in theirs or word not in known]
    added = [word for word in theirs if word not in ours and word not in known]
    return Outcome(list[Json](dict.fromkeys([*kept, *added])))


def absent_is_empty(rule: Rule) -> Rule:
    """The rule for a list that says the same when it is empty as when it is not there."""

    def with_lists(three: Three, path: str, choice: Choice) -> Outcome:
        ours, theirs = ([] if side is ABSENT else side for side in (three.ours, three.theirs))
        return rule(Three(three.base, ours, theirs), path, choice)

    return with_lists


def _strings(value: Value) -> list[str] | None:
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return [str(item) for item in value]
    return None


def open_map(three: Three, path: str, choice: Choice) -> Outcome:
    """An open map is merged by key, at every depth; lists in it are values."""
    maps = maps_of(three)
    if not maps:
        return clash(three, path, choice)
    return merge_keys(maps, path, choice, dict.fromkeys(_keys(maps), open_value))


def open_value(three: Three, path: str, choice: Choice) -> Outcome:
    """Whatever stands in an open map."""
    if isinstance(three.ours, str):
        return text(three, path, choice)
    return open_map(three, path, choice)


def json_schema(three: Three, path: str, choice: Choice) -> Outcome:
    """An open map that holds a JSON Schema, whose ``required`` is a set of names at every depth."""
    maps = maps_of(three)
    if not maps:
        return open_value(three, path, choice)
    rules = {key: _required if key == "required" else json_schema for key in _keys(maps)}
    return merge_keys(maps, path, choice, rules)


def _required(three: Three, path: str, choice: Choice) -> Outcome:
    rule = word_set if isinstance(three.ours, list) else json_schema  # a property may be called "required"
    return rule(three, path, choice)


@dataclass(frozen=True, slots=True)
class Maps:
    """Three maps; a base that is absent has no keys."""

    base: Mapping[str, Json]
    ours: Mapping[str, Json]
    theirs: Mapping[str, Json]

    def at(self, key: str) -> Three:
        return Three(self.base.get(key, ABSENT), self.ours.get(key, ABSENT), self.theirs.get(key, ABSENT))


def maps_of(three: Three) -> Maps | None:
    """The three as maps, None where one is not."""
    base = {} if three.base is ABSENT else three.base
    if isinstance(base, dict) and isinstance(three.ours, dict) and isinstance(three.theirs, dict):
        return Maps(base, three.ours, three.theirs)
    return None


def _keys(maps: Maps) -> Iterable[str]:
    """Every key, in our order and then theirs."""
    return dict.fromkeys([*maps.ours, *maps.theirs])


def merge_keys(
    maps: Maps, path: str, choice: Choice, rules: Mapping[str, Rule], names: Mapping[str, str] | None = None
) -> Outcome:
    """Merge each key by its rule. ``names`` says how a key is called in paths where not by itself."""
    merged: dict[str, Json] = {}
    conflicts: list[FieldConflict] = []
    for key, rule in rules.items():
        name = (names or {}).get(key)
        outcome = merge_value(maps.at(key), below(path, key) if name is None else path + name, choice, rule)
        conflicts += outcome.conflicts
        if outcome.value is not ABSENT:
            merged[key] = outcome.value
    return Outcome(merged, tuple(conflicts))


@dataclass(frozen=True, slots=True)
class Fields:
    """The rule for an object of known fields. What comes together but would not be valid is a conflict as a whole."""

    model: type[BaseModel]
    special: Mapping[str, Rule] = field(default_factory=dict)
    """The rules of fields that are not scalars; ``vendors`` is always an open map."""
    names: Mapping[str, str] = field(default_factory=dict)
    """What is appended to the path for a field, where not ``.field``."""

    def __call__(self, three: Three, path: str, choice: Choice) -> Outcome:
        maps = maps_of(three)
        outcome = merge_keys(maps, path, choice, self.rules(), self.names) if maps else None
        return outcome if outcome and self._valid(outcome.value) else clash(three, path, choice)

    def rules(self) -> dict[str, Rule]:
        known: dict[str, Rule] = {"vendors": open_map, **self.special}
        return {name: known.get(name, scalar) for name in self.model.model_fields}

    def _valid(self, value: Value) -> bool:
        try:
            self.model.model_validate(value)
        except ValidationError:
            return False
        return True


@dataclass(frozen=True, slots=True)
class ByType:
    """The rule for an object whose ``type`` says which fields it has; another type is another object."""

    rules: Mapping[str, Rule]
    other: Rule

    def __call__(self, three: Three, path: str, choice: Choice) -> Outcome:
        types = {_type(value) for value in (three.base, three.ours, three.theirs) if value is not ABSENT}
        if len(types) > 1:
            return clash(three, path, choice)
        return self.rules.get(types.pop(), self.other)(three, path, choice)


def _type(value: Value) -> str:
    return str(value.get("type")) if isinstance(value, dict) else ""
