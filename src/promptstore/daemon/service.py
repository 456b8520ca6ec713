"""The daemon as a service of the user's: a systemd unit or a launchd agent, as text."""

from __future__ import annotations

import hashlib
import os
import plistlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

WATCHDOG = 120
"""Seconds without a sign of life after which systemd starts the daemon anew."""
_PREFIX = "dev.promptstore"


@dataclass(frozen=True, slots=True)
class Service:
    """A service definition: its name for the service manager, its file, and the file's text."""

    name: str
    path: str
    text: str
    enable: tuple[tuple[str, ...], ...]
    """Commands that make it start now and with every session."""
    disable: tuple[tuple[str, ...], ...]


def service_for(platform: str, root: str, command: Sequence[str], environ: Mapping[str, str], user: int) -> Service:
    """The service for this platform (``sys.platform``)."""
    if platform == "darwin":
        return _launchd(root, command, environ, user)
    return _systemd(root, command, environ)


def unit_name(root: str) -> str:
    """A name that tells the stores of one user apart, and can be recognised."""
    place = os.path.realpath(root)
    readable = re.sub(r"[^A-Za-z0-9_-]+", "-", os.path.basename(place)).strip("-") or "store"
    return f"{readable[:40]}-{hashlib.sha256(os.fsencode(place)).hexdigest()[:8]}"


# --- systemd


def _systemd(root: str, command: Sequence[str], environ: Mapping[str, str]) -> Service:
    home = environ.get("HOME", os.path.expanduser("~"))
    config = environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
    name = f"promptstore-{unit_name(root)}.service"
    return Service(
        name,
        os.path.join(config, "systemd", "user", name),
        systemd_unit(root, command, environ.get("PATH", "")),
        (("systemctl", "--user", "daemon-reload"), ("systemctl", "--user", "enable", "--now", name)),
        (("systemctl", "--user", "disable", "--now", name),),
    )


def systemd_unit(root: str, command: Sequence[str], path: str) -> str:
    """The unit file (systemd.service(5)): ready when it watches, watched over, started anew when it fails.

    Keys come from ``~/.config/promptstore/environment`` where that exists, or from the keyring.
    """
    environment = f"Environment={_quoted(f'PATH={path}', dollars=False)}\n" if path else ""
    return (
        "[Unit]\n"
        f"Description=promptstore daemon of {_words(root)}\n"
        "\n"
        "[Service]\n"
        "Type=notify\n"
        "NotifyAccess=main\n"
        f"ExecStart={_command(command)}\n"
        "ExecReload=/bin/kill -HUP $MAINPID\n"
        f"{environment}"
        "EnvironmentFile=-%E/promptstore/environment\n"
        "Restart=on-failure\n"
        "RestartSec=10\n"
        f"WatchdogSec={WATCHDOG}\n"
        "TimeoutStopSec=15\n"
        "\n"
        "[Install]\n"
        "WantedBy=default.target\n"
    )


def _command(command: Sequence[str]) -> str:
    """A command line. systemd takes no executable with a quote or a backslash in its name; env(1) runs those."""
    words = ["/usr/bin/env", *command] if set(command[0]) & set("\"'\\") else command
    return " ".join([_quoted(words[0], dollars=False), *map(_quoted, words[1:])])


def _quoted(word: str, *, dollars: bool = True) -> str:
    """A word for systemd's parser (systemd.syntax(7), "Quoting"): no specifier, no variable, no blank is left active.
    Variables are put in only among the arguments of a command, so only there a ``$`` is doubled."""
    text = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("\n", "\\n").replace("\t", "\\t")
    return f'"{text.replace("$", "$$") if dollars else text}"'


def _words(text: str) -> str:
    return re.sub(r"[\x00-\x1f\x7f\\]+", " ", text).replace("%", "%%")


# --- launchd


def _launchd(root: str, command: Sequence[str], environ: Mapping[str, str], user: int) -> Service:
    label = f"{_PREFIX}.{unit_name(root)}"
    path = os.path.join(environ.get("HOME", os.path.expanduser("~")), "Library", "LaunchAgents", f"{label}.plist")
    return Service(
        label,
        path,
        launchd_plist(label, root, command, environ.get("PATH", "")),
        (("launchctl", "bootstrap", f"gui/{user}", path),),
        (("launchctl", "bootout", f"gui/{user}/{label}"),),
    )


def launchd_plist(label: str, root: str, command: Sequence[str], path: str) -> str:
    """The agent's property list (launchd.plist(5)): with every login, started anew when it fails."""
    agent = {
        "Label": label,
        "ProgramArguments": list(command),
        "WorkingDirectory": root,
        "EnvironmentVariables": {"PATH": path} if path else {},
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "ThrottleInterval": 10,
        "ProcessType": "Background",
    }
    return plistlib.dumps(agent).decode()
