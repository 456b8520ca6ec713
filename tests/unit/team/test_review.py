"""The branch for review among people: edited, rebased, merged in part, taken away, and shared by several clones."""

from __future__ import annotations

from pathlib import Path

import pytest
from engines import Rig, kinds
from memory_vendor import MemoryWorkspace
from repos import CONFIG, chat, commit, git

from promptstore.store.store import Store

pytestmark = pytest.mark.slow

TEXT = "First paragraph.\n\nSecond paragraph."
REVIEW = CONFIG + '\n[sync]\nintegrate = "branch"\n\n[git]\npush = true\n'
BRANCH = "promptstore/acme"


@pytest.fixture
def acme() -> MemoryWorkspace:
    return MemoryWorkspace()


@pytest.fixture
def ann(tmp_path: Path, acme: MemoryWorkspace) -> Rig:
    git(tmp_path, "init", "-q", "--bare", "-b", "main", "origin.git")
    start = tmp_path / "start"
    start.mkdir()
    git(start, "init", "-q", "-b", "main")
    git(start, "config", "user.name", "Ann")
    git(start, "config", "user.email", "ann@example.com")
    (start / ".promptstore.toml").write_text(REVIEW)
    commit(start, {"p": chat(TEXT), "q": chat("q")}, "Start")
    git(start, "push", "-q", str(tmp_path / "origin.git"), "main")
    rig = clone(tmp_path, "ann", acme)
    rig.sync()
    return rig


def clone(tmp_path: Path, name: str, acme: MemoryWorkspace) -> Rig:
    git(tmp_path, "clone", "-q", "origin.git", name)
    git(tmp_path / name, "config", "user.name", name)
    git(tmp_path / name, "config", "user.email", f"{name}@example.com")
    return Rig(Store.open(tmp_path / name), {"acme": acme}, shares=True)


@pytest.fixture
def desk(tmp_path: Path, ann: Rig) -> Path:
    """Where somebody reviews: a plain clone."""
    git(tmp_path, "clone", "-q", "origin.git", "desk")
    git(tmp_path / "desk", "config", "user.name", "Rita")
    git(tmp_path / "desk", "config", "user.email", "rita@example.com")
    return tmp_path / "desk"


def on_branch(tmp_path: Path, slug: str = "p") -> str:
    return git(tmp_path / "origin.git", "show", f"{BRANCH}:prompts/{slug}.yaml")


def is_there(tmp_path: Path) -> bool:
    return git(tmp_path / "origin.git", "branch", "--list", BRANCH) != ""


def check_out(desk: Path) -> None:
    git(desk, "fetch", "-q", "--prune")
    git(desk, "checkout", "-q", "-B", BRANCH, f"origin/{BRANCH}")


def merge(desk: Path, *how: str) -> None:
    git(desk, "fetch", "-q", "--prune")
    git(desk, "checkout", "-q", "-B", "main", "origin/main")
    git(desk, "merge", "-q", *how, f"origin/{BRANCH}")
    if "--squash" in how:
        git(desk, "commit", "-q", "-m", "Squashed")
    git(desk, "push", "-q", "origin", "main")


def reasons(result: object) -> list[str]:
    return [f"{held.slug}: {held.reason}" for held in result.plan.held]  # type: ignore[attr-defined]


def told(result: object) -> list[str]:
    return [error.message for error in result.errors]  # type: ignore[attr-defined]


@pytest.mark.parametrize("editor_fetches", [False, True])
def test_a_reviewers_commit_is_built_on(
    tmp_path: Path, ann: Rig, desk: Path, acme: MemoryWorkspace, editor_fetches: bool
) -> None:
    acme.edit("p", TEXT.replace("First", "Their first"))
    ann.sync()
    check_out(desk)
    commit(desk, {"p": chat(TEXT.replace("First", "Their first").replace("Second", "Rita's second"))})
    git(desk, "push", "-q", "origin", BRANCH)
    if editor_fetches:
        git(ann.root, "fetch", "-q")
    acme.edit("p", TEXT.replace("First", "Their very first"))
    assert told(ann.sync()) == []
    assert "Their very first" in on_branch(tmp_path)
    assert "Rita's second" in on_branch(tmp_path)
    merge(desk, "--no-edit")
    ann.until_quiet()
    assert not is_there(tmp_path)
    assert acme.text("p") == TEXT.replace("First", "Their very first").replace("Second", "Rita's second")


