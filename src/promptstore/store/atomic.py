"""Files that are replaced whole: a reader sees the old text or the new one, never a part."""

from __future__ import annotations

import os


def replace_file(path: str, text: str | bytes) -> None:
    """Write ``text`` (UTF-8, line ends as they are) beside ``path`` and rename it there, keeping the file's mode.

    Raises OSError, with the old file untouched.
    """
    folder = os.path.dirname(path)
    os.makedirs(folder or ".", exist_ok=True)
    scratch = os.path.join(folder, f".{os.path.basename(path)}.{os.getpid()}")
    try:
        with open(scratch, "wb") as file:
            file.write(text.encode("utf-8") if isinstance(text, str) else text)
            file.flush()
            os.fsync(file.fileno())
        if os.path.exists(path):
            os.chmod(scratch, os.stat(path).st_mode & 0o777)
        os.replace(scratch, path)
    except BaseException:
        if os.path.exists(scratch):
            os.unlink(scratch)
        raise


def sync_folder(folder: str) -> None:
    """Make the names in a folder durable: a file may be on the disk while its name is not."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_all(descriptor: int, data: bytes) -> None:
    """Write every byte to an open file, however little of it each call takes. Raises OSError (a full disk)."""
    while data:
        data = data[os.write(descriptor, data) :]
