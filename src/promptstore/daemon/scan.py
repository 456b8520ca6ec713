"""Looking at a work tree while other programs write to it: the sandwich.

A scan counts only if no git command was at work and HEAD and index were the same before and after it. Otherwise the
checkout is *busy*, and nothing is concluded from what was seen.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeVar

from promptstore.errors import GitError
from promptstore.store.git.checkout import busy
from promptstore.store.git.process import attempt
from promptstore.store.git.refs import Signature, signature
from promptstore.store.store import Store

T = TypeVar("T")

Kind = Literal["edited", "new", "missing", "unmerged", "half-staged"]


@dataclass(frozen=True, slots=True)
class Busy:
    """The work tree cannot be judged now."""

    reason: str


@dataclass(frozen=True, slots=True)
class Frame:
    """What must be the same on both sides of a scan. ``branch`` is None where HEAD is detached."""

    branch: str | None
    commit: str | None
    index: Signature


@dataclass(frozen=True, slots=True)
class Change:
    """A prompt's file that is not as the branch has it."""

    slug: str
    path: str
    kind: Kind


def frame(store: Store) -> Frame | Busy:
    """How the checkout stands, or what is under way in it."""
    git_dir = store.repository.git_dir
    if os.path.lexists(os.path.join(git_dir, "index.lock")):
        return Busy("a git command is at work")
    reason = busy(store.repository)
    if reason:
        return Busy(reason)
    return Frame(store.refs.head_branch(), store.refs.read("HEAD"), signature(os.path.join(git_dir, "index")))


def sandwiched(store: Store, look: Callable[[Frame], T]) -> T | Busy:
    """What ``look`` saw, if the checkout stood still meanwhile."""
    before = frame(store)
    if isinstance(before, Busy):
        return before
    try:
        seen = look(before)
    except GitError as error:
        return Busy(f"git could not look: {error.message}")
    after = frame(store)
    if isinstance(after, Busy):
        return after
    return seen if after == before else Busy("the checkout changed during the look")


def changes(store: Store) -> list[Change]:
    """The prompts whose files differ from HEAD, as git sees them (ignored files are none). Raises GitError."""
    done = attempt(_status(store))
    if done.returncode:
        raise GitError(done.stderr.decode("utf-8", "replace").strip() or "git status failed")
    lines = done.stdout.decode("utf-8", "surrogateescape").split("\0")
    found = (_change(store, line[:2], line[3:]) for line in lines if len(line) > 3)
    return [change for change in found if change is not None]


def _status(store: Store) -> list[str]:
    where = [*store.repository.arguments, "-C", store.repository.worktree or "."]
    return [
        *where,
        "status",
        "--porcelain",
        "-z",
        "--no-renames",
        "-uall",
        "--",
        f":(top,literal){store.layout.folder}",
    ]


def _change(store: Store, code: str, path: str) -> Change | None:
    slug = store.layout.slug(path)
    return Change(slug, path, _kind(code)) if slug is not None else None


def _kind(code: str) -> Kind:
    """What git's two letters (index against HEAD, work tree against index) mean."""
    if "U" in code or code in {"AA", "DD"}:
        return "unmerged"
    if "D" in code:
        return "missing"
    if code[0] not in " ?" and code[1] != " ":
        return "half-staged"
    return "new" if code[0] in "?A" else "edited"


def is_open_for_writing(path: str) -> bool:
    """Whether some program still has the file open to write to it; False where the system cannot tell.

    A read lease is granted only on a file that nobody writes to (fcntl(2), F_SETLEASE; Linux, own files). Should
    somebody open it in the moment the lease lasts, a SIGIO comes, which the daemon ignores.
    """
    import fcntl

    if not hasattr(fcntl, "F_SETLEASE"):
        return False
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return True
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return False
