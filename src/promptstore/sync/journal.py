"""The journal: what was about to be sent, and what came of it. Append-only, fsynced, one JSON object a line.

A torn last line (a machine that died while writing) is ignored: what it said had not been promised to anyone.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from promptstore.errors import StateUnwritable, StoreBusy, Where
from promptstore.sync.files import DISK, Files

State = Literal["prepared", "sent", "unknown", "done", "failed", "recorded"]
OPEN: frozenset[State] = frozenset({"sent", "unknown"})
UNFINISHED: frozenset[State] = OPEN | {"done"}


@dataclass(frozen=True, slots=True)
class Intent:
    """One publish, from the intention to the record.

    ``document`` is the digest of what is sent, ``expected`` the vendor's newest version before it (None: a new
    prompt), ``at`` seconds since the epoch of the last change of state; ``id`` and ``version`` are what it became.
    """

    intent: str
    remote: str
    slug: str
    blob: str
    document: str
    expected: str | None
    state: State
    at: float
    id: str | None = None
    version: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether nobody knows yet if the vendor took it."""
        return self.state in OPEN


class Journal:
    """The journal of one clone. Threads may share it. It is read once a run: one engine at a time writes it."""

    def __init__(self, path: str, files: Files = DISK) -> None:
        self._path = path
        self._files = files
        self._lock = threading.Lock()
        self._known: dict[str, Intent] | None = None

    def write(self, intent: Intent) -> Intent:
        """Append a state durably: it is on the disk when this returns. Raises StateUnwritable (a full disk)."""
        line = json.dumps(asdict(intent), separators=(",", ":")) + "\n"
        try:
            with self._lock:
                self._append(line.encode())
                self._intents()[intent.intent] = intent
        except OSError as error:
            self.refresh()
            raise StateUnwritable(
                f"the journal cannot be written: {error.strerror or error}",
                where=Where(path=self._path),
                hint="free some disk space, or make the folder writable, and run it again",
            ) from None
        return intent

    def refresh(self) -> None:
        """Read it anew: another run may have written since."""
        self._known = None

    def _append(self, line: bytes) -> None:
        whole = self._files.ending(self._path) in {b"", b"\n"}
        self._files.append(self._path, line if whole else b"\n" + line)

    def move(self, intent: Intent, state: State, at: float, **more: Any) -> Intent:
        """The next state of an intent, written down."""
        return self.write(replace(intent, state=state, at=at, **more))

    def intents(self) -> dict[str, Intent]:
        """The last state of every intent."""
        with self._lock:
            return dict(self._intents())

    def forget_settled(self, before: float) -> None:
        """Start afresh when nothing in it is needed any more: nothing open, nothing recorded after ``before``."""
        with self._lock:
            needed = [intent for intent in self._intents().values() if _is_needed(intent, before)]
            if not needed:
                self._files.remove(self._path)
                self._known = None

    def _intents(self) -> dict[str, Intent]:
        if self._known is None:
            self._known = {intent.intent: intent for intent in self._read()}
        return self._known

    def _read(self) -> Iterator[Intent]:
        for line in (self._files.read(self._path) or b"").split(b"\n"):
            row = _parse(line)
            if row is not None:
                yield Intent(**row)


def _is_needed(intent: Intent, before: float) -> bool:
    return intent.state not in {"failed", "prepared"} and (intent.state != "recorded" or intent.at > before)


def _parse(line: bytes) -> Mapping[str, Any] | None:
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) and row.keys() == set(Intent.__slots__) else None


class EngineLock:
    """One engine a clone: ``flock`` on an open file, which the system lets go when the process dies."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._descriptor: int | None = None

    def __enter__(self) -> EngineLock:
        import fcntl

        os.makedirs(os.path.dirname(self._path), exist_ok=True)
        descriptor = os.open(self._path, os.O_CREAT | os.O_RDWR, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise StoreBusy(
                "another sync is running in this clone",
                where=Where(path=self._path),
                hint="wait until it is done, then run this again",
            ) from None
        self._descriptor = descriptor
        return self

    def __exit__(self, *_: object) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
