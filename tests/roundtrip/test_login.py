"""Keys in the OS keyring: kept by ``remote login``, found by every command, bound to the host they were meant for."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command_line import Ran, run
from repos import git, make_store

from promptstore.serve.server import Running, embedded
from promptstore.store.store import Store

pytestmark = pytest.mark.slow

SUPPORT = Path(__file__).parents[1] / "support"


@pytest.fixture
def vendor(tmp_path: Path) -> Iterator[Running]:
    folder = tmp_path / "vendor"
    make_store(folder, '[store]\nbranch = "main"\n')
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "Empty")
    with Store.open(folder) as store, embedded(store) as running:
        yield running


def promptstore(folder: Path, *arguments: str, **how: Any) -> Ran:
    environment: dict[str, str | None] = {
        "PYTHON_KEYRING_BACKEND": "file_keyring.Keyring",
        "PYTHONPATH": str(SUPPORT),
        "FILE_KEYRING": str(folder.parent / "keyring.json"),
    }
    return run(folder, *arguments, env=environment, **how)


def test_a_key_from_the_keyring_opens_the_workspace(tmp_path: Path, vendor: Running) -> None:
    folder = tmp_path / "store"
    make_store(folder, '[store]\nbranch = "main"\n', {})
    assert promptstore(folder, "remote", "add", "promptlayer", "--base-url", vendor.url).code == 0
    without = promptstore(folder, "remote", "check")
    assert (without.code, "there is no key" in without.err) == (1, True)
    done = promptstore(folder, "remote", "login", "promptlayer", stdin=f"{vendor.key}\n")
    assert done.code == 0, done.err
    assert vendor.key not in done.out + done.err
    checked = promptstore(folder, "remote", "check", fresh=True)
    assert (checked.code, "reachable" in checked.out) == (0, True)
    config = folder / ".promptstore.toml"
    config.write_text(config.read_text().replace("127.0.0.1", "localhost"))
    assert promptstore(folder, "remote", "check").code == 1


def test_no_keyring_is_told_plainly(tmp_path: Path, vendor: Running) -> None:
    folder = tmp_path / "store"
    make_store(
        folder, f'[store]\nbranch = "main"\n[remotes.pl]\nvendor = "promptlayer"\nbase_url = "{vendor.url}"\n', {}
    )
    command = [sys.executable, "-m", "promptstore", "-C", str(folder), "remote", "login", "pl"]
    environment = {**os.environ, "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
    done = subprocess.run(command, input="k\n", capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 1
    assert "no keyring" in done.stderr
    assert "environment" in done.stderr
