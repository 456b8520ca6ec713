"""Where vendor edits come to: pushed to the upstream first, or on a branch for review."""

from __future__ import annotations

from pathlib import Path

import pytest
from engines import Rig
from memory_vendor import MemoryWorkspace
from repos import CONFIG, chat, commit, git

from promptstore.errors import ConfigError
from promptstore.store.store import Store

TEXT = "First paragraph.\n\nSecond paragraph."
PUSH = CONFIG + "\n[git]\npush = true\n"
REVIEW = CONFIG + '\n[sync]\nintegrate = "branch"\n'
REVIEW_PUSHED = REVIEW + "\n[git]\npush = true\n"


def world(tmp_path: Path, config: str, acme: MemoryWorkspace) -> Rig:
    git(tmp_path, "init", "-q", "--bare", "-b", "main", "origin.git")
    start = tmp_path / "start"
    start.mkdir()
    git(start, "init", "-q", "-b", "main")
    git(start, "config", "user.name", "Ann")
    git(start, "config", "user.email", "ann@example.com")
    (start / ".promptstore.toml").write_text(config)
    commit(start, {"p": chat(TEXT), "q": chat("q")}, "Start")
    git(start, "push", "-q", str(tmp_path / "origin.git"), "main")
    rig = clone(tmp_path, "ann", acme)
    rig.until_quiet()
    return rig


def clone(tmp_path: Path, name: str, acme: MemoryWorkspace) -> Rig:
    git(tmp_path, "clone", "-q", "origin.git", name)
    git(tmp_path / name, "config", "user.name", name)
    git(tmp_path / name, "config", "user.email", f"{name}@example.com")
    return Rig(Store.open(tmp_path / name), {"acme": acme}, shares=True)


@pytest.fixture
def acme() -> MemoryWorkspace:
    return MemoryWorkspace()


def kinds(result: object) -> list[str]:
    return [f"{action.kind} {action.slug}" for action in result.done]  # type: ignore[attr-defined]


def reasons(result: object) -> list[str]:
    return [f"{held.slug}: {held.reason}" for held in result.plan.held]  # type: ignore[attr-defined]


# --- [git] push = true


def test_a_pulled_edit_is_pushed(tmp_path: Path, acme: MemoryWorkspace) -> None:
    ann = world(tmp_path, PUSH, acme)
    acme.edit("p", "from the vendor")
    assert kinds(ann.sync()) == ["update-local p"]
    assert "from the vendor" in git(tmp_path / "origin.git", "show", "main:prompts/p.yaml")
    assert git(ann.root, "rev-parse", "main") == git(tmp_path / "origin.git", "rev-parse", "main")
    assert git(ann.root, "status", "--porcelain") == ""
    assert "from the vendor" in (ann.root / "prompts/p.yaml").read_text()
    assert kinds(ann.sync()) == []


def test_a_colleagues_push_meanwhile_is_built_on(tmp_path: Path, acme: MemoryWorkspace) -> None:
    ann = world(tmp_path, PUSH, acme)
    git(tmp_path, "clone", "-q", "origin.git", "ben")
    git(tmp_path / "ben", "config", "user.name", "Ben")
    git(tmp_path / "ben", "config", "user.email", "ben@example.com")
    acme.edit("p", "from the vendor")
    raced = []

    def race(step: str) -> None:
        if step == "before read" and not raced:
            raced.append(step)
            (tmp_path / "ben" / "README").write_text("hello")
            commit(tmp_path / "ben", {"q": chat("ben's q")})
            git(tmp_path / "ben", "push", "-q")

    acme.chaos = race
    ann.until_quiet()
    assert raced
    assert git(tmp_path / "origin.git", "log", "--format=%s", "-1", "main~1") != "Start"
    assert "ben's q" in git(tmp_path / "origin.git", "show", "main:prompts/q.yaml")
    assert "from the vendor" in git(tmp_path / "origin.git", "show", "main:prompts/p.yaml")
    assert acme.text("q") == "ben's q"
    assert (ann.root / "README").read_text() == "hello"
    assert git(ann.root, "status", "--porcelain") == ""


@pytest.mark.slow
def test_commits_of_ones_own_stay_where_they_are(tmp_path: Path, acme: MemoryWorkspace) -> None:
    ann = world(tmp_path, PUSH, acme)
    commit(ann.root, {"q": chat("not pushed")})
    mine = git(ann.root, "rev-parse", "main")
    acme.edit("p", "from the vendor")
    assert kinds(ann.sync()) == ["update-local p"]
    assert git(ann.root, "rev-parse", "main") == mine
    assert acme.text("q") == "q"
    git(ann.root, "pull", "-q", "--rebase")
    git(ann.root, "push", "-q")
    assert kinds(ann.until_quiet()) == []
    assert acme.text("q") == "not pushed"


