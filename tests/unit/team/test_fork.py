"""Which repository a URL names, and that a fork publishes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from engines import Rig
from memory_vendor import MemoryWorkspace
from repos import CONFIG, chat, git, make_store

from promptstore.sync.team.fork import is_same, place_of


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/acme/prompts.git",
        "https://ann:token@GitHub.com/acme/prompts",
        "git@github.com:acme/prompts.git",
        "ssh://git@github.com:22/acme/prompts.git/",
    ],
)
def test_one_repository_has_many_urls(url: str) -> None:
    assert place_of(url) == "github.com/acme/prompts"
    assert is_same("github.com/acme/prompts", url)
    assert not is_same("github.com/fork/prompts", url)


def test_paths() -> None:
    assert is_same("file:///srv/prompts.git", "/srv/prompts")
    assert not is_same("/srv/prompts", "/srv/others")


def test_a_fork_publishes_nothing(tmp_path: Path) -> None:
    acme = MemoryWorkspace()
    config = CONFIG + '\n[git]\nurl = "github.com/acme/prompts"\n'
    store = make_store(tmp_path, config, {"p": chat("one")})
    git(tmp_path, "remote", "add", "origin", "https://github.com/fork/prompts.git")
    result = Rig(store, {"acme": acme}, shares=True).sync()
    assert (result.done, acme.writes) == ([], [])
    assert [error.message for error in result.errors] == [
        "origin is github.com/fork/prompts, not github.com/acme/prompts: a fork publishes nothing"
    ]
