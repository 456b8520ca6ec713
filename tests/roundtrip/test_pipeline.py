"""CI as the publisher: a pull request shows its plan and changes nothing, the main line publishes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import run
from repos import chat, commit, git, make_store

from promptstore.serve.server import Running, embedded
from promptstore.store.store import Store

pytestmark = pytest.mark.slow

PULL_REQUEST = {"GITHUB_EVENT_NAME": "pull_request"}


@pytest.fixture
def vendor(tmp_path: Path) -> Iterator[Running]:
    folder = tmp_path / "vendor"
    make_store(folder, '[store]\nbranch = "main"\n')
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "Empty")
    with Store.open(folder) as store, embedded(store) as running:
        yield running


@pytest.fixture
def origin(tmp_path: Path, vendor: Running) -> Path:
    """A shared repository with one prompt on main and an edit of it on a branch."""
    config = f'[store]\nbranch = "main"\n[remotes.pl]\nvendor = "promptlayer"\nbase_url = "{vendor.url}/promptlayer"\n'
    where = tmp_path / "author"
    make_store(where, config, {"p": chat("one")}).close()
    git(tmp_path, "init", "-q", "--bare", "-b", "main", "origin.git")
    git(where, "remote", "add", "origin", str(tmp_path / "origin.git"))
    git(where, "push", "-q", "-u", "origin", "main")
    git(where, "checkout", "-q", "-b", "edit")
    commit(where, {"p": chat("two")})
    git(where, "push", "-q", "origin", "edit")
    return tmp_path / "origin.git"


def checkout(origin: Path, name: str, *options: str) -> Path:
    git(origin.parent, "clone", "-q", *options, origin.as_uri(), name)
    return origin.parent / name


def test_a_pull_request_shows_and_main_publishes(origin: Path, vendor: Running) -> None:
    key = {"PROMPTLAYER_API_KEY": vendor.key}
    job = checkout(origin, "job")
    published = run(job, "sync", env=key)
    assert (published.code, published.err) == (0, "")
    git(job, "checkout", "-q", "--detach", "origin/edit")
    shown = run(job, "sync", env={**key, **PULL_REQUEST})
    assert shown.code == 0, shown.err
    assert "| pl | `p` | publish | `messages[0].content` |" in shown.out
    assert "nothing is changed" in shown.err
    again = run(job, "--json", "plan", "--ref", "HEAD", env=key)
    assert [action["kind"] for action in again.document["actions"]] == ["update-remote"]
    assert run(job, "--json", "plan", env=key).document["actions"] == []


def test_a_shallow_clone_is_told_how_to_get_history(origin: Path, vendor: Running) -> None:
    job = checkout(origin, "shallow", "--depth", "1")
    done = run(job, "sync", env={"PROMPTLAYER_API_KEY": vendor.key})
    assert done.code == 1
    assert "shallow" in done.err
    assert "git fetch --unshallow" in done.err


def test_a_job_without_the_branch_publishes_what_was_pushed(origin: Path, vendor: Running) -> None:
    """GitLab checks out a commit: there is no branch of that name in the clone."""
    job = checkout(origin, "detached")
    git(job, "checkout", "-q", "--detach", "origin/main")
    git(job, "branch", "-q", "-D", "main")
    done = run(job, "--json", "sync", env={"PROMPTLAYER_API_KEY": vendor.key})
    assert [action["kind"] for action in done.document["actions"]] == ["create-remote"], done.err
    again = run(job, "--json", "sync", env={"PROMPTLAYER_API_KEY": vendor.key})
    assert (again.code, again.document["actions"]) == (0, [])
