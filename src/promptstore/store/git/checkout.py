"""Moving a branch that somebody has checked out, without touching anything that is theirs.

The index lock is held from the first look to the last write. The new files and the new index are ready beside the old
ones before the ref moves, so that what is left afterwards is a few renames; a process killed among them leaves git's
own lock behind (nobody can commit on a half-moved tree) and a journal line by which `mend` finishes the renames.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from promptstore.errors import StoreBusy, Where
from promptstore.store.git.objects import FEW_PATHS, Objects, TreeEntry
from promptstore.store.git.process import attempt, environment, run
from promptstore.store.git.refs import RefMove, Refs
from promptstore.store.git.repository import Repository, worktree_dirs

_IN_PROGRESS = {
    "MERGE_HEAD": "a merge",
    "CHERRY_PICK_HEAD": "a cherry-pick",
    "REVERT_HEAD": "a revert",
    "rebase-merge": "a rebase",
    "rebase-apply": "a rebase",
    "BISECT_LOG": "a bisect",
}
_MESSAGE_WAIT = 300.0  # seconds after which an untouched commit message no longer counts as being written
_LOCK_WAIT = 2.0  # seconds to wait for another git command's index lock


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file that the move brings; an ``oid`` of None says that it goes."""

    path: str
    oid: str | None


def busy(repository: Repository) -> str | None:
    """What the user is in the middle of in this worktree (``a rebase``), or None."""
    for name, what in _IN_PROGRESS.items():
        if os.path.exists(os.path.join(repository.git_dir, name)):
            return f"{what} is in progress"
    return "a commit message is being written" if _writing_message(repository) else None


def _writing_message(repository: Repository) -> bool:
    try:
        message = os.stat(os.path.join(repository.git_dir, "COMMIT_EDITMSG")).st_mtime
    except OSError:
        return False
    try:
        head = os.stat(os.path.join(repository.git_dir, "logs", "HEAD")).st_mtime
    except OSError:
        return False
    return message > head and 0 <= time.time() - message < _MESSAGE_WAIT


def worktrees_on(repository: Repository, refs: Refs, branch: str) -> list[Repository]:
    """The worktrees in which ``branch`` (full ref name) is checked out."""
    return [tree for tree in worktree_dirs(repository) if refs.head_branch(tree.git_dir) == branch]


def dirty_paths(worktree: Repository, tree: Mapping[str, TreeEntry], paths: Sequence[str]) -> set[str]:
    """Those of ``paths`` that differ from ``tree`` in the index or on disk (missing and untracked ones included)."""
    if worktree.worktree is None or not paths:
        return set()
    index = index_entries(worktree, paths)
    dirty = {path for path in paths if index.get(path, "") != _oid(tree.get(path))}
    clean = [path for path in paths if path not in dirty]
    on_disk = hash_files(worktree, clean)
    return dirty | {path for path in clean if on_disk.get(path, "") != _oid(tree.get(path))}


def _oid(entry: TreeEntry | None) -> str:
    return entry.oid if entry else ""


def index_entries(worktree: Repository, paths: Sequence[str]) -> dict[str, str]:
    """The staged blob of each path; ``conflict`` for one with unmerged stages; absent where the index has none."""
    few = [f":(top,literal){path}" for path in paths] if len(paths) <= FEW_PATHS else []
    out = run([*worktree.arguments, "-C", worktree.worktree or ".", "ls-files", "-s", "-z", "--", *few])
    entries: dict[str, str] = {}
    for line in out.decode("utf-8", "surrogateescape").split("\0")[:-1]:
        head, path = line.split("\t", 1)
        _mode, oid, stage = head.split(" ")
        entries[path] = oid if stage == "0" else "conflict"
    return entries


def hash_files(worktree: Repository, paths: Sequence[str]) -> dict[str, str]:
    """The blob id that each work-tree file would have, through git's own filters; absent where there is no file."""
    folder = worktree.worktree or "."
    there = [path for path in paths if os.path.isfile(os.path.join(folder, path))]
    if not there:
        return {}
    out = run(
        [*worktree.arguments, "-C", folder, "hash-object", "--stdin-paths"],
        stdin="".join(f"{path}\n" for path in there).encode("utf-8", "surrogateescape"),
    )
    return dict(zip(there, out.decode().split(), strict=True))


