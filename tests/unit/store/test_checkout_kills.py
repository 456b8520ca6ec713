"""A process killed at any moment of a move: mending ends in the old state or the new one, never in between."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from repos import chat, git, make_store
from test_checkout_moves import leftovers, pull, read, status

from promptstore import Store
from promptstore.store.git import checkout, process
from promptstore.store.git.checkout import interrupted
from promptstore.store.git.refs import RefMove, Refs

pytestmark = pytest.mark.slow

KILLED = 99


@pytest.fixture
def template(tmp_path: Path) -> Path:
    where = tmp_path / "template"
    make_store(where, prompts={"a": chat("one"), "b": chat("bee")}).close()
    (where / "app.py").write_text("staged\n")
    git(where, "add", "app.py")
    (where / "notes").write_text("untracked")
    return where


def killed_at(where: Path, moment: int) -> bool:
    """Pull in a child process that is killed right before the ``moment``-th thing that lasts; False when it ended."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == KILLED
    try:
        count_down = [moment]
        for module, name in [
            (os, "replace"),
            (os, "unlink"),
            (os, "link"),
            (os, "open"),
            (os, "fsync"),
            (os, "makedirs"),
            (shutil, "copyfile"),
            (shutil, "rmtree"),
            (subprocess, "run"),
            (checkout._Note, "write"),
        ]:
            setattr(module, name, deadly(getattr(module, name), count_down))
        pull(Store.open(where), **{"a": "two", "b": None, "new/one": "fresh"})
    except BaseException:  # noqa: BLE001 - the child must never return into pytest
        os._exit(1)
    os._exit(0)


def deadly(function: Callable[..., object], count_down: list[int]) -> Callable[..., object]:
    def call(*arguments: object, **options: object) -> object:
        count_down[0] -= 1
        if count_down[0] < 0:
            os._exit(KILLED)
        return function(*arguments, **options)

    return call


@pytest.mark.parametrize("stride", [7, pytest.param(1, marks=pytest.mark.slow)])
def test_a_kill_at_any_moment_is_mended(template: Path, tmp_path: Path, stride: int) -> None:
    """Old or new as a whole; nothing of ours left; the user's next commit holds the user's change alone."""
    outcomes = []
    for moment in range(0, 200, stride):
        where = tmp_path / f"at{moment}"
        shutil.copytree(template, where)
        if not killed_at(where, moment):
            break
        store = Store.open(where)
        store.checkout.mend()
        assert leftovers(where) == [], moment
        assert status(where) == ["A  app.py", "?? notes"], moment
        texts = {slug: (where / f"prompts/{slug}.yaml").exists() for slug in ("b", "new/one")}
        new = read(where, "a") == chat("two")
        assert texts == {"b": not new, "new/one": new}, moment
        assert git(where, "show", "HEAD:prompts/a.yaml") == chat("two" if new else "one").rstrip("\n"), moment
        git(where, "commit", "-qm", "the user's own")
        assert git(where, "show", "--format=", "--name-only") == "app.py", moment
        assert store.checkout.mend() == []
        outcomes.append(new)
        shutil.rmtree(where)
    assert len(outcomes) > 30 / stride
    assert outcomes == sorted(outcomes), "old up to some moment, new from there on"
    assert {False, True} == set(outcomes)


def test_the_next_pull_mends_by_itself(template: Path, tmp_path: Path) -> None:
    for moment in (12, 30, 40):
        where = tmp_path / f"at{moment}"
        shutil.copytree(template, where)
        assert killed_at(where, moment)
        pull(Store.open(where), a="three")
        assert status(where) == ["A  app.py", "?? notes"]
        assert read(where, "a") == chat("three")
        assert leftovers(where) == []


