"""Everything of git that a store uses, in one value: the edge at which another git can be put in."""

from __future__ import annotations

from dataclasses import dataclass

from promptstore.store.git.checkout import Checkout
from promptstore.store.git.commits import Commits
from promptstore.store.git.edits import Edits
from promptstore.store.git.objects import Objects
from promptstore.store.git.refs import Refs
from promptstore.store.git.repository import Repository
from promptstore.store.git.revisions import Revisions
from promptstore.store.git.transport import Transport


@dataclass(frozen=True, slots=True)
class Git:
    """One repository by its plumbing."""

    refs: Refs
    objects: Objects
    commits: Commits
    revisions: Revisions
    checkout: Checkout
    edits: Edits
    transport: Transport

    @classmethod
    def of(cls, repository: Repository) -> Git:
        """The git that is installed."""
        refs, objects = Refs(repository), Objects(repository)
        return cls(
            refs,
            objects,
            Commits(repository),
            Revisions(repository),
            Checkout(repository, refs, objects),
            Edits(repository, refs, objects),
            Transport(repository),
        )
