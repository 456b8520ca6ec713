"""Writing commits: one ``git fast-import`` stream for one commit or for fifty thousand."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from promptstore.errors import GitError
from promptstore.store.git.process import attempt, environment, failure, run
from promptstore.store.git.repository import Repository

FILE_MODE = "100644"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who, and when (aware datetime)."""

    name: str
    email: str
    when: datetime

    def line(self) -> str:
        name = re.sub(r"[<>\n\0]", "", self.name).strip() or "unknown"
        email = re.sub(r"[<>\n\0\s]", "", self.email)
        return f"{name} <{email}> {int(self.when.timestamp())} {self.when.strftime('%z') or '+0000'}"


@dataclass(frozen=True, slots=True)
class NewCommit:
    """A commit to be made. ``files``: path -> new bytes, an object id (str) for a blob that is there, None to remove.

    ``parent`` is a commit id, None for a root, or an int: the index of an earlier commit of the same batch.
    """

    parent: str | int | None
    author: Identity
    committer: Identity
    message: str
    files: Mapping[str, bytes | str | None] = field(default_factory=dict)
    fresh_tree: bool = False
    """Start from an empty tree instead of the parent's."""
    modes: Mapping[str, str] = field(default_factory=dict)
    """git's file modes, for those that are not `FILE_MODE`."""


class Commits:
    """Writes commits into one repository. Nothing of it can be seen before a ref is moved to it."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository

    def write(self, commits: Sequence[NewCommit], *, sign: bool = False) -> list[str]:
        """Write the commits and return their ids, in order. ``sign`` honours ``commit.gpgsign``."""
        if not commits:
            return []
        ref = f"refs/promptstore/writing/{os.getpid()}-{os.urandom(4).hex()}"
        stream = b"".join(_commit(ref, number, commit) for number, commit in enumerate(commits))
        marks = "".join(f"get-mark :{number + 1}\n" for number in range(len(commits)))
        ids = self._import(stream + marks.encode(), ref)
        if sign and self._signs():
            return self._signed(commits, ids)
        return ids

    def blob_id(self, data: bytes) -> str:
        """The id that a blob of these bytes has, without writing it."""
        digest = hashlib.sha256 if len(self._repository.null_oid) == 64 else hashlib.sha1
        return digest(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()

    def _import(self, stream: bytes, ref: str) -> list[str]:
        arguments = [*self._repository.arguments, "fast-import", "--quiet", "--done", "--date-format=raw"]
        ending = f"reset {ref}\nfrom {self._repository.null_oid}\n\ndone\n".encode()
        done = attempt(arguments, stdin=stream + ending)
        if done.returncode:
            raise failure(arguments, done.stderr)
        return done.stdout.decode().split()

    def _signs(self) -> bool:
        done = attempt([*self._repository.arguments, "config", "--type=bool", "--get", "commit.gpgsign"])
        return done.stdout.strip() == b"true"

    def _signed(self, commits: Sequence[NewCommit], ids: Sequence[str]) -> list[str]:
        """The same commits once more, signed: fast-import cannot sign."""
        signed: list[str] = []
        for commit, unsigned in zip(commits, ids, strict=True):
            parent = signed[commit.parent] if isinstance(commit.parent, int) else commit.parent
            signed.append(self._sign(commit, f"{unsigned}^{{tree}}", parent))
        return signed

    def _sign(self, commit: NewCommit, tree: str, parent: str | None) -> str:
        people = {"AUTHOR": commit.author, "COMMITTER": commit.committer}
        variables = {}
        for role, identity in people.items():
            variables[f"GIT_{role}_NAME"] = identity.name
            variables[f"GIT_{role}_EMAIL"] = identity.email
            variables[f"GIT_{role}_DATE"] = f"@{int(identity.when.timestamp())} {identity.when.strftime('%z')}"
        parents = ["-p", parent] if parent else []
        arguments = [*self._repository.arguments, "commit-tree", "-S", tree, *parents]
        return run(arguments, stdin=commit.message.encode(), env=environment(**variables)).decode().strip()


def _commit(ref: str, number: int, commit: NewCommit) -> bytes:
    message = commit.message.encode("utf-8", "replace")
    head = (
        f"commit {ref}\nmark :{number + 1}\nauthor {commit.author.line()}\ncommitter {commit.committer.line()}\n"
        f"data {len(message)}\n"
    )
    body = b"".join(_file(path, content, commit.modes.get(path, FILE_MODE)) for path, content in commit.files.items())
    wipe = b"deleteall\n" if commit.fresh_tree else b""
    start = f"reset {ref}\n\n".encode() if commit.parent is None else b""
    return start + head.encode() + message + b"\n" + _from(commit.parent) + wipe + body + b"\n"


def _from(parent: str | int | None) -> bytes:
    if parent is None:
        return b""
    return f"from :{parent + 1}\n".encode() if isinstance(parent, int) else f"from {parent}\n".encode()


def _file(path: str, content: bytes | str | None, mode: str) -> bytes:
    if "\n" in path or path.startswith('"'):
        raise GitError(f"{path!r} cannot be a path in a commit")
    name = path.encode("utf-8", "surrogateescape")
    if content is None:
        return b"D " + name + b"\n"
    if isinstance(content, str):
        return f"M {mode} {content} ".encode() + name + b"\n"
    return f"M {mode} inline ".encode() + name + f"\ndata {len(content)}\n".encode() + content + b"\n"