def moved_then_killed(where: Path) -> None:
    """The moment right after the ref has moved."""
    child = os.fork()
    if child:
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == KILLED
        return
    move = Refs.move

    def dying(self: Refs, moves: list[RefMove], reason: str) -> None:
        move(self, moves, reason)
        os._exit(KILLED)

    Refs.move = dying  # type: ignore[method-assign, assignment]
    try:
        pull(Store.open(where), **{"a": "two", "b": None, "new/one": "fresh"})
    finally:
        os._exit(1)


def test_until_it_is_mended_nobody_can_commit_on_the_half_moved_tree(template: Path) -> None:
    moved_then_killed(template)
    done = subprocess.run(["git", "commit", "-qm", "x"], cwd=template, capture_output=True, check=False)
    assert b"index.lock" in done.stderr
    assert interrupted(Store.open(template).repository) == [str(template)]
    assert Store.open(template).checkout.mend() == [f"finished an interrupted pull in {template}"]
    assert interrupted(Store.open(template).repository) == []


def test_a_lock_that_the_user_removed_by_hand_is_mended_all_the_same(template: Path) -> None:
    moved_then_killed(template)
    (template / ".git/index.lock").unlink()
    Store.open(template).checkout.mend()
    assert status(template) == ["A  app.py", "?? notes"]
    assert read(template, "a") == chat("two")
    assert leftovers(template) == []


def test_an_edit_made_after_the_kill_is_kept(template: Path) -> None:
    moved_then_killed(template)
    (template / ".git/index.lock").unlink()
    (template / "prompts/a.yaml").write_text(chat("edited after the kill"))
    Store.open(template).checkout.mend()
    assert read(template, "a") == chat("edited after the kill")
    assert not (template / "prompts/b.yaml").exists()
    assert leftovers(template) == []


def test_a_foreign_lock_is_not_taken_for_ours(template: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkout, "_LOCK_WAIT", 0.1)
    moved_then_killed(template)
    lock = template / ".git/index.lock"
    lock.unlink()
    lock.write_bytes(b"")
    with pytest.raises(checkout.StoreBusy):
        Store.open(template).checkout.mend()
    assert lock.read_bytes() == b""
    lock.unlink()
    Store.open(template).checkout.mend()
    assert status(template) == ["A  app.py", "?? notes"]


def test_a_living_process_is_not_mended_away(template: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store.open(template)
    move, seen = store.refs.move, []

    def looked_at(moves: list[RefMove], reason: str) -> None:
        other = Store.open(template)
        seen.append((other.checkout.mend(), interrupted(other.repository)))
        move(moves, reason)

    monkeypatch.setattr(store.refs, "move", looked_at)
    pull(store, a="two")
    assert seen == [([], [])]
    assert status(template) == ["A  app.py", "?? notes"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_stopped_right_after_the_branch_moved_the_files_still_follow(
    template: Path, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    store = Store.open(template)
    move = store.refs.move

    def stopped(moves: list[RefMove], reason: str) -> None:
        move(moves, reason)
        raise error

    monkeypatch.setattr(store.refs, "move", stopped)
    with pytest.raises(error):
        pull(store, a="two")
    assert status(template) == ["A  app.py", "?? notes"]
    assert read(template, "a") == chat("two")


@pytest.mark.parametrize("times", range(4))
def test_renames_that_fail_are_finished_later(template: Path, monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    real, left = os.replace, [times]

    def failing(source: str, target: str) -> None:
        if left[0] == 0:
            raise PermissionError(13, "Permission denied", target)
        left[0] -= 1
        real(source, target)

    monkeypatch.setattr(os, "replace", failing)
    try:
        pull(Store.open(template), **{"a": "two", "b": None, "new/one": "fresh"})
    except PermissionError:
        assert times < 3
    monkeypatch.undo()
    Store.open(template).checkout.mend()
    assert status(template) == ["A  app.py", "?? notes"]
    assert read(template, "new/one") == chat("fresh")
    assert leftovers(template) == []
    assert process.attempt(["--version"]).returncode == 0
