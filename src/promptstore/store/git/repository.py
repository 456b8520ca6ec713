"""Where a repository keeps its things: found by looking at the file system, without a git process.

Imported by every cold start, so it imports next to nothing itself.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


class Repository:
    """The places of one checkout. ``git_dir`` is the worktree's own, ``common_dir`` is shared by all worktrees."""

    __slots__ = ("common_dir", "git_dir", "worktree")

    def __init__(self, worktree: str | None, git_dir: str, common_dir: str) -> None:
        self.worktree = worktree
        self.git_dir = git_dir
        self.common_dir = common_dir

    @property
    def arguments(self) -> list[str]:
        """How to name this repository on git's command line. Plumbing of ours never runs the user's hooks."""
        place = ["-c", f"core.hooksPath={os.devnull}", f"--git-dir={self.git_dir}"]
        return [*place, f"--work-tree={self.worktree}"] if self.worktree else place

    @property
    def null_oid(self) -> str:
        """The object id of nothing, as long as this repository's hash."""
        try:
            with open(os.path.join(self.common_dir, "config"), encoding="utf-8", errors="replace") as file:
                return "0" * (64 if "objectformat = sha256" in file.read().lower() else 40)
        except FileNotFoundError:
            return "0" * 40

    @property
    def state_dir(self) -> str:
        """``.git/promptstore``: journal and cache, shared by all worktrees."""
        return os.path.join(self.common_dir, "promptstore")


def find_repository(start: str) -> Repository | None:
    """The repository that holds the folder ``start``, as git would find it; None outside one."""
    folder = os.path.abspath(start)
    while True:
        dot_git = os.path.join(folder, ".git")
        if os.path.isdir(dot_git) and os.path.exists(os.path.join(dot_git, "HEAD")):
            return Repository(folder, dot_git, _common(dot_git))
        if os.path.isfile(dot_git):
            git_dir = _linked(dot_git)
            return Repository(folder, git_dir, _common(git_dir))
        if _is_bare(folder):
            return Repository(None, folder, folder)
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent


def require_repository(start: str) -> Repository:
    """Like `find_repository`, but raises StoreNotFound outside one."""
    from promptstore.errors import StoreNotFound, Where

    repository = find_repository(start)
    if repository is None:
        raise StoreNotFound(
            "not inside a git repository", where=Where(path=start), hint="run `promptstore init` in your project"
        )
    return repository


def worktree_dirs(repository: Repository) -> list[Repository]:
    """Every worktree of the repository: the main one and the linked ones."""
    found = []
    main = _main_worktree(repository.common_dir)
    if main is not None:
        found.append(Repository(main, repository.common_dir, repository.common_dir))
    elif repository.git_dir == repository.common_dir and repository.worktree:
        found.append(repository)
    linked = os.path.join(repository.common_dir, "worktrees")
    for name in sorted(os.listdir(linked)) if os.path.isdir(linked) else []:
        git_dir = os.path.join(linked, name)
        folder = _linked_worktree(git_dir)
        if folder and os.path.isdir(folder):
            found.append(Repository(folder, git_dir, repository.common_dir))
    return found


def _main_worktree(common_dir: str) -> str | None:
    """Where the main worktree is: a submodule's is told by its config, else it is what ``.git`` lies in."""
    if _is_set_bare(common_dir):
        return None
    told = _configured(common_dir, "worktree")
    if told is not None:
        folder = os.path.normpath(os.path.join(common_dir, told))
        return folder if os.path.isdir(folder) else None
    return os.path.dirname(common_dir) if os.path.basename(common_dir) == ".git" else None


def _linked_worktree(git_dir: str) -> str | None:
    try:
        with open(os.path.join(git_dir, "gitdir"), encoding="utf-8") as file:
            return os.path.dirname(os.path.normpath(os.path.join(git_dir, file.read().strip())))
    except OSError:
        return None


def _linked(dot_git: str) -> str:
    with open(dot_git, encoding="utf-8", errors="surrogateescape") as file:
        words = file.read().strip()
    if not words.startswith("gitdir: "):
        from promptstore.errors import GitError

        raise GitError(f"{dot_git} is no git link", hint="remove it, or run `git init`")
    return os.path.normpath(os.path.join(os.path.dirname(dot_git), words.removeprefix("gitdir: ")))


def _common(git_dir: str) -> str:
    try:
        with open(os.path.join(git_dir, "commondir"), encoding="utf-8") as file:
            return os.path.normpath(os.path.join(git_dir, file.read().strip()))
    except FileNotFoundError:
        return git_dir


def _is_set_bare(common_dir: str) -> bool:
    """Whether the config says so: a bare repository may be called ``.git``, with linked worktrees beside it."""
    said = _configured(common_dir, "bare")
    return said is not None and said.lower() in {"", "true", "yes", "on", "1"}


def _configured(common_dir: str, name: str) -> str | None:
    """A value of git's section ``core``, read without git; None where it is not set."""
    for file_name in ("config.worktree", "config"):
        try:
            with open(os.path.join(common_dir, file_name), encoding="utf-8", errors="surrogateescape") as file:
                found = _value(file, name)
        except FileNotFoundError:
            continue
        if found is not None:
            return found
    return None


def _value(lines: Iterable[str], name: str) -> str | None:
    section = ""
    for line in lines:
        words = line.strip()
        if words.startswith("["):
            section = words.strip("[]").strip().lower()
            continue
        key, _, value = words.partition("=")
        if section == "core" and key.strip().lower() == name:
            return value.strip().strip('"')
    return None


def _is_bare(folder: str) -> bool:
    return all(os.path.exists(os.path.join(folder, name)) for name in ("HEAD", "objects", "refs"))
