"""Lock, status, log and notifications: what the daemon says, and what it never says."""

from __future__ import annotations

import json
import logging
import os
import stat
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest

from promptstore.daemon import log as daemon_log
from promptstore.daemon.filesystem import kind_of
from promptstore.daemon.log import Secrets, Tail, open_log, read_log
from promptstore.daemon.notify import Notifier, filled
from promptstore.daemon.running import _private
from promptstore.daemon.standing import Outcome, Standing
from promptstore.daemon.status import Lock, StatusFile, from_iso, iso, report
from promptstore.daemon.surroundings import row
from promptstore.errors import StoreBusy

KEY = "pl_super-secret-0123456789"


# --- one a store


def test_one_daemon_a_store(tmp_path: Path) -> None:
    folder = str(tmp_path / "state")
    first, second = Lock(folder), Lock(folder, patience=0.0)
    assert first.holder() is None
    first.take()
    assert second.holder() == os.getpid()
    assert first.is_ours()
    with pytest.raises(StoreBusy, match=str(os.getpid())) as refused:
        second.take()
    assert refused.value.exit_code == 75
    first.release()
    assert second.holder() is None
    second.take()
    second.release()


def test_a_file_that_a_dead_daemon_left_is_no_lock(tmp_path: Path) -> None:
    (tmp_path / "daemon.lock").write_text("1\n")
    assert Lock(str(tmp_path)).holder() is None
    lock = Lock(str(tmp_path))
    lock.take()
    assert Lock(str(tmp_path)).holder() == os.getpid()
    lock.release()


def test_a_lock_whose_store_was_replaced_is_not_ours(tmp_path: Path) -> None:
    lock = Lock(str(tmp_path / "state"))
    lock.take()
    (tmp_path / "state").rename(tmp_path / "old")
    assert lock.is_ours(), "away, and may come back"
    (tmp_path / "state").mkdir()
    assert not lock.is_ours()
    (tmp_path / "state" / "daemon.lock").touch()
    assert not lock.is_ours()
    lock.release()


def test_status_of_a_daemon_that_never_ran(tmp_path: Path) -> None:
    assert report(str(tmp_path)) == {"running": False, "pid": None, "since": None, "remotes": {}}


def test_status_of_one_that_runs_and_of_one_that_was_killed(tmp_path: Path) -> None:
    folder = str(tmp_path)
    standing = Standing(
        Outcome("acme", "conflict", conflicts=frozenset({("a", "name")}), held=frozenset({("b", "x"), ("c", "y")})),
        synced=0.0,
    )
    document = {
        "pid": os.getpid(),
        "since": "2026-01-01T00:00:00Z",
        "webhook": "http://127.0.0.1:1/",
        "remotes": {"acme": row(standing, 60.0)},
    }
    StatusFile(folder).write(document)
    lock = Lock(folder)
    lock.take()
    told = report(folder)
    lock.release()
    assert (told["running"], told["pid"], told["since"]) == (True, os.getpid(), "2026-01-01T00:00:00Z")
    assert told["webhook"] == "http://127.0.0.1:1/"
    assert told["remotes"]["acme"] == {
        "last_sync": "1970-01-01T00:00:00Z",
        "next_sync": "1970-01-01T00:01:00Z",
        "state": "conflict",
        "error": None,
        "conflicts": 1,
        "held": 2,
    }
    after = report(folder)
    assert (after["running"], after["pid"], after["since"]) == (False, None, None)
    assert after["remotes"]["acme"]["last_sync"] == "1970-01-01T00:00:00Z"
    assert (after["remotes"]["acme"]["next_sync"], after["remotes"]["acme"]["state"]) == (None, "stopped")


@pytest.mark.parametrize("text", ["", "{", "[]", "null"])
def test_a_torn_status_is_no_status(tmp_path: Path, text: str) -> None:
    (tmp_path / "daemon.json").write_text(text)
    assert report(str(tmp_path))["remotes"] == {}


def test_times() -> None:
    assert iso(None) is None
    assert iso(1e9) == "2001-09-09T01:46:40Z"
    assert from_iso("2001-09-09T01:46:40Z") == 1e9
    assert [from_iso(text) for text in (None, "", "soon", 7)] == [None] * 4


# --- log


@pytest.fixture
def log(tmp_path: Path) -> Iterator[logging.Logger]:
    made = open_log(str(tmp_path), Secrets([KEY, "k"]), None)
    yield made
    for handler in made.handlers:
        handler.close()
    made.handlers = []


def test_lines_are_json_and_private(log: logging.Logger, tmp_path: Path) -> None:
    log.info("acme: published %s", "a/b", extra={"remote": "acme"})
    log.debug("not worth it")
    line = json.loads((tmp_path / "daemon.log").read_text())
    assert line.keys() == {"time", "level", "message", "remote"}
    assert (line["level"], line["message"], line["remote"]) == ("info", "acme: published a/b", "acme")
    assert stat.S_IMODE((tmp_path / "daemon.log").stat().st_mode) == 0o600


def test_no_secret_ever(log: logging.Logger, tmp_path: Path) -> None:
    log.error("refused: key %s of ann@example.com, k and ok", KEY)
    try:
        raise RuntimeError(f"in a trace: {KEY}")
    except RuntimeError as error:
        log.error("internal error: %s", error, exc_info=error)
    text = (tmp_path / "daemon.log").read_text()
    assert KEY not in text
    assert "ann@example.com" not in text
    assert "*** and ok" in text
    assert "Traceback" in text
    assert len(text.splitlines()) == 2


