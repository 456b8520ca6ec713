"""Rulings 5, 6, 10 and 11: several clones of one repository, told with real git."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from engines import Rig
from memory_vendor import MemoryWorkspace
from repos import git
from stories import edit, texts

from promptstore.errors import TagNotFound, WriteInDoubt
from promptstore.store.address import parse_address
from promptstore.store.sharing import fetch_shared, merge_tags, send_shared
from promptstore.store.store import Store
from promptstore.store.tagging import set_tag
from promptstore.sync.team import joining
from promptstore.sync.team.leases import Leases
from promptstore.vendors.base import Publication

pytestmark = pytest.mark.slow

Team = Callable[[str], tuple[Rig, Rig, MemoryWorkspace]]
TAG = "refs/prompts/p/-/production"


def tag(store: Store, address: str, name: str = "production") -> None:
    set_tag(store, store.locate(parse_address(address)), name)


def at_origin(rig: Rig) -> str:
    return git(rig.root, "ls-remote", "origin", TAG).split("\t")[0]


# --- 5: tags between clones have a base too


def _moved_by_ann_and_fetched_by_bens_editor(ann: Rig, ben: Rig) -> str:
    """Returns where ann put the tag."""
    tag(ann.store, "p")
    send_shared(ann.store, "origin")
    fetch_shared(ben.store, "origin")
    edit(ann, "p", "two")
    git(ann.root, "push", "-q")
    tag(ann.store, "p")
    send_shared(ann.store, "origin")
    git(ben.root, "fetch", "-q", "origin", "+refs/prompts/*:refs/prompts-tracking/origin/*")
    return at_origin(ann)


def test_ruling_05_plainer_a_tag_that_an_editor_fetched_is_put_back(team: Team) -> None:
    """The tracking ref as base: ben's old tag looks like a move of his, and the lease agrees."""
    ann, ben, _ = team("plain")
    moved = _moved_by_ann_and_fetched_by_bens_editor(ann, ben)
    tracking = git(ben.root, "rev-parse", "refs/prompts-tracking/origin/p/-/production")
    ours = git(ben.root, "rev-parse", TAG)
    assert merge_tags({"t": tracking}, {"t": ours}, {"t": moved}) == ({}, [])
    git(ben.root, "push", "-q", f"--force-with-lease={TAG}:{tracking}", "origin", f"{TAG}:{TAG}")
    assert at_origin(ann) == ours != moved


def test_ruling_05_a_tag_that_an_editor_fetched_is_taken(team: Team) -> None:
    ann, ben, _ = team("ours")
    moved = _moved_by_ann_and_fetched_by_bens_editor(ann, ben)
    fetch_shared(ben.store, "origin")
    send_shared(ben.store, "origin")
    assert at_origin(ann) == git(ben.root, "rev-parse", TAG) == moved


def _all_tags_vanish(ann: Rig, ben: Rig) -> None:
    tag(ann.store, "p")
    send_shared(ann.store, "origin")
    fetch_shared(ben.store, "origin")
    git(ann.root.parent / "origin.git", "update-ref", "-d", TAG)


def test_ruling_05_plainer_tags_that_vanish_are_deleted_everywhere(team: Team) -> None:
    ann, ben, _ = team("plain")
    _all_tags_vanish(ann, ben)
    git(ben.root, "fetch", "-q", "--prune", "origin", "+refs/prompts/*:refs/prompts/*")
    assert git(ben.root, "for-each-ref", "refs/prompts") == ""


def test_ruling_05_tags_that_vanish_all_at_once_go_back(team: Team) -> None:
    ann, ben, _ = team("ours")
    _all_tags_vanish(ann, ben)
    assert fetch_shared(ben.store, "origin").restored == 1
    send_shared(ben.store, "origin")
    assert at_origin(ann) != ""


# --- 6: a plain clone says what it lacks


@pytest.fixture
def plain_clone(team: Team) -> Rig:
    """Tags were never fetched, and a branch has a tag's name."""
    ann, ben, _ = team("origin")
    tag(ann.store, "p")
    send_shared(ann.store, "origin")
    git(ben.root, "checkout", "-q", "-b", "production")
    edit(ben, "p", "half done")
    git(ben.root, "checkout", "-q", "main")
    return ben


