"""The quick path answers what the whole store answers, or nothing at all."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from effort import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from repos import CONFIG, chat, commit, git, make_store

from promptstore import PromptStoreError, Store
from promptstore.store.address import WORKING, parse_address
from promptstore.store.quick import quick_text
from promptstore.store.tagging import delete_tag, set_tag


def slow_text(where: Path, address: str) -> bytes | None:
    """What the whole store answers; None for an error."""
    try:
        asked = parse_address(address)
        with Store.open(where) as store:
            if asked.rev == WORKING:
                return store.working_text(asked.slug)
            return store.text(store.locate(asked))
    except PromptStoreError:
        return None


def agree(where: Path, address: str) -> bytes | None:
    """Ask the quick way before and after the whole store, which fills the cache."""
    before = quick_text(str(where), address)
    slow = slow_text(where, address)
    after = quick_text(str(where), address)
    assert before in (None, slow), address
    assert after in (None, slow), address
    return after


@contextmanager
def fresh_store() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        make_store(Path(folder), prompts={"a": chat("one"), "a/b": chat("below")}).close()
        yield Path(folder)


SLUGS = ["a", "a/b", "c", "bad", "link", "v1.2/x"]
REVS = [
    "",
    "@latest",
    "@production",
    "@Staging",
    "@v1.2",
    "@a/b",
    "@1",
    "@2",
    "@main",
    "@main~1",
    "@working",
    "@-",
    "@",
]
addresses = st.one_of(
    st.builds(lambda slug, rev: slug + rev, st.sampled_from(SLUGS), st.sampled_from(REVS)),
    st.text(alphabet="ab/@.-_1", max_size=8),
)
edits = st.one_of(
    st.tuples(st.just("edit"), st.sampled_from(["a", "a/b", "c", "v1.2/x"]), st.sampled_from(["x", "y", "é\r\n"])),
    st.tuples(st.just("break"), st.just("bad"), st.sampled_from(["nonsense", "messages: 3\n"])),
    st.tuples(st.just("delete"), st.sampled_from(["a", "a/b", "c"]), st.just("")),
    st.tuples(st.just("tag"), st.sampled_from(["a", "a/b", "c"]), st.sampled_from(["production", "Staging", "v1.2"])),
    st.tuples(st.just("untag"), st.sampled_from(["a", "a/b"]), st.sampled_from(["production", "Staging"])),
    st.tuples(st.just("rename"), st.sampled_from(["a", "c"]), st.sampled_from(["c", "a"])),
    st.tuples(st.just("pack"), st.just(""), st.just("")),
    st.tuples(st.just("link"), st.just("link"), st.just("a.yaml")),
)


def apply(where: Path, kind: str, slug: str, value: str) -> None:
    file = where / f"prompts/{slug}.yaml"
    if kind in {"edit", "break"}:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes((chat(value) if kind == "edit" else value).encode())
    elif kind == "delete" and file.exists():
        file.unlink()
    elif kind == "rename" and file.exists():
        file.rename(where / f"prompts/{value}.yaml")
    elif kind == "link" and not file.is_symlink():
        file.symlink_to(value)
    elif kind == "pack":
        git(where, "pack-refs", "--all", "--prune")
    elif kind in {"tag", "untag"}:
        with Store.open(where) as store:
            try:
                if kind == "tag":
                    set_tag(store, store.locate(parse_address(slug)), value)
                else:
                    delete_tag(store, slug, value)
            except PromptStoreError as error:
                assert error.kind == "not-found"  # noqa: PT017 - a random history asks for what is not there
    git(where, "add", "-A")
    git(where, "commit", "-q", "--allow-empty", "-m", kind)


@settings(max_examples=examples(quick=5, thorough=40))
@given(st.lists(st.tuples(edits, st.lists(addresses, min_size=3, max_size=6)), min_size=1, max_size=5))
def test_over_random_stores_and_addresses(history: list[tuple[tuple[str, str, str], list[str]]]) -> None:
    with fresh_store() as where:
        for change, asked in history:
            apply(where, *change)
            for address in asked:
                agree(where, address)


def test_it_leads_somewhere_at_all() -> None:
    with fresh_store() as where:
        with Store.open(where) as store:
            set_tag(store, store.locate(parse_address("a")), "production")
        for address in ("a", "a@latest", "a@production", "a/b"):
            assert agree(where, address) == chat("one" if address != "a/b" else "below").encode(), address


def test_a_new_commit_a_moved_tag_and_a_packed_ref_are_seen() -> None:
    with fresh_store() as where:
        assert agree(where, "a") == chat("one").encode()
        commit(where, {"a": chat("two")})
        assert agree(where, "a") == chat("two").encode()
        for number in (1, 2, 1):
            with Store.open(where) as store:
                set_tag(store, store.locate(parse_address(f"a@{number}")), "production")
            git(where, "pack-refs", "--all", "--prune")
            assert agree(where, "a@production") == chat(("one", "two")[number - 1]).encode()


@pytest.mark.parametrize("place", [".", "prompts", "prompts/a", "elsewhere"])
def test_from_any_folder(place: str) -> None:
    with fresh_store() as where:
        (where / "elsewhere").mkdir()
        assert agree(where / place, "a") == chat("one").encode()


def test_a_changed_config_is_another_store() -> None:
    with fresh_store() as where:
        assert agree(where, "a") == chat("one").encode()
        (where / "ml").mkdir()
        (where / "ml/a.yaml").write_text(chat("in ml"))
        commit(where, {})
        (where / ".promptstore.toml").write_text(CONFIG.replace('"prompts"', '"ml"'))
        assert agree(where, "a") == chat("in ml").encode()
        (where / ".promptstore.toml").write_text("[store]\nbrunch = 'x'\n")
        assert agree(where, "a") is None


def test_a_detached_head_and_another_branch() -> None:
    with fresh_store() as where:
        commit(where, {"a": chat("two")})
        git(where, "switch", "-q", "--detach", "HEAD~1")
        assert agree(where, "a") == chat("two").encode()
        git(where, "switch", "-q", "-c", "feature")
        commit(where, {"a": chat("feature")})
        assert agree(where, "a") == chat("two").encode()
        git(where, "branch", "-qD", "main")
        assert agree(where, "a") is None


def test_a_folder_that_is_not_there_is_not_climbed_out_of() -> None:
    with fresh_store() as where:
        assert agree(where, "a") is not None
        assert quick_text(str(where / "nowhere"), "a") is None
        assert quick_text("", "a") is None


@pytest.mark.parametrize("words", [b"\xff\xfe", b"[store\n"])
def test_a_config_that_cannot_be_read_is_left_to_the_whole_store(words: bytes) -> None:
    with fresh_store() as where:
        agree(where, "a")
        (where / ".promptstore.toml").write_bytes(words)
        assert quick_text(str(where), "a") is None


@pytest.mark.parametrize("words", [b"nonsense", b"\xff\xfe", b"gitdir: nowhere"])
def test_a_broken_git_link_is_left_to_the_whole_store(words: bytes) -> None:
    with fresh_store() as where:
        (where / "inner").mkdir()
        (where / "inner/.promptstore.toml").write_text(CONFIG)
        (where / "inner/.git").write_bytes(words)
        assert quick_text(str(where / "inner"), "a") is None


@pytest.mark.parametrize("damage", [b"", b"garbage" * 500])
def test_a_broken_cache_is_left_to_the_whole_store(damage: bytes) -> None:
    with fresh_store() as where:
        assert agree(where, "a") is not None
        (where / ".git/promptstore/cache.db").write_bytes(damage)
        assert quick_text(str(where), "a") is None
        assert agree(where, "a") == chat("one").encode()


def test_a_ref_that_says_nonsense_is_left_to_the_whole_store() -> None:
    with fresh_store() as where:
        agree(where, "a")
        for words in (b"", b"\xff\xff", b"ref: refs/heads/main\n"):
            (where / ".git/refs/heads/main").write_bytes(words)
            assert quick_text(str(where), "a") is None


def test_linked_worktrees_share_the_answers() -> None:
    with fresh_store() as where:
        linked = Path(f"{where}-linked")
        git(where, "worktree", "add", "-q", "--detach", str(linked))
        assert agree(linked, "a") == chat("one").encode()
        git(where, "worktree", "remove", "--force", str(linked))
