"""The laws of the three-way merge as plain checks over random people, for hypothesis and for long campaigns alike.

A case is a number: the same number is the same prompt and the same edits, so a failing one is its own report.

    python tests/unit/merge/merge_laws.py --cases 1000000 --from 0
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from itertools import pairwise
from random import Random
from typing import Any, NamedTuple

from prompt_strategies import Data, Family, distinct_messages, families_of_messages, family, unique_line

from promptstore.merge import alignment
from promptstore.merge.driver import merge_files
from promptstore.merge.rewriting import rewrite
from promptstore.merge.text import merge_text, split_lines
from promptstore.merge.three_way import Merge, merge
from promptstore.merge.values import same
from promptstore.model.digest import canonical_json
from promptstore.model.prompt_file import PromptFile
from promptstore.model.reading import parse_prompt
from promptstore.model.yaml.writer import write

SETS = ("tags", "input_variables", "required")
PATH = "prompts/a.yaml"

# --- laws of any family ----------------------------------------------------------------------------------------


class Merges:
    """A family and what becomes of it, each merge made once."""

    def __init__(self, people: Family) -> None:
        self.people = people

    @cached_property
    def ours(self) -> Merge:
        return merge(*self.people)

    @cached_property
    def theirs(self) -> Merge:
        return merge(*self.people, side="theirs")

    @cached_property
    def unrelated(self) -> tuple[Merge, Merge]:
        """Without a base, for either side."""
        _, ours, theirs = self.people
        return merge(None, ours, theirs), merge(None, ours, theirs, side="theirs")


def identity(made: Merges) -> None:
    """m(b, l, b) = l, m(b, b, r) = r, m(b, x, x) = x, with or without a base."""
    base, ours, theirs = made.people
    for merged, expected in (
        (merge(base, ours, base), ours),
        (merge(base, base, theirs), theirs),
        (merge(base, ours, ours), ours),
        (merge(None, ours, ours), ours),
    ):
        assert merged.conflicts == ()
        assert same(merged.data, expected.data())


def swap_symmetry(made: Merges) -> None:
    """Who merges decides nothing: the conflicts are the same, swapped, and so is what comes out."""
    base, ours, theirs = made.people
    for merged, old in ((made.ours, base), (made.unrelated[0], None)):
        swapped = merge(old, theirs, ours)
        assert told(merged) == told(swapped, swap=True)
        if not merged.conflicts:
            assert same(without_order(merged.data), without_order(swapped.data))


def told(merged: Merge, *, swap: bool = False) -> list[str]:
    """The conflicts in an order of their own; positions are those of our side, so they are left out."""
    rows = []
    for conflict in merged.conflicts:
        sides = (conflict.theirs, conflict.ours) if swap else (conflict.ours, conflict.theirs)
        rows.append(canonical_json([re.sub(r"\[\d+\]", "[]", conflict.field), conflict.base, *sides]))
    return sorted(rows)


def without_order(value: Any) -> Any:
    """The data with its sets sorted: additions to a set come after our words, whoever we are."""
    if isinstance(value, dict):
        return {
            key: sorted(item) if key in SETS and isinstance(item, list) else without_order(item)
            for key, item in value.items()
        }
    return [without_order(item) for item in value] if isinstance(value, list) else value


def valid(made: Merges) -> None:
    """What comes out is a prompt, in normal form; the chosen side decides nothing but the conflicts."""
    for merged, other in ((made.ours, made.theirs), made.unrelated):
        for outcome in (merged, other):
            assert same(PromptFile.model_validate(outcome.data).data(), outcome.data)
        assert merged.conflicts == other.conflicts
        if not merged.conflicts:
            assert same(merged.data, other.data)


def real_conflicts(made: Merges) -> None:
    """A conflict is a field that both sides changed, and differently."""
    for conflict in made.ours.conflicts:
        values = [canonical_json(value) for value in (conflict.base, conflict.ours, conflict.theirs)]
        assert values[1] != values[2] or values[1] == "null"  # null against absent shows as null twice


def no_edit_lost(made: Merges) -> None:
    """Every line that somebody wrote is in the result or in a conflict."""
    base, ours, theirs = made.people
    kept = {*lines(made.ours.data)}
    for conflict in made.ours.conflicts:
        kept |= {*lines(conflict.ours), *lines(conflict.theirs)}
    assert ({*lines(ours.data())} | {*lines(theirs.data())}) - {*lines(base.data())} <= kept


def nothing_invented(made: Merges) -> None:
    """Every line of the result is somebody's: what is gone on both sides does not come back."""
    _, ours, theirs = made.people
    assert {*lines(made.ours.data)} <= {*lines(ours.data())} | {*lines(theirs.data())}


