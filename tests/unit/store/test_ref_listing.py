"""Refs listed from their files are those that git lists."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from repos import git

from promptstore.errors import GitError
from promptstore.store.git import refs as module
from promptstore.store.git.refs import Refs
from promptstore.store.git.repository import require_repository

TAGS = "refs/prompts/"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("refs")
    git(where, "init", "-q", "-b", "main")
    for name in ("One", "Two"):
        git(where, "-c", "user.name=A", "-c", "user.email=a@b.c", "commit", "-q", "--allow-empty", "-m", name)
    return where


@pytest.fixture
def where(template: Path, tmp_path: Path) -> Path:
    git(tmp_path, "clone", "-q", str(template), "clone")
    return tmp_path / "clone"


def put(where: Path, name: str, text: str) -> None:
    file = where / ".git" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def move(where: Path, name: str, rev: str = "main") -> None:
    git(where, "update-ref", TAGS + name, rev)


def pack(where: Path) -> None:
    git(where, "pack-refs", "--all")


def packed_and_moved(where: Path) -> None:
    for name in ("a/-/prod", "a/b/-/prod", "a/b/-/v1.2", "ab/-/%2Fodd", "z/-/gone", "grüße/-/x"):
        move(where, name)
    pack(where)
    move(where, "a/-/prod", "main~1")
    move(where, "a/-/new")
    git(where, "update-ref", "-d", TAGS + "z/-/gone")
    git(where, "-c", "user.name=A", "-c", "user.email=a@b.c", "tag", "-a", "-m", "Peeled", "annotated")
    pack(where)
    move(where, "a/b/-/prod", "main~1")


def neither_ref(where: Path) -> None:
    move(where, "a/-/prod")
    oid = git(where, "rev-parse", "main")
    for name in ("a/-/x.lock", "a/-/.hidden", "a/-/two..dots", "a/-/backup~", "a/-/a b", "a.lock/-/x", "a/-/end."):
        put(where, TAGS + name, oid + "\n")
    (where / ".git" / TAGS / "empty/-").mkdir(parents=True)


def symbolic(where: Path) -> None:
    move(where, "a/-/prod")
    git(where, "symbolic-ref", TAGS + "a/-/link", TAGS + "a/-/prod")
    git(where, "symbolic-ref", TAGS + "a/-/dangling", TAGS + "a/-/nowhere")


def many(where: Path) -> None:
    oid = git(where, "rev-parse", "main")
    for number in range(module.FEW_REFS + 5):
        put(where, f"{TAGS}p{number}/-/prod", oid + "\n")


def nothing(where: Path) -> None:
    pass


@pytest.mark.parametrize("state", [packed_and_moved, neither_ref, symbolic, many, nothing])
def test_they_are_the_same(where: Path, state: Callable[[Path], None]) -> None:
    state(where)
    refs = Refs(require_repository(str(where)))
    for prefixes in (
        [TAGS],
        [TAGS + "a/"],
        [TAGS + "a/-/", "refs/heads/"],
        ["refs/"],
        ["refs/heads/main"],
        ["refs/no/"],
    ):
        assert list(refs.list(*prefixes).items()) == list(refs._listed(*prefixes).items()), prefixes


@pytest.mark.parametrize("text", ["", "\0" * 41, "0" * 40 + "\n", "not an id\n"])
def test_a_damaged_one_is_an_error(where: Path, text: str) -> None:
    move(where, "a/-/prod")
    put(where, TAGS + "a/-/bad", text)
    refs = Refs(require_repository(str(where)))
    for listing in (refs.list, refs._listed):
        with pytest.raises(GitError, match="a/-/bad is damaged"):
            listing(TAGS)


def test_few_start_no_process(where: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed_and_moved(where)
    refs = Refs(require_repository(str(where)))
    found = refs.list(TAGS)
    monkeypatch.setattr(module, "attempt", None)
    assert refs.list(TAGS) == found
    assert len(found) == 6


def test_what_another_process_changes_is_seen(where: Path) -> None:
    refs = Refs(require_repository(str(where)))
    for name in ("a/-/one", "a/-/two"):
        move(where, name)
        assert list(refs.list(TAGS))[-1] == TAGS + name
        pack(where)
        assert list(refs.list(TAGS))[-1] == TAGS + name
    git(where, "update-ref", "-d", TAGS + "a/-/two")
    assert list(refs.list(TAGS)) == [TAGS + "a/-/one"]
