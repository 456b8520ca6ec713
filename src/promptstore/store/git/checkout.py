"""Moving a branch that somebody has checked out, without touching anything that is theirs.

The index lock is held from the first look to the last write. The new files and the new index are ready beside the old
ones before the ref moves, so that what is left afterwards is a few renames; a process killed among them leaves git's
own lock behind (nobody can commit on a half-moved tree) and a note by which `mend` undoes the step or finishes it.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any

from promptstore.errors import StoreBusy, Where
from promptstore.store.atomic import write_all
from promptstore.store.git.commits import FILE_MODE
from promptstore.store.git.index_lock import IndexLock, remove
from promptstore.store.git.objects import FEW_PATHS, Objects, TreeEntry
from promptstore.store.git.obstacles import folders
from promptstore.store.git.process import attempt, environment, inherited, run
from promptstore.store.git.refs import RefMove, Refs
from promptstore.store.git.repository import Repository, worktree_dirs
from promptstore.store.git.smudge import clear, scratch_place, smudged

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
_EXECUTABLE = "100755"
_KEYS = frozenset({"branch", "old", "new", "changes", "token", "writes", "removes", "seen"})


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file that the move brings; an ``oid`` of None says that it goes. ``mode`` is git's."""

    path: str
    oid: str | None
    mode: str = FILE_MODE


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
    listed = _listed(worktree, paths)
    index, absent = _staged(listed), _absent(worktree, listed)
    dirty = {path for path in paths if index.get(path, "") != _oid(tree.get(path))}
    clean = [path for path in paths if path not in dirty | absent]
    on_disk = hash_files(worktree, clean)
    return dirty | {path for path in clean if on_disk.get(path, "") != _oid(tree.get(path))}


def _oid(entry: TreeEntry | None) -> str:
    return entry.oid if entry else ""


@dataclass(frozen=True, slots=True)
class _Listed:
    """One line of the index. ``skipped``: a sparse checkout leaves its file out."""

    path: str
    oid: str
    stage: str
    skipped: bool


def _listed(worktree: Repository, paths: Sequence[str]) -> list[_Listed]:
    few = [f":(top,literal){path}" for path in paths] if len(paths) <= FEW_PATHS else []
    out = run([*worktree.arguments, "-C", worktree.worktree or ".", "ls-files", "-s", "-t", "-z", "--", *few])
    found = []
    for line in out.decode("utf-8", "surrogateescape").split("\0")[:-1]:
        head, path = line.split("\t", 1)
        tag, _mode, oid, stage = head.split(" ")
        found.append(_Listed(path, oid, stage, tag == "S"))
    return found


def _staged(listed: Sequence[_Listed]) -> dict[str, str]:
    """The staged blob of each path; ``conflict`` for one with unmerged stages."""
    return {line.path: line.oid if line.stage == "0" else "conflict" for line in listed}


def _absent(worktree: Repository, listed: Sequence[_Listed]) -> frozenset[str]:
    """The paths whose files are left out of the work tree on purpose."""
    folder = worktree.worktree or "."
    return frozenset(
        line.path for line in listed if line.skipped and not os.path.lexists(os.path.join(folder, line.path))
    )


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
    return [tree.worktree or tree.git_dir for tree in worktree_dirs(repository) if _is_left_behind(tree)]


def _is_left_behind(tree: Repository) -> bool:
    with _Note(tree) as note:
        return note is not None and note.read() is not None


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
        self._refuse_rebase(branch)
        steps = [_Step(tree, move, changes) for tree in worktrees_on(self._repository, self._refs, branch)]
        try:
            self._run(steps, move, reason)
        finally:
            for step in steps:
                step.release()

    def _run(self, steps: Sequence[_Step], move: RefMove, reason: str) -> None:
        try:
            for step in steps:
                step.begin(self._refs, self._objects)
                step.prepare(self._objects)
            with inherited(*(step.note.descriptor for step in steps)):
                self._refs.move([move], reason)
        except BaseException:
            moved = self._refs.read(move.name) == move.new  # stopped after git had done it, or by git's own failure?
            for step in steps:
                if not moved:
                    step.abandon()
                elif step.ready:
                    step.finish()
            raise
        for step in steps:
            step.finish()

    def _refuse_rebase(self, branch: str) -> None:
        """A rebase detaches HEAD, and at its end moves the branch from where it was: till then it must stay there."""
        for tree in worktree_dirs(self._repository):
            if _rebased_branch(tree) == branch:
                raise StoreBusy(
                    "a rebase is in progress", where=Where(path=tree.worktree), hint="finish it, then run this again"
                )

    def mend(self) -> list[str]:
        """Finish or undo what a killed process left in any worktree; returns what was done, in words."""
        done = []
        for tree in worktree_dirs(self._repository):
            with _Note(tree) as note:
                step = _Step.left_behind(tree, note)
                if step is not None:
                    done.append(step.mend(self._refs, self._objects))
        return done


