"""Questions about history that git itself answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from promptstore.store.git.process import attempt, failure, run
from promptstore.store.git.repository import Repository

CHANGES = (
    "-c",
    "log.diffMerges=separate",
    "log",
    "--first-parent",
    "-m",
    "--root",
    "--no-show-signature",
    "--no-relative",
    "--reverse",
    "--raw",
    "--no-abbrev",
    "-z",
    "-M90%",
    "-l0",
    "--format=%x01%H",
)
"""``git log`` that prints each commit of the first-parent line with its changed files, whatever the settings say."""

LINE = ("log", "-z", "--first-parent", "--no-show-signature", "--encoding=UTF-8", "--format=tformat:%an <%ae>%n%at%n%B")
"""``git log`` that tells who said what and when: neither a name nor a message can hold a NUL."""


class Said(NamedTuple):
    """What one commit says: author (``name <email>``), seconds since the epoch, message."""

    who: str
    when: int
    message: str


class Revisions:
    """The history of one repository."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository

    def is_ancestor(self, older: str, newer: str) -> bool:
        """Whether ``older`` is ``newer`` or stands in its history."""
        return older == newer or not self._attempt("merge-base", "--is-ancestor", older, newer)[0]

    def messages(self, known: str, tip: str) -> list[tuple[str, str]]:
        """(commit, message) of what ``tip`` reaches and ``known`` does not, oldest first."""
        arguments = ("log", "-z", "--reverse", "--topo-order", "--encoding=UTF-8", "--format=tformat:%H%n%B")
        out = self._attempt(*arguments, f"{known}..{tip}", "--")[1]
        rows = (block.partition("\n") for block in out.split("\0")[:-1])
        return [(commit, message) for commit, _, message in rows]

    def line(self, tip: str, known: str | None = None) -> list[Said]:
        """What the commits of ``tip``'s line say, newest first; without those that ``known`` reaches."""
        out = run([*self._repository.arguments, *LINE, f"{known}..{tip}" if known else tip, "--"])
        blocks = (block.split("\n", 2) for block in out.decode("utf-8", "replace").split("\0")[:-1])
        return [Said(who, int(when), message) for who, when, message in blocks]

    def merge_base(self, one: str, other: str) -> str | None:
        """The newest commit that both come from, or None."""
        return self._attempt("merge-base", one, other)[1].strip() or None

    def changes(self, tip: str, known: Iterable[str], folder: str) -> bytes:
        """What the first-parent commits of ``tip``, oldest first and without those that ``known`` ones reach, did to
        the files of ``folder``: git's raw log, records divided by NUL, each commit's beginning with ``\\x01``."""
        arguments = [*self._repository.arguments, *CHANGES, "--stdin", tip, "--", _literal(folder)]
        done = attempt(arguments, stdin="".join(f"^{commit}\n" for commit in known).encode())
        if done.returncode:
            raise failure(arguments, done.stderr)
        return done.stdout

    def everything(self, tip: str, folder: str) -> bytes:
        """The same of every commit that ``tip`` reaches, also by way of merges, one record a parent, newest first."""
        options = [word for word in CHANGES if word not in {"--first-parent", "--reverse"}]
        arguments = [*self._repository.arguments, *options, "--full-history", tip, "--", _literal(folder)]
        done = attempt(arguments)
        if done.returncode:
            raise failure(arguments, done.stderr)
        return done.stdout

    def outside(self, commits: Sequence[str], tip: str) -> set[str]:
        """Those of ``commits`` that ``tip`` does not reach, or that are not here; all where git cannot tell."""
        found = self._unreached(commits, tip)
        if found is None:  # one commit that never came here, and git refuses the whole question
            here = self._present(commits)
            found = self._unreached(here, tip) if here else set()
            return set(commits) if found is None else found | (set(commits) - set(here))
        return found

    def _unreached(self, commits: Sequence[str], tip: str) -> set[str] | None:
        arguments = [*self._repository.arguments, "rev-list", "--stdin", "--ignore-missing"]
        done = attempt(arguments, stdin=("\n".join([*commits, f"^{tip}"]) + "\n").encode())
        return None if done.returncode else set(done.stdout.decode().split()) & set(commits)

    def _present(self, commits: Sequence[str]) -> list[str]:
        arguments = [*self._repository.arguments, "cat-file", "--batch-check=%(objectname)"]
        done = attempt(arguments, stdin="".join(f"{commit}\n" for commit in commits).encode())
        return [line for line in done.stdout.decode().splitlines() if not line.endswith(" missing")]

    def upstream(self, branch: str) -> str | None:
        """The full name of the ref that ``branch`` (a full name) follows, be it there or not."""
        return self._attempt("for-each-ref", "--format=%(upstream)", branch)[1].strip() or None

    def setting(self, name: str) -> str | None:
        """One of git's settings, or None."""
        return self._attempt("config", "--get", name)[1].strip() or None

    def author(self) -> tuple[str, str]:
        """Name and e-mail of who is at the keyboard, by git's config; empty where git knows nobody."""
        name, _, rest = self._attempt("var", "GIT_AUTHOR_IDENT")[1].strip().partition(" <")
        return name, rest.partition(">")[0]

    def _attempt(self, *words: str) -> tuple[int, str]:
        done = attempt([*self._repository.arguments, *words])
        return done.returncode, done.stdout.decode("utf-8", "replace")


def _literal(folder: str) -> str:
    """A folder of the repository for git's command line, wherever the command runs and whatever its name holds."""
    return f":(top,literal){folder}"
