"""Running git: one place for the environment, the error text and what each failure means."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from promptstore.errors import GitError, RefMoved, StoreBusy

# Set by git for its hooks; with these left in, a command run from a hook would act on the caller's index or repository,
# or read our pathspecs differently.
_HOOK_VARIABLES = frozenset(
    {
        "GIT_DIR",
        "GIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_PREFIX",
        "GIT_COMMON_DIR",
        "GIT_OBJECT_DIRECTORY",
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_GRAFT_FILE",
        "GIT_SHALLOW_FILE",
        "GIT_NAMESPACE",
        "GIT_QUARANTINE_PATH",
        "GIT_LITERAL_PATHSPECS",
        "GIT_GLOB_PATHSPECS",
        "GIT_NOGLOB_PATHSPECS",
        "GIT_ICASE_PATHSPECS",
    }
)


def environment(**extra: str) -> dict[str, str]:
    """The environment for git: ours without a hook's variables, in English, never asking on a terminal."""
    kept = {key: value for key, value in os.environ.items() if key not in _HOOK_VARIABLES}
    return {**kept, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", **extra}


_INHERITED: ContextVar[tuple[int, ...]] = ContextVar("inherited", default=())


@contextmanager
def inherited(*descriptors: int) -> Iterator[None]:
    """Let git keep these files open too: a lock on one then lasts until git has ended, whatever becomes of us."""
    token = _INHERITED.set(descriptors)
    try:
        yield
    finally:
        _INHERITED.reset(token)


def run(arguments: Sequence[str], *, stdin: bytes | None = None, env: dict[str, str] | None = None) -> bytes:
    """Run ``git ARGUMENTS`` and return its output. Raises GitError (StoreBusy, RefMoved) with git's own words."""
    done = attempt(arguments, stdin=stdin, env=env)
    if done.returncode:
        raise failure(arguments, done.stderr)
    return done.stdout


def attempt(
    arguments: Sequence[str], *, stdin: bytes | None = None, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run ``git ARGUMENTS`` without judging its exit code."""
    try:
        return subprocess.run(
            ["git", *arguments],
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            env=env or environment(),
            check=False,
            pass_fds=_INHERITED.get(),
        )
    except FileNotFoundError:
        raise no_git() from None


def no_git() -> GitError:
    return GitError("git was not found", hint="install git 2.30 or newer and put it on PATH")


_MEANINGS: tuple[tuple[re.Pattern[str], type[GitError], str], ...] = (
    (
        re.compile(r"No space left on device|Disk quota exceeded|Out of diskspace"),
        GitError,
        "free some disk space and run it again",
    ),
    (
        re.compile(r"is at \w+ but expected|reference already exists|unable to resolve reference"),
        RefMoved,
        "run it again",
    ),
    (
        re.compile(r"Unable to create '.*\.lock'|cannot lock ref .*File exists"),
        StoreBusy,
        "another git command is running here; run it again (or `promptstore doctor --fix` for a stale lock)",
    ),
    (re.compile(r"Read-only file system|Permission denied"), GitError, "make the repository writable"),
)


def failure(arguments: Sequence[str], stderr: bytes) -> GitError:
    """The error that git's words mean."""
    words = stderr.decode("utf-8", "replace").strip().removeprefix("fatal: ").removeprefix("error: ")
    command = next((word for word in arguments if re.fullmatch(r"[a-z][a-z-]*", word)), "")
    for pattern, error, hint in _MEANINGS:
        if pattern.search(words):
            return error(f"git {command}: {words.splitlines()[-1]}", hint=hint)
    told = "; ".join(line.strip() for line in words.splitlines() if line.strip())
    return GitError(f"git {command}: {told or 'failed without a word'}", hint="see `promptstore doctor`")