class _Note:
    """What a step is about to do, on disk. It is locked while its process lives: an unlocked one was left behind.

    The git that moves the branch inherits the lock. Killed alone, a process leaves it running, and nobody may undo a
    move that is still being made.
    """

    NAME = "promptstore-checkout.json"

    def __init__(self, tree: Repository) -> None:
        self._path = os.path.join(tree.git_dir, self.NAME)
        self._file: IO[bytes] | None = None

    @property
    def descriptor(self) -> int:
        """The open file that is locked."""
        if self._file is None:
            raise StoreBusy("the note of a checkout is not taken")
        return self._file.fileno()

    def take(self, wait: float = 0.0) -> bool:
        """Lock it; False when another process has it."""
        until = time.monotonic() + wait
        file = open(self._path, "ab", buffering=0)  # noqa: SIM115 - held open as long as the step takes
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= until:
                    file.close()
                    return False
                time.sleep(0.05)
            else:
                self._file = file
                return True

    def read(self) -> dict[str, Any] | None:
        """What a process left in it, or None: the last line that is whole."""
        try:
            with open(self._path, "rb") as file:
                lines = file.read().split(b"\n")[:-1]
        except FileNotFoundError:
            return None
        return next((row for line in reversed(lines) if (row := _parsed(line)) is not None), None)

    def write(self, content: Mapping[str, Any] | None) -> None:
        """Say this from now on, durably, with what was said before standing until it is; None empties it."""
        if self._file is None:
            return
        if content is None:
            self._file.truncate(0)
        else:
            write_all(self._file.fileno(), f"\n{json.dumps(content)}\n".encode())
        os.fsync(self._file.fileno())

    def release(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self) -> _Note | None:
        return self if os.path.exists(self._path) and self.take() else None

    def __exit__(self, *_: object) -> None:
        self.release()


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) and row.keys() == _KEYS else None


