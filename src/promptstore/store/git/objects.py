"""Reading objects through one long-lived ``git cat-file --batch``; safe with threads and after a fork."""

from __future__ import annotations

import os
import subprocess
import threading
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO

from promptstore.errors import GitError
from promptstore.store.git.process import environment, no_git, run
from promptstore.store.git.repository import Repository

FEW_PATHS = 500
"""More paths than this are not named on a command line; git is asked for all and the caller picks."""

_CHUNK = 100  # requests in flight: their names always fit into the pipe, so neither side can block the other


@dataclass(frozen=True, slots=True)
class Object:
    oid: str
    kind: str
    data: bytes


@dataclass(frozen=True, slots=True)
class TreeEntry:
    mode: str
    oid: str

    @property
    def is_file(self) -> bool:
        return self.mode in {"100644", "100755"}

    @property
    def is_folder(self) -> bool:
        return self.mode == "40000"


class Objects:
    """The object database of one repository."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        _LIVE.add(self)

    def read(self, name: str) -> Object | None:
        """The object that ``name`` (an id, ``REV:PATH`` or any revision) names, or None."""
        return self.read_many([name])[0]

    def read_many(self, names: Sequence[str]) -> list[Object | None]:
        """Many objects in one pipelined conversation, in the order asked."""
        if any("\n" in name for name in names):
            raise GitError("a revision cannot hold a line break")
        with self._lock:
            try:
                return list(self._converse(names))
            except BaseException:
                self._stop()
                raise

    def blob(self, oid: str) -> bytes:
        """The bytes of a blob. Raises GitError when it is not there (a shallow or damaged repository)."""
        return self.blobs([oid])[0]

    def blobs(self, oids: Sequence[str]) -> list[bytes]:
        found = self.read_many(oids)
        for oid, item in zip(oids, found, strict=True):
            if item is None or item.kind != "blob":
                raise GitError(f"the object {oid[:12]} is missing", hint="run `git fsck`, or `git fetch --unshallow`")
        return [item.data for item in found if item is not None]

    def tree(self, treeish: str, *paths: str) -> dict[str, TreeEntry]:
        """Every file below ``paths`` of a commit or tree, by its path; empty where there is none."""
        whole = self._whole(treeish, paths[0] if paths else "") if len(paths) <= 1 else None
        return self._listed(treeish, *paths) if whole is None else whole

    def _whole(self, treeish: str, folder: str) -> dict[str, TreeEntry] | None:
        """`tree` of one folder, asked of the process that runs already; None where it is none, or is damaged."""
        trees: dict[str, list[tuple[str, TreeEntry]]] = {}
        top = f"{treeish}:{folder}" if folder else f"{treeish}^{{tree}}"
        wanted = [top] if "\n" not in top else []
        for name, found in self._trees(wanted):
            if found is None:
                return None
            trees[name] = found
        return dict(_files(trees, top, f"{folder}/" if folder else "")) if trees else None

    def _trees(self, wanted: list[str]) -> Iterator[tuple[str, list[tuple[str, TreeEntry]] | None]]:
        """The entries of these trees and of all in them, a level in one conversation; None for what is no tree."""
        seen = set(wanted)
        while wanted:
            found = dict(zip(wanted, self.read_many(wanted), strict=True))
            wanted = []
            for name, item in found.items():
                entries = _named(item) if item and item.kind == "tree" else None
                yield name, entries
                below = {entry.oid for _, entry in entries or () if entry.is_folder}
                wanted += below - seen
                seen |= below

    def _listed(self, treeish: str, *paths: str) -> dict[str, TreeEntry]:
        few = paths if len(paths) <= FEW_PATHS else ()
        arguments = [*self._repository.arguments, "ls-tree", "-r", "-z", "--full-tree", treeish, "--", *few]
        entries = {}
        for line in run(arguments).decode("utf-8", "surrogateescape").split("\0")[:-1]:
            head, path = line.split("\t", 1)
            mode, _kind, oid = head.split(" ")
            entries[path] = TreeEntry(mode, oid)
        return entries

    def entry(self, commit: str, path: str) -> TreeEntry | None:
        """One file of a commit with its mode (a symbolic link's blob is not a file), or None."""
        folder, _, name = path.rpartition("/")
        tree = self.read(f"{commit}:{folder}")
        wanted = name.encode("utf-8", "surrogateescape")
        entries = _entries(tree.data, len(tree.oid) // 2) if tree and tree.kind == "tree" else ()
        return next((entry for known, entry in entries if known == wanted), None)

    def entries(self, commit: str, paths: Iterable[str]) -> dict[str, TreeEntry]:
        """What stands in a commit at each of ``paths``, be it a file or not; each folder is read once."""
        names: dict[str, list[str]] = {}
        for path in paths:
            folder, _, name = path.rpartition("/")
            names.setdefault(folder, []).append(name)
        found: dict[str, TreeEntry] = {}
        for folder, tree in zip(names, self.read_many([f"{commit}:{folder}" for folder in names]), strict=True):
            there = dict(_named(tree)) if tree and tree.kind == "tree" else {}
            prefix = f"{folder}/" if folder else ""
            found |= {prefix + name: there[name] for name in names[folder] if name in there}
        return found

    def commit(self, rev: str) -> str | None:
        """The commit that a revision names, or None. Some (``@{upstream}`` without one) make git itself give up."""
        try:
            found = self.read(f"{rev}^{{commit}}")
        except GitError:
            return None
        return found.oid if found else None

    def close(self) -> None:
        with self._lock:
            self._stop()

    def _converse(self, names: Sequence[str]) -> Iterator[Object | None]:
        if not names:
            return
        process = self._running()
        stdin, stdout = _pipes(process)
        for start in range(0, len(names), _CHUNK):
            chunk = names[start : start + _CHUNK]
            stdin.write("".join(f"{name}\n" for name in chunk).encode("utf-8", "surrogateescape"))
            stdin.flush()
            for _ in chunk:
                yield _answer(stdout)

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._process = self._start()
        return self._process

    def _start(self) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(
                ["git", *self._repository.arguments, "cat-file", "--batch"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment(),
            )
        except FileNotFoundError:
            raise no_git() from None

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            for pipe in _pipes(process):
                pipe.close()
            process.wait()

    def __del__(self) -> None:
        if self._process is not None:
            self._stop()

    def forget(self) -> None:
        """In a forked child: the parent's pipes and lock are not ours."""
        self._process = None
        self._lock = threading.Lock()


_LIVE: weakref.WeakSet[Objects] = weakref.WeakSet()


def _forget_all() -> None:
    for objects in list(_LIVE):
        objects.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)


def _pipes(process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    if process.stdin is None or process.stdout is None:
        raise GitError("git cat-file has no pipes")
    return process.stdin, process.stdout


def _entries(tree: bytes, id_size: int) -> Iterator[tuple[bytes, TreeEntry]]:
    """A tree object's entries: ``mode name NUL id``, the id in binary."""
    place = 0
    while place < len(tree):
        end = tree.index(b"\0", place)
        mode, _, name = tree[place:end].partition(b" ")
        place = end + 1 + id_size
        yield name, TreeEntry(mode.decode(), tree[end + 1 : place].hex())


def _named(tree: Object) -> list[tuple[str, TreeEntry]]:
    """A tree's entries by their names."""
    return [(name.decode("utf-8", "surrogateescape"), entry) for name, entry in _entries(tree.data, len(tree.oid) // 2)]


def _files(trees: Mapping[str, list[tuple[str, TreeEntry]]], top: str, prefix: str) -> Iterator[tuple[str, TreeEntry]]:
    """The files of a tree and of those in it, by their paths."""
    for name, entry in trees[top]:
        if entry.is_folder:
            yield from _files(trees, entry.oid, f"{prefix}{name}/")
        else:
            yield prefix + name, entry


def _answer(stdout: IO[bytes]) -> Object | None:
    head = stdout.readline().decode("utf-8", "surrogateescape")
    if not head:
        raise GitError("git cat-file ended early", hint="run `git fsck`")
    words = head.rsplit(" ", 2)
    if head.endswith((" missing\n", " ambiguous\n")) or len(words) != 3 or not words[2].strip().isdigit():
        return None
    data = stdout.read(int(words[2]))
    stdout.read(1)
    return Object(words[0], words[1], data)


def parents_of(commit: Object) -> tuple[str | None, list[str]]:
    """The commit's first parent, and what it merged, be they here or not."""
    head = commit.data.partition(b"\n\n")[0].decode("utf-8", "replace")
    named = [line.removeprefix("parent ") for line in head.split("\n") if line.startswith("parent ")]
    return next(iter(named), None), named[1:]
