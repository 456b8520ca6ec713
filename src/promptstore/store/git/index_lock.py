"""git's index lock, taken so that it is known as ours even by a later process.

Where the file system has hard links, ``index.lock`` is made as a second name of the prepared index: it appears at
once, and as long as both names are one file nobody else's lock can be taken for ours. Elsewhere it is a file of its
own that says a token, which the note of the step knows too.
"""

from __future__ import annotations

import contextlib
import errno
import os
import time

from promptstore.errors import StoreBusy, Where

WAIT = 2.0
"""Seconds to wait for another git command's lock."""

_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV})


class IndexLock:
    """The lock of one worktree's index. ``prepared`` is where the new index is laid ready."""

    def __init__(self, git_dir: str, token: str) -> None:
        self.path = os.path.join(git_dir, "index.lock")
        self.index = os.path.join(git_dir, "index")
        self.prepared = os.path.join(git_dir, "promptstore-index")
        self._token = token

    def take(self, wait: float) -> None:
        """Take it. Raises StoreBusy when another command keeps it longer than ``wait`` seconds."""
        remove(self.prepared)
        os.close(os.open(self.prepared, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))
        until = time.monotonic() + wait
        while True:
            try:
                return self._take()
            except FileExistsError:
                if time.monotonic() > until:
                    raise StoreBusy(
                        "git's index is locked by another command",
                        where=Where(path=self.path),
                        hint="run it again when that command is done (`promptstore doctor --fix` removes a stale lock)",
                    ) from None
                time.sleep(0.05)

    def _take(self) -> None:
        try:
            os.link(self.prepared, self.path)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            self._take_by_token()

    def _take_by_token(self) -> None:
        descriptor = os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
        try:
            os.write(descriptor, self._token.encode())
        except BaseException:
            remove(self.path)
            raise
        finally:
            os.close(descriptor)

    def is_held(self) -> bool:
        """Whether the lock is there, and ours."""
        return _same_file(self.path, self.prepared) or self._says_token()

    def was_used(self) -> bool:
        """Whether the prepared index already is git's index."""
        return _same_file(self.index, self.prepared)

    def finish(self) -> None:
        """Make the prepared index git's own (none was laid ready: leave git's as it is) and let the lock go."""
        if not self.is_held():
            return
        if self._size():
            os.replace(self.path if _same_file(self.path, self.prepared) else self.prepared, self.index)
        remove(self.path)

    def let_go(self) -> None:
        """Let the lock go, with the index as it was."""
        if self.is_held():
            remove(self.path)

    def forget(self) -> None:
        """Remove the second name, by which the lock was known."""
        remove(self.prepared)

    def _size(self) -> int:
        with contextlib.suppress(FileNotFoundError):
            return os.path.getsize(self.prepared)
        return 0

    def _says_token(self) -> bool:
        try:
            with open(self.path, "rb") as file:
                return bool(self._token) and file.read(len(self._token) + 1) == self._token.encode()
        except FileNotFoundError:
            return False


def _same_file(one: str, other: str) -> bool:
    try:
        return os.path.samestat(os.lstat(one), os.lstat(other))
    except FileNotFoundError:
        return False


def remove(path: str) -> None:
    try:
        os.unlink(path)
    except (FileNotFoundError, NotADirectoryError):
        return
