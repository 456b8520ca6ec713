"""The values that are merged: JSON, or nothing at all; three of them make the question, an outcome the answer."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Literal

from pydantic import JsonValue

from promptstore.merge.text import Side

Json = JsonValue


class Absent(Enum):
    """The one value that is no JSON value: the key is not there. Null is not absent."""

    ABSENT = "absent"


ABSENT: Literal[Absent.ABSENT] = Absent.ABSENT

Value = Json | Literal[Absent.ABSENT]


@dataclass(frozen=True, slots=True)
class Three:
    """One field as the base and both sides have it."""

    base: Value
    ours: Value
    theirs: Value


@dataclass(frozen=True, slots=True)
class FieldConflict:
    """A field that both sides changed, differently. None stands for absent too."""

    field: str
    """Where: ``messages[1].content``. Positions are those of our prompt, of the base's where ours lacks the item."""
    base: Json | None
    ours: Json | None
    theirs: Json | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """A field's merged value, and what in it is in conflict."""

    value: Value
    conflicts: tuple[FieldConflict, ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """What stands in a conflicting field: the value of ``side(path)``."""

    side: Callable[[str], Side]
    by_lines: bool = False
    """In a conflicting text take that side only where lines conflict, and both sides' other changes."""


Rule = Callable[[Three, str, Choice], Outcome]
"""How fields of one kind are merged; asked only where both sides changed the field, and differently."""


def merge_value(three: Three, path: str, choice: Choice, rule: Rule) -> Outcome:
    """Take what only one side changed; where both did, follow ``rule``."""
    if same(three.ours, three.theirs) or same(three.base, three.theirs):
        return Outcome(three.ours)
    if same(three.base, three.ours):
        return Outcome(three.theirs)
    return rule(three, path, choice)


def clash(three: Three, path: str, choice: Choice) -> Outcome:
    """The rule for what cannot be merged: a conflict."""
    value = three.ours if choice.side(path) == "ours" else three.theirs
    found = FieldConflict(path, _shown(three.base), _shown(three.ours), _shown(three.theirs))
    return Outcome(value, (found,))


def _shown(value: Value) -> Json | None:
    return None if value is ABSENT else value


def same(one: Value, other: Value) -> bool:
    """Equality that tells 1, 1.0 and True apart, as the files do. The order of keys does not count."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float):
        return repr(one) == repr(other)  # -0.0 is not 0.0
    return one == other


_PLAIN_KEY = re.compile(r"[^\W\d][\w-]*")


def below(path: str, key: str) -> str:
    """The path of ``key`` in the map at ``path``."""
    if not _PLAIN_KEY.fullmatch(key):
        return f"{path}[{json.dumps(key, ensure_ascii=False)}]"
    return f"{path}.{key}" if path else key
