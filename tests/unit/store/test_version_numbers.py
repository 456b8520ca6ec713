"""Version numbers: given once from first-parent history, kept whatever happens to the branch afterwards."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from repos import CONFIG, chat, commit, git, make_store

from promptstore import Store
from promptstore.store.refnames import VERSIONS


def numbers(store: Store, slug: str = "a") -> list[int]:
    return [version.number for version in store.history.numbering(store.tip).of(slug)]


def texts(store: Store, slug: str = "a") -> list[str]:
    """What each version says, oldest first, read through the public API."""
    return [store.get(slug, version=number).messages[0].content for number in numbers(store, slug)]  # type: ignore[index, misc]


def record(store: Store) -> None:
    store.history.record(store.tip, store.user())


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return make_store(tmp_path, prompts={"a": chat("one")})


def test_each_change_of_the_text_takes_the_next_number(store: Store, tmp_path: Path) -> None:
    commit(tmp_path, {"a": chat("two")})
    commit(tmp_path, {"b": chat("other")})
    commit(tmp_path, {"a": chat("three")})
    assert texts(store) == ["one", "two", "three"]
    assert texts(store, "b") == ["other"]


def test_going_back_to_an_old_text_is_a_new_version(store: Store, tmp_path: Path) -> None:
    commit(tmp_path, {"a": chat("two")})
    commit(tmp_path, {"a": chat("one")})
    assert texts(store) == ["one", "two", "one"]
    assert store.get("a").version == 3


def test_a_merge_numbers_what_it_brought_to_the_branch_once(store: Store, tmp_path: Path) -> None:
    git(tmp_path, "switch", "-q", "-c", "side")
    commit(tmp_path, {"a": chat("side one")})
    commit(tmp_path, {"a": chat("side two")})
    git(tmp_path, "switch", "-q", "main")
    commit(tmp_path, {"b": chat("b")})
    git(tmp_path, "merge", "-q", "--no-ff", "-m", "merge", "side")
    assert texts(store) == ["one", "side two"]


def test_numbers_survive_a_pull_that_makes_the_other_line_the_first_parent(store: Store, tmp_path: Path) -> None:
    git(tmp_path, "branch", "other")
    commit(tmp_path, {"a": chat("ours")})
    record(store)
    before = texts(store)
    git(tmp_path, "switch", "-q", "other")
    commit(tmp_path, {"b": chat("theirs")})
    git(tmp_path, "merge", "-q", "--no-ff", "-m", "merge main into other", "main")
    git(tmp_path, "switch", "-q", "main")
    git(tmp_path, "merge", "-q", "--ff-only", "other")
    commit(tmp_path, {"a": chat("after")})
    assert texts(store) == [*before, "after"]


@pytest.mark.parametrize("how", ["amend", "rebase", "reset"])
def test_recorded_numbers_survive_rewriting(store: Store, tmp_path: Path, how: str) -> None:
    commit(tmp_path, {"a": chat("two")})
    record(store)
    if how == "amend":
        (tmp_path / "prompts/a.yaml").write_text(chat("two amended"))
        git(tmp_path, "commit", "-qa", "--amend", "-m", "amended")
        expected = ["one", "two", "two amended"]
    elif how == "rebase":
        git(tmp_path, "switch", "-q", "-c", "base", "HEAD~1")
        commit(tmp_path, {"c": chat("c")})
        git(tmp_path, "switch", "-q", "main")
        git(tmp_path, "rebase", "-q", "base")
        expected = ["one", "two"]
    else:
        git(tmp_path, "reset", "-q", "--hard", "HEAD~1")
        expected = ["one", "two"]
    assert texts(store) == expected
    assert texts(Store.open(tmp_path)) == expected


def test_after_a_reset_the_newest_text_keeps_its_number_and_a_new_one_takes_a_fresh_number(
    store: Store, tmp_path: Path
) -> None:
    commit(tmp_path, {"a": chat("two")})
    record(store)
    git(tmp_path, "reset", "-q", "--hard", "HEAD~1")
    assert store.get("a").version == 1
    commit(tmp_path, {"a": chat("another")})
    assert texts(store) == ["one", "two", "another"]


def test_numbers_survive_when_git_has_thrown_the_rewritten_commits_away(store: Store, tmp_path: Path) -> None:
    commit(tmp_path, {"a": chat("two")})
    record(store)
    (tmp_path / "prompts/a.yaml").write_text(chat("two amended"))
    git(tmp_path, "commit", "-qa", "--amend", "-m", "amended")
    git(tmp_path, "reflog", "expire", "--expire=now", "--all")
    git(tmp_path, "gc", "-q", "--prune=now")
    fresh = Store.open(tmp_path)
    assert texts(fresh) == ["one", "two", "two amended"]


def test_the_versions_ref_only_grows(store: Store, tmp_path: Path) -> None:
    record(store)
    tips = [store.refs.read(VERSIONS)]
    for number, text in enumerate(["two", "three", "one"]):
        commit(tmp_path, {"a": chat(text), f"new{number}": chat(text)})
        before = set(git(tmp_path, "ls-tree", "-r", VERSIONS).splitlines())
        record(store)
        assert before < set(git(tmp_path, "ls-tree", "-r", VERSIONS).splitlines())
        tips.append(store.refs.read(VERSIONS))
    chain = git(tmp_path, "rev-list", "--reverse", VERSIONS).splitlines()
    assert chain == tips


def test_recording_twice_writes_once(store: Store) -> None:
    record(store)
    first = store.refs.read(VERSIONS)
    record(store)
    assert first is not None
    assert store.refs.read(VERSIONS) == first


def test_what_is_not_recorded_is_provisional(store: Store, tmp_path: Path) -> None:
    record(store)
    assert store.history.provisional(store.tip) == {}
    commit(tmp_path, {"a": chat("two"), "b": chat("b")})
    assert store.history.provisional(store.tip) == {"a": 1, "b": 0}


def test_a_rename_takes_numbers_along(store: Store, tmp_path: Path) -> None:
    commit(tmp_path, {"a": chat("two")})
    git(tmp_path, "mv", "prompts/a.yaml", "prompts/b.yaml")
    git(tmp_path, "commit", "-qm", "rename")
    commit(tmp_path, {"b": chat("three")})
    assert texts(store, "b") == ["one", "two", "three"]
    assert texts(store, "a") == ["one", "two"], "the old name still answers for what it was"


def test_a_rename_with_a_small_edit_is_a_rename(store: Store, tmp_path: Path) -> None:
    long = "\n".join(f"line {number}" for number in range(60))
    commit(tmp_path, {"a": chat(long)})
    (tmp_path / "prompts/support").mkdir()
    git(tmp_path, "mv", "prompts/a.yaml", "prompts/support/a.yaml")
    commit(tmp_path, {"support/a": chat(long + "\nand one more")})
    assert numbers(store, "support/a") == [1, 2, 3]


def test_a_merged_branch_that_renamed_and_edited_takes_the_numbers_along(store: Store, tmp_path: Path) -> None:
    git(tmp_path, "switch", "-q", "-c", "side")
    git(tmp_path, "mv", "prompts/a.yaml", "prompts/b.yaml")
    git(tmp_path, "commit", "-qm", "rename")
    commit(tmp_path, {"b": chat("another text, which is nothing like the first")})
    git(tmp_path, "switch", "-q", "-c", "deeper")
    git(tmp_path, "mv", "prompts/b.yaml", "prompts/c.yaml")
    git(tmp_path, "commit", "-qm", "rename again")
    commit(tmp_path, {"c": chat("and something else")})
    git(tmp_path, "switch", "-q", "side")
    git(tmp_path, "merge", "-q", "--no-ff", "-m", "merge deeper", "deeper")
    git(tmp_path, "switch", "-q", "main")
    commit(tmp_path, {"other": chat("b")})
    git(tmp_path, "merge", "-q", "--no-ff", "-m", "merge side", "side")
    assert texts(store, "c") == ["one", "and something else"]
    assert store.history.numbering(store.tip).names_of("c") == ("c", "a")


def test_what_a_merged_branch_deleted_and_made_is_no_rename(store: Store, tmp_path: Path) -> None:
    git(tmp_path, "switch", "-q", "-c", "side")
    commit(tmp_path, {"a": None})
    commit(tmp_path, {"b": chat("another text, which is nothing like the first")})
    git(tmp_path, "switch", "-q", "main")
    git(tmp_path, "merge", "-q", "--no-ff", "-m", "merge side", "side")
    assert store.history.numbering(store.tip).names_of("b") == ("b",)
    assert numbers(store, "b") == [1]


def test_swapped_prompts_are_edits_of_both(store: Store, tmp_path: Path) -> None:
    commit(tmp_path, {"b": chat("bee")})
    commit(tmp_path, {"a": chat("bee"), "b": chat("one")})
    assert texts(store, "a") == ["one", "bee"]
    assert texts(store, "b") == ["bee", "one"]


def test_a_rename_and_back_keeps_the_versions_made_meanwhile(store: Store, tmp_path: Path) -> None:
    git(tmp_path, "mv", "prompts/a.yaml", "prompts/b.yaml")
    git(tmp_path, "commit", "-qm", "there")
    commit(tmp_path, {"b": chat("two")})
    commit(tmp_path, {"b": chat("three")})
    git(tmp_path, "mv", "prompts/b.yaml", "prompts/a.yaml")
    git(tmp_path, "commit", "-qm", "and back")
    assert texts(store, "a") == ["one", "two", "three"]
    record(store)
    assert texts(Store.open(tmp_path), "a") == ["one", "two", "three"]


def test_a_prompt_made_again_goes_on_counting(store: Store, tmp_path: Path) -> None:
    commit(tmp_path, {"a": None, "z": chat("z")})
    commit(tmp_path, {"a": chat("again")})
    assert texts(store) == ["one", "again"]


def test_a_new_prompt_under_a_freed_name_never_reuses_its_numbers(store: Store, tmp_path: Path) -> None:
    git(tmp_path, "mv", "prompts/a.yaml", "prompts/b.yaml")
    git(tmp_path, "commit", "-qm", "rename")
    commit(tmp_path, {"a": chat("something quite different, and long enough not to look alike")})
    assert numbers(store, "a") == [1, 2]
    assert texts(store, "a")[0] == "one"
    assert texts(store, "b") == ["one"]


def test_a_rename_to_the_name_of_a_deleted_prompt_never_reuses_numbers(store: Store, tmp_path: Path) -> None:
    commit(tmp_path, {"c": chat("sea")})
    commit(tmp_path, {"c": chat("see")})
    commit(tmp_path, {"c": None})
    git(tmp_path, "mv", "prompts/a.yaml", "prompts/c.yaml")
    git(tmp_path, "commit", "-qm", "rename onto a freed name")
    assert texts(store, "c") == ["sea", "see", "one"]


@pytest.mark.parametrize("place", [".", "prompts", "elsewhere/deep"])
def test_the_folder_a_command_runs_in_changes_nothing(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    (tmp_path / place).mkdir(parents=True, exist_ok=True)
    monkeypatch.chdir(tmp_path / place)
    assert numbers(Store.open()) == [1]


@pytest.mark.parametrize(
    "setting",
    [
        ("log.showRoot", "false"),
        ("log.diffMerges", "off"),
        ("log.showSignature", "true"),
        ("diff.renames", "false"),
        ("diff.relative", "true"),
        ("core.quotePath", "true"),
        ("color.ui", "always"),
        ("log.follow", "true"),
        ("diff.noprefix", "true"),
        ("log.abbrevCommit", "true"),
    ],
)
def test_the_users_git_settings_change_nothing(
    tmp_path: Path, setting: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = tmp_path / "r"
    store = make_store(repository, prompts={"a": chat("one")})
    git(repository, "config", *setting)
    git(repository, "switch", "-q", "-c", "side")
    commit(repository, {"a": chat("two")})
    git(repository, "switch", "-q", "main")
    git(repository, "merge", "-q", "--no-ff", "-m", "merge", "side")
    git(repository, "mv", "prompts/a.yaml", "prompts/b.yaml")
    git(repository, "commit", "-qm", "rename")
    (repository / "sub").mkdir()
    monkeypatch.chdir(repository / "sub")
    assert texts(store, "b") == ["one", "two"]


def test_signed_history_is_read_all_the_same(tmp_path: Path) -> None:
    store = make_store(tmp_path, prompts={"a": chat("one")})
    signature = "-----BEGIN PGP SIGNATURE-----\n \n iQ==\n -----END PGP SIGNATURE-----"
    head = git(tmp_path, "cat-file", "-p", "HEAD")
    signed = head.replace("\n\n", f"\ngpgsig {signature}\n\n", 1) + "\n"
    oid = git(tmp_path, "hash-object", "-t", "commit", "-w", "--stdin", stdin=signed)
    git(tmp_path, "reset", "-q", "--hard", oid)
    git(tmp_path, "config", "log.showSignature", "true")
    assert numbers(store) == [1]


def test_another_prompts_folder_has_its_own_numbers(store: Store, tmp_path: Path) -> None:
    (tmp_path / "ml").mkdir()
    commit(tmp_path, {"a": chat("two")})
    (tmp_path / "ml/a.yaml").write_text(chat("in another folder"))
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "ml")
    assert numbers(store) == [1, 2]
    (tmp_path / ".promptstore.toml").write_text(CONFIG.replace('"prompts"', '"ml"'))
    assert numbers(Store.open(tmp_path)) == [1]


def test_numbers_hold_where_hooks_variables_point_elsewhere(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY"):
        monkeypatch.setenv(name, os.devnull)
    monkeypatch.setenv("GIT_LITERAL_PATHSPECS", "1")
    monkeypatch.setenv("GIT_SHALLOW_FILE", os.devnull)
    assert numbers(store) == [1]
    assert store.get("a").version == 1
