"""The planner in every state of one prompt at one remote, against the written policy and against the laws.

The fast tests take every n-th state, the slow one all contents, the thorough ones all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import reduce
from itertools import islice, product
from typing import Any

import pytest
from planner_policy import decided
from planner_worlds import (
    FIRST,
    ID,
    PLACES,
    PROMPTS,
    ROLES,
    SLUG,
    TAG,
    Terms,
    Text,
    World,
    all_contents,
    all_new_tags,
    all_obstacles,
    all_tags,
    all_terms,
    meant,
    named_by,
    planned,
    said,
    sent,
    text_of,
    version_of,
)

from promptstore.sync.actions import LOCAL_KINDS, LOCAL_TAG_KINDS, REMOTE_KINDS, REMOTE_TAG_KINDS, Action, Conflict

State = tuple[World, Terms]
Worlds = Callable[[], Iterator[World]]

SPACES = [
    pytest.param(all_contents, 37, id="contents"),
    pytest.param(all_tags, 431, id="tags"),
    pytest.param(all_new_tags, 67, id="tags-set-here"),
    pytest.param(all_obstacles, 151, id="obstacles"),
]


def states(worlds: Worlds, every: int = 1) -> Iterable[State]:
    terms = [each for each in all_terms() if worlds is not all_new_tags or not each.allow_delete]
    return islice(product(worlds(), terms), 0, None, every)


# --- the written policy


@pytest.mark.parametrize(("worlds", "every"), SPACES)
def test_states_are_decided_as_written(worlds: Worlds, every: int) -> None:
    for world, terms in states(worlds, every):
        assert said(planned(world, terms)) == decided(world, terms), (world, terms)


@pytest.mark.thorough
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("worlds", [all_contents, all_tags, all_new_tags, all_obstacles])
def test_every_state_is_decided_as_written(worlds: Worlds) -> None:
    test_states_are_decided_as_written(worlds, 1)


@pytest.mark.slow
def test_every_content_is_decided_as_written() -> None:
    test_states_are_decided_as_written(all_contents, 1)


@pytest.mark.parametrize(("worlds", "every"), SPACES)
def test_a_write_in_doubt_stops_everything(worlds: Worlds, every: int) -> None:
    for world, terms in states(worlds, every * 10):
        plan = planned(replace(world, in_doubt=True, rival=False), terms)
        assert said(plan) == []


# --- laws that need no table


@pytest.mark.parametrize(("worlds", "every"), SPACES)
def test_states_keep_the_laws(worlds: Worlds, every: int) -> None:
    for world, terms in states(worlds, every):
        plan = planned(world, terms)
        kinds = {action.kind for action in plan.actions if action.kind != "link"}
        for law in (_loses_no_edit, _needs_proof_of_absence, _keeps_to_its_terms):
            law(world, terms, {*kinds})
        for action in plan.actions:
            _says_what_it_means(world, action)
        for conflict in plan.conflicts:
            _shows_what_differs(world, conflict)
        assert all(held.remote == "acme" and held.reason and held.hint for held in plan.held)


@pytest.mark.thorough
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("worlds", [all_contents, all_tags, all_new_tags, all_obstacles])
def test_every_state_keeps_the_laws(worlds: Worlds) -> None:
    test_states_keep_the_laws(worlds, 1)


def _loses_no_edit(world: World, terms: Terms, kinds: set[str]) -> None:
    """A text is replaced or removed only where the other side has seen it."""
    ours = (sent(world.local) if kinds & {"update-local"} else meant(world.local)) != world.base
    theirs = world.sight == "gone" or world.remote != world.base or world.unmerged is not None
    if kinds & {"update-remote", "delete-remote"}:
        assert not theirs
        assert world.base_seen
    if kinds & {"update-local", "delete-local"}:
        assert not ours
    if kinds & {"create-local", "update-local", "delete-local", "merge"}:
        assert not world.waiting
    if "create-remote" in kinds:
        assert world.remote is None or world.sight == "gone"


def _needs_proof_of_absence(world: World, terms: Terms, kinds: set[str]) -> None:
    if kinds & {"delete-local", "untag-local"}:
        assert world.remote is not None
        assert world.sight == ("gone" if "delete-local" in kinds else "listed")
    if world.sight == "vanished":
        assert not kinds


def _keeps_to_its_terms(world: World, terms: Terms, kinds: set[str]) -> None:
    assert terms.pull or not kinds & (LOCAL_KINDS | LOCAL_TAG_KINDS)
    assert terms.push or not kinds & (REMOTE_KINDS | REMOTE_TAG_KINDS)
    assert terms.can("write") or not kinds & {"create-remote", "update-remote"}
    assert (terms.can("delete") and terms.allow_delete) or "delete-remote" not in kinds
    assert terms.can("tags") or not kinds & (LOCAL_TAG_KINDS | REMOTE_TAG_KINDS)
    assert terms.can("untag") or "untag-remote" not in kinds


def _says_what_it_means(world: World, action: Action) -> None:
    """Which prompt at the vendor, and which of its versions the plan has taken into account; a reason for people."""
    assert (action.remote, action.slug) == ("acme", SLUG)
    assert action.reason
    versions = world.vendor_versions()
    if action.kind == "create-remote":
        assert (action.remote_id, action.expected) == (None, None)
    elif world.remote is not None and action.tag is None:
        gone_unmet = world.sight == "gone" and world.base is None
        assert action.remote_id == (None if gone_unmet else ID)
        newest = version_of("C") if action.kind == "merge" and world.unmerged else str(FIRST - 1 + len(versions))
        assert action.expected == newest or (action.kind == "link" and world.sight == "gone")
    if action.kind in {"create-remote", "update-remote"}:
        assert action.version == world.numbers()[text_of(action.blob)]
    elif action.tag is None and action.expected is not None:
        assert action.version == int(action.expected)
    if action.tag is not None and action.expected is not None:
        named = sent(text_of(action.blob)) if action.blob else named_by(action.expected)  # type: ignore[arg-type]
        assert versions[int(action.expected) - FIRST] == named


def _shows_what_differs(world: World, conflict: Conflict) -> None:
    """Each side as it is, so that a person can choose."""
    assert (conflict.remote, conflict.slug) == ("acme", SLUG)
    base, ours, theirs = _sides(world, conflict.field)
    assert conflict.ours == ours
    assert conflict.theirs == theirs
    assert conflict.base == base


def _sides(world: World, field: str) -> tuple[Any, Any, Any]:
    if field == f"tag:{TAG}":
        agreed, here, there = world.tags
        commit = f"commit of {here}"[:10] if world.tag_unmerged else f"version {world.numbers().get(here or 'X')}"
        return _number(agreed), here and commit, _number(there)
    unread = world.unmerged == "LOST"
    there = None if world.sight == "gone" else world.remote if unread else world.unmerged or world.remote
    texts = (world.unmerged_base if world.unmerged and field else world.base, world.local, there)
    base, ours, theirs = (_value(text, field) for text in texts)
    return base, ours, theirs


def _number(named: Text | None) -> int | None:
    return int(version_of(named)) if named else None


def _value(text: Text | None, field: str) -> Any:
    """What a text has in a field; without a field, all of it."""
    if not text or not field:
        return PROMPTS[text].data() if text else None
    if not field.startswith("messages["):
        data: Any = PROMPTS[text].data()
        return reduce(lambda value, key: (value or {}).get(key), field.split("."), data)
    place = int(field.removeprefix("messages[")[0])
    return f"the {ROLES[place]} says {PLACES[text][place]}"


# --- convergence: the plans of a run, carried out one after the other, come to an end, and to agreement


@pytest.mark.parametrize(("worlds", "every"), SPACES[:2])
def test_states_come_to_rest(worlds: Worlds, every: int) -> None:
    for world, terms in states(worlds, every * 2):
        _comes_to_rest(world, terms)


@pytest.mark.thorough
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("worlds", [all_contents, all_tags])
def test_every_state_comes_to_rest(worlds: Worlds) -> None:
    for world, terms in states(worlds):
        _comes_to_rest(world, terms)


def _comes_to_rest(world: World, terms: Terms) -> None:
    steps = [world]
    while acts := _acts(said(planned(steps[-1], terms))):
        steps.append(_carried_out(steps[-1], acts))
        assert len(steps) < 6, (terms, steps)
    rest = steps[-1]
    left = said(planned(rest, terms))
    if left or terms.mode != "both" or not terms.can("write"):
        return
    there = None if rest.sight == "gone" else rest.remote
    if rest.base is not None and rest.remote is None:
        return  # it was not looked at
    assert rest.local == there, (terms, steps)
    if terms.can("tags") and rest.local is not None:
        assert rest.tags[1] == rest.tags[2], (terms, steps)


def _acts(words: list[str]) -> list[str]:
    return [word for word in words if word not in {"held", "held: choose", "conflict", "tag held", "tag conflict"}]


def _carried_out(world: World, acts: list[str]) -> World:
    """Contents first, then tags, as the engine does."""
    newest: Text | None = world.local
    for act in sorted(acts, key=lambda act: ("tag" in act, act == f"publish {newest}")):
        world = _done(world, act)
    return world


def _done(world: World, act: str) -> World:
    _, here, there = world.tags
    match act.split():
        case ["publish", text]:
            return replace(world, base=text, base_seen=True, remote=text, sight="listed")  # type: ignore[arg-type]
        case ["pull", text]:
            return replace(world, base=text, base_seen=True, local=text)  # type: ignore[arg-type]
        case ["merge", text]:
            return replace(world, base=world.remote, base_seen=True, local=text)  # type: ignore[arg-type]
        case ["agree"] if world.sight == "gone" or world.remote is None:
            return replace(world, base=None, base_seen=True, remote=None, sight="listed", tags=(None, here, None))
        case ["agree"]:
            return replace(world, base=world.remote, base_seen=True)
        case ["delete", _]:
            return World()
        case ["tag", "agree", *_]:
            return replace(world, tags=(here, here, there))
        case ["tag", "there", _] | ["untag", "there"]:
            return replace(world, tags=(here, here, here))
        case ["tag", "here", _] | ["untag", "here"]:
            return replace(world, tags=(there, there, there))
    raise AssertionError(act)
