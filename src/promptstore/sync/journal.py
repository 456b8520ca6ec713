"""The journal: what was about to be sent, and what came of it. Append-only, fsynced, one JSON object a line.

A torn last line (a machine that died while writing) is ignored: what it said had not been promised to anyone. A line
that something else has spoilt may have said that a publish was sent: then all that were prepared count as sent.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, get_args

from promptstore.sync.files import DISK, Files, unwritable

State = Literal["prepared", "sent", "unknown", "done", "failed", "recorded"]
OPEN: frozenset[State] = frozenset({"sent", "unknown"})
UNFINISHED: frozenset[State] = OPEN | {"done"}
_START = b'{"intent":"'


@dataclass(frozen=True, slots=True)
class Intent:
    """One publish or deletion, from the intention to the record.

    ``document`` is the digest of what is sent (empty: the prompt is to go), ``expected`` the vendor's newest version
    before it (None: a new prompt), ``at`` seconds since the epoch of the last change of state; ``id`` and ``version``
    are what it became.
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
    inherited: bool = False
    """Whether another clone meant to send it: its text need never have been on the branch here."""

    @property
    def is_deletion(self) -> bool:
        return not self.document

    @property
    def is_first(self) -> bool:
        """Whether it is to make a prompt that nobody has seen at the vendor yet."""
        return self.id is None and not self.is_deletion

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
            raise unwritable(self._path, error) from None
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
        lines = [line for line in (self._files.read(self._path) or b"").split(b"\n") if line]
        read = [_parse(line) for line in lines]
        spoilt = any(row is None and not _is_torn(line) for line, row in zip(lines, read, strict=True))
        for intent in read:
            if intent is not None:
                yield replace(intent, state="sent") if spoilt and intent.state == "prepared" else intent


def _is_needed(intent: Intent, before: float) -> bool:
    return intent.state not in {"failed", "prepared"} and (intent.state != "recorded" or intent.at > before)


def _parse(line: bytes) -> Intent | None:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return intent_of(row)


def intent_of(row: Any) -> Intent | None:
    """The intent that a JSON object says, whatever a newer version says beside it; None where it says none."""
    if not isinstance(row, dict) or not row.keys() >= set(Intent.__slots__) - {"inherited"} or not _fits(row):
        return None
    return Intent(**{name: row[name] for name in Intent.__slots__ if name in row})


def _fits(row: Mapping[str, Any]) -> bool:
    texts = (row[name] for name in ("intent", "remote", "slug", "blob", "document"))
    perhaps = (row[name] for name in ("expected", "id", "version"))
    return (
        all(isinstance(text, str) for text in texts)
        and all(text is None or isinstance(text, str) for text in perhaps)
        and isinstance(row["at"], int | float)
        and row["state"] in get_args(State)
        and isinstance(row.get("inherited", False), bool)
    )


def _is_torn(line: bytes) -> bool:
    """Whether it is the beginning of a line of ours, and not all of it: nothing but what a dying machine left."""
    return line.startswith(_START[: len(line)]) and not line.endswith(b"}")