def test_an_edit_in_the_way_keeps_the_file_but_not_the_push(tmp_path: Path, acme: MemoryWorkspace) -> None:
    ann = world(tmp_path, PUSH, acme)
    file = ann.root / "prompts/p.yaml"
    file.write_text(chat("half done"))
    acme.edit("p", "from the vendor")
    assert kinds(ann.sync()) == ["update-local p"]
    assert "from the vendor" in git(tmp_path / "origin.git", "show", "main:prompts/p.yaml")
    assert file.read_text() == chat("half done")
    assert kinds(ann.sync()) == []


def test_pushing_needs_a_branch_to_push_to(tmp_path: Path, acme: MemoryWorkspace) -> None:
    ann = world(tmp_path, PUSH, acme)
    git(ann.root, "branch", "--unset-upstream")
    with pytest.raises(ConfigError, match="follows no branch") as caught:
        ann.sync()
    assert "git push -u origin main" in caught.value.hint


# --- [sync] integrate = "branch"


@pytest.mark.slow
def test_vendor_edits_wait_on_one_branch_until_they_are_merged(tmp_path: Path, acme: MemoryWorkspace) -> None:
    ann = world(tmp_path, REVIEW, acme)
    before = git(ann.root, "rev-parse", "main")
    acme.edit("p", "from the vendor")
    assert kinds(ann.sync()) == ["update-local p"]
    assert git(ann.root, "rev-parse", "main") == before
    assert "from the vendor" in git(ann.root, "show", "promptstore/acme:prompts/p.yaml")
    waits = ann.sync()
    assert (kinds(waits), reasons(waits)) == ([], ["p: waiting: it is on promptstore/acme for review"])
    acme.edit("p", "from the vendor, again")
    acme.edit("q", "q of the vendor")
    ann.sync()
    assert git(ann.root, "log", "--format=%s", "main..promptstore/acme").count("\n") == 2
    assert [line for line in git(ann.root, "branch", "--list", "promptstore/*").split() if line != "*"] == [
        "promptstore/acme"
    ]
    git(ann.root, "merge", "-q", "--no-edit", "promptstore/acme")
    git(ann.root, "push", "-q")
    result = ann.until_quiet()
    assert reasons(result) == []
    assert git(ann.root, "branch", "--list", "promptstore/*") == ""
    assert acme.writes == ["publish", "publish"]


@pytest.mark.parametrize("way", ["squash", "rebase"])
@pytest.mark.slow
def test_a_branch_that_was_squashed_or_rebased_is_gone_too(tmp_path: Path, acme: MemoryWorkspace, way: str) -> None:
    ann = world(tmp_path, REVIEW, acme)
    acme.edit("p", "from the vendor")
    ann.sync()
    commit(ann.root, {"q": chat("ours")})
    if way == "squash":
        git(ann.root, "merge", "-q", "--squash", "promptstore/acme")
        git(ann.root, "commit", "-q", "-m", "Squashed")
    else:
        git(ann.root, "cherry-pick", "promptstore/acme")
    git(ann.root, "push", "-q")
    ann.until_quiet()
    assert git(ann.root, "branch", "--list", "promptstore/*") == ""
    assert (acme.text("p"), acme.text("q")) == ("from the vendor", "ours")


@pytest.mark.slow
def test_an_edit_on_both_sides_is_merged_on_the_branch(tmp_path: Path, acme: MemoryWorkspace) -> None:
    ann = world(tmp_path, REVIEW, acme)
    acme.edit("p", TEXT.replace("First", "Their first"))
    commit(ann.root, {"p": chat(TEXT.replace("Second", "Our second"))})
    git(ann.root, "push", "-q")
    ann.sync()
    both = "Their first paragraph.\n\nOur second paragraph."
    assert git(ann.root, "show", "promptstore/acme:prompts/p.yaml").strip() == chat(both).strip()
    git(ann.root, "merge", "-q", "--no-edit", "promptstore/acme")
    git(ann.root, "push", "-q")
    ann.until_quiet()
    assert acme.text("p") == both


@pytest.mark.slow
def test_the_branch_is_pushed_and_taken_away_where_pushing_is_wanted(tmp_path: Path, acme: MemoryWorkspace) -> None:
    ann = world(tmp_path, REVIEW_PUSHED, acme)
    origin = tmp_path / "origin.git"
    acme.edit("p", "from the vendor")
    ann.sync()
    assert "from the vendor" in git(origin, "show", "promptstore/acme:prompts/p.yaml")
    git(ann.root, "merge", "-q", "--no-edit", "promptstore/acme")
    git(ann.root, "push", "-q", "origin", "main")
    ann.until_quiet()
    assert git(origin, "branch", "--list", "promptstore/*") == ""
