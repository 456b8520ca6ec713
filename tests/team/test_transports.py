"""Tags, agreements and leases travel over each of git's own ways to a server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from engines import Rig
from git_servers import git_daemon, http_backend, path_server
from memory_vendor import MemoryWorkspace
from repos import CONFIG, chat, commit, git

from promptstore.store.address import parse_address
from promptstore.store.store import Store
from promptstore.store.tagging import set_tag

pytestmark = pytest.mark.slow

Server = Callable[[Path], AbstractContextManager[str]]


@pytest.fixture(params=[path_server, git_daemon, http_backend])
def url(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    bare = tmp_path / "origin.git"
    git(tmp_path, "init", "-q", "--bare", "-b", "main", str(bare))
    first = tmp_path / "first"
    first.mkdir()
    git(first, "init", "-q", "-b", "main")
    git(first, "config", "user.name", "Ann")
    git(first, "config", "user.email", "ann@example.com")
    (first / ".promptstore.toml").write_text(CONFIG)
    commit(first, {f"x{n}": chat(f"x {n}") for n in range(12)}, "Start")
    git(first, "push", "-q", str(bare), "main")
    with request.param(bare) as found:
        yield found


def clone(tmp_path: Path, url: str, name: str, acme: MemoryWorkspace) -> Rig:
    git(tmp_path, "clone", "-q", url, name)
    git(tmp_path / name, "config", "user.name", name)
    git(tmp_path / name, "config", "user.email", f"{name}@example.com")
    return Rig(Store.open(tmp_path / name), {"acme": acme}, shares=True)


def test_two_clones_share_a_vendor(tmp_path: Path, url: str) -> None:
    acme = MemoryWorkspace()
    ann, ben = (clone(tmp_path, url, name, acme) for name in ("ann", "ben"))
    assert ann.sync().errors == []
    assert len(acme.writes) == 12
    result = ben.sync()
    assert (result.done, result.errors) == ([], [])
    for number in range(12):
        set_tag(ann.store, ann.store.locate(parse_address(f"x{number}@1")), "production")
    assert len(ann.sync().done) == 12
    assert ben.sync().done == []
    assert ben.store.tags("x7") == {"production": 1}
    ann.keeps_lease = True
    ann.sync()
    commit(tmp_path / "ben", {"x1": chat("by ben")})
    git(tmp_path / "ben", "push", "-q")
    acme.label("x2", "production", None)
    assert "syncs this remote" in ben.sync().errors[0].message
    git(tmp_path / "ann", "pull", "-q")
    assert {f"{a.kind} {a.slug}" for a in ann.sync().done} == {"update-remote x1", "untag-local x2"}
    ben.now += 150
    ann.now = ben.now
    assert ben.sync().errors == []
    assert ben.store.tags("x2") == {}
    assert [f"{a.kind}" for a in ann.sync().done] == []
