"""One daemon a clone, and what it says about itself: a locked file, and a small document beside it."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from promptstore.errors import StoreBusy, Where
from promptstore.store.atomic import replace_file

LOCK = "daemon.lock"
STATUS = "daemon.json"
_WAIT = 1.0
"""Seconds for which a lock may be held by somebody who only asks."""


def iso(seconds: float | None) -> str | None:
    """Seconds since the epoch as ISO 8601 with Z."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def from_iso(text: object) -> float | None:
    """The other way round; None for what is no time."""
    try:
        return datetime.fromisoformat(text).timestamp() if isinstance(text, str) else None
    except ValueError:
        return None


class Lock:
    """``flock`` on an open file, which the system lets go when the process dies; the file says who has it."""

    def __init__(self, folder: str, patience: float = _WAIT) -> None:
        self._path = os.path.join(folder, LOCK)
        self._patience = patience
        self._descriptor: int | None = None

    def take(self) -> None:
        """Be the one daemon. Raises StoreBusy where there is one."""
        os.makedirs(os.path.dirname(self._path), exist_ok=True)
        descriptor = os.open(self._path, os.O_CREAT | os.O_RDWR, 0o644)
        until = time.monotonic() + self._patience
        while not _locked(descriptor, fcntl.LOCK_EX):
            if time.monotonic() > until:
                os.close(descriptor)
                raise StoreBusy(
                    f"a daemon runs in this clone already (process {self.holder()})",
                    where=Where(path=self._path),
                    hint="`promptstore daemon status` shows it, `promptstore daemon stop` ends it",
                )
            time.sleep(0.02)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._descriptor = descriptor

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def is_ours(self) -> bool:
        """Whether the file that we hold is the one that others would ask; False after the store was replaced."""
        if self._descriptor is None:
            return False
        try:
            return os.path.samestat(os.fstat(self._descriptor), os.stat(self._path))
        except FileNotFoundError:
            return not os.path.isdir(os.path.dirname(self._path))  # all of it is away, and may come back

    def holder(self) -> int | None:
        """The process that runs as daemon; None where none does."""
        try:
            descriptor = os.open(self._path, os.O_RDONLY)
        except FileNotFoundError:
            return None
        try:
            if _locked(descriptor, fcntl.LOCK_SH):
                return None
            text = os.read(descriptor, 32).decode("ascii", "replace").strip()
        finally:
            os.close(descriptor)
        return int(text) if text.isdigit() else None


def _locked(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class StatusFile:
    """The document that the daemon keeps up to date and ``daemon status`` reads."""

    folder: str

    @property
    def path(self) -> str:
        return os.path.join(self.folder, STATUS)

    def write(self, document: Mapping[str, Any]) -> None:
        replace_file(self.path, json.dumps(document, ensure_ascii=False))

    def read(self) -> dict[str, Any]:
        try:
            with open(self.path, encoding="utf-8") as file:
                content = json.load(file)
        except (FileNotFoundError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}


def report(folder: str) -> dict[str, Any]:
    """What ``daemon status`` says: whether one runs, and what it last said."""
    pid = Lock(folder).holder()
    told = StatusFile(folder).read()
    current = pid is not None and told.get("pid") == pid
    extra: dict[str, Any] = {
        key: told[key] for key in ("branch", "config", "watching", "webhook", "problem") if key in told
    }
    return {
        "running": pid is not None,
        "pid": pid,
        "since": told.get("since") if current else None,
        "remotes": {name: _row(row, current) for name, row in told.get("remotes", {}).items()},
        **(extra if current else {}),
    }


def _row(row: Mapping[str, Any], current: bool) -> dict[str, Any]:
    """A remote's row; of a daemon that is gone only what it had done counts."""
    return dict(row) if current else {**row, "next_sync": None, "state": "stopped"}
