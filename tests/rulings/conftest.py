"""Worlds to tell a story in twice: once as a plainer design has it, once as ours does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from engines import Rig
from memory_vendor import MemoryWorkspace
from repos import CONFIG, chat, git, make_store

from promptstore.store.store import Store

World = tuple[Rig, MemoryWorkspace]


@pytest.fixture
def world(tmp_path: Path) -> Callable[[str], World]:
    """A repository of its own with one vendor, by any name."""

    def made(name: str) -> World:
        acme = MemoryWorkspace()
        return Rig(make_store(tmp_path / name), {"acme": acme}), acme

    return made


@pytest.fixture
def team(tmp_path: Path) -> Callable[[str], tuple[Rig, Rig, MemoryWorkspace]]:
    """Two clones of one bare git remote, and one vendor."""

    def made(name: str) -> tuple[Rig, Rig, MemoryWorkspace]:
        acme, where = MemoryWorkspace(), tmp_path / name
        origin = where / "origin.git"
        first = make_store(where / "ann", CONFIG, {"p": chat("one")})
        git(where, "clone", "-q", "--bare", str(where / "ann"), str(origin))
        git(where / "ann", "remote", "add", "origin", str(origin))
        git(where / "ann", "fetch", "-q")
        git(where / "ann", "branch", "-q", "--set-upstream-to=origin/main")
        git(where, "clone", "-q", str(origin), str(where / "ben"))
        git(where / "ben", "config", "user.name", "Ben")
        git(where / "ben", "config", "user.email", "ben@example.com")
        ann, ben = Store.open(first.root), Store.open(where / "ben")
        return Rig(ann, {"acme": acme}, shares=True), Rig(ben, {"acme": acme}, shares=True), acme

    return made
