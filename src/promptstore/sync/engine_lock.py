"""One engine a clone."""

from __future__ import annotations

import os
import time

from promptstore.errors import StateUnwritable, StoreBusy, Where


class EngineLock:
    """``flock`` on an open file, which the system lets go when the process dies; the file says whose it is."""

    def __init__(self, path: str, patience: float = 0.0) -> None:
        """``patience``: seconds to wait for another sync to end, as a daemon's soon does."""
        self._path = path
        self._patience = patience
        self._descriptor: int | None = None

    def __enter__(self) -> EngineLock:
        """Take it. Raises StoreBusy, naming the process that has it, and StateUnwritable where it cannot be taken."""
        try:
            os.makedirs(os.path.dirname(self._path), exist_ok=True)
            descriptor = os.open(self._path, os.O_CREAT | os.O_RDWR, 0o644)
        except OSError as error:
            raise self._unwritable(error) from None
        try:
            _lock(descriptor, time.monotonic() + self._patience)
            _sign(descriptor)
        except BlockingIOError:
            owner = os.read(descriptor, 20).decode("ascii", "replace").strip()
            os.close(descriptor)
            raise self._taken(owner) from None
        except OSError as error:
            os.close(descriptor)
            raise self._unwritable(error) from None
        self._descriptor = descriptor
        return self

    def __exit__(self, *_: object) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _taken(self, owner: str) -> StoreBusy:
        named = f" (process {owner})" if owner.isdigit() else ""
        return StoreBusy(
            f"another sync is running in this clone{named}",
            where=Where(path=self._path),
            hint="wait until it is done, then run this again",
        )

    def _unwritable(self, error: OSError) -> StateUnwritable:
        return StateUnwritable(
            f"the lock of this clone cannot be taken: {error.strerror or error}",
            where=Where(path=self._path),
            hint="make the folder writable, free some disk space, and keep it where files can be locked",
        )


def _lock(descriptor: int, until: float) -> None:
    """Lock the file. Raises BlockingIOError where another process still has it at ``until`` (monotonic seconds)."""
    import fcntl

    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                raise
            time.sleep(0.05)
        else:
            return


def _sign(descriptor: int) -> None:
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
