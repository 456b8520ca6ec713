"""Disks that are full, folders that are read-only, file systems that lack something, work trees of another kind."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from engines import Rig
from memory_vendor import MemoryWorkspace
from repos import chat, commit, git, make_store

from promptstore.errors import GitError, PromptStoreError, RefMoved, StateUnwritable, StoreBusy
from promptstore.store.git.commits import Identity
from promptstore.store.git.repository import find_repository, worktree_dirs
from promptstore.store.store import Store
from promptstore.store.writing import TextChange, commit_texts
from promptstore.sync.engine_lock import EngineLock
from promptstore.sync.files import DISK, Disk
from promptstore.sync.journal import Journal


@pytest.fixture
def acme() -> MemoryWorkspace:
    return MemoryWorkspace()


@pytest.fixture
def rig(tmp_path: Path, acme: MemoryWorkspace) -> Rig:
    """``mine`` waits to be published, ``theirs`` to be pulled."""
    store = make_store(tmp_path / "store", prompts={"mine": chat("one")})
    acme.edit("theirs", "two")
    return Rig(store, {"acme": acme})


def who(store: Store) -> Identity:
    return Identity("Dana", "dana@example.com", store.clock())


def check_done(rig: Rig, acme: MemoryWorkspace) -> None:
    assert rig.until_quiet().errors == []
    assert sorted(kept.name for kept in acme.prompts.values()) == ["mine", "theirs"]
    assert [len(kept.versions) for kept in acme.prompts.values()] == [1, 1]
    where = Path(rig.store.root)
    assert "two" in (where / "prompts/theirs.yaml").read_text()
    assert git(where, "status", "--porcelain") == ""
    git(where, "fsck", "--no-dangling")


# --- full disks


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, of a few hundred blocks."""
    where = tmp_path / "disk"
    where.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=24m,nr_inodes=8000", "tmpfs", str(where)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    yield where
    subprocess.run(["umount", "-l", str(where)], check=True)


def fill(where: Path, leave: int) -> Path:
    """Take all of the disk but ``leave`` bytes."""
    stuffing = where / "stuffing"
    free = shutil.disk_usage(where).free
    stuffing.write_bytes(b"x" * max(0, free - leave))
    return stuffing


def went_through(rig: Rig) -> bool:
    """One run; whether it told of nothing."""
    try:
        return not rig.sync().errors
    except (PromptStoreError, OSError) as error:
        return "internal" in str(error)


@pytest.mark.slow
def test_a_disk_that_is_full_at_any_moment(small_disk: Path, acme: MemoryWorkspace) -> None:
    """With room for 0, 4, 8 ... KiB it stops at another write each time; with room again it finishes its work."""
    rig = Rig(make_store(small_disk / "store", prompts={"mine": chat("one")}), {"acme": acme})
    git(small_disk / "store", "config", "gc.auto", "0")
    acme.edit("theirs", "two")
    stopped = 0
    for round_ in range(14):
        stuffing = fill(small_disk, leave=4096 * round_ * 3)
        stopped += not went_through(rig)
        stuffing.unlink()
        rig.now += 100
        assert rig.until_quiet().errors == []
        assert acme.text("mine") in rig.store.get("mine").render()[0]["content"]
        commit(small_disk / "store", {"mine": chat(f"mine {round_}")})
        acme.edit("theirs", f"theirs {round_}")
    assert stopped > 5
    assert rig.until_quiet().errors == []
    assert len(acme.by_name("mine").versions) <= 15  # type: ignore[union-attr]
    texts = [str(version.document) for version in acme.by_name("mine").versions]  # type: ignore[union-attr]
    assert len(texts) == len(set(texts)), "nothing was published twice"
    assert git(small_disk / "store", "status", "--porcelain") == ""
    git(small_disk / "store", "fsck", "--no-dangling")