def test_ruling_06_plainer_a_branch_is_taken_for_the_tag(plain_clone: Rig) -> None:
    assert "half done" in git(plain_clone.root, "show", "production:prompts/p.yaml")


def test_ruling_06_a_plain_clone_says_what_it_lacks(plain_clone: Rig) -> None:
    with pytest.raises(TagNotFound) as caught:
        plain_clone.store.locate(parse_address("p@production"))
    assert "promptstore fetch" in caught.value.hint


# --- 10: hand-over


def _a_slow_write_and_a_hand_over(ann: Rig, ben: Rig, acme: MemoryWorkspace) -> None:
    """ann's request is on its way, without an answer, when ben takes over; it arrives while he is at work."""
    ann.sync()
    edit(ann, "p", "two")
    git(ann.root, "push", "-q")
    under_way: list[Publication] = []

    def slow(publication: Publication) -> None:
        acme.before.clear()
        under_way.append(publication)
        raise WriteInDoubt("no answer")

    acme.before["publish"] = slow
    ann.sync()
    git(ben.root, "pull", "-q")
    ben.now = ann.now + 30
    ben.sync()
    acme.publish(under_way[0])
    ben.until_quiet()


def test_ruling_10_plainer_whoever_takes_over_publishes_again(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Leases, "announce", lambda *_: None)
    monkeypatch.setattr(Leases, "_open", lambda *_: ())
    ann, ben, acme = team("plain")
    _a_slow_write_and_a_hand_over(ann, ben, acme)
    assert texts(acme) == ["one", "two", "two"]


def test_ruling_10_whoever_takes_over_waits_for_what_was_sent(team: Team) -> None:
    ann, ben, acme = team("ours")
    _a_slow_write_and_a_hand_over(ann, ben, acme)
    assert texts(acme) == ["one", "two"]


# --- 11: origin may be other than hoped


def _refuses_our_refs(ann: Rig) -> None:
    hook = ann.root.parent / "origin.git" / "hooks" / "update"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text('#!/bin/sh\ncase "$1" in refs/heads/*) exit 0;; esac\necho no such refs here >&2; exit 1\n')
    hook.chmod(0o755)


def _both_at_once(ann: Rig, ben: Rig, acme: MemoryWorkspace) -> None:
    started: list[str] = []

    def race(step: str) -> None:
        if step == "before publish" and not started:
            started.append(step)
            ben.sync()

    acme.chaos = race
    ann.sync()


def test_ruling_11_plainer_without_leases_two_clones_publish_one_change_twice(team: Team) -> None:
    """Where the git remote refuses our refs, each clone goes on as if it were alone."""
    ann, ben, acme = team("plain")
    _refuses_our_refs(ann)
    ann.shares = ben.shares = False
    _both_at_once(ann, ben, acme)
    assert texts(acme) == ["one", "one"]


def test_ruling_11_without_leases_only_the_named_publisher_writes(team: Team) -> None:
    ann, ben, acme = team("ours")
    _refuses_our_refs(ann)
    _both_at_once(ann, ben, acme)
    assert acme.writes == []
    git(ann.root, "config", "promptstore.publisher", "true")
    _both_at_once(ann, ben, acme)
    assert texts(acme) == ["one"]


def _fork(rig: Rig) -> None:
    """A colleague's fork of a public repository, with a key of the same workspace at hand."""
    config = rig.root / ".promptstore.toml"
    config.write_text(config.read_text() + '\n[git]\nurl = "github.com/acme/prompts"\n')
    git(rig.root, "commit", "-q", "-a", "-m", "Name the repository")
    git(rig.root, "push", "-q")
    rig.store = Store.open(rig.store.root)


def test_ruling_11_plainer_a_fork_publishes_its_own_texts(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joining, "is_same", lambda *_: True)
    ann, _, acme = team("plain")
    _fork(ann)
    ann.sync()
    assert texts(acme) == ["one"]


def test_ruling_11_a_fork_publishes_nothing(team: Team) -> None:
    ann, _, acme = team("ours")
    _fork(ann)
    assert "a fork publishes nothing" in ann.sync().errors[0].message
    assert acme.writes == []
