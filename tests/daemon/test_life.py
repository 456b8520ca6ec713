"""Starting, stopping, being killed, and times when nothing works."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from daemons import KEY, SECRET, Daemon, Page, environment, eventually, launch, make_hub, running
from repos import chat, commit, git

from promptstore.errors import StoreBusy
from promptstore.sync.engine_lock import EngineLock

pytestmark = pytest.mark.slow

PUBLISH = "/rest/prompt-templates"


def publishes(page: Page) -> int:
    return sum(path == PUBLISH for _, path in page.writes())


def command(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "promptstore", "-C", str(root), "daemon", *words]
    return subprocess.run(line, env=environment(), capture_output=True, text=True, check=False, timeout=120)


def test_start_status_logs_and_stop(tmp_path: Path, page: Page) -> None:
    root = make_hub(tmp_path / "hub", page)
    asked = command(root, "status", "--json")
    assert (asked.returncode, json.loads(asked.stdout)["running"]) == (3, False)
    started = command(root, "start", "--json")
    assert started.returncode == 0, started
    pid = json.loads(started.stdout)["pid"]
    try:
        eventually(lambda: page.text("a") == "one")
        status = eventually(lambda: _settled(root))
        assert (status["running"], status["pid"]) == (True, pid)
        assert status["since"].endswith("Z")
        assert status["remotes"]["acme"].keys() >= {"last_sync", "next_sync", "state", "error"}
        again = command(root, "start", "--json")
        assert json.loads(again.stdout)["pid"] == pid
        second = command(root, "run")
        assert (second.returncode, second.stdout) == (75, "")
        assert second.stderr.startswith("error: a daemon runs in this clone already")
        lines = json.loads(command(root, "logs", "--json").stdout)["lines"]
        assert any("create-remote a" in line["message"] for line in lines)
        assert "create-remote a" in command(root, "logs", "-n", "20").stdout
    finally:
        stopped = command(root, "stop", "--json")
    assert (stopped.returncode, json.loads(stopped.stdout)) == (0, {"running": False, "pid": pid})
    assert command(root, "stop").returncode == 0
    after = json.loads(command(root, "status", "--json").stdout)
    assert (after["running"], after["remotes"]["acme"]["state"]) == (False, "stopped")


def _settled(root: Path) -> dict[str, object] | None:
    status = json.loads(command(root, "status", "--json").stdout)
    return status if status["remotes"]["acme"]["state"] == "ok" else None


def test_a_daemon_that_cannot_start_says_why(tmp_path: Path, page: Page) -> None:
    root = make_hub(tmp_path / "hub", page)
    config = root / ".promptstore.toml"
    config.write_text(config.read_text().replace("vendor =", "vendr ="))
    git(root, "commit", "-q", "-a", "-m", "broken")
    started = command(root, "start")
    assert started.returncode == 1
    assert "did you mean 'vendor'" in started.stderr
    assert len(started.stderr.splitlines()) == 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_after_the_write_in_hand(tmp_path: Path, page: Page, number: signal.Signals) -> None:
    root = make_hub(tmp_path / "hub", page)
    with running(root) as daemon:
        eventually(lambda: page.text("a") == "one")
        page.delay = 1.5
        before = publishes(page)
        commit(root, {f"p{n}": chat(f"text {n}") for n in range(20)})
        eventually(lambda: publishes(page) > before)
        assert daemon.end(number) == 0
    sent = publishes(page) - before
    assert sent < 20
    assert not open_intents(root), "what was sent was read back and recorded"
    page.delay = 0.0
    with running(root):
        eventually(lambda: all(page.version(f"p{n}") == 1 for n in range(20)))
    assert publishes(page) - before == 20, "nothing was sent twice"


def open_intents(root: Path) -> list[str]:
    from promptstore.sync.journal import Journal

    journal = Journal(str(root / ".git" / "promptstore" / "journal"))
    return [intent.slug for intent in journal.intents().values() if intent.is_open]


def test_it_ends_within_seconds_where_the_vendor_never_answers(tmp_path: Path, page: Page) -> None:
    root = make_hub(tmp_path / "hub", page)
    with running(root) as daemon:
        eventually(lambda: page.text("a") == "one")
        before = publishes(page)
        page.delay = 300.0
        commit(root, {"a": chat("two")})
        eventually(lambda: publishes(page) > before)
        assert daemon.end() == 0
    page.delay = 0.0
    with running(root):
        eventually(lambda: not open_intents(root), "the write in doubt is settled")
    assert publishes(page) - before == 1
    assert page.text("a") == "two"


def test_killed_and_started_again_nothing_is_lost_or_sent_twice(tmp_path: Path, page: Page) -> None:
    root = make_hub(tmp_path / "hub", page, more='\n[sync]\nsettle = "3s"')
    page.delay = 0.3
    for number in range(5):
        with running(root) as daemon:
            before = publishes(page)
            commit(root, {"a": chat(f"round {number}"), f"new{number}": chat("x")})
            eventually(lambda before=before: publishes(page) > before)  # type: ignore[misc]
            daemon.process.kill()
    page.delay = 0.0
    with running(root) as daemon:
        eventually(lambda: page.text("a") == "round 4")
        eventually(lambda: all(page.version(f"new{number}") == 1 for number in range(5)))
        eventually(lambda: daemon.state() == "ok")
    texts = git(root, "log", "--format=%s", "acme/main", "--", "prompts/a.yaml").splitlines()
    assert len(texts) == page.version("a")
    assert git(root, "status", "--porcelain") == ""


def test_a_config_is_taken_over_and_a_broken_one_is_not(tmp_path: Path, page: Page) -> None:
    root = make_hub(tmp_path / "hub", page, poll="6h")
    config = root / ".promptstore.toml"
    good = config.read_text()
    with running(root) as daemon:
        eventually(lambda: page.text("a") == "one")
        config.write_text(good.replace("poll", "pol"))
        git(root, "commit", "-q", "-a", "-m", "broken")
        eventually(lambda: "did you mean 'poll'" in (daemon.told["problem"] or ""))
        commit(root, {"a": chat("two")})
        eventually(lambda: page.text("a") == "two", "the old config goes on")
        config.write_text(good.replace("6h", "1s"))
        git(root, "commit", "-q", "-a", "-m", "mended")
        eventually(lambda: daemon.told["problem"] is None)
        requests = len(page.requests)
        eventually(lambda: len(page.requests) > requests + 3, "polls every second now")
        daemon.tell(signal.SIGHUP)
        eventually(lambda: "reading the config again" in daemon.log)
        assert daemon.process.poll() is None


def test_a_vendor_that_is_away_is_waited_for_quietly(tmp_path: Path, page: Page) -> None:
    root = make_hub(tmp_path / "hub", page)
    with running(root) as daemon:
        eventually(lambda: daemon.state() == "ok")
        page.down = True
        commit(root, {"a": chat("two")})
        eventually(lambda: daemon.state() == "unreachable")
        time.sleep(4)
        page.down = False
        eventually(lambda: page.text("a") == "two")
        eventually(lambda: daemon.state() == "ok")
    levels = [json.loads(line) for line in daemon.log.splitlines()]
    assert sum("unreachable" in line["message"] for line in levels) == 1
    assert sum("all well again" in line["message"] for line in levels) == 1


def test_a_conflict_is_told_to_a_person_once(tmp_path: Path, page: Page) -> None:
    said = tmp_path / "said"
    script = (
        f"import os,sys; open({str(said)!r},'a').write(sys.argv[1] + str('{KEY}' in os.environ.values()) + chr(10))"
    )
    more = f"\n[notify]\ncommand = [{json.dumps(sys.executable)}, '-c', {json.dumps(script)}, '{{message}}']"
    root = make_hub(tmp_path / "hub", page, more=more)
    with running(root) as daemon:
        eventually(lambda: page.text("a") == "one")
        with eventually(lambda: _between_passes(root)):
            page.edit("a", "theirs")
            commit(root, {"a": chat("ours")})
        eventually(lambda: daemon.state() == "conflict")
        eventually(said.exists)
        time.sleep(3)
    assert said.read_text() == "acme: conflict in a; see `promptstore conflicts`False\n"


def _between_passes(root: Path) -> ExitStack | None:
    """The lock that keeps the daemon from its next pass; None during one."""
    held = ExitStack()
    try:
        held.enter_context(EngineLock(str(root / ".git" / "promptstore" / "lock")))
    except StoreBusy:
        return None
    return held


def test_no_secret_is_ever_written_down(tmp_path: Path, page: Page) -> None:
    root = make_hub(tmp_path / "hub", page, more='webhook = "127.0.0.1:0"')
    with running(root, "-v") as daemon:
        eventually(lambda: page.text("a") == "one")
        page.down = True
        eventually(lambda: daemon.state() == "unreachable")
        daemon.end()
    state = root / ".git" / "promptstore"
    files = [*(file for file in state.iterdir() if file.is_file()), tmp_path / "hub.err"]
    assert (tmp_path / "hub.err").stat().st_size
    for file in files:
        content = file.read_bytes()
        assert KEY.encode() not in content, file
        assert SECRET.encode() not in content, file


def test_it_beats_for_its_supervisor(tmp_path: Path, page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    root = make_hub(tmp_path / "hub", page)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as hearing:
        hearing.bind(str(tmp_path / "notify"))
        hearing.settimeout(60)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "1000000")
        heard = set()
        with running(root) as daemon:
            while not {b"READY=1", b"WATCHDOG=1"} <= heard:
                heard.add(hearing.recv(100))
            daemon.end()
        while b"STOPPING=1" not in heard:
            heard.add(hearing.recv(100))


def test_a_store_that_is_taken_away_is_not_looked_after_any_more(tmp_path: Path, page: Page) -> None:
    root = make_hub(tmp_path / "hub", page)
    with running(root) as daemon:
        eventually(lambda: page.text("a") == "one")
        passes = root / ".git" / "promptstore" / "last-sync.json"
        last = eventually(lambda: passes.exists() and passes.stat().st_mtime_ns)
        eventually(lambda: passes.stat().st_mtime_ns != last)  # one that still ran would write where the store was
        time.sleep(0.1)
        root.rename(tmp_path / "moved")
        time.sleep(1)
        assert daemon.process.poll() is None, "it may come back"
        make_hub(root, page)
        os.makedirs(root / ".git" / "promptstore", exist_ok=True)
        assert daemon.process.wait(60) == 1, "a service manager starts one for the new store"
        other = launch(root)
        assert isinstance(other, Daemon)
        other.end()
        assert other.process.stdout is not None
        other.process.stdout.close()
