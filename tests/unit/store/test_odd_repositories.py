"""Repositories as they are met in the wild: worktrees, clones, submodules, hooks, odd files, a broken cache."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from repos import CONFIG, chat, commit, git, make_store

from promptstore import InvalidPrompt, PromptNotFound, Store, StoreNotFound, TagNotFound, VersionNotFound
from promptstore.errors import ConfigError, PromptStoreError, UsageError
from promptstore.store.address import parse_address
from promptstore.store.git.repository import find_repository
from promptstore.store.tagging import set_tag


def say(store: Store, slug: str = "a", **asked: object) -> str:
    return store.get(slug, **asked).messages[0].content  # type: ignore[index, arg-type, return-value]


def put(store: Store, address: str, tag: str) -> None:
    set_tag(store, store.locate(parse_address(address)), tag)


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    store = make_store(tmp_path / "origin", prompts={"a": chat("one")})
    commit(tmp_path / "origin", {"a": chat("two")})
    put(store, "a@1", "production")
    return tmp_path / "origin"


def clone(origin: Path, target: Path, *options: str) -> Path:
    git(origin.parent, "clone", "-q", *options, origin.as_uri(), str(target))
    git(target, "config", "user.name", "Bob")
    git(target, "config", "user.email", "bob@example.com")
    return target


# --- what else lies about


def test_other_files_are_nobodys_business(tmp_path: Path) -> None:
    store = make_store(tmp_path, prompts={"a": chat("one")})
    (tmp_path / "app.py").write_text("print()")
    (tmp_path / "prompts/notes.txt").write_text("note")
    (tmp_path / "prompts/old.yml").write_text(chat("yml"))
    (tmp_path / "prompts/With Blank.yaml").write_text(chat("blank"))
    (tmp_path / "prompts/.hidden.yaml").write_text(chat("hidden"))
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "all sorts")
    assert store.prompts_at(store.tip).keys() == {"a"}


def test_a_symbolic_link_is_no_prompt_whichever_way_it_is_asked_for(tmp_path: Path) -> None:
    make_store(tmp_path, prompts={"a": chat("one")})
    (tmp_path / "prompts/link.yaml").symlink_to("a.yaml")
    commit(tmp_path, {})
    for _ in range(2):
        store = Store.open(tmp_path)
        with pytest.raises(PromptNotFound):
            store.get("link")
        with pytest.raises(PromptNotFound):
            store.get("link", rev="HEAD")
        with pytest.raises(PromptNotFound):
            store.get("link", version=1)
        assert "link" not in store.prompts_at(store.tip)
        with pytest.raises(PromptNotFound):
            store.get("link")


def test_a_submodule_where_a_prompt_could_be_is_no_prompt(tmp_path: Path) -> None:
    store = make_store(tmp_path, prompts={"a": chat("one")})
    head = git(tmp_path, "rev-parse", "HEAD")
    git(tmp_path, "update-index", "--add", "--cacheinfo", f"160000,{head},prompts/sub.yaml")
    git(tmp_path, "commit", "-qm", "a submodule")
    assert store.prompts_at(store.tip).keys() == {"a"}
    with pytest.raises(PromptNotFound):
        store.get("sub")


def test_a_folder_named_like_a_prompt(tmp_path: Path) -> None:
    store = make_store(tmp_path, prompts={"x.yaml/b": chat("below")})
    assert say(store, "x.yaml/b") == "below"
    with pytest.raises(PromptNotFound):
        store.get("x")


def test_an_executable_prompt_is_a_prompt(tmp_path: Path) -> None:
    store = make_store(tmp_path, prompts={"a": chat("one")})
    (tmp_path / "prompts/a.yaml").chmod(0o755)
    commit(tmp_path, {})
    assert say(store) == "one"
    assert store.get("a").version == 1


def test_case_twins_are_two_names_and_only_one_is_a_slug(tmp_path: Path) -> None:
    store = make_store(tmp_path, prompts={"a": chat("small"), "A": chat("large")})
    assert store.prompts_at(store.tip).keys() == {"a"}
    assert say(store) == "small"


def test_a_huge_prompt_and_a_binary_one_stop_nobody(tmp_path: Path) -> None:
    store = make_store(tmp_path, prompts={"a": chat("one")})
    (tmp_path / "prompts/huge.yaml").write_text(chat("x" * 9_000_000))
    (tmp_path / "prompts/binary.yaml").write_bytes(bytes(range(256)) * 40)
    (tmp_path / "prompts/empty.yaml").write_bytes(b"")
    commit(tmp_path, {})
    for slug in ("binary", "empty"):
        with pytest.raises(InvalidPrompt) as error:
            store.get(slug)
        assert error.value.where.path is not None
        assert f"prompts/{slug}.yaml" in error.value.where.path
    try:
        assert len(say(store, "huge")) == 9_000_000
    except InvalidPrompt as error:  # a cap on a prompt's size is fine, as long as it says so
        assert error.hint  # noqa: PT017
    facts, broken = store.all_facts(store.tip)
    assert "a" in facts
    assert {"binary", "empty"} <= broken.keys()


def test_a_file_name_that_is_no_text_stops_nobody(tmp_path: Path) -> None:
    store = make_store(tmp_path, prompts={"a": chat("one")})
    with open(os.path.join(os.fsencode(tmp_path), b"prompts", b"bad\xff.yaml"), "wb") as file:
        file.write(b"x")
    (tmp_path / "prompts/größer.yaml").write_text(chat("not ASCII"))
    commit(tmp_path, {"a": chat("two")})
    assert store.prompts_at(store.tip).keys() == {"a"}
    assert store.get("a").version == 2
    for slug in ("bad\udcff", "größer"):
        with pytest.raises(PromptNotFound):
            store.get(slug)
        with pytest.raises(UsageError):
            parse_address(slug)


# --- where the store lies


def test_a_store_in_a_subfolder_of_its_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git(tmp_path, "init", "-q", "-b", "main")
    git(tmp_path, "config", "user.name", "Ann")
    git(tmp_path, "config", "user.email", "ann@example.com")
    inner = tmp_path / "ml" / "llm"
    (inner / "my prompts/deep").mkdir(parents=True)
    (inner / ".promptstore.toml").write_text(CONFIG.replace('"prompts"', '"my prompts"'))
    (inner / "my prompts/deep/a.yaml").write_text(chat("one"))
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "start")
    (inner / "my prompts/deep/a.yaml").write_text(chat("two"))
    git(tmp_path, "commit", "-qam", "two")
    for place in (inner, inner / "my prompts" / "deep"):
        monkeypatch.chdir(place)
        store = Store.open()
        assert store.root == str(inner)
        assert say(store, "deep/a", version=1) == "one"
        assert store.get("deep/a").version == 2
        put(store, "deep/a@1", "production")
        assert say(store, "deep/a", tag="production") == "one"
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StoreNotFound):
        Store.open()


def test_two_stores_in_one_repository_do_not_mix_their_caches(tmp_path: Path) -> None:
    make_store(tmp_path, prompts={"a": chat("outer one")})
    commit(tmp_path, {"a": chat("outer two")})
    (tmp_path / "inner/prompts").mkdir(parents=True)
    (tmp_path / "inner/.promptstore.toml").write_text(CONFIG)
    (tmp_path / "inner/prompts/a.yaml").write_text(chat("inner"))
    commit(tmp_path, {})
    assert (Store.open(tmp_path).get("a").version, Store.open(tmp_path / "inner").get("a").version) == (2, 1)
    assert say(Store.open(tmp_path / "inner")) == "inner"


def test_a_linked_worktree_reads_the_same_store(origin: Path, tmp_path: Path) -> None:
    git(origin, "worktree", "add", "-q", "-b", "feature", str(tmp_path / "linked"))
    store = Store.open(tmp_path / "linked")
    assert say(store) == "two"
    assert say(store, tag="production") == "one"
    put(store, "a@2", "staging")
    assert Store.open(origin).tags("a") == {"production": 1, "staging": 2}
    commit(tmp_path / "linked", {"a": chat("on a feature branch")})
    assert say(store) == "two", "the synced branch is read, not the one checked out"
    (tmp_path / "linked/prompts/a.yaml").write_text(chat("in this worktree"))
    assert say(store, working=True) == "in this worktree"


def test_a_detached_head_still_reads_the_synced_branch(origin: Path) -> None:
    git(origin, "switch", "-q", "--detach", "HEAD~1")
    assert say(Store.open(origin)) == "two"


def test_a_detached_head_without_the_branch_is_read_itself(origin: Path) -> None:
    git(origin, "switch", "-q", "--detach", "HEAD~1")
    git(origin, "branch", "-qD", "main")
    store = Store.open(origin)
    assert say(store) == "one"


def test_a_repository_without_a_commit(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts/a.yaml").write_text(chat("working"))
    assert store.tip is None
    assert store.prompts_at(None) == {}
    with pytest.raises(PromptNotFound) as error:
        store.get("a")
    assert "a@working" in error.value.hint
    with pytest.raises(PromptNotFound):
        store.get("a", tag="production")
    assert say(store, working=True) == "working"
    commit(tmp_path, {})
    assert say(store) == "working"


def test_no_repository_at_all(tmp_path: Path) -> None:
    (tmp_path / ".promptstore.toml").write_text(CONFIG)
    with pytest.raises(StoreNotFound) as error:
        Store.open(tmp_path)
    assert "promptstore init" in error.value.hint


def test_inside_a_bare_repository(origin: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--bare", str(origin), str(tmp_path / "bare.git"))
    with pytest.raises(StoreNotFound) as error:
        Store.open(tmp_path / "bare.git")
    assert "init" in error.value.hint


@pytest.mark.parametrize("words", [b"nonsense", b"\xff\xfe", b"gitdir: /nowhere/at/all"])
def test_a_broken_git_link_is_told(tmp_path: Path, words: bytes) -> None:
    (tmp_path / ".promptstore.toml").write_text(CONFIG)
    (tmp_path / ".git").write_bytes(words)
    with pytest.raises(PromptStoreError) as error:
        Store.open(tmp_path).get("a")
    assert error.value.hint


def test_a_config_that_is_no_text_is_told(tmp_path: Path) -> None:
    make_store(tmp_path, prompts={"a": chat("one")})
    (tmp_path / ".promptstore.toml").write_bytes(b'[store]\nbranch = "\xff"\n')
    with pytest.raises(ConfigError) as error:
        Store.open(tmp_path)
    assert error.value.hint


@pytest.mark.parametrize("folder", ["./prompts", "prompts/", "prompts//", "./prompts/."])
def test_a_prompts_folder_may_be_written_loosely(tmp_path: Path, folder: str) -> None:
    store = make_store(tmp_path, config=CONFIG.replace('"prompts"', f'"{folder}"'), prompts={"a": chat("one")})
    assert say(store) == "one"
    assert store.get("a").version == 1


@pytest.mark.parametrize("folder", ["", "..", "../x", "a/../..", ".git", ".git/x", "/etc", ".", "a/.git/b"])
def test_a_prompts_folder_lies_inside_the_store(tmp_path: Path, folder: str) -> None:
    with pytest.raises(ConfigError) as error:
        make_store(tmp_path, config=CONFIG.replace('"prompts"', f'"{folder}"'))
    assert error.value.where.line == 2


# --- clones


def test_a_plain_clone_says_that_it_lacks_the_tags(origin: Path, tmp_path: Path) -> None:
    git(origin, "branch", "production", "main")
    store = Store.open(clone(origin, tmp_path / "clone"))
    assert say(store) == "two"
    for asked in ({"tag": "production"}, {"rev": "production"}):
        with pytest.raises(TagNotFound) as error:
            store.get("a", **asked)  # type: ignore[arg-type]
        assert "promptstore fetch" in error.value.hint


def test_a_plain_clone_with_packed_refs_says_so_too(origin: Path, tmp_path: Path) -> None:
    git(origin, "branch", "production", "main")
    where = clone(origin, tmp_path / "clone")
    git(where, "branch", "production", "origin/production")
    git(where, "symbolic-ref", "-d", "refs/remotes/origin/HEAD")
    git(where, "pack-refs", "--all")
    shutil.rmtree(where / ".git/refs/remotes", ignore_errors=True)
    with pytest.raises(TagNotFound) as error:
        Store.open(where).get("a", rev="production")
    assert "promptstore fetch" in error.value.hint


def test_a_clone_of_another_branch_reads_the_synced_one_from_origin(origin: Path, tmp_path: Path) -> None:
    git(origin, "branch", "feature", "HEAD~1")
    where = clone(origin, tmp_path / "clone", "--branch", "feature")
    assert say(Store.open(where)) == "two"


def test_a_branch_made_later_is_seen_at_once(origin: Path, tmp_path: Path) -> None:
    git(origin, "branch", "feature", "HEAD~1")
    where = clone(origin, tmp_path / "clone", "--branch", "feature")
    store = Store.open(where)
    settle(where)
    assert [say(store), say(store)] == ["two", "two"]
    git(where, "branch", "main", "origin/main~1")
    assert say(store) == "one"


def settle(where: Path) -> None:
    """Make every ref look untouched for a minute, so that answers are remembered."""
    for folder, _, files in os.walk(where / ".git"):
        for name in files:
            if "objects" not in folder:
                os.utime(os.path.join(folder, name), (1e9, 1e9))


def test_a_shallow_clone_says_what_it_cannot_know(origin: Path, tmp_path: Path) -> None:
    where = clone(origin, tmp_path / "clone", "--depth", "1")
    store = Store.open(where)
    assert say(store) == "two"
    assert store.get("a").version is None
    with pytest.raises(VersionNotFound) as error:
        store.get("a", version=1)
    assert "shallow" in error.value.message
    assert "unshallow" in error.value.hint
    git(where, "fetch", "-q", "--unshallow")
    assert Store.open(where).get("a").version == 2
    assert say(Store.open(where), version=1) == "one"


def test_a_shallow_clone_knows_what_was_recorded(origin: Path, tmp_path: Path) -> None:
    where = clone(origin, tmp_path / "clone", "--depth", "1")
    git(where, "fetch", "-q", "--depth", "1", "origin", "refs/promptstore/versions:refs/promptstore/versions")
    store = Store.open(where)
    assert store.get("a").version == 2
    assert say(store, version=1) == "one"
    commit(where, {"a": chat("three")})
    assert store.get("a").version == 3


def test_a_submodule_is_a_store_of_its_own(origin: Path, tmp_path: Path) -> None:
    outer = tmp_path / "outer"
    outer.mkdir()
    git(outer, "init", "-q", "-b", "main")
    git(outer, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(origin), "prompts-repo")
    assert (outer / "prompts-repo/.git").is_file()
    store = Store.open(outer / "prompts-repo")
    assert say(store) == "two"
    found = find_repository(str(outer / "prompts-repo"))
    assert found is not None
    assert found.common_dir == str(outer / ".git/modules/prompts-repo")


def test_packed_refs_and_loose_ones_read_the_same(origin: Path) -> None:
    store = Store.open(origin)
    git(origin, "pack-refs", "--all", "--prune")
    settle(origin)
    assert (say(store), say(store, tag="production")) == ("two", "one")
    put(store, "a@2", "production")
    assert say(store, tag="production") == "two"
    git(origin, "pack-refs", "--all", "--prune")
    assert say(Store.open(origin), tag="production") == "two"


def test_a_tag_that_was_packed_and_taken_away_is_gone(origin: Path) -> None:
    store = Store.open(origin)
    git(origin, "pack-refs", "--all", "--prune")
    settle(origin)
    assert [say(store, tag="production") for _ in range(3)] == ["one"] * 3
    git(origin, "update-ref", "-d", "refs/prompts/a/-/production")
    with pytest.raises(TagNotFound):
        store.get("a", tag="production")


# --- inside a hook


def test_inside_a_hook_of_another_repository(origin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "other"
    make_store(other, prompts={"a": chat("not this one")})
    for name, value in {"GIT_DIR": str(other / ".git"), "GIT_INDEX_FILE": str(other / ".git/index")}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    store = Store.open(origin)
    assert say(store) == "two"
    put(store, "a@2", "production")
    assert say(store, tag="production") == "two"
    assert not (other / ".git/refs/prompts").exists()


# --- the cache


def broken_cache(where: Path, how: str) -> None:
    state = where / ".git/promptstore"
    if how == "no folder":
        shutil.rmtree(state, ignore_errors=True)
        state.write_text("a file is in the way")
    elif how == "garbage":
        (state / "cache.db").write_bytes(b"this is no database at all, not in the least" * 100)
    elif how == "a folder":
        (state / "cache.db").unlink()
        (state / "cache.db").mkdir()
    elif how == "cut off":
        data = (state / "cache.db").read_bytes()
        (state / "cache.db").write_bytes(data[: len(data) // 2 + 17])
    elif how == "another schema":
        (state / "cache.db").unlink()
        import sqlite3

        connection = sqlite3.connect(state / "cache.db")
        connection.execute("CREATE TABLE fact (something INTEGER)")
        connection.commit()
        connection.close()


@pytest.mark.parametrize("how", ["no folder", "garbage", "a folder", "cut off", "another schema"])
def test_a_broken_cache_costs_speed_and_no_answer(origin: Path, how: str) -> None:
    with Store.open(origin) as store:
        assert say(store) == "two"
    broken_cache(origin, how)
    for _ in range(2):
        with Store.open(origin) as store:
            assert (say(store), say(store, version=1), say(store, tag="production")) == ("two", "one", "one")
            assert store.get("a").version == 2


@pytest.mark.parametrize("how", ["garbage", "cut off"])
def test_a_damaged_cache_is_made_anew(origin: Path, how: str) -> None:
    with Store.open(origin) as store:
        assert say(store) == "two"
    broken_cache(origin, how)
    with Store.open(origin) as store:
        store.cache.put("test", "key", b"value")
        store.cache.put("test", "key", b"value")
        assert store.cache.get("test", "key") == b"value"


def test_a_cache_may_vanish_meanwhile(origin: Path) -> None:
    with Store.open(origin) as store:
        assert say(store) == "two"
        shutil.rmtree(origin / ".git/promptstore")
        assert say(store, version=1) == "one"


# --- line ends


def test_windows_line_ends_in_the_work_tree_are_no_edits(tmp_path: Path) -> None:
    store = make_store(tmp_path, prompts={"a": chat("one\ntwo")})
    git(tmp_path, "config", "core.autocrlf", "true")
    (tmp_path / "prompts/a.yaml").write_bytes(chat("one\ntwo").replace("\n", "\r\n").encode())
    from promptstore.store.git.checkout import dirty_paths

    tree = store.objects.tree("HEAD", "prompts")
    assert dirty_paths(store.repository, tree, ["prompts/a.yaml"]) == set()
    assert say(store, working=True).split() == ["one", "two"]
