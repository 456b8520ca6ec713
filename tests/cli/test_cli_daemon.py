"""``promptstore daemon`` where no daemon runs; where one does, see tests/daemon."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from command_line import good, run, told
from repos import make_store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("module") / "my prompts"
    make_store(where).close()
    return where


def test_nothing_runs(store: Path) -> None:
    asked = good(store, "daemon", "status", "--json", code=3)
    assert asked.document == {"running": False, "pid": None, "since": None, "remotes": {}}
    assert good(store, "daemon", "status", code=3).out == "not running\n"
    assert good(store, "daemon", "stop").out == "not running\n"
    assert good(store, "daemon", "stop", "--json").document == {"running": False, "pid": None}
    assert good(store, "daemon", "logs").out == ""
    assert good(store, "daemon", "logs", "--json").document == {"lines": []}


def test_following_never_ends_and_json_is_one_document(store: Path) -> None:
    ran = good(store, "daemon", "logs", "--follow", "--json", code=2)
    assert ran.document["error"]["kind"] == "usage"


@pytest.mark.parametrize("word", ["run", "start", "stop", "status", "logs", "install", "uninstall"])
def test_outside_a_store_there_is_nothing_to_do(tmp_path: Path, word: str) -> None:
    ran = run(tmp_path, "daemon", word)
    assert ran.code == 1
    told(ran, "no .promptstore.toml")


def test_a_service_is_shown_written_and_removed(store: Path) -> None:
    shown = good(store, "daemon", "install", "--print").out
    document = good(store, "daemon", "install", "--print", "--json").document
    assert document["text"] == shown
    assert str(store) in shown
    file = Path(document["path"])
    assert not file.exists()
    written = good(store, "daemon", "install", "--no-start", "--json").document
    assert written == {"name": document["name"], "path": document["path"], "started": False}
    assert file.read_text() == shown
    assert "Next: " in good(store, "daemon", "install", "--no-start").out


@pytest.mark.skipif(sys.platform == "darwin", reason="launchctl would be asked for real")
def test_without_a_service_manager_the_file_is_still_written_and_removed(tmp_path: Path, store: Path) -> None:
    env = {"PATH": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "config")}
    installed = good(store, "daemon", "install", env=env)
    assert "warning: there is no systemctl here" in installed.err
    assert "Next: systemctl --user enable --now" in installed.out
    assert len(list((tmp_path / "config" / "systemd" / "user").iterdir())) == 1
    assert good(store, "daemon", "uninstall", "--json", env=env).document["removed"] is True
    assert list((tmp_path / "config" / "systemd" / "user").iterdir()) == []
    assert good(store, "daemon", "uninstall", env=env).out == "there is no service of this store\n"
