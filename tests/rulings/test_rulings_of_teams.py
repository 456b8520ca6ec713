"""Rulings 1 and 11 among clones: an older main on a second machine, and pulled edits that are pushed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from engines import Rig
from memory_vendor import MemoryWorkspace
from repos import CONFIG, chat, commit, git
from stories import edit, texts

from promptstore.store.store import Store
from promptstore.sync import local as local_module
from promptstore.sync import pull as pull_module
from promptstore.sync.landing import OnBranch
from promptstore.sync.local import Local

pytestmark = pytest.mark.slow

Team = Callable[[str], tuple[Rig, Rig, MemoryWorkspace]]


# --- 1: base counts only where L has seen it


def _a_second_machine_with_an_older_main(ann: Rig, ben: Rig) -> None:
    """ann published two and gave the lead up; ben has what was agreed on, and not the commit."""
    ann.sync()
    edit(ann, "p", "two")
    git(ann.root, "push", "-q")
    ann.sync()
    ben.sync()


def test_ruling_01_plainer_a_second_machine_takes_a_text_back(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_module, "_reachable", lambda store, local, blobs: set(blobs))
    ann, ben, acme = team("plain")
    _a_second_machine_with_an_older_main(ann, ben)
    assert texts(acme) == ["one", "two", "one"]


def test_ruling_01_a_second_machine_waits_for_git_pull(team: Team) -> None:
    ann, ben, acme = team("ours")
    _a_second_machine_with_an_older_main(ann, ben)
    assert texts(acme) == ["one", "two"]
    assert [held.slug for held in ben.plan().held] == ["p"]
    git(ben.root, "pull", "-q")
    assert (ben.sync().done, ben.plan().held) == ([], ())


# --- 11: with `push = true` the pull is built on the fetched upstream and pushed first


def _a_push_meets_a_colleagues(team: Team, name: str) -> tuple[Rig, Rig, MemoryWorkspace]:
    """ben pushes between ann's look at the upstream and her pull of the vendor's edit; she has a commit of her own."""
    ann, ben, acme = team(name)
    commit(ann.root, {"q": chat("q")}, "Another prompt")
    (ann.root / ".promptstore.toml").write_text(CONFIG + "\n[git]\npush = true\n")
    git(ann.root, "commit", "-q", "-a", "-m", "Push what is pulled")
    git(ann.root, "push", "-q")
    git(ben.root, "pull", "-q")
    ann = Rig(Store.open(ann.root), {"acme": acme}, shares=True)
    ann.until_quiet()
    commit(ann.root, {"q": chat("not pushed by ann")})
    acme.edit("p", "from the vendor")

    def race(step: str) -> None:
        acme.chaos = lambda _: None
        commit(ben.root, {"r": chat("ben's")})
        git(ben.root, "push", "-q")

    acme.chaos = race
    return ann, ben, acme


def test_ruling_11_plainer_a_pull_onto_the_branch_pushes_what_was_not_to_be_pushed(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Committed on the local branch, the vendor's edit can be pushed only with everything else on it, and not at all
    where a colleague was faster."""

    def landing(store: Store, local: Local, remote: str) -> OnBranch:
        return OnBranch(store, local)

    monkeypatch.setattr(pull_module, "landing_for", landing)
    ann, _, _ = _a_push_meets_a_colleagues(team, "plain")
    ann.sync()
    with pytest.raises(AssertionError, match="rejected"):
        git(ann.root, "push", "-q")
    git(ann.root, "pull", "-q", "--rebase")
    git(ann.root, "push", "-q")
    assert "not pushed by ann" in git(ann.root, "show", "origin/main:prompts/q.yaml")


def test_ruling_11_a_pull_is_built_on_the_upstream_and_pushed_first(team: Team) -> None:
    ann, ben, _ = _a_push_meets_a_colleagues(team, "ours")
    mine = git(ann.root, "rev-parse", "main")
    ann.sync()
    git(ben.root, "pull", "-q")
    assert "from the vendor" in git(ben.root, "show", "main:prompts/p.yaml")
    assert "ben's" in git(ben.root, "show", "main:prompts/r.yaml")
    assert "not pushed by ann" not in git(ben.root, "show", "main:prompts/q.yaml")
    assert git(ann.root, "rev-parse", "main") == mine