def test_secrets_learned_later_count(tmp_path: Path) -> None:
    secrets, stream = Secrets(), StringIO()
    made = open_log(str(tmp_path), secrets, stream)
    secrets.learn(None)
    secrets.learn("from-the-keyring")
    made.info("say from-the-keyring")
    assert stream.getvalue().endswith("info    say ***\n")
    for handler in made.handlers:
        handler.close()
    made.handlers = []


def test_variables_that_look_like_keys_are_private() -> None:
    environ = {
        "X_API_KEY": KEY,
        "MY_TOKEN": "0123456",
        "KEYBOARD": "0123456",
        "A_SECRET": "true",
        "password": "hunter2!",
    }
    assert _private(environ) == {"X_API_KEY": KEY, "MY_TOKEN": "0123456", "password": "hunter2!"}


def test_the_last_lines_over_rotated_files(
    log: logging.Logger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handler = log.handlers[0]
    monkeypatch.setattr(handler, "maxBytes", 400)
    for number in range(40):
        log.info("line %s", number)
    assert (tmp_path / "daemon.log.1").exists()
    assert [line["message"] for line in read_log(str(tmp_path), 5)] == [f"line {number}" for number in range(35, 40)]
    assert len(read_log(str(tmp_path), 100)) < 40, "the oldest are gone"
    assert len(list(tmp_path.glob("daemon.log*"))) == daemon_log.KEPT + 1
    assert read_log(str(tmp_path), 0) == []


def test_torn_lines_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "daemon.log").write_text('{"time": "t", "level": "info", "message": "m"}\n{"time": "t", "lev\n[]\n')
    assert read_log(str(tmp_path), 10) == [{"time": "t", "level": "info", "message": "m"}]
    assert read_log(str(tmp_path / "nowhere"), 10) == []


def test_following_goes_on_after_a_rotation(
    log: logging.Logger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.info("before")
    tail = Tail(str(tmp_path))
    assert list(tail.rows()) == []
    monkeypatch.setattr(log.handlers[0], "maxBytes", 150)
    seen = []
    for number in range(6):
        log.info("line %s", number)
        seen += [line["message"] for line in tail.rows()]
    assert seen == [f"line {number}" for number in range(6)]


def test_following_a_log_that_is_not_there_yet(tmp_path: Path) -> None:
    tail = Tail(str(tmp_path))
    assert list(tail.rows()) == []
    (tmp_path / "daemon.log").write_text('{"time": "t", "level": "info", "message": "m"}\n')
    assert [line["message"] for line in tail.rows()] == ["m"]


# --- notifications


def test_the_message_is_one_argument() -> None:
    assert filled(["say", "-t", "p: {message}", "x"], "a b; rm -rf {message}") == [
        "say",
        "-t",
        "p: a b; rm -rf {message}",
        "x",
    ]


def test_the_command_runs_without_our_keys(tmp_path: Path, log: logging.Logger) -> None:
    script = "import os,sys; open(sys.argv[1],'w').write(sys.argv[2] + str(sorted(os.environ)))"
    notifier = Notifier({**os.environ, "PROMPTLAYER_API_KEY": KEY}, {"PROMPTLAYER_API_KEY"}, log)
    thread = notifier.tell([sys.executable, "-c", script, str(tmp_path / "said"), "{message}"], "halted: $(x)")
    assert thread is not None
    thread.join(30)
    said = (tmp_path / "said").read_text()
    assert said.startswith("halted: $(x)")
    assert "PROMPTLAYER_API_KEY" not in said


@pytest.mark.parametrize("command", [["/nowhere/at/all"], [sys.executable, "-c", "raise SystemExit(3)"], ["a\0b"]])
def test_a_command_that_fails_is_a_line_in_the_log(command: list[str], tmp_path: Path, log: logging.Logger) -> None:
    thread = Notifier(os.environ, (), log).tell(command, "x")
    assert thread is not None
    thread.join(30)
    assert [line["level"] for line in read_log(str(tmp_path), 9)] == ["warning"]


def test_without_a_command_nobody_is_told(log: logging.Logger) -> None:
    assert Notifier({}, (), log).tell((), "x") is None


# --- file systems

MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:26 / /home rw shared:9 - nfs4 server:/home rw
31 30 0:27 / /home/ann/my\\040disk rw - ext4 /dev/sdb1 rw
32 22 0:28 / /mnt/c rw - 9p drvfs rw
33 22 0:29 / /home/ann/over rw - ext4 /dev/sdc1 rw
34 33 0:30 / /home/ann/over rw - cifs //server/share rw
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/srv/prompts", "ext4"),
        ("/home/ann/prompts", "nfs4"),
        ("/home", "nfs4"),
        ("/homework", "ext4"),
        ("/home/ann/my disk/x", "ext4"),
        ("/mnt/c/x", "9p"),
        ("/home/ann/over/x", "cifs"),
    ],
)
def test_the_file_system_of_a_path(path: str, kind: str) -> None:
    assert kind_of(path, MOUNTS) == kind


def test_a_table_that_cannot_be_read_says_nothing() -> None:
    assert kind_of("/x", "garbage\n1 2 3 - ext4\n") == ""
