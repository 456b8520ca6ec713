"""Publishes that answer only to each other end after the second one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from engines import Rig
from memory_vendor import MemoryWorkspace
from repos import CONFIG, chat, commit, make_store

from promptstore.sync.breaker import is_runaway, recent_writes
from promptstore.sync.journal import Intent
from promptstore.vendors.base import RemoteHead, RemoteVersion


class Restless(MemoryWorkspace):
    """A vendor that says something else of our own versions at every look."""

    def __init__(self) -> None:
        super().__init__()
        self.looks = 0

    def list(self) -> Sequence[RemoteHead]:
        self.looks += 1
        return [replace(head, stamp=str(self.looks)) for head in super().list()]

    def read(self, prompt_id: str, version: str | None = None) -> RemoteVersion:
        found = super().read(prompt_id, version)
        if found.intent:
            found.document["prompt_template"]["messages"][0]["content"][0]["text"] += "!" * self.looks
        return found


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    config = CONFIG + '\n[remotes.beta]\nvendor = "promptlayer"\n'
    return Rig(make_store(tmp_path / "repo", config), {"acme": Restless(), "beta": MemoryWorkspace()})


def written(rig: Rig) -> int:
    return rig.workspaces["beta"].writes.count("publish")


def test_a_restless_vendor_does_not_make_us_write_to_another_for_ever(rig: Rig) -> None:
    commit(Path(rig.store.root), {"p": chat("one")})
    for _ in range(4):
        result = rig.sync()
    assert written(rig) == 2
    assert {(held.remote, held.slug) for held in result.plan.held} == {("beta", "p")}
    assert "nobody has edited it since" in result.plan.held[0].reason


def test_a_persons_commit_goes_out(rig: Rig) -> None:
    commit(Path(rig.store.root), {"p": chat("one")})
    for _ in range(4):
        rig.sync()
    commit(Path(rig.store.root), {"p": chat("by a person")})
    before = written(rig)
    rig.sync()
    assert written(rig) > before


def test_after_an_hour_it_goes_on(rig: Rig) -> None:
    commit(Path(rig.store.root), {"p": chat("one")})
    for _ in range(4):
        rig.sync()
    rig.now += 3601
    before = written(rig)
    rig.sync()
    assert written(rig) > before


def test_many_edits_within_an_hour_go_out(tmp_path: Path) -> None:
    acme = MemoryWorkspace()
    rig = Rig(make_store(tmp_path / "repo"), {"acme": acme})
    for number in range(5):
        commit(Path(rig.store.root), {"p": chat(f"text {number % 3}")})
        assert rig.sync().plan.held == ()
    assert acme.writes == ["publish"] * 5


def intent(name: str, state: str, at: float) -> Intent:
    return Intent(name, "acme", "p", "blob", "digest", None, state, at, "1", "1")  # type: ignore[arg-type]


def test_only_what_was_sent_within_the_window_counts() -> None:
    rows = [
        intent("old", "recorded", 0),
        intent("b", "recorded", 3000),
        intent("a", "done", 2000),
        intent("no", "failed", 3000),
        intent("not yet", "prepared", 3000),
        intent("open", "unknown", 3500),
    ]
    assert [row.intent for row in recent_writes(rows, 3700)] == ["a", "b", "open"]


ECHO = "m\n\nPrompt: p\nRemote: beta\nRemote-Version: 4\n"


@pytest.mark.parametrize(
    ("writes", "since", "ours", "expected"),
    [
        (1, [], set(), False),
        (2, [], set(), True),
        (2, ["Change"], set(), False),
        (2, [ECHO], {("beta", "p", "4")}, True),
        (2, [ECHO], {("beta", "p", "3")}, False),
        (2, [ECHO], {("acme", "p", "4")}, False),
        (3, [ECHO, "by a person"], {("beta", "p", "4")}, False),
    ],
)
def test_the_rule(writes: int, since: list[str], ours: set[tuple[str, str, str]], expected: bool) -> None:
    assert is_runaway([intent(str(n), "recorded", n) for n in range(writes)], since, ours) is expected
