"""Rulings 1, 2, 4, 7, 8, 9 and 14: each story is told twice, first as a plainer design would have it.

``docs/safety.md`` lists all rulings.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from engines import Rig
from memory_vendor import MemoryWorkspace, Record
from repos import chat, commit, git
from stories import edit, here, texts

from promptstore.store.store import Store
from promptstore.sync import engine, planning, publish
from promptstore.sync.local import Local, base_entries, local_entries
from promptstore.sync.observe import Observer
from promptstore.sync.planner.names import Names
from promptstore.sync.publish import Published, Publisher
from promptstore.sync.push import Pusher
from promptstore.sync.trees import BaseEntry, LocalEntry

World = Callable[[str], tuple[Rig, MemoryWorkspace]]
Patch = pytest.MonkeyPatch


# --- 1: the base counts only where L has seen it


def _reset(rig: Rig, acme: MemoryWorkspace) -> None:
    edit(rig, "p", "old")
    rig.until_quiet()
    edit(rig, "p", "new")
    rig.until_quiet()
    git(rig.root, "reset", "-q", "--hard", "HEAD~1")
    rig.sync()


def test_ruling_01_plainer_an_old_checkout_is_taken_for_an_edit(world: World, monkeypatch: Patch) -> None:
    def always_seen(*arguments: Any) -> dict[str, BaseEntry]:
        return {slug: replace(entry, seen=True) for slug, entry in base_entries(*arguments).items()}

    rig, acme = world("plain")
    monkeypatch.setattr(planning, "base_entries", always_seen)
    _reset(rig, acme)
    assert texts(acme) == ["old", "new", "old"]


def test_ruling_01_an_old_checkout_sends_nothing(world: World) -> None:
    rig, acme = world("ours")
    _reset(rig, acme)
    assert texts(acme) == ["old", "new"]


# --- 2: the key must be free


def _copy(rig: Rig) -> None:
    commit(rig.root, {"a": chat("first", extra="name: Greeting\n")})
    rig.until_quiet()
    commit(rig.root, {"b": chat("second", extra="name: Greeting\n")})
    rig.until_quiet()


def test_ruling_02_plainer_a_copied_file_is_published_over_its_original(world: World, monkeypatch: Patch) -> None:
    rig, acme = world("plain")
    monkeypatch.setattr(Names, "holder", lambda *_: None)
    acme.find = lambda *_: None  # type: ignore[method-assign]
    _copy(rig)
    assert texts(acme, "Greeting")[:2] == ["first", "second"]


def test_ruling_02_a_copied_file_is_held(world: World) -> None:
    rig, acme = world("ours")
    _copy(rig)
    assert texts(acme, "Greeting") == ["first"]
    assert [held.slug for held in rig.plan().held] == ["b"]


# --- 4: tags do not bypass review


def _tag_what_nobody_reviewed(rig: Rig, acme: MemoryWorkspace) -> None:
    """The vendor has an old experiment; a branch that nobody merged has the same text, and is tagged."""
    acme.edit("p", "experiment")
    acme.edit("p", "good", label="production")
    rig.until_quiet()
    rig.sync(history=True)
    git(rig.root, "checkout", "-q", "-b", "mine")
    edit(rig, "p", "experiment")
    git(rig.root, "update-ref", "refs/prompts/p/-/production", "HEAD")
    git(rig.root, "checkout", "-q", "main")
    rig.sync()


def test_ruling_04_plainer_a_tag_brings_an_unmerged_text_live(world: World, monkeypatch: Patch) -> None:
    def all_merged(store: Store, local: Local) -> Mapping[str, LocalEntry]:
        return {
            slug: replace(entry, tags={tag: replace(place, version=1) for tag, place in entry.tags.items()})
            for slug, entry in local_entries(store, local).items()
        }

    rig, acme = world("plain")
    monkeypatch.setattr(planning, "local_entries", all_merged)
    _tag_what_nobody_reviewed(rig, acme)
    assert acme.by_name("p").labels == {"production": 1}  # type: ignore[union-attr]


def test_ruling_04_a_tag_on_an_unmerged_text_is_held(world: World) -> None:
    rig, acme = world("ours")
    _tag_what_nobody_reviewed(rig, acme)
    assert acme.by_name("p").labels == {"production": 2}  # type: ignore[union-attr]
    assert "not merged" in rig.plan().held[0].reason


# --- 7: moves are moves


def _rename(rig: Rig) -> None:
    edit(rig, "old", "the text")
    rig.until_quiet()
    git(rig.root, "mv", "prompts/old.yaml", "prompts/new.yaml")
    commit(rig.root, {}, "Rename")
    rig.until_quiet()


def test_ruling_07_plainer_a_renamed_file_is_published_again(world: World, monkeypatch: Patch) -> None:
    rig, acme = world("plain")
    monkeypatch.setattr(engine.Engine, "_follow_moves", lambda *_: None)
    _rename(rig)
    assert sorted(kept.name for kept in acme.prompts.values()) == ["new", "old"]
    assert acme.writes == ["publish", "publish"]


def test_ruling_07_a_renamed_file_keeps_its_link(world: World) -> None:
    rig, acme = world("ours")
    _rename(rig)
    assert acme.writes == ["publish"]
    edit(rig, "new", "the text, edited")
    rig.until_quiet()
    assert texts(acme, "old") == ["the text", "the text, edited"]


# --- 8: compare with what was read back


class Trims(MemoryWorkspace):
    """Cuts the spaces at the end of each text that is saved."""

    def _append(self, kept: Any, record: Record) -> None:
        for message in record.document["prompt_template"]["messages"]:
            for part in message["content"]:
                part["text"] = part["text"].rstrip()
        super()._append(kept, record)


TRAILING = 'template_format: jinja2\nmessages:\n  - role: system\n    content: "Answer: "\n'


def _publish_to_one_that_trims(rig: Rig) -> None:
    rig.workspaces = {"acme": Trims()}
    commit(rig.root, {"p": TRAILING})
    for _ in range(4):
        rig.sync()
        rig.now += 100


def test_ruling_08_plainer_what_the_vendor_made_of_it_flows_back(world: World, monkeypatch: Patch) -> None:
    record = Pusher.record

    def as_sent(self: Pusher, slug: str, published: Published, called: str = "") -> None:
        record(self, slug, published, called)
        agreed = self._session.agreed(slug)
        assert agreed is not None
        link = replace(agreed.link, document=published.intent.document)
        self._session.agree(slug, replace(agreed, link=link))

    rig, _ = world("plain")
    monkeypatch.setattr(Pusher, "record", as_sent)
    _publish_to_one_that_trims(rig)
    assert here(rig) == "Answer:"


def test_ruling_08_what_the_vendor_made_of_it_stays_there(world: World) -> None:
    rig, _ = world("ours")
    _publish_to_one_that_trims(rig)
    assert here(rig) == "Answer: "
    assert rig.workspaces["acme"].writes == ["publish"]


# --- 9: reads that decide are fresh and monotone


def _stale_replica(rig: Rig, acme: MemoryWorkspace) -> None:
    """After our publish the vendor answers once more as it did before."""
    edit(rig, "p", "old")
    rig.until_quiet()
    edit(rig, "p", "new")
    rig.until_quiet()
    kept = acme.by_name("p")
    assert kept is not None
    newest = kept.versions.pop()
    rig.sync()
    kept.versions.append(newest)
    rig.until_quiet()


def test_ruling_09_plainer_a_stale_answer_takes_an_edit_back(world: World, monkeypatch: Patch) -> None:
    rig, acme = world("plain")
    monkeypatch.setattr(Observer, "_sightings", _believing(Observer._sightings))
    monkeypatch.setattr(Observer, "_doubt_what_is_behind", lambda _self: None)
    edit(rig, "p", "old")
    rig.until_quiet()
    edit(rig, "p", "new")
    rig.until_quiet()
    kept = acme.by_name("p")
    assert kept is not None
    kept.versions.pop()
    rig.sync()
    assert here(rig) == "old"


def _believing(sightings: Callable[..., Any]) -> Callable[..., Any]:
    """Whatever was read last is the newest."""

    def believed(self: Observer, heads: Any, slugs: Any, read: Any, listing: Any) -> Any:
        for remote_id in read:
            seen = self._session.tracked.prompts.get(slugs[remote_id])
            if seen is not None and heads[remote_id].version != seen.version:
                known = {**self._session.tracked.prompts}
                del known[slugs[remote_id]]
                self._session.tracked = replace(self._session.tracked, prompts=known)
        return sightings(self, heads, slugs, read, listing)

    return believed


def test_ruling_09_a_stale_answer_is_not_believed(world: World) -> None:
    rig, acme = world("ours")
    _stale_replica(rig, acme)
    assert here(rig) == "new"
    assert texts(acme) == ["old", "new"]


BASE = "First paragraph.\n\nSecond paragraph.\n\nThird paragraph."


def _saved_in_the_same_second(rig: Rig, acme: MemoryWorkspace) -> None:
    edit(rig, "p", BASE)
    rig.until_quiet()
    edit(rig, "p", BASE.replace("First", "1st"))

    def race(_: object) -> None:
        acme.before.clear()
        acme.edit("p", BASE.replace("Third", "3rd"))

    acme.before["publish"] = race
    rig.until_quiet()


def test_ruling_09_plainer_what_ours_went_on_top_of_is_buried(world: World, monkeypatch: Patch) -> None:
    rig, acme = world("plain")
    done = Publisher._done
    monkeypatch.setattr(Publisher, "_done", lambda self, intent, ours, _: done(self, intent, ours, publish.Newer()))
    _saved_in_the_same_second(rig, acme)
    assert "3rd" not in acme.text("p")
    assert "3rd" not in here(rig)


def test_ruling_09_what_ours_went_on_top_of_is_merged(world: World) -> None:
    rig, acme = world("ours")
    _saved_in_the_same_second(rig, acme)
    assert acme.text("p") == here(rig) == BASE.replace("First", "1st").replace("Third", "3rd")
    assert publish.FRESH <= 5


# --- 14: what a vendor cannot list is swept


def _a_label_nobody_told_of(rig: Rig, acme: MemoryWorkspace) -> None:
    for number in range(25):
        acme.edit(f"p{number:02}", "text")
    rig.until_quiet()
    acme.label("p17", "canary", 1)
    for _ in range(3):
        rig.sync()


def test_ruling_14_plainer_a_label_of_a_new_name_is_never_seen(world: World, monkeypatch: Patch) -> None:
    rig, acme = world("plain")
    monkeypatch.setattr(Observer, "_sweep", lambda *_: [])
    _a_label_nobody_told_of(rig, acme)
    assert rig.store.tags("p17") == {}


def test_ruling_14_a_label_of_a_new_name_is_found_in_turn(world: World) -> None:
    rig, acme = world("ours")
    _a_label_nobody_told_of(rig, acme)
    assert rig.store.tags("p17") == {"canary": 1}
