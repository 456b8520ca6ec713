"""What differs between two prompts, field by field, and between two texts, word by word.

Two prompts with the same digest have no changes. Lists of objects (messages, parts, tools) are aligned, so that one
inserted message is one change; any other list, and any text, is one change with its whole old and new value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any, Literal

from promptstore.model.digest import canonical_json, meaning

if TYPE_CHECKING:
    from promptstore.model.prompt_file import PromptFile

Operation = Literal["=", "-", "+"]

_LINES = re.compile(r"[^\n]*\n|[^\n]+")
_WORDS_WITH_SPACE = re.compile(r"\n|[^\S\n]+|(?:\w+|[^\w\s])[^\S\n]*")
_WORDS = re.compile(r"\n|[^\S\n]+|\w+|[^\w\s]")
_GRAINS = (_LINES, _WORDS_WITH_SPACE, _WORDS)
_PLAIN_KEY = re.compile(r"[^\W\d][\w-]*")


@dataclass(frozen=True, slots=True)
class Change:
    """One field that differs. ``path`` is like ``messages[0].content``; None is a field that is not there.

    A field that is there as null and one that is not there differ, too: such a change has None on both sides. The index
    of an entry that went is its old one, of any other its new one.
    """

    path: str
    old: Any
    new: Any


def changes(old: PromptFile | None, new: PromptFile | None) -> list[Change]:
    """Every field that differs, in the order of the file; None is a prompt that is not there."""
    before = meaning(old) if old is not None else {}
    after = meaning(new) if new is not None else {}
    return list(_in_map("", before, after))


def fields(old: PromptFile | None, new: PromptFile | None) -> list[str]:
    """The paths of the changes alone, each once."""
    return list(dict.fromkeys(change.path for change in changes(old, new)))


_ABSENT: Any = object()


def _in_value(path: str, old: Any, new: Any) -> Iterator[Change]:
    if old is not _ABSENT and new is not _ABSENT and canonical_json(old) == canonical_json(new):
        return
    kept = [value for value in (old, new) if value is not _ABSENT]
    if all(isinstance(value, dict) for value in kept) and any(kept):
        yield from _in_map(path, _or_empty(old, {}), _or_empty(new, {}))
    elif all(_is_aligned(value) for value in kept) and any(kept):
        yield from _in_list(path, _or_empty(old, []), _or_empty(new, []))
    else:
        yield Change(path, _or_empty(old, None), _or_empty(new, None))


def _or_empty(value: Any, empty: Any) -> Any:
    return empty if value is _ABSENT else value


def _is_aligned(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(entry, dict) for entry in value)


def _in_map(path: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    for key in _merged_order(list(old), list(new)):
        yield from _in_value(_below(path, key), old.get(key, _ABSENT), new.get(key, _ABSENT))


def _merged_order(old: list[str], new: list[str]) -> list[str]:
    return [*new, *(key for key in old if key not in new)]


def _below(path: str, key: str) -> str:
    if not _PLAIN_KEY.fullmatch(key):
        return f"{path}[{json.dumps(key, ensure_ascii=False)}]"
    return f"{path}.{key}" if path else key


def _in_list(path: str, old: list[Any], new: list[Any]) -> Iterator[Change]:
    for before, after in _aligned(old, new):
        if before is None:
            yield Change(f"{path}[{after}]", None, new[after or 0])
        elif after is None:
            yield Change(f"{path}[{before}]", old[before], None)
        else:
            yield from _in_value(f"{path}[{after}]", old[before], new[after])


Pair = tuple[int | None, int | None]


def _aligned(old: Sequence[Any], new: Sequence[Any]) -> Iterator[Pair]:
    """Pairs of indices: equal entries first, then between them entries of one kind, then by position."""
    whole = ([canonical_json(entry) for entry in old], [canonical_json(entry) for entry in new])
    kinds = ([_kind(entry) for entry in old], [_kind(entry) for entry in new])
    for same, old_span, new_span in _spans(*whole, range(len(old)), range(len(new))):
        if same:
            yield from zip(old_span, new_span, strict=True)
            continue
        for _, old_rest, new_rest in _spans(*kinds, old_span, new_span):
            yield from _by_position(old_rest, new_rest)


def _spans(old: list[str], new: list[str], old_span: range, new_span: range) -> Iterator[tuple[bool, range, range]]:
    matcher = SequenceMatcher(
        None, old[old_span.start : old_span.stop], new[new_span.start : new_span.stop], autojunk=False
    )
    for operation, a, b, c, d in matcher.get_opcodes():
        yield operation == "equal", old_span[a:b], new_span[c:d]


def _by_position(old: range, new: range) -> Iterator[Pair]:
    yield from zip(old, new, strict=False)
    yield from ((index, None) for index in old[len(new) :])
    yield from ((None, index) for index in new[len(old) :])


def _kind(entry: Mapping[str, Any]) -> str:
    function = entry.get("function")
    name = function.get("name") if isinstance(function, Mapping) else entry.get("name")
    return canonical_json([entry.get("role"), entry.get("type"), name])


def word_diff(old: str, new: str) -> list[tuple[Operation, str]]:
    """The way from ``old`` to ``new`` by words: what stays (=), goes (-) and comes (+), neighbours of one kind joined.

    The texts of = and - together are ``old``, those of = and + are ``new``. Lines are compared first, then words within
    the lines that differ, so that long texts stay quick.
    """
    joined: list[tuple[Operation, str]] = []
    for operation, text in _text_diff(old, new, _GRAINS):
        if joined and joined[-1][0] == operation:
            joined[-1] = (operation, joined[-1][1] + text)
        else:
            joined.append((operation, text))
    return joined


def _text_diff(old: str, new: str, grains: tuple[re.Pattern[str], ...]) -> Iterator[tuple[Operation, str]]:
    grain, *finer = grains
    for same, before, after in _blocks(grain.findall(old), grain.findall(new)):
        if same:
            yield "=", before
        elif before and after and finer and _worth(before, after, finer):
            yield from _text_diff(before, after, tuple(finer))
        else:
            yield from _replaced(before, after)


def _replaced(before: str, after: str) -> Iterator[tuple[Operation, str]]:
    if before:
        yield "-", before
    if after:
        yield "+", after


def _worth(before: str, after: str, finer: list[re.Pattern[str]]) -> bool:
    # Single spaces and stops, the finest grain, say nothing in long stretches, where they match anywhere.
    return len(finer) > 1 or len(before) + len(after) < 1000


def _blocks(before: list[str], after: list[str]) -> Iterator[tuple[bool, str, str]]:
    head = _common(before, after)
    tail = _common(before[head:][::-1], after[head:][::-1])
    old, new = before[head : len(before) - tail], after[head : len(after) - tail]
    if head:
        yield True, "".join(before[:head]), "".join(after[:head])
    for operation, a, b, c, d in SequenceMatcher(None, old, new).get_opcodes():
        yield operation == "equal", "".join(old[a:b]), "".join(new[c:d])
    if tail:
        yield True, "".join(before[-tail:]), "".join(after[-tail:])


def _common(before: list[str], after: list[str]) -> int:
    pairs = enumerate(zip(before, after, strict=False))
    return next((index for index, (old, new) in pairs if old != new), min(len(before), len(after)))
