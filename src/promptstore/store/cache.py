"""The cache: facts about immutable objects, in ``.git/promptstore/cache.db``. It may be deleted at any time.

Keys are object ids, so nothing in it can grow stale. Whatever goes wrong with it (read-only, full, damaged, locked)
costs speed and never an answer.
"""

from __future__ import annotations

import os
import sqlite3
from _thread import LockType, allocate_lock  # the same lock as threading's, without the module's import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_MAX_BYTES = 512 * 1024 * 1024
_SCHEMA = "CREATE TABLE IF NOT EXISTS fact (kind TEXT, key TEXT, value BLOB, PRIMARY KEY (kind, key)) WITHOUT ROWID"


class Cache:
    """Facts by kind and key. Threads may share it; a forked child opens its own connection."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._connection: sqlite3.Connection | None = None
        self._pid = 0
        self._lock = allocate_lock()
        self._lock_pid = os.getpid()

    def get(self, kind: str, key: str) -> bytes | None:
        return self.get_many(kind, [key]).get(key)

    def get_many(self, kind: str, keys: Sequence[str]) -> dict[str, bytes]:
        """The values of those keys that are known."""
        found: dict[str, bytes] = {}
        with self._own_lock():
            try:
                connection = self._open()
                for start in range(0, len(keys), 500):
                    chunk = keys[start : start + 500]
                    marks = ",".join("?" * len(chunk))
                    rows = connection.execute(
                        f"SELECT key, value FROM fact WHERE kind = ? AND key IN ({marks})", (kind, *chunk)
                    )
                    found.update(rows)
            except (sqlite3.Error, OSError) as error:
                self._drop(error)
        return found

    def put(self, kind: str, key: str, value: bytes) -> None:
        self.put_many(kind, [(key, value)])

    def put_many(self, kind: str, pairs: Iterable[tuple[str, bytes]]) -> None:
        rows = [(kind, key, value) for key, value in pairs]
        if not rows:
            return
        with self._own_lock():
            try:
                connection = self._open()
                with connection:
                    connection.executemany("INSERT OR REPLACE INTO fact VALUES (?, ?, ?)", rows)
            except (sqlite3.Error, OSError) as error:
                self._drop(error)

    def close(self) -> None:
        with self._own_lock():
            if self._connection is not None and self._pid == os.getpid():
                self._connection.close()
            self._connection = None

    def _own_lock(self) -> LockType:
        """The lock; in a forked child a new one, for a thread of the parent may have held the old one for ever."""
        if self._lock_pid != os.getpid():
            self._lock, self._lock_pid = allocate_lock(), os.getpid()
        return self._lock

    def _open(self) -> sqlite3.Connection:
        if self._connection is None or self._pid != os.getpid():
            os.makedirs(os.path.dirname(self.path), exist_ok=True)
            self._discard_when_large()
            connection = sqlite3.connect(self.path, timeout=0.2, check_same_thread=False)
            self._connection, self._pid = connection, os.getpid()
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute(_SCHEMA)
        return self._connection

    def _discard_when_large(self) -> None:
        if os.path.exists(self.path) and os.path.getsize(self.path) > _MAX_BYTES:
            os.unlink(self.path)

    def _drop(self, error: Exception) -> None:
        """Forget a connection that failed, and a file that is no database of ours."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
        if not _is_damage(error):
            return
        try:
            os.unlink(self.path)
        except OSError:  # not ours to remove: then the store is only slower
            return


def _is_damage(error: Exception) -> bool:
    """Whether the file itself is at fault, rather than a lock, a full disk or a missing right."""
    return type(error) is sqlite3.DatabaseError or "no such column" in str(error)
