"""What stands where a file is to be written: nothing of it may be overwritten, so the file cannot come."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from promptstore.store.git.objects import TreeEntry

Kind = Literal["file", "link", "folder", "submodule"]

_KINDS: Mapping[str, Kind] = {"40000": "folder", "120000": "link", "160000": "submodule"}
"""What an entry of a git tree is by its mode, where it is no plain file."""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """``path`` (in the repository) is that of the file itself, or of a folder that it lies in."""

    path: str
    kind: Kind


def on_disk(worktree: str, path: str) -> Obstacle | None:
    """What stands in a work tree at ``path``, or instead of a folder on the way there."""
    return _first(path, lambda place: _kind(os.path.join(worktree, place)))


def committed(entries: Mapping[str, TreeEntry], path: str) -> Obstacle | None:
    """The same in a commit, of which ``entries`` are known: a commit of the file would take it away."""
    return _first(path, lambda place: _KINDS.get(entries[place].mode, "file") if place in entries else None)


def _first(path: str, kind_of: Callable[[str], Kind | None]) -> Obstacle | None:
    for place in (*folders(path), path):
        kind = kind_of(place)
        if kind is None:
            return None
        if place == path or kind != "folder":
            return Obstacle(place, kind)
    return None


def folders(path: str) -> Iterator[str]:
    """The folders that a path of the repository lies in, the outermost first."""
    place = path.find("/")
    while place > 0:
        yield path[:place]
        place = path.find("/", place + 1)


def _kind(place: str) -> Kind | None:
    try:
        mode = os.lstat(place).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    if stat.S_ISLNK(mode):
        return "link"
    return "folder" if stat.S_ISDIR(mode) else "file"
