"""Looking at a work tree that others write to, and committing what was saved."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from repos import CONFIG, chat, git, make_store

from promptstore.daemon import scan
from promptstore.daemon.autocommit import Burst, commit, message, ready
from promptstore.daemon.scan import Busy, Frame, is_open_for_writing, sandwiched
from promptstore.store.store import Store

LATER = 4e9
"""A wall clock by which every file has been quiet for long."""


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("template") / "store"
    make_store(where, CONFIG, {"a": chat("one"), "b/c": chat("two\nthree\nfour"), "d": chat("five")}).close()
    shutil.rmtree(where / ".git" / "hooks")
    return where


@pytest.fixture
def store(template: Path, tmp_path: Path) -> Iterator[Store]:
    where = tmp_path / "store"
    shutil.copytree(template, where)
    git(where, "update-index", "-q", "--refresh")
    with Store.open(where) as opened:
        yield opened


def place(store: Store, slug: str) -> Path:
    return Path(store.layout.file(slug))


def save(store: Store, slug: str, text: str) -> None:
    file = place(store, slug)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def gathered(store: Store, wall: float = LATER, quiet: float = 0.3) -> Burst:
    burst = ready(store, wall, quiet)
    assert isinstance(burst, Burst), burst
    return burst


def subjects(store: Store) -> list[str]:
    return git(Path(store.root), "log", "--format=%s", "main").splitlines()


def status(store: Store) -> str:
    return git(Path(store.root), "status", "--porcelain")


# --- the sandwich


@pytest.mark.parametrize("name", ["index.lock", "MERGE_HEAD", "CHERRY_PICK_HEAD", "rebase-merge/x", "BISECT_LOG"])
def test_nothing_is_concluded_while_git_is_at_work(store: Store, name: str) -> None:
    save(store, "a", chat("changed"))
    file = Path(store.repository.git_dir) / name
    file.parent.mkdir(exist_ok=True)
    file.touch()
    assert isinstance(ready(store, LATER, 0.3), Busy)


@pytest.mark.parametrize("what", ["head", "commit", "index", "lock", "merge"])
def test_what_moves_during_the_look_makes_it_void(store: Store, what: str) -> None:
    root, git_dir = Path(store.root), Path(store.repository.git_dir)

    def look(_: Frame) -> str:
        if what == "head":
            git(root, "checkout", "-q", "-b", "other")
        elif what == "commit":
            git(root, "commit", "-q", "--allow-empty", "-m", "more")
        elif what == "index":
            save(store, "new", chat("x"))
            git(root, "add", "prompts/new.yaml")
        elif what == "lock":
            (git_dir / "index.lock").touch()
        else:
            (git_dir / "MERGE_HEAD").touch()
        return "seen"

    assert isinstance(sandwiched(store, look), Busy)


def test_a_checkout_at_rest_is_seen(store: Store) -> None:
    assert sandwiched(store, lambda frame: frame.branch) == "refs/heads/main"


def test_git_that_fails_to_look_is_busy_and_not_empty(store: Store) -> None:
    (Path(store.repository.git_dir) / "index").write_bytes(b"half an index")
    assert isinstance(ready(store, LATER, 0.3), Busy)


# --- what is ready


def test_saved_files_are_committed_together(store: Store) -> None:
    save(store, "a", chat("changed"))
    save(store, "n/ew", chat("new"))
    burst = gathered(store)
    assert (burst.edited.keys(), burst.new.keys(), burst.left, burst.young) == ({"a"}, {"n/ew"}, {}, False)
    inode = place(store, "a").stat().st_ino
    assert commit(store, burst) is not None
    assert subjects(store) == ["Update a; Add n/ew", "Start"]
    assert status(store) == ""
    assert place(store, "a").stat().st_ino == inode, "an editor has it open"
    assert git(Path(store.root), "log", "-1", "--format=%an %ae %cn") == "Ann ann@example.com Ann"
    assert not gathered(store).blobs, "and there is no more"


def test_other_staged_and_unstaged_work_is_left_alone(store: Store) -> None:
    root = Path(store.root)
    (root / "code.py").write_text("staged")
    git(root, "add", "code.py")
    (root / "code.py").write_text("and more")
    (root / "prompts" / "README").write_text("no prompt")
    save(store, "a", chat("changed"))
    assert commit(store, gathered(store)) is not None
    assert status(store) == "AM code.py\n?? prompts/README"
    assert git(root, "show", "--format=", "--name-only", "HEAD") == "prompts/a.yaml"


@pytest.mark.parametrize(
    "text",
    ["", "messages: [\n", "mesages: []\n", "<<<<<<< HEAD\na: 1\n=======\na: 2\n>>>>>>> other\n", "\x00\x01"],
)
def test_half_written_and_invalid_files_are_left_alone(store: Store, text: str) -> None:
    save(store, "a", text)
    save(store, "d", chat("good"))
    burst = gathered(store)
    assert burst.edited.keys() == {"d"}
    assert burst.left.keys() == {"a"}


def test_conflict_markers_inside_a_text_are_seen(store: Store) -> None:
    save(store, "a", chat("<<<<<<< ours\none\n=======\ntwo\n>>>>>>> theirs"))
    assert gathered(store).left == {"a": "it has conflict markers"}
    save(store, "a", chat("<<<<<<< is how a conflict begins"))
    assert gathered(store).edited.keys() == {"a"}


def test_a_young_file_is_waited_for(store: Store) -> None:
    save(store, "a", chat("changed"))
    born = place(store, "a").stat().st_mtime
    burst = gathered(store, wall=born + 0.2)
    assert (burst.blobs, burst.young) == ({}, True)
    assert gathered(store, wall=born + 0.4).edited.keys() == {"a"}
    assert gathered(store, wall=born - 3600).edited.keys() == {"a"}, "a time in the future is a clock's fault"


@pytest.mark.skipif(not hasattr(__import__("fcntl"), "F_SETLEASE"), reason="leases on files are Linux's")
def test_a_file_that_is_still_open_for_writing_is_waited_for(store: Store) -> None:
    before = signal.signal(signal.SIGIO, signal.SIG_IGN)
    try:
        with place(store, "a").open("a") as writing:
            writing.write("# and so on\n")
            writing.flush()
            assert is_open_for_writing(writing.name)
            burst = gathered(store)
            assert (burst.blobs, burst.young) == ({}, True)
        assert not is_open_for_writing(writing.name)
        assert gathered(store).edited.keys() == {"a"}
    finally:
        signal.signal(signal.SIGIO, before)


def test_a_missing_file_is_never_a_deletion(store: Store) -> None:
    place(store, "a").unlink()
    save(store, "d", chat("changed"))
    assert commit(store, gathered(store)) is not None
    assert subjects(store)[0] == "Update d"
    assert "prompts/a.yaml" in git(Path(store.root), "ls-tree", "-r", "--name-only", "main")
    shutil.rmtree(Path(store.root) / "prompts")
    assert not gathered(store).blobs


def test_a_moved_file_is_a_move(store: Store) -> None:
    place(store, "b/c").rename(Path(store.root) / "prompts" / "z.yaml")
    burst = gathered(store)
    assert burst.moved == {"z": "b/c"}
    assert commit(store, burst) is not None
    assert subjects(store)[0] == "Move b/c to z"
    assert status(store) == ""


def test_what_may_be_a_move_is_left_to_a_person(store: Store) -> None:
    place(store, "b/c").unlink()
    save(store, "z", chat("two\nthree\nfour and more"))
    save(store, "other", "name: Other\n" + "messages:\n  - {role: user, content: hi}\n")
    burst = gathered(store)
    assert burst.new.keys() == {"other"}
    assert "b/c" in burst.left["z"]


def test_unmerged_and_half_staged_files_are_left_alone(store: Store) -> None:
    root = Path(store.root)
    save(store, "a", chat("staged"))
    git(root, "add", "-A")
    save(store, "a", chat("and more"))
    git(root, "checkout", "-q", "-b", "other")
    burst = ready(store, LATER, 0.3)
    assert burst is None, "another branch is checked out"
    git(root, "checkout", "-q", "main")
    assert gathered(store).left == {"a": "it is half-staged"}
    git(root, "add", "-A")
    assert gathered(store).edited.keys() == {"a"}, "staged as it is saved"


def test_links_and_odd_names_are_no_prompts(store: Store) -> None:
    folder = Path(store.root) / "prompts"
    (folder / "link.yaml").symlink_to("a.yaml")
    (folder / "UPPER.yaml").write_text(chat("x"))
    (folder / "x.yml").write_text(chat("x"))
    (folder / ".a.yaml.swp").write_text(chat("x"))
    (folder / "dir.yaml").mkdir()
    (folder / "dir.yaml" / "keep").touch()
    assert not gathered(store).blobs


def test_ignored_files_stay_out(store: Store) -> None:
    (Path(store.root) / ".gitignore").write_text("prompts/private/\n")
    save(store, "private/x", chat("x"))
    assert not gathered(store).blobs


def test_a_touched_file_is_no_edit(store: Store) -> None:
    os.utime(place(store, "a"), (1e9, 1e9))
    assert not gathered(store).blobs


def test_gits_filters_count(store: Store) -> None:
    git(Path(store.root), "config", "core.autocrlf", "true")
    place(store, "a").write_bytes(chat("changed").replace("\n", "\r\n").encode())
    assert commit(store, gathered(store)) is not None
    assert "\r" not in git(Path(store.root), "cat-file", "-p", "main:prompts/a.yaml")
    assert b"\r\n" in place(store, "a").read_bytes()


def test_a_mode_stays(store: Store) -> None:
    root = Path(store.root)
    git(root, "update-index", "--chmod=+x", "prompts/a.yaml")
    git(root, "commit", "-q", "-m", "executable")
    place(store, "a").chmod(0o755)
    save(store, "a", chat("changed"))
    assert commit(store, gathered(store)) is not None
    assert git(root, "ls-tree", "main", "prompts/a.yaml").startswith("100755")
    assert status(store) == ""


def test_the_first_commit_of_a_branch(tmp_path: Path) -> None:
    with make_store(tmp_path / "fresh") as store:
        save(store, "a", chat("one"))
        burst = gathered(store)
        assert burst.new.keys() == {"a"}
        assert commit(store, burst) is not None
        assert subjects(store) == ["Add a"]


def test_an_edit_or_a_commit_after_the_look_wins(store: Store) -> None:
    root = Path(store.root)
    save(store, "a", chat("changed"))
    burst = gathered(store)
    save(store, "a", chat("changed again"))
    assert commit(store, burst) is None
    burst = gathered(store)
    git(root, "commit", "-q", "--allow-empty", "-m", "by hand")
    assert commit(store, burst) is None
    assert subjects(store) == ["by hand", "Start"]
    assert commit(store, gathered(store)) is not None
    assert git(root, "show", "main:prompts/a.yaml") == chat("changed again").rstrip("\n")


def test_a_burst_of_many_says_how_many() -> None:
    burst = Burst(Frame("main", "c", None), {f"folder/prompt-{n}": "x" for n in range(9)}, {"new": "y"})
    subject, empty, *rest = message(burst).splitlines()
    assert (subject, empty) == ("Update 10 prompts", "")
    assert rest[0] == "Update folder/prompt-0"
    assert rest[-1] == "Add new"


def test_no_file_is_called_open_where_nobody_can_tell(
    store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delattr("fcntl.F_SETLEASE", raising=False)
    assert not scan.is_open_for_writing(str(place(store, "a")))