def lines(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield from value.replace("\r", "").split("\n")
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from lines(item)


FAMILY_LAWS: tuple[Callable[[Merges], None], ...] = (
    identity,
    swap_symmetry,
    valid,
    real_conflicts,
    no_edit_lost,
    nothing_invented,
)


def any_family(random: Random) -> None:
    made = Merges(family(random))
    for law in FAMILY_LAWS:
        law(made)


# --- people who keep out of each other's way: the outcome is known beforehand -----------------------------------

SIDES = ("ours", "theirs")


def messages_apart(random: Random) -> None:
    """Each message is edited or removed by one side at most, and messages are added between those that stay."""
    messages = distinct_messages(random)
    owners = [random.choice((*SIDES, "nobody")) for _ in messages]
    edits = [_edit_of_message(random, index) for index in range(len(messages))]
    gaps = _gaps(random, [edit is None and owner != "nobody" for edit, owner in zip(edits, owners, strict=True)])

    def made_by(*sides: str) -> PromptFile:
        made: list[Data] = []
        for index, message in enumerate(messages):
            made += [_added(side, index) for side in sides if gaps.get(index) == side]
            edit = edits[index]
            if owners[index] not in sides:
                made.append(message)
            elif edit is not None:
                made.append({**message, **edit(message)})
        return PromptFile.model_validate({"messages": made})

    people = Family(made_by(), made_by("ours"), made_by("theirs"))
    merged = merge(*people)
    assert merged.conflicts == ()
    assert same(merged.data, made_by(*SIDES).data())


def _edit_of_message(random: Random, index: int) -> Callable[[Data], Data] | None:
    """One line is rewritten, a paragraph added, a field set; None removes the message."""
    row, fresh = random.randrange(3), unique_line(random, f"new{index}")

    def rewritten(message: Data) -> Data:
        rows = message["content"].split("\n\n")
        return {"content": "\n\n".join([*rows[:row], fresh, *rows[row + 1 :]])}

    def longer(message: Data) -> Data:
        rows = message["content"].split("\n\n")
        return {"content": "\n\n".join([*rows[:row], fresh, *rows[row:]])}

    return random.choice((rewritten, longer, lambda _: {"name": f"name{index}"}, None))


def _gaps(random: Random, removed: list[bool]) -> dict[int, str]:
    """Where a side adds a message: before one that stays, behind one that stays; sides never at one place."""
    free = [index for index in range(len(removed)) if not removed[index] and not (index and removed[index - 1])]
    return {index: random.choice(SIDES) for index in random.sample(free, min(len(free), random.randint(0, 2)))}


def _added(side: str, index: int) -> Data:
    return {
        "role": "user",
        "content": " ".join(f"{word}{side}{index}" for word in ["and", "one", "thing", "more", "of"]),
    }


def messages_moved(random: Random) -> None:
    """With moves too, nothing conflicts and what each side did is there."""
    people = families_of_messages(random)
    merged = merge(*people)
    assert merged.conflicts == ()
    assert same(merged.data, merge(people.base, people.theirs, people.ours).data)
    base, ours, theirs = ([canonical_json(item) for item in prompt.data()["messages"]] for prompt in people)
    made = [canonical_json(item) for item in merged.data["messages"]]  # type: ignore[union-attr]
    for side, other in ((ours, theirs), (theirs, ours)):
        assert {*side} - {*base} <= {*made}, "an edit or addition"
        assert not ({*base} - {*side}) & {*made}, "a message that was removed or edited"
        assert {*base} & {*side} & {*other} <= {*made}, "a message that both left alone"
    assert len(made) == len({*made})


def same_message(random: Random) -> None:
    """Two people rewrite one line of one message: a conflict of that field, and of no other."""
    messages = distinct_messages(random)
    at, row = random.randrange(len(messages)), random.randrange(3)
    variants = []
    for side in SIDES:
        rows = messages[at]["content"].split("\n\n")
        rows[row] = unique_line(random, side)
        changed = {**messages[at], "content": "\n\n".join(rows)}
        variants.append(PromptFile.model_validate({"messages": [*messages[:at], changed, *messages[at + 1 :]]}))
    merged = merge(PromptFile.model_validate({"messages": messages}), *variants)
    assert [conflict.field for conflict in merged.conflicts] == [f"messages[{at}].content"]
    assert same(merged.data, variants[0].data())


def paragraphs_apart(random: Random) -> None:
    """Each paragraph of a text is edited, removed or preceded by a new one by one side at most."""
    paragraphs = [_paragraph(random, str(index)) for index in range(random.randint(2, 8))]
    owners = [random.choice((*SIDES, "nobody")) for _ in paragraphs]
    edits = [random.choice(("line", "whole", "gone", "before")) for _ in paragraphs]
    fresh = [_paragraph(random, f"new{index}") for index in range(len(paragraphs))]

    def made_by(*sides: str) -> str:
        made: list[str] = []
        for paragraph, owner, edit, new in zip(paragraphs, owners, edits, fresh, strict=True):
            made += _edited_paragraph(paragraph, edit, new) if owner in sides else [paragraph]
        return "\n".join(made)

    merged = merge_text(made_by(), made_by("ours"), made_by("theirs"))
    assert not merged.conflicted
    removed = sum(edit == "gone" and owner != "nobody" for edit, owner in zip(edits, owners, strict=True))
    expected, text = made_by(*SIDES), merged.text()
    assert [line for line in split_lines(text) if line.strip()] == [
        line for line in split_lines(expected) if line.strip()
    ]
    if removed < 2:
        assert text.rstrip("\n") == expected.rstrip("\n")


def _paragraph(random: Random, mark: str) -> str:
    return "".join(f"{unique_line(random, f'{mark}r{row}')}\n" for row in range(random.randint(1, 3)))


def _edited_paragraph(paragraph: str, edit: str, new: str) -> list[str]:
    if edit == "line":
        return ["".join([split_lines(new)[0], *split_lines(paragraph)[1:]])]
    return {"whole": [new], "gone": [], "before": [new, paragraph]}[edit]


def any_text(random: Random) -> None:
    """Texts of few different lines, where every hunk has many true places."""
    alphabet = ("a\n", "b\n", "c\n", "\n", "a\r\n", "d")
    base, ours, theirs = ("".join(random.choices(alphabet, k=random.randint(0, 10))) for _ in range(3))
    for merged, side in ((merge_text(base, ours, base), ours), (merge_text(base, base, theirs), theirs)):
        assert not merged.conflicted
        assert merged.text() == side
    assert merge_text(base, ours, ours).text() == ours
    merged, swapped = merge_text(base, ours, theirs), merge_text(base, theirs, ours)
    assert merged.text("ours") == swapped.text("theirs")
    assert merged.text("theirs") == swapped.text("ours")
    kept = {*split_lines(merged.text("ours")), *split_lines(merged.text("theirs"))}
    assert {*split_lines(ours), *split_lines(theirs)} - {*split_lines(base)} <= kept


# --- which item is which, against a slow model of the rule ------------------------------------------------------


def _kinship(by_key_only: bool) -> alignment.Kinship:
    return alignment.Kinship(lambda item: _at(item, "role") or "", lambda item: _at(item, "id"), by_key_only)


def _at(item: Any, key: str) -> str | None:
    """What an item has there, each time as another object."""
    return "".join([*item[key]]) if key in item else None


def alignments(random: Random) -> None:
    """Each item of one list in the other, as the slow model finds it; of models that are as good, one."""
    left = [_item(random) for _ in range(random.randint(0, 5))]
    right = _rearranged(left, random)
    limit = random.choice((10_000, 10_000, 2, 4, 6, 9))
    kinship = _kinship(by_key_only=random.random() < 0.2)
    with _limited(limit):
        found, back = alignment.align(left, right, kinship), alignment.align(right, left, kinship)
    models = _modelled(left, right, limit, kinship)
    assert len({*found.values()}) == len(found)
    assert found in models
    assert len(models) > 1 or {place: index for index, place in back.items()} == found


@contextmanager
def _limited(pairs: int) -> Iterator[None]:
    """Lists with more pairs than that are told apart without a look at their words."""
    before = alignment.MAX_PAIRS
    alignment.MAX_PAIRS = pairs
    try:
        yield
    finally:
        alignment.MAX_PAIRS = before


def _item(random: Random) -> Data:
    words = random.sample("abcdefghijklmnop", 5)
    return {
        "role": random.choice(("user", "user", "assistant")),
        "content": " ".join(words),
        **({"id": f"id{random.randrange(3)}"} if random.random() < 0.15 else {}),
    }


def _rearranged(items: list[Data], random: Random) -> list[Data]:
    made = [dict(item) for item in items]
    for _ in range(random.randint(0, 3)):
        at = random.randrange(len(made) + 1)
        change = random.randrange(5)
        if change == 0 or at == len(made):
            made.insert(at, _item(random))
        elif change == 1:
            del made[at]
        elif change == 2:
            made.insert(random.randrange(len(made)), made.pop(at))
        else:
            words = made[at]["content"].split()
            for _ in range(random.choice((1, 1, 2, 3, 5))):
                words[random.randrange(len(words))] = random.choice("abcdefghijklmnopqrstuvwxyz")
            role = random.choice(("user", "assistant")) if change == 4 else made[at]["role"]
            made[at] = {**made[at], "content": " ".join(words), "role": role}
    return made


Pairs = dict[int, int]


def _modelled(left: list[Data], right: list[Data], limit: int, kinship: alignment.Kinship) -> list[Pairs]:
    """All alignments that the rule allows: by id; then in order, as heavy as can be; then moved; then by place."""
    keyed = _keyed(left, right)
    told, told_there = ([not kinship.by_key_only or "id" not in item for item in items] for items in (left, right))
    rest = [index for index in range(len(left)) if index not in keyed and told[index]]
    other = [index for index in range(len(right)) if index not in keyed.values() and told_there[index]]
    mine, theirs = [left[index] for index in rest], [right[index] for index in other]
    chains = [chain for equal in _equal_in_order(mine, theirs, limit) for chain in _filled(mine, theirs, equal, limit)]
    found = [{**keyed, **{rest[row]: other[column] for row, column in chain.items()}} for chain in chains]
    return [_completed(left, right, pairs, limit, ({*rest}, {*other})) for pairs in found]


def _equal_in_order(left: list[Data], right: list[Data], limit: int) -> list[Pairs]:
    """The equal items to build on: what both lists begin and end with; of long ones as many as can be."""
    ends = _equal_ends(left, right)
    if (len(left) - len(ends)) * (len(right) - len(ends)) <= limit:
        return [ends]
    return [dict(chain) for chain in _heaviest_chains([[float(one == other) for other in right] for one in left])]


def _filled(left: list[Data], right: list[Data], equal: Pairs, limit: int) -> list[Pairs]:
    """Between them, the heaviest pairs in order."""
    made = [equal]
    for start, end in pairwise([-1, *sorted(equal), len(left)]):
        rows = range(start + 1, end)
        columns = range(equal.get(start, -1) + 1, equal.get(end, len(right)))
        if len(rows) * len(columns) <= limit:
            chains = _heaviest_chains([[_likeness(left[row], right[column]) for column in columns] for row in rows])
            gaps = [{rows[row]: columns[column] for row, column in chain} for chain in chains]
            made = [{**pairs, **gap} for pairs in made for gap in gaps]
    return made


def _keyed(left: list[Data], right: list[Data]) -> Pairs:
    """The n-th item with an id is the n-th one there with that id."""

    def nth(items: list[Data]) -> dict[tuple[str, int], int]:
        ids = [item.get("id") for item in items]
        return {(name, ids[:index].count(name)): index for index, name in enumerate(ids) if name}

    places = nth(right)
    return {index: places[key] for key, index in nth(left).items() if key in places}


def _equal_ends(left: list[Data], right: list[Data]) -> Pairs:
    most, head = min(len(left), len(right)), 0
    while head < most and left[head] == right[head]:
        head += 1
    tail = 0
    while tail < most - head and left[-1 - tail] == right[-1 - tail]:
        tail += 1
    ends = {len(left) - 1 - back: len(right) - 1 - back for back in range(tail)}
    return {**{index: index for index in range(head)}, **ends}


def _likeness(one: Data, other: Data) -> float:
    if one == other:
        return 2.0
    common = _common_words(one, other)
    if one["role"] == other["role"]:
        return common if common >= 0.4 else 0.0
    return common / 2 if common >= 0.8 else 0.0


def _common_words(one: Data, other: Data) -> float:
    words, more = ([*item["content"].split(), *([item["id"]] if "id" in item else [])] for item in (one, other))
    left, common = [*more], 0
    for word in words:
        if word in left:
            left.remove(word)
            common += 1
    return 2 * common / (len(words) + len(more))


def _heaviest_chains(weights: list[list[float]]) -> list[tuple[tuple[int, int], ...]]:
    """Every rising chain of pairs that weighs as much as any."""
    chains: list[tuple[tuple[int, int], ...]] = [()]
    for row in range(len(weights)):
        for chain in list(chains):
            start = chain[-1][1] + 1 if chain else 0
            chains += [(*chain, (row, column)) for column in range(start, len(weights[row])) if weights[row][column]]
    sums = [sum(weights[row][column] for row, column in chain) for chain in chains]
    best = max(sums)
    return [chain for chain, total in zip(chains, sums, strict=True) if total > best - 1e-9]


def _completed(left: list[Data], right: list[Data], found: Pairs, limit: int, free: tuple[set[int], set[int]]) -> Pairs:
    made = dict(found)
    few = len(free[0] - {*found}) * len(free[1] - {*found.values()}) <= limit
    pairs = [(index, place) for index in sorted(free[0]) for place in sorted(free[1])]
    weighed = [(_weight_elsewhere(left[index], right[place], few), -index, -place) for index, place in pairs]
    for weight, index, place in sorted(weighed, reverse=True):
        if weight and -index not in made and -place not in made.values():
            made[-index] = -place
    placed = dict(made)
    for start, end in pairwise([-1, *sorted(made), len(left)]):
        begin, stop = made.get(start, -1), made.get(end, len(right))
        between = range(begin + 1, stop)
        if end - start > 1 and not any(place in between for place in made.values()):
            rows = [index for index in range(start + 1, end) if index in free[0]]
            placed |= _same_number(left, right, rows, [place for place in between if place in free[1]])
    return placed


def _weight_elsewhere(one: Data, other: Data, by_words: bool) -> float:
    if one == other or not by_words:
        return 2.0 * (one == other)
    common = _common_words(one, other)
    return common if one["role"] == other["role"] and common >= 0.6 else 0.0


def _same_number(left: list[Data], right: list[Data], rows: list[int], columns: list[int]) -> Pairs:
    made: Pairs = {}
    for role in ("user", "assistant"):
        mine = [index for index in rows if left[index]["role"] == role]
        other = [index for index in columns if right[index]["role"] == role]
        made |= dict(zip(mine, other, strict=True)) if len(mine) == len(other) else {}
    return made


# --- maps and sets against a model of the rule ------------------------------------------------------------------

NOTHING = object()
MAP_KEYS = ("a", "b", "c.d")
MAP_VALUES: tuple[Any, ...] = (0, 0.0, 1, True, False, None, "", "x", "y", [], [1], {})


def open_maps(random: Random) -> None:
    """Open maps by key, at every depth, against a truth table."""
    base, ours, theirs = (_map(random, 2) for _ in range(3))
    place = random.choice(("metadata", "vendors", "parameters"))
    merged = merge(*(_with_map(place, value) for value in (base, ours, theirs)))
    path = {"metadata": "metadata", "vendors": "vendors.promptlayer", "parameters": "model.parameters"}[place]
    found: dict[str, Any] = {}
    expected = _expected(base, ours, theirs, path, found)
    assert same(_map_of(place, merged), expected)
    assert {conflict.field: (conflict.base, conflict.ours, conflict.theirs) for conflict in merged.conflicts} == found


def _with_map(place: str, value: Data) -> PromptFile:
    fields: Data = {"metadata": {"metadata": value}, "vendors": {"vendors": {"promptlayer": value}}}.get(
        place, {"model": {"parameters": value}}
    )
    return PromptFile.model_validate({"content": "x", **fields})


def _map_of(place: str, merged: Merge) -> Any:
    data: Any = merged.data
    if place == "metadata":
        return data.get("metadata", {})
    return data["vendors"]["promptlayer"] if place == "vendors" else data["model"]["parameters"]


def _map(random: Random, depth: int) -> Data:
    keys = random.sample(MAP_KEYS, random.randint(1, len(MAP_KEYS)))
    return {
        key: _map(random, depth - 1) if depth and random.random() < 0.3 else random.choice(MAP_VALUES) for key in keys
    }


def _is(one: Any, other: Any) -> bool:
    if one is NOTHING or other is NOTHING:
        return one is other
    return canonical_json(one) == canonical_json(other)


def _expected(base: Any, ours: Any, theirs: Any, path: str, found: dict[str, Any]) -> Any:
    if _is(ours, theirs) or _is(base, theirs):
        return ours
    if _is(base, ours):
        return theirs
    older = {} if base is NOTHING else base
    if all(isinstance(value, dict) for value in (older, ours, theirs)):
        made = {}
        for key in MAP_KEYS:
            below = f"{path}.{key}" if key.isalpha() else f'{path}["{key}"]'
            value = _expected(*(each.get(key, NOTHING) for each in (older, ours, theirs)), below, found)
            made |= {} if value is NOTHING else {key: value}
        return made
    found[path] = tuple(None if value is NOTHING else value for value in (base, ours, theirs))
    return ours


def word_sets(random: Random) -> None:
    """Keyword tags as a set: a word is there where nobody took it away and somebody has it."""
    words = ("support", "beta", "fr", "qa", "long")
    base, ours, theirs = (random.sample(words, random.randint(0, len(words))) for _ in range(3))
    merged = merge(*(PromptFile.model_validate({"content": "x", "tags": tags}) for tags in (base, ours, theirs)))
    expected = {word for word in words if _stays(word, base, ours, theirs)}
    tags: Any = merged.data.get("tags", [])
    assert merged.conflicts == ()
    assert {*tags} == expected
    assert len(tags) == len(expected)
    if ours != base:
        assert [word for word in tags if word in ours] == [word for word in ours if word in expected]


def required_names(random: Random) -> None:
    """What a schema requires is a set, too, at every depth; a property may be called so itself."""
    names = ("city", "day", "unit", "required")
    people = [[random.sample(names, random.randint(0, len(names))) for _ in range(2)] for _ in range(3)]
    base, ours, theirs = people
    merged = merge(*(_with_schema(_schema(names, outer, inner)) for outer, inner in people))
    assert merged.conflicts == ()
    tools: Any = merged.data["tools"]
    outer = tools[0]["function"]["parameters"]
    for depth, found in enumerate((outer, outer["properties"]["city"])):
        sides = base[depth], ours[depth], theirs[depth]
        assert {*found["required"]} == {name for name in names if _stays(name, *sides)}
        assert len(found["required"]) == len({*found["required"]})


def _schema(names: tuple[str, ...], outer: list[str], inner: list[str]) -> Data:
    plain: Data = {key: {"type": "string"} for key in names}
    properties = {**plain, "city": {"type": "object", "properties": plain, "required": inner}}
    return {"type": "object", "properties": properties, "required": outer}


def _with_schema(schema: Data) -> PromptFile:
    tool = {"type": "function", "function": {"name": "weather", "parameters": schema}}
    return PromptFile.model_validate({"messages": [{"role": "user", "content": "x"}], "tools": [tool]})


def _stays(word: str, base: list[str], ours: list[str], theirs: list[str]) -> bool:
    return (word in ours) + (word in theirs) + (word not in base) >= 2


# --- the same additions on both sides ---------------------------------------------------------------------------


def tools_added(random: Random) -> None:
    """A tool that both sides added is there once, at the earlier of its two places; so is each that one side added."""
    old = [f"old{number}" for number in range(random.randint(1, 5))]
    added = [f"new{number}" for number in range(random.randint(1, 4))]
    ours, theirs = (_with(old, random.sample(added, random.randint(0, len(added))), random) for _ in SIDES)
    merged = _merged_tools(old, ours, theirs)
    assert merged == _merged_tools(old, theirs, ours)
    assert sorted(merged) == sorted({*ours, *theirs})
    assert [name for name in merged if name in old] == old
    for name in {*merged} - {*old}:
        assert _place(name, merged, old) == min(_place(name, side, old) for side in (ours, theirs) if name in side)


def _with(items: list[str], more: list[str], random: Random) -> list[str]:
    made = [*items]
    for item in more:
        made.insert(random.randrange(len(made) + 1), item)
    return made


def _place(name: str, names: list[str], old: list[str]) -> int:
    """How many of the old ones come before."""
    return sum(one in old for one in names[: names.index(name)])


def _merged_tools(*sides: list[str]) -> list[str]:
    people = [
        PromptFile.model_validate(
            {"content": "x", "tools": [{"type": "function", "function": {"name": name}} for name in names]}
        )
        for names in sides
    ]
    merged = merge(*people)
    assert merged.conflicts == ()
    return [tool["function"]["name"] for tool in merged.data.get("tools", [])]


def messages_added(random: Random) -> None:
    """Equal messages that both sides added at one place are there once, and nobody's messages change their order."""
    base = distinct_messages(random)
    gap = random.randrange(len(base) + 1)
    shared = [unique_line(random, f"shared{number}") for number in range(random.randint(1, 3))]
    runs = [
        _with(shared, [unique_line(random, f"{side}{n}") for n in range(random.randrange(3))], random) for side in SIDES
    ]
    ours, theirs = ([*base[:gap], *({"role": "user", "content": text} for text in run), *base[gap:]] for run in runs)
    people = [PromptFile.model_validate({"messages": messages}) for messages in (base, ours, theirs)]
    merged = merge(*people)
    assert merged.conflicts == ()
    assert same(merged.data, merge(people[0], people[2], people[1]).data)
    texts = [message["content"] for message in merged.data["messages"]]
    for side in (ours, theirs):
        assert [text for text in texts if text in (mine := [one["content"] for one in side])] == mine
    assert len(texts) == len({*texts}) == len(base) + len({*runs[0], *runs[1]})


# --- files: what nobody touched keeps its bytes -----------------------------------------------------------------


def files(random: Random) -> None:
    """The merge is written onto our file: each field and message that it leaves alone keeps bytes and comment."""
    people = family(random)
    text = _commented(write(people.ours.data()), random)
    merged = merge(*people).data
    made = rewrite(text, merged)
    assert same(parse_prompt(made, PATH).data(), merged)
    assert rewrite(text, people.ours.data()) == text
    before, after = _blocks(text), _blocks(made)
    left = [key for key in before if key in merged and same(people.ours.data().get(key), merged[key])]
    for key in left:
        assert after[key].bytes == before[key].bytes, key
    assert {before[key].note for key in left} <= {*made.splitlines(), ""}, "a comment went away"


def _commented(text: str, random: Random) -> str:
    made = []
    for number, line in enumerate(text.splitlines(keepends=True)):
        if re.match(r"[a-z_]+:", line) and random.random() < 0.5:
            made.append(f"# note {number}\n")
        made.append(line)
    return "".join(made)


class _Block(NamedTuple):
    note: str
    bytes: str


def _blocks(text: str) -> dict[str, _Block]:
    """The top-level fields of a file as they are written, each with the comment above it."""
    blocks: dict[str, _Block] = {}
    note, key = "", ""
    for line in text.splitlines(keepends=True):
        if line.startswith("# note"):
            note = line.rstrip()
        elif found := re.match(r"([a-z_]+):", line):
            key = found[1]
            blocks[key], note = _Block(note, line), ""
        else:
            blocks[key] = blocks[key]._replace(bytes=blocks[key].bytes + line)
    return {key: block._replace(bytes=block.bytes.rstrip("\n")) for key, block in blocks.items()}


def file_merges(random: Random) -> None:
    """The git merge driver says what the merge says; one side everywhere is a valid prompt."""
    people = family(random)
    base, ours, theirs = (_commented(write(prompt.data()), random) for prompt in people)
    merged = merge_files(base, ours, theirs, PATH)
    outcome = merge(*people)
    assert merged.conflicted == bool(outcome.conflicts)
    if not merged.conflicted:
        assert same(parse_prompt(merged.text, PATH).data(), outcome.data)
        return
    before, mine, other = ({*_written(prompt)} for prompt in people)
    fresh = (mine | other) - before
    assert all(line in merged.text for line in fresh), "a line went away"
    for side in SIDES:
        parse_prompt(_taken(merged.text, side), PATH)


def _written(prompt: PromptFile) -> list[str]:
    """The lines of people: words, and a number that makes them differ."""
    return [found for line in lines(prompt.data()) for found in re.findall(r"[a-z]+ [a-z ]* \d{4}", line)]


def _taken(text: str, side: str) -> str:
    """The file with one side of every conflict."""
    made, of = [], None
    for line in text.splitlines(keepends=True):
        marker = {"<<<<<<<": "ours", "=======": "theirs", ">>>>>>>": None}.get(line[:7], line)
        if marker == line:
            made += [line] if of in (None, side) else []
        else:
            of = marker
    return "".join(made)


CASES: tuple[Callable[[Random], None], ...] = (
    *[any_family] * 13,
    *[messages_apart] * 7,
    *[messages_moved] * 4,
    *[same_message] * 2,
    *[paragraphs_apart] * 6,
    *[any_text] * 5,
    *[open_maps] * 5,
    *[alignments] * 3,
    *[tools_added] * 2,
    *[messages_added] * 2,
    word_sets,
    required_names,
    files,
    file_merges,
)
"""Which law the case with a number is about: the number modulo this list's length."""


def check(number: int) -> None:
    CASES[number % len(CASES)](Random(number))


def main(arguments: list[str]) -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--cases", type=int, default=10_000)
    options.add_argument("--from", dest="first", type=int, default=0)
    wanted = options.parse_args(arguments)
    start, failed = time.monotonic(), 0
    for number in range(wanted.first, wanted.first + wanted.cases):
        try:
            check(number)
        except Exception as error:  # noqa: BLE001 - each failing case is told, and the campaign goes on
            failed += 1
            law = CASES[number % len(CASES)].__name__
            print(f"FAILED case {number} ({law}): {type(error).__name__}: {str(error)[:300]}", flush=True)
        done = number + 1 - wanted.first
        if done % 10_000 == 0:
            print(f"{done} cases, {failed} failed, {time.monotonic() - start:.0f} s", flush=True)
    print(f"{wanted.cases} cases from {wanted.first}: {failed} failed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
