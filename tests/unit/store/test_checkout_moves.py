"""Moving a branch that is checked out: the files follow, everything that is somebody else's stays as it was."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from repos import CONFIG, chat, commit, git, make_store

from promptstore import Store
from promptstore.errors import GitError, RefMoved, StoreBusy
from promptstore.store.git import checkout
from promptstore.store.git.commits import Identity
from promptstore.store.git.process import run
from promptstore.store.writing import TextChange, commit_texts

VERA = Identity("Vera", "vera@example.com", datetime(2024, 5, 1, tzinfo=UTC))


def change(slug: str, text: str | None) -> TextChange:
    return TextChange(slug, chat(text).encode() if text is not None else None, VERA, f"{slug} from the vendor")


def pull(store: Store, **texts: str | None) -> str | None:
    return commit_texts(store, [change(slug, text) for slug, text in texts.items()], "pull acme")


def status(where: Path) -> list[str]:
    return git(where, "status", "--porcelain", "--untracked-files=all").splitlines()


def leftovers(where: Path) -> list[str]:
    """Whatever a step of ours left lying about."""
    names = [name for name in os.listdir(where / ".git") if "lock" in name or name.startswith("promptstore-")]
    names = [name for name in names if name != "promptstore-checkout.json"]
    return names + [str(path) for path in where.rglob(".*.promptstore")]


def read(where: Path, slug: str) -> str:
    return (where / f"prompts/{slug}.yaml").read_text()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return make_store(tmp_path, prompts={"a": chat("one"), "b": chat("bee"), "d/c": chat("sea")})


def test_the_files_follow_and_the_tree_is_clean(store: Store, tmp_path: Path) -> None:
    pull(store, **{"a": "two", "b": None, "new/one": "fresh"})
    assert status(tmp_path) == []
    assert read(tmp_path, "a") == chat("two")
    assert not (tmp_path / "prompts/b.yaml").exists()
    assert read(tmp_path, "new/one") == chat("fresh")
    assert leftovers(tmp_path) == []
    assert git(tmp_path, "log", "-3", "--format=%an|%cn|%s") == "\n".join(
        f"Vera|Vera|{slug} from the vendor" for slug in ("new/one", "b", "a")
    )
    assert "pull acme" in git(tmp_path, "reflog", "-1", "main")


def test_what_changes_nothing_makes_no_commit(store: Store, tmp_path: Path) -> None:
    before = git(tmp_path, "rev-parse", "HEAD")
    assert pull(store, a="one") == before
    assert commit_texts(store, [], "nothing") == before
    assert pull(store, nothing=None) == before


@pytest.mark.parametrize("target", ["../as it was", "not there"])
def test_a_link_in_a_files_place_is_somebodys(store: Store, tmp_path: Path, target: str) -> None:
    """Whatever the file behind it says: that of the branch, or nothing."""
    slug = "a" if target == "../as it was" else "fresh"
    (tmp_path / "as it was").write_text(chat("one"))
    file = tmp_path / f"prompts/{slug}.yaml"
    file.unlink(missing_ok=True)
    file.symlink_to(target)
    with pytest.raises(StoreBusy, match="uncommitted"):
        pull(store, **{slug: "two"})
    assert str(file.readlink()) == target


def test_the_same_text_twice_in_one_batch_is_one_commit(store: Store, tmp_path: Path) -> None:
    commit_texts(store, [change("a", "two"), change("a", "two"), change("a", "three"), change("a", None)], "pull")
    assert git(tmp_path, "rev-list", "--count", "HEAD") == "4"
    assert not (tmp_path / "prompts/a.yaml").exists()
    assert status(tmp_path) == []


def test_equal_changes_are_equal_commits_in_two_clones(store: Store, tmp_path: Path) -> None:
    git(tmp_path.parent, "clone", "-q", str(tmp_path), str(tmp_path / "clone"))
    assert pull(store, a="two") == pull(Store.open(tmp_path / "clone"), a="two")


def test_a_first_commit_in_an_empty_repository(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    pull(store, a="one", b="two")
    assert read(tmp_path, "a") == chat("one")
    assert status(tmp_path) == ["?? .promptstore.toml"]


# --- what others have staged or edited


def test_staged_and_edited_files_of_others_stay_as_they_were(store: Store, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("staged\n")
    git(tmp_path, "add", "app.py")
    (tmp_path / "app.py").write_text("staged, then edited\n")
    (tmp_path / "notes").write_text("untracked")
    (tmp_path / "prompts/b.yaml").write_text(chat("staged bee"))
    git(tmp_path, "add", "prompts/b.yaml")
    git(tmp_path, "rm", "-q", "--cached", "prompts/d/c.yaml")
    before = status(tmp_path)
    index = git(tmp_path, "ls-files", "-s", "app.py", "prompts/b.yaml")
    pull(store, a="two")
    assert status(tmp_path) == before
    assert git(tmp_path, "ls-files", "-s", "app.py", "prompts/b.yaml") == index
    git(tmp_path, "commit", "-qm", "the user's own")
    assert git(tmp_path, "show", "--format=", "--name-only").splitlines() == [
        "app.py",
        "prompts/b.yaml",
        "prompts/d/c.yaml",
    ]
    assert git(tmp_path, "show", "HEAD:prompts/a.yaml") == chat("two").rstrip("\n")


@pytest.mark.parametrize("how", ["edited", "staged", "staged and edited back", "deleted", "removed", "untracked"])
def test_a_file_with_edits_is_never_pulled_beneath(store: Store, tmp_path: Path, how: str) -> None:
    file = tmp_path / "prompts/a.yaml"
    slug = "a"
    if how in {"edited", "staged", "staged and edited back"}:
        file.write_text(chat("mine"))
        if how != "edited":
            git(tmp_path, "add", "-A")
        if how == "staged and edited back":
            file.write_text(chat("one"))
    elif how == "deleted":
        file.unlink()
    elif how == "removed":
        git(tmp_path, "rm", "-q", "prompts/a.yaml")
    else:
        slug = "fresh"
        (tmp_path / "prompts/fresh.yaml").write_text(chat("mine"))
    before, head = status(tmp_path), git(tmp_path, "rev-parse", "HEAD")
    with pytest.raises(StoreBusy) as error:
        pull(store, **{slug: "two", "b": "bee two"})
    assert error.value.where.path == f"prompts/{slug}.yaml"
    assert error.value.hint
    assert (status(tmp_path), git(tmp_path, "rev-parse", "HEAD")) == (before, head)
    assert leftovers(tmp_path) == []


def test_a_file_that_already_says_what_is_pulled_is_no_hindrance(store: Store, tmp_path: Path) -> None:
    (tmp_path / "prompts/a.yaml").write_text(chat("two"))
    pull(store, a="two")
    assert status(tmp_path) == []


def test_a_file_where_a_folder_must_be_is_told(store: Store, tmp_path: Path) -> None:
    (tmp_path / "prompts/support").write_text("in the way")
    before = git(tmp_path, "rev-parse", "HEAD")
    with pytest.raises(StoreBusy) as error:
        pull(store, **{"support/x": "text"})
    assert error.value.where.path == "prompts/support/x.yaml"
    assert git(tmp_path, "rev-parse", "HEAD") == before
    assert leftovers(tmp_path) == []


def test_a_file_saved_at_the_very_last_moment_is_not_lost(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    move = store.refs.move

    def saved_meanwhile(*arguments: object) -> None:
        (tmp_path / "prompts/a.yaml").write_text(chat("saved meanwhile"))
        (tmp_path / "prompts/b.yaml").write_text(chat("saved meanwhile"))
        move(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(store.refs, "move", saved_meanwhile)
    pull(store, a="two", b=None)
    assert read(tmp_path, "a") == chat("saved meanwhile")
    assert read(tmp_path, "b") == chat("saved meanwhile")
    assert git(tmp_path, "show", "HEAD:prompts/a.yaml") == chat("two").rstrip("\n")
    assert leftovers(tmp_path) == []


# --- when git is in the middle of something


def in_the_middle(where: Path, what: str) -> None:
    git(where, "switch", "-q", "-c", "side", "HEAD~1")
    commit(where, {"a": chat("side")})
    side = git(where, "rev-parse", "HEAD")
    git(where, "switch", "-q", "main")
    commands = {
        "merge": ["merge", "side"],
        "cherry-pick": ["cherry-pick", side],
        "revert": ["revert", "--no-edit", "HEAD~1"],
        "rebase": ["rebase", "side"],
        "apply-rebase": ["rebase", "--apply", "side"],
        "bisect": ["bisect", "start"],
    }
    done = subprocess.run(["git", *commands[what]], cwd=where, capture_output=True, check=False)
    assert done.returncode == (0 if what == "bisect" else 1), done


@pytest.mark.parametrize("what", ["merge", "cherry-pick", "revert", "rebase", "apply-rebase", "bisect"])
def test_nothing_moves_in_the_middle_of_something(store: Store, tmp_path: Path, what: str) -> None:
    commit(tmp_path, {"a": chat("main one")})
    commit(tmp_path, {"a": chat("main two")})
    in_the_middle(tmp_path, what)
    before, tip = status(tmp_path), git(tmp_path, "rev-parse", "main")
    with pytest.raises(StoreBusy) as error:
        pull(store, b="bee two")
    assert error.value.exit_code == 75
    assert error.value.hint
    assert (status(tmp_path), git(tmp_path, "rev-parse", "main")) == (before, tip)
    assert leftovers(tmp_path) == []


def test_nothing_moves_while_a_commit_message_is_written(store: Store, tmp_path: Path) -> None:
    later = time.time() + 5
    (tmp_path / ".git/COMMIT_EDITMSG").write_text("half a mess")
    old = time.time() - 60
    os.utime(tmp_path / ".git/logs/HEAD", (old, old))
    with pytest.raises(StoreBusy, match="message"):
        pull(store, a="two")
    os.utime(tmp_path / ".git/logs/HEAD", (later, later))
    pull(store, a="two")
    assert status(tmp_path) == []


def test_an_index_lock_is_waited_for_and_then_told(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkout, "_LOCK_WAIT", 0.2)
    lock = tmp_path / ".git/index.lock"
    lock.write_bytes(b"")
    before = git(tmp_path, "rev-parse", "HEAD")
    with pytest.raises(StoreBusy) as error:
        pull(store, a="two")
    assert str(lock) in str(error.value)
    assert lock.exists(), "the lock is another's"
    assert git(tmp_path, "rev-parse", "HEAD") == before
    lock.unlink()
    assert leftovers(tmp_path) == []
    pull(store, a="two")
    assert status(tmp_path) == []


def test_a_merge_that_ends_in_conflicts_while_its_lock_is_waited_for(store: Store, tmp_path: Path) -> None:
    lock = tmp_path / ".git/index.lock"
    lock.write_bytes(b"")

    def merge_ends() -> None:
        time.sleep(0.3)
        (tmp_path / ".git/MERGE_HEAD").write_text(git(tmp_path, "rev-parse", "HEAD") + "\n")
        lock.unlink()

    before = git(tmp_path, "rev-parse", "HEAD")
    ending = threading.Thread(target=merge_ends)
    ending.start()
    with pytest.raises(StoreBusy, match="merge"):
        pull(store, a="two")
    ending.join()
    assert git(tmp_path, "rev-parse", "HEAD") == before
    assert leftovers(tmp_path) == []


def test_two_who_pull_at_once_do_not_mix(store: Store, tmp_path: Path) -> None:
    outcomes: list[object] = []

    def one(number: int) -> None:
        try:
            outcomes.append(pull(Store.open(tmp_path), **{f"n{number}": f"text {number}"}))
        except (RefMoved, StoreBusy) as error:
            outcomes.append(error)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert any(isinstance(outcome, str) for outcome in outcomes)
    assert status(tmp_path) == []
    assert leftovers(tmp_path) == []


# --- worktrees


def test_another_branch_checked_out_stays_untouched(store: Store, tmp_path: Path) -> None:
    git(tmp_path, "switch", "-q", "-c", "feature")
    (tmp_path / "prompts/a.yaml").write_text(chat("feature work"))
    before = status(tmp_path)
    pull(store, a="two")
    assert status(tmp_path) == before
    assert git(tmp_path, "show", "main:prompts/a.yaml") == chat("two").rstrip("\n")
    assert git(tmp_path, "rev-parse", "feature") == git(tmp_path, "rev-parse", "main~1")


def test_the_worktree_that_has_the_branch_follows_wherever_the_pull_runs(store: Store, tmp_path: Path) -> None:
    linked = tmp_path.parent / f"{tmp_path.name}-linked"
    git(tmp_path, "switch", "-q", "-c", "feature")
    git(tmp_path, "worktree", "add", "-q", str(linked), "main")
    (linked / "staged.txt").write_text("staged")
    git(linked, "add", "staged.txt")
    before = status(tmp_path)
    pull(store, a="two")
    pull(Store.open(linked), b="bee two")
    assert status(tmp_path) == before
    assert status(linked) == ["A  staged.txt"]
    assert (read(linked, "a"), read(linked, "b")) == (chat("two"), chat("bee two"))
    assert read(tmp_path, "a") == chat("one")


def test_a_branch_forced_into_two_worktrees_moves_in_both_or_in_none(store: Store, tmp_path: Path) -> None:
    second = tmp_path.parent / f"{tmp_path.name}-second"
    git(tmp_path, "worktree", "add", "-q", "--force", str(second), "main")
    pull(store, a="two")
    assert status(tmp_path) == status(second) == []
    assert read(tmp_path, "a") == read(second, "a") == chat("two")
    (second / "prompts/a.yaml").write_text(chat("mine"))
    with pytest.raises(StoreBusy):
        pull(store, a="three")
    assert status(tmp_path) == []
    assert read(tmp_path, "a") == chat("two")
    assert leftovers(tmp_path) == []


def test_a_rebase_in_another_worktree_holds_the_branch(store: Store, tmp_path: Path) -> None:
    commit(tmp_path, {"a": chat("main one")})
    commit(tmp_path, {"a": chat("main two")})
    linked = tmp_path.parent / f"{tmp_path.name}-linked"
    git(tmp_path, "worktree", "add", "-q", "-b", "elsewhere", str(linked))
    in_the_middle(tmp_path, "rebase")
    with pytest.raises(StoreBusy, match="rebase"):
        pull(Store.open(linked), b="bee two")


def test_a_rebase_of_another_branch_is_no_hindrance(store: Store, tmp_path: Path) -> None:
    commit(tmp_path, {"a": chat("main one")})
    commit(tmp_path, {"a": chat("main two")})
    git(tmp_path, "branch", "kept")
    in_the_middle(tmp_path, "rebase")
    git(tmp_path, "rebase", "--abort")
    git(tmp_path, "switch", "-q", "side")
    assert subprocess.run(["git", "rebase", "main"], cwd=tmp_path, capture_output=True, check=False).returncode == 1
    pull(store, b="bee two")
    assert git(tmp_path, "show", "main:prompts/b.yaml") == chat("bee two").rstrip("\n")


def test_a_bare_repository_called_dot_git_has_no_worktree_of_its_own(store: Store, tmp_path: Path) -> None:
    place = tmp_path / "layout"
    place.mkdir()
    git(tmp_path, "clone", "-q", "--bare", str(tmp_path), str(place / ".git"))
    git(place / ".git", "worktree", "add", "-q", "--force", str(place / "main"), "main")
    (place / "main/.promptstore.toml").write_text(CONFIG)
    pull(Store.open(place / "main"), **{"brand/new": "text"})
    assert read(place / "main", "brand/new") == chat("text")
    assert not (place / "prompts").exists()
    assert not (place / ".git/index").exists()


# --- odd settings


def test_line_ends_are_those_of_the_work_tree(store: Store, tmp_path: Path) -> None:
    git(tmp_path, "config", "core.autocrlf", "true")
    pull(store, a="two\nlines", b="bee\ntwo", new="x\ny")
    for slug, text in {"a": "two\nlines", "b": "bee\ntwo", "new": "x\ny"}.items():
        assert (tmp_path / f"prompts/{slug}.yaml").read_bytes() == chat(text).replace("\n", "\r\n").encode()
        assert git(tmp_path, "cat-file", "-s", f"HEAD:prompts/{slug}.yaml") == str(len(chat(text)))
    assert status(tmp_path) == []


def test_filters_see_the_path_they_are_for(store: Store, tmp_path: Path) -> None:
    git(tmp_path, "config", "filter.shout.smudge", "tr a-z A-Z")
    git(tmp_path, "config", "filter.shout.clean", "tr A-Z a-z")
    (tmp_path / ".gitattributes").write_text("prompts/loud.yaml filter=shout\n")
    pull(store, loud="hello", soft="hello")
    assert read(tmp_path, "loud") == chat("hello").upper()
    assert read(tmp_path, "soft") == chat("hello")
    assert status(tmp_path) == ["?? .gitattributes"]


def test_hooks_of_the_user_do_not_run(store: Store, tmp_path: Path) -> None:
    for name in ("pre-commit", "commit-msg", "post-commit", "reference-transaction", "post-checkout"):
        hook = tmp_path / ".git/hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text("#!/bin/sh\necho ran >> hooks-ran\nexit 1\n")
        hook.chmod(0o755)
    pull(store, a="two")
    assert not (tmp_path / "hooks-ran").exists()
    assert read(tmp_path, "a") == chat("two")


def test_a_split_index_and_a_skipped_file_survive(store: Store, tmp_path: Path) -> None:
    git(tmp_path, "update-index", "--split-index")
    pull(store, a="two")
    assert status(tmp_path) == []


def test_signing_is_honoured(store: Store, tmp_path: Path) -> None:
    program = tmp_path.parent / f"{tmp_path.name}-gpg"
    program.write_text(
        '#!/bin/sh\ncat >/dev/null\nprintf "\\n[GNUPG:] SIG_CREATED D 1 8 00 1 ABC\\n" >&2\n'
        'printf -- "-----BEGIN PGP SIGNATURE-----\\n\\nfake\\n-----END PGP SIGNATURE-----\\n"\n'
    )
    program.chmod(0o755)
    git(tmp_path, "config", "gpg.program", str(program))
    git(tmp_path, "config", "commit.gpgsign", "true")
    new = commit_texts(store, [change("a", "two"), change("b", None)], "pull")
    for name in (str(new), f"{new}~1"):
        body = git(tmp_path, "cat-file", "-p", name)
        assert "fake" in body
        assert "author Vera <vera@example.com> 1714521600 +0000" in body
    assert status(tmp_path) == []
    assert git(tmp_path, "rev-list", "--count", "HEAD") == "3"


def test_a_signing_program_that_fails_moves_nothing(store: Store, tmp_path: Path) -> None:
    git(tmp_path, "config", "gpg.program", "false")
    git(tmp_path, "config", "commit.gpgsign", "true")
    before = git(tmp_path, "rev-parse", "HEAD")
    with pytest.raises(GitError) as error:
        pull(store, a="two")
    assert error.value.hint
    assert git(tmp_path, "rev-parse", "HEAD") == before
    assert status(tmp_path) == []


@pytest.mark.parametrize("command", ["fast-import", "update-ref", "update-index", "checkout-index", "hash-object"])
def test_a_full_disk_moves_nothing(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    real = subprocess.run

    def full(arguments: list[str], **options: object) -> subprocess.CompletedProcess[bytes]:
        if command in arguments:
            return subprocess.CompletedProcess(arguments, 128, b"", b"fatal: write error: No space left on device\n")
        return real(arguments, **options)  # type: ignore[call-overload, no-any-return]

    before = git(tmp_path, "rev-parse", "HEAD")
    monkeypatch.setattr("promptstore.store.git.process.subprocess.run", full)
    with pytest.raises(GitError) as error:
        pull(store, a="two")
    assert "disk space" in error.value.hint
    assert f"git {command}:" in error.value.message
    monkeypatch.undo()
    assert git(tmp_path, "rev-parse", "HEAD") == before
    assert status(tmp_path) == []
    assert leftovers(tmp_path) == []


def test_a_lost_race_for_the_branch_moves_nothing(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = store.commits.write
    theirs: list[str] = []

    def overtaken(*arguments: object, **options: object) -> list[str]:
        theirs.append(commit(tmp_path, {"b": chat("bee, faster")}))
        return write(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(store.commits, "write", overtaken)
    with pytest.raises(RefMoved) as error:
        pull(store, a="two")
    assert error.value.exit_code == 75
    assert git(tmp_path, "rev-parse", "HEAD") == theirs[0]
    assert status(tmp_path) == []
    assert leftovers(tmp_path) == []


def test_git_says_which_command_failed(store: Store) -> None:
    with pytest.raises(GitError, match=r"^git rev-list: "):
        run([*store.repository.arguments, "rev-list", "nowhere"])


def test_an_edit_of_the_same_size_and_second_stays_visible_to_git(store: Store, tmp_path: Path) -> None:
    """Git looks into a file no older than its index; a copied index that looks younger would hide the edit for good."""
    git(tmp_path, "config", "core.trustctime", "false")
    file, index = tmp_path / "prompts/b.yaml", tmp_path / ".git/index"
    moment = time.time() - 100
    os.utime(file, (moment, moment))
    git(tmp_path, "add", "-A")
    text = file.read_text()
    file.write_text(text.swapcase())
    os.utime(file, (moment, moment))
    os.utime(index, (moment, moment))
    pull(store, a="two")
    assert status(tmp_path) == [" M prompts/b.yaml"]
    git(tmp_path, "commit", "-q", "-a", "-m", "Mine")
    assert git(tmp_path, "show", "HEAD:prompts/b.yaml").strip() == text.swapcase().strip()