def test_what_a_reviewer_and_the_vendor_edited_alike_is_not_decided_by_a_program(
    tmp_path: Path, ann: Rig, desk: Path, acme: MemoryWorkspace
) -> None:
    acme.edit("p", "theirs")
    ann.sync()
    check_out(desk)
    commit(desk, {"p": chat("theirs, by Rita")})
    git(desk, "push", "-q", "origin", BRANCH)
    acme.edit("p", "theirs, again")
    assert "edited on the branch for review" in told(ann.sync())[0]
    assert "theirs, by Rita" in on_branch(tmp_path)
    merge(desk, "--no-edit")
    git(ann.root, "fetch", "-q")
    result = ann.sync()
    assert {conflict.slug for conflict in result.plan.conflicts} == {"p"}


@pytest.mark.slow
def test_a_rebased_branch_goes_on(tmp_path: Path, ann: Rig, desk: Path, acme: MemoryWorkspace) -> None:
    acme.edit("p", "theirs")
    ann.sync()
    commit(desk, {"q": chat("q two")})
    git(desk, "push", "-q", "origin", "main")
    check_out(desk)
    git(desk, "rebase", "-q", "origin/main")
    git(desk, "push", "-q", "-f", "origin", BRANCH)
    acme.edit("p", "theirs, again")
    assert told(ann.sync()) == []
    assert "theirs, again" in on_branch(tmp_path)
    assert "q two" in on_branch(tmp_path, "q")
    assert reasons(ann.sync()) == [f"p: waiting: it is on {BRANCH} for review"]


@pytest.mark.slow
def test_commits_of_somebody_here_are_never_replaced(
    tmp_path: Path, ann: Rig, desk: Path, acme: MemoryWorkspace
) -> None:
    acme.edit("p", "theirs")
    ann.sync()
    git(ann.root, "checkout", "-q", BRANCH)
    mine = commit(ann.root, {"q": chat("mine, not pushed")})
    git(ann.root, "checkout", "-q", "main")
    check_out(desk)
    commit(desk, {"q": chat("Rita's")})
    git(desk, "push", "-q", "origin", BRANCH)
    acme.edit("p", "theirs, again")
    assert "has commits that the one at origin has not" in told(ann.sync())[0]
    assert git(ann.root, "rev-parse", BRANCH) == mine
    assert "Rita's" in on_branch(tmp_path, "q")


def test_only_what_was_merged_as_a_whole_is_taken_away(
    tmp_path: Path, ann: Rig, desk: Path, acme: MemoryWorkspace
) -> None:
    """Somebody took the vendor's commit over, and left what the reviewer wrote."""
    acme.edit("p", "theirs")
    ann.sync()
    check_out(desk)
    taken = git(desk, "rev-parse", "HEAD")
    (desk / "NOTES").write_text("to be discussed")
    git(desk, "add", "-A")
    git(desk, "commit", "-q", "-m", "Notes")
    git(desk, "push", "-q", "origin", BRANCH)
    git(desk, "checkout", "-q", "main")
    git(desk, "cherry-pick", taken)
    git(desk, "push", "-q", "origin", "main")
    ann.until_quiet()
    assert is_there(tmp_path)
    merge(desk, "--no-edit")
    ann.until_quiet()
    assert not is_there(tmp_path)


@pytest.mark.slow
def test_a_text_that_comes_back_is_reviewed_like_any_other(
    tmp_path: Path, ann: Rig, desk: Path, acme: MemoryWorkspace
) -> None:
    commit(desk, {"p": chat("two")})
    git(desk, "push", "-q", "origin", "main")
    ann.until_quiet()
    acme.edit("p", TEXT)
    ann.sync()
    assert TEXT.split("\n", 1)[0] in on_branch(tmp_path)
    again = ann.sync()
    assert (again.done, reasons(again)) == ([], [f"p: waiting: it is on {BRANCH} for review"])
    merge(desk, "--squash")
    ann.until_quiet()
    assert not is_there(tmp_path)
    assert acme.text("p") == TEXT