def interrupted(repository: Repository) -> list[str]:
    """The worktrees in which a killed process left a move half done."""
    return [tree.worktree or tree.git_dir for tree in worktree_dirs(repository) if _Step.left_behind(tree) is not None]


class Checkout:
    """Moves one branch, and the worktrees that have it checked out along with it."""

    def __init__(self, repository: Repository, refs: Refs, objects: Objects) -> None:
        self._repository = repository
        self._refs = refs
        self._objects = objects

    def advance(self, branch: str, old: str | None, new: str, changes: Sequence[FileChange], reason: str) -> None:
        """Move ``branch`` from ``old`` to ``new``, whose trees differ by ``changes``.

        In every worktree that is on the branch, those files and index entries follow; everything else, staged or
        not, is left alone. Raises StoreBusy (an edit of one of the files, a lock, a merge, a rebase or a commit
        message is in the way) and RefMoved, before anything has changed.
        """
        move = RefMove(branch, new, old)
        before = self._objects.tree(old, *[change.path for change in changes]) if old else {}
        steps: list[_Step] = []
        try:
            for tree in worktrees_on(self._repository, self._refs, branch):
                steps.append(_Step.prepare(tree, move, before, changes))  # noqa: PERF401 - kept for the undoing
            for step in steps:
                step.note()
            self._refs.move([move], reason)
        except BaseException:
            for step in steps:
                step.abandon()
            raise
        for step in steps:
            step.finish()

    def mend(self) -> list[str]:
        """Finish or undo what a killed process left in any worktree; returns what was done, in words."""
        done = []
        for tree in worktree_dirs(self._repository):
            step = _Step.left_behind(tree)
            if step is not None:
                done.append(step.mend(self._refs))
        return done


class _Step:
    """What one worktree needs: renames of prepared files, then of the prepared index onto ``index``."""

    NOTE = "promptstore-checkout.json"

    def __init__(self, tree: Repository, move: RefMove) -> None:
        self.tree = tree
        self.move = move
        self.writes: dict[str, str] = {}  # path -> prepared file beside it
        self.removes: list[str] = []
        self.lock = os.path.join(tree.git_dir, "index.lock")

    @classmethod
    def prepare(
        cls, tree: Repository, move: RefMove, before: Mapping[str, TreeEntry], changes: Sequence[FileChange]
    ) -> _Step:
        reason = busy(tree)
        if reason:
            raise StoreBusy(reason, where=Where(path=tree.worktree), hint="finish it, then run this again")
        step = cls(tree, move)
        _take_lock(step.lock)
        try:
            step._plan(before, changes)
        except BaseException:
            step.abandon()
            raise
        return step

    def _plan(self, before: Mapping[str, TreeEntry], changes: Sequence[FileChange]) -> None:
        self._refuse_edits(before, changes)
        self._prepare_index(changes)
        self.removes = [change.path for change in changes if change.oid is None]
        for path, data in smudged(self.tree, {c.path: c.oid for c in changes if c.oid is not None}).items():
            self._prepare_file(path, data)

    def _refuse_edits(self, before: Mapping[str, TreeEntry], changes: Sequence[FileChange]) -> None:
        """Under the lock for the last time: a text moved beneath an edit would be undone by the edit's commit."""
        paths = [change.path for change in changes]
        staged, on_disk = index_entries(self.tree, paths), hash_files(self.tree, paths)
        for change in changes:
            allowed = {_oid(before.get(change.path)), change.oid or ""}
            if staged.get(change.path, "") not in allowed or on_disk.get(change.path, "") not in allowed:
                raise StoreBusy(
                    "the file has uncommitted edits",
                    where=Where(path=change.path),
                    hint="commit them or put them aside, then run it again",
                )

    def _prepare_index(self, changes: Sequence[FileChange]) -> None:
        """Build the new index in a scratch file and fill the lock with it."""
        index = os.path.join(self.tree.git_dir, "index")
        scratch = os.path.join(self.tree.git_dir, "promptstore-index")
        if os.path.exists(index):
            shutil.copyfile(index, scratch)
        lines = "".join(_index_line(change, self.tree.null_oid) for change in changes)
        try:
            run(
                [*self.tree.arguments, "-C", self.tree.worktree or ".", "update-index", "-z", "--index-info"],
                stdin=lines.encode("utf-8", "surrogateescape"),
                env=environment(GIT_INDEX_FILE=scratch),
            )
            if os.path.exists(scratch):
                shutil.copyfile(scratch, self.lock)
        finally:
            _remove(scratch)

    def _prepare_file(self, path: str, data: bytes) -> None:
        place = os.path.join(self.tree.worktree or ".", path)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        prepared = os.path.join(os.path.dirname(place), f".{os.path.basename(place)}.promptstore")
        self.writes[path] = prepared
        with open(prepared, "wb") as file:
            file.write(data)

    def note(self) -> None:
        """Write down, durably, what `finish` is about to do."""
        content = {
            "writes": self.writes,
            "removes": self.removes,
            "lock": _file_id(self.lock),
            "branch": self.move.name,
            "new": self.move.new,
        }
        with open(os.path.join(self.tree.git_dir, self.NOTE), "w", encoding="utf-8") as file:
            json.dump(content, file)
            file.flush()
            os.fsync(file.fileno())

    def finish(self) -> None:
        for path, prepared in self.writes.items():
            if os.path.exists(prepared):
                os.replace(prepared, os.path.join(self.tree.worktree or ".", path))
        for path in self.removes:
            _remove(os.path.join(self.tree.worktree or ".", path))
        if os.path.exists(self.lock):
            if os.path.getsize(self.lock):
                os.replace(self.lock, os.path.join(self.tree.git_dir, "index"))
            else:
                _remove(self.lock)
        _remove(os.path.join(self.tree.git_dir, self.NOTE))

    def abandon(self) -> None:
        for prepared in self.writes.values():
            _remove(prepared)
        _remove(self.lock)
        _remove(os.path.join(self.tree.git_dir, self.NOTE))

    @classmethod
    def left_behind(cls, tree: Repository) -> _Step | None:
        try:
            with open(os.path.join(tree.git_dir, cls.NOTE), encoding="utf-8") as file:
                content = json.load(file)
        except (FileNotFoundError, ValueError):
            return None
        step = cls(tree, RefMove(content["branch"], content["new"], None))
        step.writes, step.removes = content["writes"], content["removes"]
        return step if _file_id(step.lock) == content["lock"] else step._without_lock()

    def _without_lock(self) -> _Step:
        self.lock = os.path.join(self.tree.git_dir, "promptstore-no-lock")
        return self

    def mend(self, refs: Refs) -> str:
        """Finish when the ref had moved, else undo."""
        place = self.tree.worktree or self.tree.git_dir
        if _contains(self.tree, refs.read(self.move.name), self.move.new):
            self.finish()
            return f"finished an interrupted pull in {place}"
        self.abandon()
        return f"undid an interrupted pull in {place}"


