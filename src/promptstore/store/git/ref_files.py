"""Refs as git's files backend keeps them: a loose file each, or a line of ``packed-refs``.

Imported by every cold start, so it imports next to nothing itself.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from promptstore.store.git.repository import Repository

_HEX = frozenset("0123456789abcdef")

MAX_SYMBOLIC = 5  # links followed from one symbolic ref to the next, as many as git does


def loose_path(repository: Repository, name: str) -> str:
    """The file of a loose ref; HEAD and its like belong to the worktree, all others are shared."""
    folder = repository.common_dir if name.startswith("refs/") else repository.git_dir
    return os.path.join(folder, name)


def packed_path(repository: Repository) -> str:
    return os.path.join(repository.common_dir, "packed-refs")


def uses_reftable(repository: Repository) -> bool:
    """Whether refs are kept in git's other backend, which only git itself can read."""
    return os.path.exists(os.path.join(repository.common_dir, "reftable", "tables.list"))


def read_loose(repository: Repository, name: str) -> str | None:
    """What a loose ref's file says (an id, or ``ref: NAME``; see `is_target`), or None where there is no file."""
    try:
        with open(loose_path(repository, name), encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None


def is_target(words: str) -> bool:
    """Whether a ref's file says something. After a power failure it may be empty, or full of nulls."""
    return words.startswith("ref: ") or (len(words) in {40, 64} and _HEX.issuperset(words))


def loose_names(repository: Repository, folder: str) -> Iterator[str]:
    """The loose refs below a folder of refs (``refs/prompts/``), as git finds them; what begins with a dot or ends in
    ``.lock`` is none."""
    try:
        entries = list(os.scandir(loose_path(repository, folder)))
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in entries:
        if entry.name.startswith(".") or entry.name.endswith(".lock"):
            continue
        if entry.is_dir():
            yield from loose_names(repository, f"{folder}{entry.name}/")
        else:
            yield folder + entry.name


def packed_below(text: bytes, folder: str) -> dict[str, str]:
    """The refs below a folder in the text of ``packed-refs``, with their ids."""
    start = f" {folder}".encode()
    lines = (line.decode("utf-8", "surrogateescape") for line in text.splitlines() if start in line[40:])
    pairs = (line.split(" ", 1) for line in lines if not line.startswith("#"))
    return {name: oid for oid, name in pairs if name.startswith(folder)}


def find_packed(text: bytes, name: str) -> str | None:
    """The id of a ref in the text of ``packed-refs``, or None."""
    place = text.find(f" {name}\n".encode())
    if place < 0:
        return None
    start = text.rfind(b"\n", 0, place) + 1
    return text[start:place].decode()


def read_packed(repository: Repository) -> bytes:
    try:
        with open(packed_path(repository), "rb") as file:
            return file.read()
    except FileNotFoundError:
        return b""


def read_ref(repository: Repository, name: str) -> str | None:
    """The object that a ref points to, read afresh (symbolic refs followed); a reftable cannot be read so."""
    for _ in range(MAX_SYMBOLIC):
        words = read_loose(repository, name)
        if words is None:
            return find_packed(read_packed(repository), name)
        if not words.startswith("ref: "):
            return words if is_target(words) else None
        name = words[5:]
    return None
