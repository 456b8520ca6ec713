"""Addresses: what each form means, and what an unknown one is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from repos import chat, commit, git, make_store

from promptstore import PromptNotFound, PromptStoreError, Store, TagNotFound, VersionNotFound
from promptstore.errors import UsageError
from promptstore.model.slug import slug_problem
from promptstore.store.address import LATEST, parse_address
from promptstore.store.tagging import set_tag


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    path = tmp_path_factory.mktemp("addresses")
    store = make_store(path, prompts={"support/summarizer": chat("one"), "other": chat("x")})
    commit(path, {"support/summarizer": chat("two")})
    commit(path, {"support/summarizer": chat("three"), "late": chat("late")})
    set_tag(store, store.locate(parse_address("support/summarizer@2")), "production")
    (path / "prompts/support/summarizer.yaml").write_text(chat("not committed"))
    (path / "prompts/fresh.yaml").write_text(chat("never committed"))
    return store


def said(store: Store, address: str) -> str:
    located = store.locate(parse_address(address))
    return store.text(located).decode()


@pytest.mark.parametrize(
    ("rev", "text", "version"),
    [
        ("", "three", 3),
        ("@latest", "three", 3),
        ("@1", "one", 1),
        ("@01", "one", 1),
        ("@3", "three", 3),
        ("@production", "two", 2),
        ("@main", "three", 3),
        ("@main~2", "one", 1),
        ("@main^", "two", 2),
        ("@HEAD", "three", 3),
        ("@refs/heads/main", "three", 3),
        ("@HEAD@{0}", "three", 3),
        ("@main^{/Start}", "one", 1),
    ],
)
def test_each_form_means_what_it_says(store: Store, rev: str, text: str, version: int) -> None:
    located = store.locate(parse_address(f"support/summarizer{rev}"))
    assert located.version == version
    assert said(store, f"support/summarizer{rev}") == chat(text)


def test_a_commit_id_long_or_short(store: Store) -> None:
    oid = git(Path(store.root), "rev-parse", "HEAD~1")
    short = next(oid[:length] for length in range(7, 41) if not oid[:length].isdigit())  # else it is a number
    for rev in (oid, short, oid[:30], oid.upper()):
        assert store.locate(parse_address(f"support/summarizer@{rev}")).version == 2
    assert store.get("support/summarizer", rev=oid).commit == oid


def test_working_reads_the_file(store: Store) -> None:
    prompt = store.get("support/summarizer", working=True)
    assert prompt.messages is not None
    assert prompt.messages[0].content == "not committed"
    assert (prompt.version, prompt.commit) == (None, None)


UNKNOWN = [
    ("suport/summarizer", PromptNotFound, "support/summarizer"),
    ("support/summarizer@4", VersionNotFound, "promptstore log support/summarizer"),
    ("support/summarizer@0", VersionNotFound, "promptstore log support/summarizer"),
    ("support/summarizer@" + "9" * 5000, VersionNotFound, "promptstore log support/summarizer"),
    ("support/summarizer@prodction", TagNotFound, "production"),
    ("support/summarizer@²", TagNotFound, "production"),
    ("support/summarizer@deadbeefdeadbeef", TagNotFound, "production"),
    ("support/summarizer@--all", TagNotFound, "production"),
    ("support/summarizer@a b missing", TagNotFound, "production"),
    ("support/summarizer@HEAD:prompts", TagNotFound, "production"),
    ("other@production", TagNotFound, "promptstore tag other production"),
    ("nothing@production", PromptNotFound, "promptstore list"),
    ("nothing@3", PromptNotFound, "promptstore list"),
    ("support/summarizer@HEAD~40", TagNotFound, "production"),
    ("fresh", PromptNotFound, "fresh@working"),
]


@pytest.mark.parametrize(("address", "kind", "hint"), UNKNOWN, ids=[a[:40] for a, _, _ in UNKNOWN])
def test_what_is_not_there_is_told_with_the_next_step(
    store: Store, address: str, kind: type[PromptStoreError], hint: str
) -> None:
    with pytest.raises(kind) as error:
        store.locate(parse_address(address))
    assert hint in error.value.hint
    assert error.value.kind == "not-found"
    assert error.value.exit_code == 1
    assert error.value.where.slug == parse_address(address).slug


def test_a_prompt_that_came_later_is_not_found_at_an_old_commit(store: Store) -> None:
    with pytest.raises(PromptNotFound, match="at "):
        store.get("late", rev="main~1")


@pytest.mark.parametrize(
    "address", ["", "@3", "A", "a b", "../x", "a//b", "/a", "a/", ".git/config", "a@", "-", "a/-/b"]
)
def test_what_is_no_address_is_a_usage_error(address: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_address(address)
    assert error.value.hint
    assert error.value.exit_code == 2


def test_a_file_name_is_taken_for_its_slug() -> None:
    assert parse_address("a/b.yaml").slug == "a/b"


@given(st.text(max_size=40))
def test_every_text_is_an_address_or_a_usage_error(text: str) -> None:
    try:
        found = parse_address(text)
    except UsageError:
        return
    assert slug_problem(found.slug) is None
    assert found.rev
    assert ("@" in text) == (found.rev != LATEST or text.endswith("@latest"))


@pytest.mark.parametrize(
    "asked",
    [{"tag": "a", "version": 1}, {"tag": "a", "working": True}, {"version": 1, "rev": "main"}],
)
def test_only_one_way_of_asking_at_a_time(store: Store, asked: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        store.get("other", **asked)  # type: ignore[arg-type]


@pytest.mark.parametrize(("version", "kind"), [(0, VersionNotFound), (-1, VersionNotFound), (99, VersionNotFound)])
def test_versions_by_number(store: Store, version: int, kind: type[PromptStoreError]) -> None:
    with pytest.raises(kind):
        store.get("support/summarizer", version=version)


@pytest.mark.parametrize("slug", ["Bad Slug", "../../etc/passwd", "", "support"])
def test_the_api_knows_no_such_prompt(store: Store, slug: str) -> None:
    for asked in ({}, {"tag": "production"}, {"version": 1}, {"rev": "main"}, {"working": True}):
        with pytest.raises(PromptNotFound):
            store.get(slug, **asked)  # type: ignore[arg-type]


def test_an_abbreviated_id_of_something_else_is_no_revision(store: Store) -> None:
    blob = git(Path(store.root), "rev-parse", "HEAD:prompts/other.yaml")
    with pytest.raises(TagNotFound):
        store.get("other", rev=blob)