def smudged(tree: Repository, blobs: Mapping[str, str]) -> dict[str, bytes]:
    """Blobs as git would write them to the work tree (line ends, filters); path -> oid in, path -> bytes out."""
    if not blobs:
        return {}
    arguments = [*tree.arguments, "-C", tree.worktree or ".", "cat-file", "--batch", "--filters"]
    asked = "".join(f"{oid} {path}\n" for path, oid in blobs.items())
    out = run(arguments, stdin=asked.encode("utf-8", "surrogateescape"))
    found, place = {}, 0
    for path in blobs:
        end = out.index(b"\n", place)
        size = int(out[place:end].rsplit(b" ", 1)[1])
        found[path] = out[end + 1 : end + 1 + size]
        place = end + 1 + size + 1
    return found


def _index_line(change: FileChange, null_oid: str) -> str:
    return f"100644 {change.oid} 0\t{change.path}\0" if change.oid else f"0 {null_oid} 0\t{change.path}\0"


def _take_lock(path: str) -> None:
    until = time.monotonic() + _LOCK_WAIT
    while True:
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))
            return
        except FileExistsError:
            if time.monotonic() > until:
                raise StoreBusy(
                    "git's index is locked by another command",
                    where=Where(path=path),
                    hint="run it again when that command is done (`promptstore doctor --fix` removes a stale lock)",
                ) from None
            time.sleep(0.05)


def _file_id(path: str) -> list[int] | None:
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return [found.st_ino, found.st_size]


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        return


def _contains(tree: Repository, tip: str | None, commit: str | None) -> bool:
    if tip is None or commit is None:
        return False
    return tip == commit or not attempt([*tree.arguments, "merge-base", "--is-ancestor", commit, tip]).returncode
