"""The laws of the three-way merge, over families of prompts that people could have made."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from prompt_strategies import Family, drawn, families_of_messages, family

from promptstore.merge.three_way import Merge, merge
from promptstore.merge.values import same
from promptstore.model.digest import canonical_json
from promptstore.model.prompt_file import PromptFile

FAMILIES = drawn(family)
SETS = ("tags", "input_variables", "required")


@given(FAMILIES)
def test_one_sided_changes_are_taken_as_they_are(given_family: Family) -> None:
    base, ours, theirs = given_family
    for merged, expected in (
        (merge(base, ours, base), ours),
        (merge(base, base, theirs), theirs),
        (merge(base, ours, ours), ours),
        (merge(None, ours, ours), ours),
    ):
        assert merged.conflicts == ()
        assert same(merged.data, expected.data())


@given(FAMILIES)
@settings(max_examples=200)
def test_swapping_the_sides_swaps_the_conflicts_and_nothing_else(given_family: Family) -> None:
    base, ours, theirs = given_family
    for old in (base, None):
        merged, swapped = merge(old, ours, theirs), merge(old, theirs, ours)
        assert told(merged) == told(swapped, swap=True)
        if not merged.conflicts:
            assert same(without_order(merged.data), without_order(swapped.data))


def told(merged: Merge, *, swap: bool = False) -> list[str]:
    """The conflicts in an order of their own; positions are those of our side, so they are left out."""
    values = [
        (re.sub(r"\[\d+\]", "[]", conflict.field), conflict.base, *sorted_sides(conflict.ours, conflict.theirs, swap))
        for conflict in merged.conflicts
    ]
    return sorted(canonical_json(list(value)) for value in values)


def sorted_sides(ours: Any, theirs: Any, swap: bool) -> tuple[Any, Any]:
    return (theirs, ours) if swap else (ours, theirs)


def without_order(value: Any) -> Any:
    """The data with its sets sorted: additions to a set come after our words, whoever we are."""
    if isinstance(value, dict):
        return {
            key: sorted(item) if key in SETS and isinstance(item, list) else without_order(item)
            for key, item in value.items()
        }
    return [without_order(item) for item in value] if isinstance(value, list) else value


@given(FAMILIES)
def test_the_result_is_a_valid_prompt_in_normal_form(given_family: Family) -> None:
    base, ours, theirs = given_family
    for old in (base, None):
        for merged in (merge(old, ours, theirs), merge(old, ours, theirs, side="theirs")):
            assert same(PromptFile.model_validate(merged.data).data(), merged.data)


@given(FAMILIES)
def test_the_side_decides_nothing_but_the_conflicts(given_family: Family) -> None:
    merged, other = merge(*given_family), merge(*given_family, side="theirs")
    assert merged.conflicts == other.conflicts
    if not merged.conflicts:
        assert same(merged.data, other.data)


@given(FAMILIES)
def test_a_conflict_is_a_field_that_both_sides_changed(given_family: Family) -> None:
    for conflict in merge(*given_family).conflicts:
        values = [canonical_json(value) for value in (conflict.base, conflict.ours, conflict.theirs)]
        assert values[1] != values[2] or values[1] == "null"  # null against absent shows as null twice


@given(FAMILIES)
@settings(max_examples=200)
def test_no_edit_is_lost(given_family: Family) -> None:
    base, ours, theirs = given_family
    merged = merge(base, ours, theirs)
    kept = {*lines(merged.data)}
    for conflict in merged.conflicts:
        kept |= {*lines(conflict.ours), *lines(conflict.theirs)}
    assert ({*lines(ours.data())} | {*lines(theirs.data())}) - {*lines(base.data())} <= kept


def lines(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield from value.replace("\r", "").split("\n")
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from lines(item)


@given(drawn(families_of_messages))
@settings(max_examples=300)
def test_work_on_different_messages_never_conflicts(given_family: Family) -> None:
    merged = merge(*given_family)
    assert merged.conflicts == ()
    assert same(merged.data, merge(given_family.base, given_family.theirs, given_family.ours).data)


@given(drawn(families_of_messages))
def test_what_one_side_did_to_its_messages_is_in_the_result(given_family: Family) -> None:
    base, ours, theirs = ([canonical_json(item) for item in prompt.data()["messages"]] for prompt in given_family)
    merged = [canonical_json(item) for item in merge(*given_family).data["messages"]]
    for side, other in ((ours, theirs), (theirs, ours)):
        assert {*side} - {*base} <= {*merged}, "an edit or addition"
        assert not ({*base} - {*side}) & {*merged}, "a message that was removed or edited"
        assert {*base} & {*side} & {*other} <= {*merged}, "a message that both left alone"
