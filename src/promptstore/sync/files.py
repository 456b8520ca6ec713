"""The engine's own few files: an edge, so that a simulation can fill the disk or pull the plug."""

from __future__ import annotations

import os
from typing import Protocol

from promptstore.errors import StateUnwritable, Where
from promptstore.store.atomic import replace_file, sync_folder


def unwritable(path: str, error: OSError) -> StateUnwritable:
    """The error for a file of the engine's that cannot be written."""
    return StateUnwritable(
        f"{os.path.basename(path)} cannot be written: {error.strerror or error}",
        where=Where(path=path),
        hint="free some disk space, or make the folder writable, and run it again",
    )


class Files(Protocol):
    """Small files. What is written is on the disk when the call returns; failing to write raises OSError."""

    def read(self, path: str) -> bytes | None:
        """The content; None where there is no file."""

    def ending(self, path: str) -> bytes:
        """The last byte; empty where there is none."""

    def append(self, path: str, data: bytes) -> None:
        """Add at the end, making the file where it is missing. A machine that dies may leave a part of it."""

    def replace(self, path: str, data: bytes) -> None:
        """The new content or, where that fails, still the old one."""

    def remove(self, path: str) -> None:
        """Remove it, if it is there."""


class Disk:
    """Files as the operating system keeps them."""

    def read(self, path: str) -> bytes | None:
        try:
            with open(path, "rb") as file:
                return file.read()
        except FileNotFoundError:
            return None

    def ending(self, path: str) -> bytes:
        try:
            with open(path, "rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - 1))
                return file.read(1)
        except FileNotFoundError:
            return b""

    def append(self, path: str, data: bytes) -> None:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        is_new = not os.path.exists(path)
        with open(path, "ab") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if is_new:
            sync_folder(os.path.dirname(path))

    def replace(self, path: str, data: bytes) -> None:
        replace_file(path, data)

    def remove(self, path: str) -> None:
        if os.path.exists(path):
            os.unlink(path)


DISK = Disk()
