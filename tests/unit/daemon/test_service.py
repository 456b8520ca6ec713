"""The daemon as a service, as text; and systemd's own opinion of it."""

from __future__ import annotations

import os
import plistlib
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from promptstore.daemon.service import service_for, systemd_unit, unit_name
from promptstore.daemon.systemd import Supervisor

COMMAND = ["/opt/py thon/bin/python", "-m", "promptstore", "-C", '/home/ann/we "ird" 100% $HOME \\n', "daemon", "run"]
ENVIRON = {"HOME": "/home/ann", "PATH": "/usr/bin:/opt/100% $x"}


def test_a_systemd_unit_restarts_reloads_and_watches() -> None:
    service = service_for("linux", "/home/ann/prompts", COMMAND, ENVIRON, 1000)
    assert service.path == f"/home/ann/.config/systemd/user/{service.name}"
    for line in (
        "Type=notify",
        "Restart=on-failure",
        "ExecReload=/bin/kill -HUP $MAINPID",
        "WatchdogSec=120",
        "WantedBy=default.target",
        "EnvironmentFile=-%E/promptstore/environment",
    ):
        assert f"\n{line}\n" in service.text
    assert service.enable[-1] == ("systemctl", "--user", "enable", "--now", service.name)
    assert service.disable == (("systemctl", "--user", "disable", "--now", service.name),)


def test_the_users_own_config_folder_counts() -> None:
    service = service_for("linux", "/p", COMMAND, {**ENVIRON, "XDG_CONFIG_HOME": "/etc/ann"}, 1000)
    assert service.path.startswith("/etc/ann/systemd/user/")


def test_nothing_in_a_path_is_active_in_the_unit() -> None:
    text = systemd_unit("/home/ann/a\nExecStart=evil", COMMAND, ENVIRON["PATH"])
    line = next(line for line in text.splitlines() if line.startswith("ExecStart="))
    assert r'"/home/ann/we \"ird\" 100%% $$HOME \\n"' in line
    assert '"PATH=/usr/bin:/opt/100%% $x"' in text
    assert text.count("ExecStart") == 2
    assert "\nExecStart=evil" not in text


def test_a_launchd_agent_restarts_only_after_failures() -> None:
    service = service_for("darwin", "/Users/ann/prompts", COMMAND, {"HOME": "/Users/ann", "PATH": "/bin"}, 501)
    agent = plistlib.loads(service.text.encode())
    assert agent["ProgramArguments"] == COMMAND
    assert agent["KeepAlive"] == {"SuccessfulExit": False}
    assert agent["RunAtLoad"] is True
    assert agent["EnvironmentVariables"] == {"PATH": "/bin"}
    assert service.path == f"/Users/ann/Library/LaunchAgents/{agent['Label']}.plist"
    assert service.enable == (("launchctl", "bootstrap", "gui/501", service.path),)
    assert service.disable == (("launchctl", "bootout", f"gui/501/{agent['Label']}"),)


def test_names_tell_stores_apart(tmp_path: Path) -> None:
    (tmp_path / "a" / "prompts").mkdir(parents=True)
    (tmp_path / "b" / "prompts").mkdir(parents=True)
    names = {unit_name(str(tmp_path / side / "prompts")) for side in "ab"}
    assert len(names) == 2
    assert all(name.startswith("prompts-") for name in names)
    assert unit_name("/ü ß").startswith("store-")
    assert unit_name("/" + "x" * 200).count("x") == 40


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed here")
def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    odd = tmp_path / 'we "ird" 100% $HOME é'
    odd.mkdir()
    interpreter = odd / "python"
    interpreter.symlink_to(shutil.which("true") or "/bin/true")
    unit = tmp_path / "promptstore-test.service"
    unit.write_text(systemd_unit(str(odd), [str(interpreter), "-C", str(odd)], "/usr/bin:/bin"))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--user", str(unit)],
        env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    if "Failed to initialize manager" in done.stderr:
        pytest.skip(f"systemd-analyze cannot run here: {done.stderr.strip()}")
    assert (done.returncode, done.stderr) == (0, "")


# --- sd_notify


def test_without_a_supervisor_nothing_is_sent() -> None:
    quiet = Supervisor({})
    quiet.tell("READY=1")
    assert quiet.watchdog is None


@pytest.mark.parametrize("abstract", [False, True])
def test_the_supervisor_hears(tmp_path: Path, abstract: bool) -> None:
    name = f"@promptstore-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as hearing:
        try:
            hearing.bind("\0" + name[1:] if abstract else name)
        except OSError as error:
            pytest.skip(f"no such sockets here: {error}")
        supervisor = Supervisor({"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "120000000", "WATCHDOG_PID": str(os.getpid())})
        supervisor.tell("READY=1", "STATUS=well")
        assert hearing.recv(100) == b"READY=1\nSTATUS=well"
    assert supervisor.watchdog == 120.0


def test_a_supervisor_that_is_gone_is_no_failure(tmp_path: Path) -> None:
    Supervisor({"NOTIFY_SOCKET": str(tmp_path / "gone")}).tell("WATCHDOG=1")


def test_a_watchdog_of_another_process_is_not_ours() -> None:
    assert Supervisor({"WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1"}).watchdog is None
    assert Supervisor({"WATCHDOG_USEC": "soon"}).watchdog is None