@pytest.mark.slow
def test_a_disk_that_is_full_for_our_own_files(
    rig: Rig, acme: MemoryWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The n-th append to the journal fails, halfway through."""
    append = Disk.append
    for moment in range(6):
        calls = [0]

        def full(self: Disk, path: str, data: bytes, calls: list[int] = calls, moment: int = moment) -> None:
            calls[0] += 1
            if calls[0] > moment:
                append(self, path, data[: len(data) // 2])
                raise OSError(errno.ENOSPC, "No space left on device")
            append(self, path, data)

        monkeypatch.setattr(Disk, "append", full)
        with contextlib.suppress(StateUnwritable):
            rig.sync()
        monkeypatch.setattr(Disk, "append", append)
        rig.now += 100
        assert rig.until_quiet().errors == []
        commit(Path(rig.store.root), {"mine": chat(f"one {moment}")})
    assert rig.until_quiet().errors == []
    assert len(acme.by_name("mine").versions) == 7  # type: ignore[union-attr]


# --- read-only


@pytest.fixture
def read_only(rig: Rig) -> Iterator[Path]:
    where = Path(rig.store.root)
    rig.store.close()
    for command in (["mount", "--bind", where, where], ["mount", "-o", "remount,bind,ro", where]):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"nothing can be mounted read-only here: {done.stderr.strip()}")
    yield where
    subprocess.run(["umount", "-l", where], check=True)


@pytest.mark.slow
def test_a_read_only_repository_is_read_and_nothing_is_sent(rig: Rig, acme: MemoryWorkspace, read_only: Path) -> None:
    assert "one" in rig.store.get("mine").render()[0]["content"]
    with pytest.raises(StateUnwritable, match="lock"), EngineLock(str(read_only / ".git/promptstore/lock")):
        pass
    try:
        errors = rig.sync().errors
    except (PromptStoreError, OSError) as error:
        errors = [error]
    assert errors
    assert acme.writes == []


@pytest.mark.skipif(os.geteuid() == 0, reason="file modes do not bind root; see the read-only mount")
def test_a_folder_that_may_not_be_written(rig: Rig, acme: MemoryWorkspace) -> None:
    objects = Path(rig.store.root) / ".git/objects"
    objects.chmod(0o500)
    try:
        assert rig.sync().errors or acme.writes == []
    finally:
        objects.chmod(0o700)
    check_done(rig, acme)


# --- file systems that lack something


@pytest.mark.parametrize("code", [errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS])
def test_without_hard_links(rig: Rig, acme: MemoryWorkspace, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    def link(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "link", link)
    check_done(rig, acme)
    assert not (Path(rig.store.root) / ".git/index.lock").exists()


def test_without_hard_links_a_foreign_lock_is_respected(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    from promptstore.store.git import checkout

    monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(OSError(errno.EPERM, "no")))
    monkeypatch.setattr(checkout, "_LOCK_WAIT", 0.1)
    lock = Path(rig.store.root) / ".git/index.lock"
    lock.write_text("")
    store = rig.store
    with pytest.raises(StoreBusy, match="locked by another"):
        commit_texts(store, [TextChange("mine", chat("x").encode(), who(store), "x")], "test")
    assert lock.exists()
    assert "one" in (Path(store.root) / "prompts/mine.yaml").read_text()


@pytest.mark.slow
def test_without_hard_links_a_kill_at_any_moment_is_mended(tmp_path: Path) -> None:
    template = tmp_path / "template"
    make_store(template, prompts={"a": chat("one"), "b": chat("bee")}).close()
    script = (
        "import os, sys, errno, shutil, subprocess\n"
        "def nolink(*_): raise OSError(errno.EPERM, 'no links')\n"
        "left = int(sys.argv[2])\n"
        "def deadly(function):\n"
        "    def call(*a, **k):\n"
        "        global left\n"
        "        left -= 1\n"
        "        if left < 0: os._exit(99)\n"
        "        return function(*a, **k)\n"
        "    return call\n"
        "from promptstore.store.store import Store\n"
        "from promptstore.store.writing import TextChange, commit_texts\n"
        "from promptstore.store.git.commits import Identity\n"
        "store = Store.open(sys.argv[1])\n"
        "os.link = nolink\n"
        "for module, name in [(os, 'replace'), (os, 'unlink'), (os, 'open'), (os, 'fsync'), "
        "(os, 'write'), (os, 'makedirs'),"
        " (shutil, 'copyfile'), (shutil, 'rmtree'), (subprocess, 'run')]:\n"
        "    setattr(module, name, deadly(getattr(module, name)))\n"
        "who = Identity('D', 'd@d', store.clock())\n"
        "commit_texts(store, [TextChange('a', b'messages:\\n  - {role: user, content: two}\\n', who, 'x'),"
        " TextChange('b', None, who, 'y')], 'kill')\n"
    )
    outcomes = []
    for moment in range(0, 60, 5):
        where = tmp_path / f"at{moment}"
        shutil.copytree(template, where)
        done = subprocess.run([sys.executable, "-c", script, str(where), str(moment)], check=False, capture_output=True)
        assert done.returncode in {0, 99}, done.stderr
        lock = where / ".git/index.lock"
        if lock.exists() and not lock.read_bytes():
            lock.unlink()  # died before the lock said whose it is: doctor finds it
        store = Store.open(where)
        store.checkout.mend()
        assert git(where, "status", "--porcelain") == "", moment
        assert not lock.exists(), moment
        outcomes.append("two" in (where / "prompts/a.yaml").read_text())
        store.close()
        if done.returncode == 0:
            break
    assert outcomes == sorted(outcomes)
    assert set(outcomes) == {False, True}


# --- work trees of another kind


def test_a_prompts_folder_that_is_a_link_is_told(tmp_path: Path, acme: MemoryWorkspace) -> None:
    """git keeps the link itself: there is no prompt in the repository, and nothing is written through the link."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "outside.yaml").write_text(chat("outside"))
    where = tmp_path / "store"
    rig = Rig(make_store(where), {"acme": acme})
    (where / "prompts").symlink_to(elsewhere)
    git(where, "add", "-A")
    git(where, "commit", "-q", "-m", "A link")
    acme.edit("theirs", "two")
    before = git(where, "rev-parse", "HEAD")
    held = rig.sync().plan.held
    assert [one.slug for one in held] == ["theirs"]
    assert "symbolic link" in held[0].reason
    assert git(where, "rev-parse", "HEAD") == before
    assert sorted(path.name for path in elsewhere.iterdir()) == ["outside.yaml"]
    assert acme.writes == []
    assert git(where, "status", "--porcelain") == ""
    assert not (where / ".git/index.lock").exists()


def test_a_sparse_checkout_stays_sparse(rig: Rig, acme: MemoryWorkspace) -> None:
    where = Path(rig.store.root)
    commit(where, {"kept/here": chat("kept"), "left/out": chat("left")})
    rig.until_quiet()
    git(where, "sparse-checkout", "set", "--no-cone", "/.promptstore.toml", "/prompts/kept/")
    assert not (where / "prompts/left/out.yaml").exists()
    acme.edit("left/out", "left, edited there")
    acme.edit("kept/here", "kept, edited there")
    rig.now += 100
    result = rig.until_quiet()
    assert result.errors == []
    assert "edited there" in git(where, "show", "HEAD:prompts/left/out.yaml")
    assert "edited there" in (where / "prompts/kept/here.yaml").read_text()
    assert git(where, "status", "--porcelain") == ""
    git(where, "sparse-checkout", "disable")
    assert "edited there" in (where / "prompts/left/out.yaml").read_text()
    assert git(where, "status", "--porcelain") == ""


def test_file_modes_are_kept(rig: Rig, acme: MemoryWorkspace) -> None:
    where = Path(rig.store.root)
    rig.until_quiet()
    (where / "prompts/mine.yaml").chmod(0o755)
    git(where, "add", "-A")
    git(where, "commit", "-q", "-m", "Executable")
    rig.until_quiet()
    acme.edit("mine", "edited there")
    assert rig.until_quiet().errors == []
    assert git(where, "ls-tree", "HEAD", "prompts/mine.yaml").startswith("100755 ")
    assert os.access(where / "prompts/mine.yaml", os.X_OK)
    assert git(where, "status", "--porcelain") == ""
    assert git(where, "ls-tree", "HEAD", "prompts/theirs.yaml").startswith("100644 ")


def test_nothing_is_committed_on_another_tip_than_the_one_planned_on(rig: Rig) -> None:
    store, where = rig.store, Path(rig.store.root)
    planned = store.refs.read(store.branch)
    newer = commit(where, {"mine": chat("the user's own")})
    change = TextChange("mine", chat("pulled").encode(), who(store), "Pull")
    for expected in (planned, None):
        with pytest.raises(RefMoved):
            commit_texts(store, [change], "test", expected=expected)
    assert git(where, "rev-parse", "HEAD") == newer
    assert commit_texts(store, [change], "test", expected=newer) == git(where, "rev-parse", "HEAD") != newer


def test_the_main_worktree_of_a_submodule_is_found_from_a_linked_one(tmp_path: Path) -> None:
    make_store(tmp_path / "origin", prompts={"a": chat("one")}).close()
    outer = tmp_path / "outer"
    make_store(outer, prompts={"x": chat("x")}).close()
    git(outer, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(tmp_path / "origin"), "sub")
    git(outer / "sub", "worktree", "add", "-q", "-b", "side", str(tmp_path / "linked"))
    repository = find_repository(str(tmp_path / "linked"))
    assert repository is not None
    assert {tree.worktree for tree in worktree_dirs(repository)} == {str(outer / "sub"), str(tmp_path / "linked")}
    store = Store.open(tmp_path / "linked")
    commit_texts(store, [TextChange("a", chat("two").encode(), who(store), "Pull")], "test")
    assert "two" in (outer / "sub/prompts/a.yaml").read_text()
    assert git(outer / "sub", "status", "--porcelain") == ""


# --- two at once


def test_a_second_engine_names_the_first(tmp_path: Path) -> None:
    path = str(tmp_path / "state/lock")
    with EngineLock(path):
        code = f"import sys\nfrom promptstore.sync.engine_lock import EngineLock\nwith EngineLock({path!r}): pass\n"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert f"another sync is running in this clone (process {os.getpid()})" in done.stderr
    with EngineLock(path):
        pass


@pytest.mark.slow
def test_a_git_that_outlives_its_engine_keeps_the_checkout_taken(tmp_path: Path) -> None:
    """Only the process dies; the git it started still moves the branch: nobody undoes the step meanwhile."""
    where = tmp_path / "store"
    make_store(where, prompts={"a": chat("one")}).close()
    slow = tmp_path / "bin"
    slow.mkdir()
    real = shutil.which("git")
    (slow / "git").write_text(
        f'#!/bin/sh\ncase "$*" in *update-ref*) touch {tmp_path}/moving; sleep 1; exec {real} "$@" > /dev/null;; esac\n'
        f'exec {real} "$@"\n'
    )
    (slow / "git").chmod(0o755)
    script = (
        "import sys\nfrom promptstore.store.store import Store\n"
        "from promptstore.store.writing import TextChange, commit_texts\n"
        "from promptstore.store.git.commits import Identity\n"
        "store = Store.open(sys.argv[1])\n"
        "commit_texts(store, [TextChange('a', b'messages:\\n  - {role: user, content: two}\\n',"
        " Identity('D', 'd@d', store.clock()), 'x')], 'x')\n"
    )
    env = {**os.environ, "PATH": f"{slow}:{os.environ['PATH']}"}
    process = subprocess.Popen([sys.executable, "-c", script, str(where)], env=env)
    while not (tmp_path / "moving").exists():
        assert process.poll() is None
    time.sleep(0.3)
    process.kill()
    process.wait()
    store = Store.open(where)
    assert store.checkout.mend() == [], "its git is still at work"
    change = TextChange("b", chat("bee").encode(), who(store), "y")
    with pytest.raises(RefMoved):
        commit_texts(store, [change], "waits, mends, and finds the branch moved")
    commit_texts(store, [change], "y")
    assert "two" in (where / "prompts/a.yaml").read_text()
    assert git(where, "status", "--porcelain") == ""
    assert git(where, "log", "--format=%s", "-2") == "y\nx"


def test_edges_of_the_engines_own_files(tmp_path: Path) -> None:
    journal = Journal(str(tmp_path / "new/folder/journal"), DISK)
    assert journal.intents() == {}
    store = make_store(tmp_path / "store", prompts={"a": chat("x")})
    (tmp_path / "store/.git/refs/heads/main").write_text("")
    with pytest.raises(GitError, match="damaged"):
        store.get("a")
