"""Work in progress: files of a checked-out branch that are not as the branch says."""

from __future__ import annotations

from collections.abc import Sequence

from promptstore.store.git.checkout import dirty_paths, worktrees_on
from promptstore.store.git.objects import Objects
from promptstore.store.git.obstacles import Obstacle, on_disk
from promptstore.store.git.process import attempt
from promptstore.store.git.refs import Refs
from promptstore.store.git.repository import Repository


class Edits:
    """Looks for edits in every worktree of one repository."""

    def __init__(self, repository: Repository, refs: Refs, objects: Objects) -> None:
        self._repository = repository
        self._refs = refs
        self._objects = objects

    def uncommitted(self, branch: str, folder: str) -> set[str]:
        """Paths below ``folder`` that differ from ``branch`` (a full name) where it is checked out: staged or not,
        untracked or missing."""
        tip = self._refs.read(branch)
        found: set[str] = set()
        for worktree in worktrees_on(self._repository, self._refs, branch):
            paths = _changed(worktree, folder)
            tree = self._objects.tree(tip, folder) if tip and paths else {}
            found |= dirty_paths(worktree, tree, paths)
        return found

    def in_the_way(self, branch: str, paths: Sequence[str]) -> dict[str, Obstacle]:
        """What stands at each of ``paths``, or instead of its folder, where ``branch`` (a full name) is checked out.

        It is looked for on the disk alone, whether git knows it or not: git need not be asked.
        """
        places = [tree.worktree for tree in worktrees_on(self._repository, self._refs, branch) if tree.worktree]
        looked = ((path, on_disk(place, path)) for place in reversed(places) for path in paths)
        return {path: found for path, found in looked if found is not None}

    def has_checked_out(self, branch: str) -> bool:
        """Whether a worktree is on ``branch`` (a full name)."""
        return bool(worktrees_on(self._repository, self._refs, branch))


def _changed(worktree: Repository, folder: str) -> list[str]:
    """Paths that git calls changed, staged or untracked."""
    place = [*worktree.arguments, "-C", worktree.worktree or "."]
    wanted = ["status", "--porcelain", "-z", "--no-renames", "-uall", "--", f":(top,literal){folder}"]
    done = attempt([*place, *wanted])
    return [line[3:] for line in done.stdout.decode("utf-8", "surrogateescape").split("\0") if len(line) > 3]
