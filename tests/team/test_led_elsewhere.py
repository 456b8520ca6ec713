"""The command line in a clone that does not lead: it looks, says who leads, and ends with 75."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import run
from repos import chat, commit, git, make_store

from promptstore.serve.server import Running, embedded
from promptstore.store.store import Store
from promptstore.sync.journal import Journal
from promptstore.sync.team.joining import team_of

pytestmark = pytest.mark.slow


@pytest.fixture
def vendor(tmp_path: Path) -> Iterator[Running]:
    folder = tmp_path / "vendor"
    make_store(folder, '[store]\nbranch = "main"\n')
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "Empty")
    with Store.open(folder) as store, embedded(store) as running:
        yield running


@pytest.fixture
def led_elsewhere(tmp_path: Path, vendor: Running) -> Path:
    """A clone whose remote a daemon in another one leads."""
    config = f'[store]\nbranch = "main"\n[remotes.pl]\nvendor = "promptlayer"\nbase_url = "{vendor.url}/promptlayer"\n'
    make_store(tmp_path / "author", config, {"p": chat("one")}).close()
    git(tmp_path, "clone", "-q", "--bare", "author", "origin.git")
    for name in ("leader", "looker"):
        git(tmp_path, "clone", "-q", "--single-branch", "origin.git", name)
    with Store.open(tmp_path / "leader") as store:
        journal = Journal(os.path.join(store.repository.state_dir, "journal"))
        team = team_of(store, journal, seconds=time.time, note=print, keep=True)
        team.begin([])
        team.take("pl")
    return tmp_path / "looker"


def test_sync_says_what_waits_for_a_push(tmp_path: Path, vendor: Running) -> None:
    key = {"PROMPTLAYER_API_KEY": vendor.key}
    config = f'[store]\nbranch = "main"\n[remotes.pl]\nvendor = "promptlayer"\nbase_url = "{vendor.url}/promptlayer"\n'
    make_store(tmp_path / "author", config, {"p": chat("one"), "q": chat("one")}).close()
    git(tmp_path, "clone", "-q", "--bare", "author", "origin.git")
    git(tmp_path, "clone", "-q", "origin.git", "clone")
    clone = tmp_path / "clone"
    git(clone, "config", "user.name", "Ben")
    git(clone, "config", "user.email", "ben@example.com")
    assert "not pushed yet" not in run(clone, "sync", env=key).err
    commit(clone, {"p": chat("two")})
    waiting = run(clone, "sync", env=key)
    assert waiting.code == 0
    assert "not pushed yet: p (" in waiting.err
    git(clone, "push", "-q")
    assert "not pushed yet" not in run(clone, "sync", env=key).err


def test_sync_says_who_leads_and_fetch_only_looks(led_elsewhere: Path, vendor: Running) -> None:
    key = {"PROMPTLAYER_API_KEY": vendor.key}
    synced = run(led_elsewhere, "sync", env=key)
    assert synced.code == 75
    assert "syncs this remote until" in synced.err
    fetched = run(led_elsewhere, "fetch", env=key)
    assert fetched.code == 0, fetched.err
    assert "syncs this remote until" in fetched.err
    git(led_elsewhere, "config", "user.name", "Ben")
    git(led_elsewhere, "config", "user.email", "ben@example.com")
    commit(led_elsewhere, {"p": chat("two")})
    assert run(led_elsewhere, "tag", "p", "production").code == 0
    assert run(led_elsewhere, "sync", env=key).code == 75
    assert "production" in git(led_elsewhere, "ls-remote", "origin", "refs/prompts/*")