class _Step:
    """What one worktree needs: renames of prepared files, then of the prepared index onto ``index``."""

    def __init__(self, tree: Repository, move: RefMove, changes: Sequence[FileChange]) -> None:
        self.tree = tree
        self.move = move
        self.changes = changes
        self.note = _Note(tree)
        self.begun = False
        self.ready = False
        self.writes: dict[str, str] = {}  # path -> prepared file beside it
        self.removes: list[str] = []
        self.absent: frozenset[str] = frozenset()  # paths that a sparse checkout leaves out
        self.seen: dict[str, list[int] | None] = {}  # path -> what the file was when it was last looked at
        self.there: dict[str, str] = {}  # path -> blob of the file as it was then
        self.token = f"promptstore {os.urandom(16).hex()}"
        self.lock = IndexLock(tree.git_dir, self.token)
        self.scratch = scratch_place(tree)

    # --- the way there

    def begin(self, refs: Refs, objects: Objects) -> None:
        """Take note and index lock. Raises StoreBusy."""
        self._refuse_busy()
        if not self.note.take(_LOCK_WAIT):
            raise StoreBusy("another promptstore is writing here", hint="run it again when that one is done")
        left = _Step.left_behind(self.tree, self.note)
        if left is not None:
            left.mend(refs, objects)
        self.begun = True
        self._take_lock()
        self._refuse_busy()  # a merge that held the lock until now may have ended in conflicts

    def _take_lock(self) -> None:
        self._write_note()
        self.lock.take(_LOCK_WAIT)

    def prepare(self, objects: Objects) -> None:
        """Lay everything ready beside the old. Raises StoreBusy where a file has edits."""
        before = self._before(objects)
        self._refuse_links()
        self.seen = {change.path: _state(self._place(change.path)) for change in self.changes}
        self._refuse_edits(before)
        self._prepare(self.changes)

    def _prepare(self, changes: Sequence[FileChange]) -> None:
        self._prepare_index(changes)
        self.removes = [change.path for change in changes if change.oid is None]
        wanted = [change for change in changes if change.oid is not None and change.path not in self.absent]
        kept = {change.path: change for change in wanted if not self._is_there(change)}
        self.writes = {path: _beside(self._place(path)) for path in kept}
        self._write_note()
        for path, data in smudged(self.tree, {c.path: c.oid or "" for c in kept.values()}, self.scratch).items():
            self._prepare_file(kept[path], data)
        self.ready = True

    def finish(self) -> None:
        """The renames. A file that was saved since it was looked at stays: its edit is then an edit of the new text."""
        for path, prepared in self.writes.items():
            if os.path.exists(prepared) and self._untouched(path):
                os.replace(prepared, self._place(path))
            remove(prepared)
        for path in self.removes:
            if self._untouched(path):
                remove(self._place(path))
        self.lock.finish()
        self._clear()

    def abandon(self) -> None:
        """Back to where it was."""
        if not self.begun:
            return
        for prepared in self.writes.values():
            remove(prepared)
        self.lock.let_go()
        self._clear()

    def release(self) -> None:
        """Let others at the note; what it says stays."""
        self.note.release()

    # --- looking

    def _refuse_busy(self) -> None:
        reason = busy(self.tree)
        if reason:
            raise StoreBusy(reason, where=Where(path=self.tree.worktree), hint="finish it, then run this again")

    def _refuse_edits(self, before: Mapping[str, TreeEntry]) -> None:
        """Under the lock for the last time: a text moved beneath an edit would be undone by the edit's commit."""
        edited = self._edited(before)
        if edited:
            raise StoreBusy(
                "the file has uncommitted edits",
                where=Where(path=edited[0]),
                hint="commit them or put them aside, then run it again",
            )

    def _refuse_links(self) -> None:
        """What lies behind a link is not this repository's."""
        for folder in sorted({folder for change in self.changes for folder in folders(change.path)}):
            if os.path.islink(self._place(folder)):
                raise StoreBusy(
                    "a link is where a folder must be",
                    where=Where(path=folder),
                    hint="put the folder itself there, then run this again",
                )

    def _edited(self, before: Mapping[str, TreeEntry]) -> list[str]:
        paths = [change.path for change in self.changes]
        listed = _listed(self.tree, paths)
        self.absent = _absent(self.tree, listed)
        staged, on_disk = _staged(listed), hash_files(self.tree, paths)
        self.there = on_disk
        found = []
        for change in self.changes:
            allowed = {_oid(before.get(change.path)), change.oid or ""}
            if staged.get(change.path, "") not in allowed or (
                change.path not in self.absent and on_disk.get(change.path, "") not in allowed
            ):
                found.append(change.path)
            elif os.path.islink(self._place(change.path)):
                found.append(change.path)  # somebody put it there, whatever the file behind it says
        return found

    def _is_there(self, change: FileChange) -> bool:
        """Whether the file says it already: one that an editor has open is not replaced without need."""
        if self.there.get(change.path) != change.oid:
            return False
        return os.access(self._place(change.path), os.X_OK) == (change.mode == _EXECUTABLE)

    def _before(self, objects: Objects) -> Mapping[str, TreeEntry]:
        return objects.tree(self.move.old, *[change.path for change in self.changes]) if self.move.old else {}

    def _place(self, path: str) -> str:
        return os.path.join(self.tree.worktree or ".", path)

    def _untouched(self, path: str) -> bool:
        return _state(self._place(path)) == self.seen.get(path)

    # --- laying ready

    def _prepare_index(self, changes: Sequence[FileChange]) -> None:
        """Build the new index in a scratch folder and lay it ready."""
        os.makedirs(self.scratch, exist_ok=True)
        scratch = os.path.join(self.scratch, "index")
        if os.path.exists(self.lock.index):
            shutil.copy2(self.lock.index, scratch)  # with its time, by which git knows which entries to doubt
        self._update_index(scratch, ["--index-info"], [_index_line(change, self.tree.null_oid) for change in changes])
        left_out = [f"{change.path}\0" for change in changes if change.oid and change.path in self.absent]
        if left_out:
            self._update_index(scratch, ["--skip-worktree", "--stdin"], left_out)
        if os.path.exists(scratch):
            shutil.copyfile(scratch, self.lock.prepared)

    def _update_index(self, index: str, options: Sequence[str], lines: Sequence[str]) -> None:
        run(
            [*self.tree.arguments, "-C", self.tree.worktree or ".", "update-index", "-z", *options],
            stdin="".join(lines).encode("utf-8", "surrogateescape"),
            env=environment(GIT_INDEX_FILE=index),
        )

    def _prepare_file(self, change: FileChange, data: bytes) -> None:
        path, prepared = change.path, self.writes[change.path]
        try:
            os.makedirs(os.path.dirname(prepared), exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            raise StoreBusy(
                "a file is where a folder must be", where=Where(path=path), hint="move it away, then run this again"
            ) from None
        with open(prepared, "wb") as file:
            file.write(data)
            if change.mode == _EXECUTABLE:
                readable = os.fstat(file.fileno()).st_mode & 0o777
                os.fchmod(file.fileno(), readable | (readable & 0o444) >> 2)

    def _write_note(self) -> None:
        """Write down, durably, what `finish` is about to do."""
        self.note.write(
            {
                "branch": self.move.name,
                "old": self.move.old,
                "new": self.move.new,
                "changes": [[change.path, change.oid, change.mode] for change in self.changes],
                "token": self.token,
                "writes": self.writes,
                "removes": self.removes,
                "seen": self.seen,
            }
        )

    def _clear(self) -> None:
        clear(self.tree)
        self.lock.forget()
        self.note.write(None)

    # --- after a kill

    @classmethod
    def left_behind(cls, tree: Repository, note: _Note | None) -> _Step | None:
        """The step of a process that was killed; ``note`` is locked by us."""
        content = note.read() if note is not None else None
        if note is None or content is None:
            return None
        changes = [FileChange(*row) for row in content["changes"]]
        step = cls(tree, RefMove(content["branch"], content["new"], content["old"]), changes)
        step.note, step.begun, step.seen = note, True, content["seen"]
        step.writes, step.removes = content["writes"], content["removes"]
        step.token = content["token"]
        step.lock = IndexLock(tree.git_dir, step.token)
        return step

    def mend(self, refs: Refs, objects: Objects) -> str:
        """Finish when the ref had moved, else undo."""
        place = self.tree.worktree or self.tree.git_dir
        tip = refs.read(self.move.name)
        if not _contains(self.tree, tip, self.move.new):
            self.abandon()
            return f"undid an interrupted pull in {place}"
        if tip == self.move.new and not self.lock.is_held() and not self.lock.was_used():
            self._take_again(objects)
        self.finish()
        return f"finished an interrupted pull in {place}"

    def _take_again(self, objects: Objects) -> None:
        """Somebody removed our lock: what is still as it was before the move follows it now, the rest is theirs."""
        self._take_lock()
        edited = self._edited(self._before(objects))
        for path in edited:
            remove(self.writes.get(path, ""))
        self.seen = {change.path: _state(self._place(change.path)) for change in self.changes}
        self._prepare([change for change in self.changes if change.path not in edited])


def _index_line(change: FileChange, null_oid: str) -> str:
    return f"{change.mode} {change.oid} 0\t{change.path}\0" if change.oid else f"0 {null_oid} 0\t{change.path}\0"


def _beside(place: str) -> str:
    return os.path.join(os.path.dirname(place), f".{os.path.basename(place)}.promptstore")


def _state(path: str) -> list[int] | None:
    """What tells that a file was written or replaced; a list, as JSON gives it back."""
    try:
        found = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return [found.st_ino, found.st_size, found.st_mtime_ns]


def _rebased_branch(tree: Repository) -> str | None:
    """The branch that a rebase in this worktree is about."""
    for folder in ("rebase-merge", "rebase-apply"):
        try:
            with open(os.path.join(tree.git_dir, folder, "head-name"), encoding="utf-8") as file:
                return file.read().strip()
        except (FileNotFoundError, NotADirectoryError):
            continue
    return None


def _contains(tree: Repository, tip: str | None, commit: str | None) -> bool:
    if tip is None or commit is None:
        return False
    return tip == commit or not attempt([*tree.arguments, "merge-base", "--is-ancestor", commit, tip]).returncode
