"""Starting and stopping a daemon from outside."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from typing import IO, Any

from promptstore.daemon.status import Lock
from promptstore.errors import PromptStoreError, StoreBusy

START_WAIT = 30.0
STOP_WAIT = 10.0
_STEP = 0.05


def command_line(root: str) -> list[str]:
    """The command that runs the daemon of the store at ``root``, whatever is on PATH."""
    return [sys.executable, "-m", "promptstore", "-C", root, "daemon", "run"]


def start(root: str, folder: str) -> int:
    """Start a daemon that outlives us, and wait until it watches; returns its process id. One that runs is kept.

    Raises what the daemon itself says where it cannot start.
    """
    running = Lock(folder).holder()
    if running is not None:
        return running
    with tempfile.TemporaryFile() as said:
        child = subprocess.Popen(
            [*command_line(root), "--json"],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.DEVNULL,
            cwd=root,
            start_new_session=True,
        )
        return _await_start(child, said)


def _await_start(child: subprocess.Popen[bytes], said: IO[bytes]) -> int:
    until = time.monotonic() + START_WAIT
    while time.monotonic() < until:
        ended = child.poll() is not None
        told = _document(said)
        if told is not None and told.get("running"):
            return child.pid
        if ended:
            raise _failure(told or {}, child.returncode)
        time.sleep(_STEP)
    raise StoreBusy(f"the daemon (process {child.pid}) is still starting", hint="see `promptstore daemon logs`")


def _document(said: IO[bytes]) -> dict[str, Any] | None:
    said.seek(0)
    try:
        content = json.loads(said.read())
    except ValueError:
        return None
    return content if isinstance(content, dict) else None


def _failure(told: Mapping[str, Any], code: int) -> PromptStoreError:
    error = told.get("error", {})
    message = error.get("message") or f"it ended at once (exit {code})"
    return PromptStoreError(
        f"the daemon did not start: {message}", hint=error.get("hint") or "run `promptstore daemon run` to see why"
    )


def stop(folder: str) -> int | None:
    """End the daemon after the write it has in hand; returns which process that was, None where none ran.

    Raises StoreBusy where it does not end.
    """
    pid = Lock(folder).holder()
    if pid is None:
        return None
    _signal(pid, signal.SIGTERM)
    until = time.monotonic() + STOP_WAIT
    while Lock(folder).holder() == pid:
        if time.monotonic() > until:
            raise StoreBusy(f"the daemon (process {pid}) does not end", hint=f"`kill -9 {pid}` is safe for the store")
        time.sleep(_STEP)
    return pid


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
    except PermissionError:
        raise PromptStoreError(
            f"the daemon (process {pid}) belongs to somebody else", hint="stop it as the user who started it"
        ) from None
