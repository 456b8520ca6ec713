"""Tags and numbers through a git remote, with two real clones of a bare repository."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from repos import chat, commit, git, make_store

from promptstore.errors import OriginRefuses, OriginUnreachable, TagNotFound
from promptstore.store.address import parse_address
from promptstore.store.sharing import fetch_shared, merge_tags, probe, send_shared
from promptstore.store.store import Store
from promptstore.store.tagging import delete_tag, set_tag, tag_history

PLAIN = '[store]\nbranch = "main"\n'
ALL = ("main", "+refs/prompts/*:refs/prompts/*", "refs/promptstore/*:refs/promptstore/*")


@pytest.fixture
def clones(tmp_path: Path) -> tuple[Store, Store]:
    """Two clones of one bare repository; the first one has a tagged prompt and pushed everything."""
    git(tmp_path, "init", "-q", "--bare", "-b", "main", "origin.git")
    first = make_store(tmp_path / "first", PLAIN, {"p": chat("one")})
    git(tmp_path / "first", "remote", "add", "origin", "../origin.git")
    tag(first, "p", "production")
    git(tmp_path / "first", "push", "-q", "-u", "origin", *ALL)
    git(tmp_path, "clone", "-q", "origin.git", "second")
    git(tmp_path / "second", "config", "user.name", "Ben")
    git(tmp_path / "second", "config", "user.email", "ben@example.com")
    return first, Store.open(tmp_path / "second")


def tag(store: Store, address: str, name: str) -> None:
    set_tag(store, store.locate(parse_address(address)), name)


def push(store: Store) -> None:
    git(Path(store.root), "push", "-q", "--prune", "origin", *ALL)


def test_a_plain_clone_says_what_it_lacks(clones: tuple[Store, Store]) -> None:
    _, second = clones
    with pytest.raises(TagNotFound) as caught:
        second.get("p", tag="production")
    assert "promptstore fetch origin" in caught.value.hint
    git(Path(second.root), "branch", "production")
    with pytest.raises(TagNotFound):
        second.locate(parse_address("p@production"))


def test_fetch_brings_tags_and_their_moves(clones: tuple[Store, Store]) -> None:
    first, second = clones
    assert fetch_shared(second, "origin").as_json() == {"created": 1, "updated": 0, "deleted": 0, "unchanged": 0}
    assert second.get("p", tag="production").version == 1
    commit(Path(first.root), {"p": chat("two")})
    tag(first, "p", "production")
    push(first)
    git(Path(second.root), "pull", "-q")
    assert fetch_shared(second, "origin").updated == 1
    assert second.get("p", tag="production").version == 2
    assert fetch_shared(second, "origin").as_json()["unchanged"] == 1
    delete_tag(first, "p", "production")
    tag(first, "p", "staging")
    push(first)
    assert fetch_shared(second, "origin").as_json() == {"created": 1, "updated": 0, "deleted": 1, "unchanged": 0}


def test_a_move_not_pushed_yet_is_kept(clones: tuple[Store, Store]) -> None:
    first, second = clones
    fetch_shared(second, "origin")
    commit(Path(second.root), {"p": chat("mine")})
    was = second.get("p", tag="production").commit
    tag(second, "p", "production")
    mine = second.get("p", tag="production").commit
    assert fetch_shared(second, "origin").conflicts == ()
    assert second.get("p", tag="production").commit == mine
    commit(Path(first.root), {"p": chat("other")})
    tag(first, "p", "production")
    git(Path(first.root), "push", "-q")
    send_shared(first, "origin")
    theirs = first.get("p", tag="production").commit
    assert fetch_shared(second, "origin").conflicts == ("p/-/production",)
    assert second.get("p", tag="production").commit == theirs
    assert [(move.old_commit, move.new_commit) for move in tag_history(second, "p")][:2] == [
        (mine, theirs),
        (was, mine),
    ]
    send_shared(second, "origin")
    assert fetch_shared(first, "origin").conflicts == ()
    assert first.get("p", tag="production").commit == theirs


def test_tags_that_all_vanish_at_once_are_not_obeyed(clones: tuple[Store, Store]) -> None:
    _, second = clones
    fetch_shared(second, "origin")
    origin = Path(second.root).parent / "origin.git"
    git(origin, "update-ref", "-d", "refs/prompts/p/-/production")
    assert fetch_shared(second, "origin").restored == 1
    assert second.get("p", tag="production").version == 1


NAMES = st.sampled_from(["a", "b", "c"])
SIDE = st.dictionaries(NAMES, st.sampled_from(["1", "2", "3"]))


@given(base=SIDE, ours=SIDE, theirs=SIDE)
def test_merging_tags_keeps_the_laws(base: dict[str, str], ours: dict[str, str], theirs: dict[str, str]) -> None:
    assert merge_tags(base, ours, base) == ({}, [])
    moves, conflicts = merge_tags(base, base, theirs)
    assert conflicts == []
    assert {name: oid for name, oid in {**base, **moves}.items() if oid is not None} == theirs
    moves, conflicts = merge_tags(base, ours, theirs)
    for name in {*base, *ours, *theirs}:
        changed_here, changed_there = ours.get(name) != base.get(name), theirs.get(name) != base.get(name)
        if not changed_here and changed_there:
            assert moves[name] == theirs.get(name)
        else:
            assert name not in moves
        assert (name in conflicts) == (changed_here and changed_there and ours.get(name) != theirs.get(name))


def test_a_probe_tells_what_the_remote_takes_and_leaves_nothing(clones: tuple[Store, Store]) -> None:
    _, second = clones
    origin = Path(second.root).parent / "origin.git"
    before = git(origin, "for-each-ref")
    assert probe(second, "origin") is None
    assert git(origin, "for-each-ref") == before
    hook = origin / "hooks" / "update"
    hook.write_text('#!/bin/sh\ncase "$1" in refs/heads/*) exit 0;; esac\nexit 1\n')
    hook.chmod(0o755)
    assert isinstance(probe(second, "origin"), OriginRefuses)
    origin.rename(origin.with_suffix(".away"))
    assert isinstance(probe(second, "origin"), OriginUnreachable)
