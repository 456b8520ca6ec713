"""Talking to the git remote that clones share."""

from __future__ import annotations

from collections.abc import Sequence

from promptstore.store.git.process import attempt, failure, run
from promptstore.store.git.refs import RefMove
from promptstore.store.git.repository import Repository


class Transport:
    """The git remotes of one repository, by name."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository

    def refspecs(self, remote: str) -> list[str]:
        """What a plain ``git fetch`` of the remote brings."""
        arguments = [*self._repository.arguments, "config", "--get-all", f"remote.{remote}.fetch"]
        return attempt(arguments).stdout.decode().splitlines()

    def add_refspec(self, remote: str, refspec: str) -> None:
        run([*self._repository.arguments, "config", "--add", f"remote.{remote}.fetch", refspec])

    def fetch(self, remote: str, refspecs: Sequence[str]) -> None:
        """Fetch these, forgetting what is gone there. Raises GitError where that fails."""
        arguments = [*self._at_home(), "fetch", "--quiet", "--prune", "--no-tags", remote, *refspecs]
        done = attempt(arguments)
        if done.returncode:
            raise failure(arguments, done.stderr)

    def push(self, remote: str, moves: Sequence[RefMove], *, atomic: bool = False) -> dict[str, str]:
        """Move refs there, each only from its ``old`` value; returns the ones that did not move, with git's words.

        Raises GitError where nothing was answered.
        """
        leases = [f"--force-with-lease={move.name}:{move.old or ''}" for move in moves]
        refspecs = [f"{move.new or ''}:{move.name}" for move in moves]
        options = ["push", "--porcelain", "--no-verify", "--no-follow-tags", "--recurse-submodules=no"]
        options += ["--atomic"] if atomic else []
        arguments = [*self._at_home(), *options, *leases, remote, *refspecs]
        done = attempt(arguments)
        answers = _answers(done.stdout.decode("utf-8", "replace"))
        if done.returncode and not answers:
            raise failure(arguments, done.stderr)
        told = {move.name: answers.get(move.name, ("!", "[rejected] (no answer)")) for move in moves}
        return {name: words for name, (flag, words) in told.items() if flag == "!"}

    def _at_home(self) -> list[str]:
        """Git run from the top of the checkout: a remote's path may be relative to it."""
        return [*self._repository.arguments, "-C", self._repository.worktree or self._repository.git_dir]


def _answers(out: str) -> dict[str, tuple[str, str]]:
    """ref -> (flag, summary) in the output of ``git push --porcelain``."""
    rows = (line.split("\t") for line in out.splitlines())
    return {row[1].rpartition(":")[2]: (row[0], row[2]) for row in rows if len(row) == 3}
