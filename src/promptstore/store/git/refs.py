"""Refs: read straight from the files git keeps them in, moved by ``git update-ref`` with compare-and-swap."""

from __future__ import annotations

import itertools
import os
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass

from promptstore.errors import GitError
from promptstore.store.git.process import attempt, failure, run
from promptstore.store.git.ref_files import (
    MAX_SYMBOLIC,
    find_packed,
    is_target,
    loose_names,
    loose_path,
    packed_below,
    packed_path,
    read_loose,
    read_packed,
    uses_reftable,
)
from promptstore.store.git.repository import Repository

FEW_REFS = 200
"""So many loose refs are read sooner than git starts; where there are more, it lists them."""

_PLAIN = re.compile(r"refs(/[\w%+=,-]+(\.[\w%+=,-]+)*)+")
"""Names that are surely good; git passes over a file whose name is none."""

Signature = tuple[int, int, int] | None
"""What tells two states of a file apart: (mtime in ns, inode, size); None where there is no file."""

_NEVER: Signature = (-1, -1, -1)  # no file has this state: what was read with it is read again

RACY_NS = 20_000_000
"""A file changed less than this long before it was read may change again without a new mtime (git's own caution)."""


@dataclass(frozen=True, slots=True)
class RefMove:
    """Move ``name`` from ``old`` to ``new``; None means that it must not exist, or is to go."""

    name: str
    new: str | None
    old: str | None


def signature(path: str) -> Signature:
    """The state of a file in one ``stat``."""
    try:
        found = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return (found.st_mtime_ns, found.st_ino, found.st_size)


def settled(state: Signature, now_ns: int) -> bool:
    """Whether a state read at ``now_ns`` can be trusted to change its signature with its content."""
    return state is None or now_ns - state[0] > RACY_NS


class Refs:
    """The refs of one repository. Threads may share it."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._packed_path = packed_path(repository)
        self._packed: tuple[Signature, bytes] = (None, b"")
        self._tables = os.path.join(repository.common_dir, "reftable", "tables.list")
        self._reftable = uses_reftable(repository)

    def read(self, name: str) -> str | None:
        """The object that ``name`` points to (symbolic refs followed), or None. Raises GitError for a damaged ref."""
        if self._reftable:
            return self._ask(name)
        for _ in range(MAX_SYMBOLIC):
            words = read_loose(self._repository, name)
            if words is None:
                return find_packed(self._packed_text(), name)
            if not is_target(words):
                raise _damaged(name)
            if not words.startswith("ref: "):
                return words
            name = words.removeprefix("ref: ")
        return None

    def damaged(self, *prefixes: str) -> list[str]:
        """The refs below the prefixes whose files say nothing that is an id."""
        done = attempt([*self._repository.arguments, "for-each-ref", "--format=%(refname)", *prefixes])
        return _broken(done.stderr)

    def drop_damaged(self, name: str) -> None:
        """Remove the file of a damaged ref, which git itself does not; a sound ref stays. What is left is what
        ``packed-refs`` says of it, or nothing."""
        words = None if self._reftable else read_loose(self._repository, name)
        if words is not None and not is_target(words):
            os.unlink(self.path(name))

    def head_branch(self, git_dir: str | None = None) -> str | None:
        """The full name of the branch checked out, or None for a detached HEAD."""
        try:
            with open(os.path.join(git_dir or self._repository.git_dir, "HEAD"), encoding="utf-8") as file:
                words = file.read().strip()
        except FileNotFoundError:
            return None
        return words.removeprefix("ref: ") if words.startswith("ref: ") else None

    def watched(self, name: str) -> dict[str, Signature]:
        """The files that decide what ``name`` points to, with their states; symbolic refs are followed."""
        if self._reftable:
            return {self._tables: signature(self._tables)}
        states: dict[str, Signature] = {}
        for _ in range(MAX_SYMBOLIC):
            path = self.path(name)
            states[path] = signature(path)
            words = read_loose(self._repository, name)
            if words is None:  # a loose ref decides alone; only without it do the packed ones count
                return {**states, self._packed_path: signature(self._packed_path)}
            if not words.startswith("ref: "):
                break
            name = words.removeprefix("ref: ")
        return states

    def path(self, name: str) -> str:
        """The file of a loose ref."""
        return loose_path(self._repository, name)

    def list(self, *prefixes: str) -> dict[str, str]:
        """Every ref below the prefixes (folders, ending in ``/``, or whole names); all refs where there is none.

        Raises GitError where one of them is damaged: git leaves it out, and it must not be taken for a deleted one.
        """
        if not prefixes:
            return self._listed()
        found: dict[str, str] = {}
        for prefix in prefixes:
            below = self._below(prefix)
            if below is None:
                return self._listed(*prefixes)
            found |= below
        return dict(sorted(found.items()))

    def _below(self, folder: str) -> dict[str, str] | None:
        """What is below a folder, from the files; None where only git can tell, or does it sooner."""
        if self._reftable or not folder.endswith("/"):
            return None
        try:
            names = list(itertools.islice(loose_names(self._repository, folder), FEW_REFS + 1))
            loose = {name: read_loose(self._repository, name) or "" for name in names[:FEW_REFS]}
        except OSError:
            return None
        if len(names) > FEW_REFS or not all(_PLAIN.fullmatch(name) and _is_id(oid) for name, oid in loose.items()):
            return None
        # Read last, as git does: a ref that is packed meanwhile is then in one of the two.
        return packed_below(self._packed_text(), folder) | loose

    def _listed(self, *prefixes: str) -> dict[str, str]:
        arguments = [*self._repository.arguments, "for-each-ref", "--format=%(objectname) %(refname)", *prefixes]
        done = attempt(arguments)
        if done.returncode:
            raise failure(arguments, done.stderr)
        for name in _broken(done.stderr):
            raise _damaged(name)
        pairs = (line.split(" ", 1) for line in done.stdout.decode().splitlines())
        return {name: oid for oid, name in pairs}

    def move(self, moves: Iterable[RefMove], reason: str) -> None:
        """Move refs together, each only from its old value. Raises RefMoved when one was moved by someone else."""
        script = "".join(_instruction(move) for move in moves)
        if script:
            run(
                [*self._repository.arguments, "update-ref", "--no-deref", "-m", reason, "--stdin"],
                stdin=f"start\n{script}prepare\ncommit\n".encode(),
            )

    def _packed_text(self) -> bytes:
        now = time.time_ns()
        state = signature(self._packed_path)
        known_state, known_text = self._packed
        if state == known_state and settled(state, now):
            return known_text
        text = read_packed(self._repository)
        self._packed = (state if settled(state, now) else _NEVER, text)
        return text

    def _ask(self, name: str) -> str | None:
        return self._listed(name).get(name)


def _instruction(move: RefMove) -> str:
    if move.new is None:
        return f"delete {move.name} {move.old or ''}\n"
    if move.old is None:
        return f"create {move.name} {move.new}\n"
    return f"update {move.name} {move.new} {move.old}\n"


def _is_id(words: str) -> bool:
    return is_target(words) and not words.startswith("ref: ") and words.strip("0") != ""


def _broken(stderr: bytes) -> list[str]:
    """The refs of which git says that it leaves them out."""
    return re.findall(r"ignoring broken ref (\S+)", stderr.decode("utf-8", "replace"))


def _damaged(name: str) -> GitError:
    return GitError(f"the ref {name} is damaged", hint="`promptstore doctor --fix` mends refs of promptstore's own")