@pytest.mark.slow
def test_the_next_leader_goes_on_with_the_same_branch(
    tmp_path: Path, ann: Rig, desk: Path, acme: MemoryWorkspace
) -> None:
    acme.edit("p", "theirs")
    ann.sync()
    check_out(desk)
    commit(desk, {"p": chat("theirs, by Rita")})
    git(desk, "push", "-q", "origin", BRANCH)
    ben = clone(tmp_path, "ben", acme)
    assert reasons(ben.sync()) == [f"p: waiting: it is on {BRANCH} for review"]
    acme.edit("q", "their q")
    ben.sync()
    assert "theirs, by Rita" in on_branch(tmp_path)
    assert "their q" in on_branch(tmp_path, "q")
    assert told(ann.sync()) == []
    merge(desk, "--no-edit")
    ann.until_quiet()
    ben.until_quiet()
    assert git(ben.root, "branch", "--list", BRANCH) == git(ann.root, "branch", "--list", BRANCH) == ""
    assert acme.text("p") == "theirs, by Rita"


def test_a_deletion_there_is_reviewed_too(tmp_path: Path, ann: Rig, desk: Path, acme: MemoryWorkspace) -> None:
    acme.archive("q")
    ann.options["max_delete"] = 1.0
    ann.sync()
    names = git(tmp_path / "origin.git", "ls-tree", "-r", "--name-only", BRANCH).split()
    assert "prompts/q.yaml" not in names
    assert ann.sync().done == []
    merge(desk, "--no-edit")
    ann.until_quiet()
    assert not is_there(tmp_path)
    assert acme.by_name("q") is None


@pytest.mark.slow
def test_a_branch_that_may_not_be_pushed_is_told(tmp_path: Path, ann: Rig, acme: MemoryWorkspace) -> None:
    hook = tmp_path / "origin.git" / "hooks" / "update"
    hook.write_text('#!/bin/sh\ncase "$1" in refs/heads/*) echo protected >&2; exit 1;; esac\n')
    hook.chmod(0o755)
    acme.edit("p", "theirs")
    result = ann.sync()
    assert (result.done, [error.retry for error in result.errors]) == ([], [False])
    assert BRANCH in result.errors[0].hint
    assert git(ann.root, "branch", "--list", BRANCH) == ""
    hook.unlink()
    assert told(ann.sync()) == []
    assert is_there(tmp_path)


@pytest.mark.slow
def test_a_checked_out_branch_is_kept_until_it_is_left(
    tmp_path: Path, ann: Rig, desk: Path, acme: MemoryWorkspace
) -> None:
    acme.edit("p", "theirs")
    ann.sync()
    git(ann.root, "worktree", "add", "-q", str(tmp_path / "tree"), BRANCH)
    acme.edit("p", "theirs, again")
    ann.sync()
    assert "theirs, again" in (tmp_path / "tree" / "prompts/p.yaml").read_text()
    merge(desk, "--no-edit")
    ann.until_quiet()
    assert is_there(tmp_path)
    git(ann.root, "worktree", "remove", str(tmp_path / "tree"))
    ann.until_quiet()
    assert not is_there(tmp_path)


def test_a_deletion_there_does_not_win_over_a_reviewers_edit(
    tmp_path: Path, ann: Rig, desk: Path, acme: MemoryWorkspace
) -> None:
    acme.edit("p", TEXT.replace("Second", "2nd"))
    ann.sync()
    check_out(desk)
    commit(desk, {"p": chat(TEXT.replace("Second", "Reviewed 2nd"))}, "Review")
    git(desk, "push", "-q", "origin", BRANCH)
    acme.archive("p")
    errors = ann.sync(ann.sync().plan.plan_id).errors  # it halts first, for a listing that shrank
    assert ["deleted at the vendor since" in error.message for error in errors] == [True]
    assert "Reviewed 2nd" in on_branch(tmp_path)


def test_what_ours_was_published_over_waits_quietly(ann: Rig, acme: MemoryWorkspace) -> None:
    commit(ann.root, {"p": chat(TEXT.replace("First", "1st"))})
    git(ann.root, "push", "-q")
    acme.before["publish"] = lambda *_: (acme.before.clear(), acme.edit("p", TEXT.replace("Second", "2nd")))
    ann.sync()
    assert kinds(ann.sync().done) == []
