"""The namespaces that one git remote has in this clone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from promptstore.store.refnames import TAGS

OURS = "refs/promptstore/"
"""Version numbers, the tag history, what was agreed with each vendor, and leases."""

PROBES = "refs/promptstore/probe/"
"""Refs that are pushed to find out whether they are taken, and taken away again."""

LEASE = "/lease"
"""How the name of a lease ends. A lease stands at the git remote alone: nothing of it is ours to keep."""

_HEADS = "refs/heads/"


@dataclass(frozen=True, slots=True)
class Names:
    """The namespaces of one git remote."""

    remote: str

    @property
    def tags(self) -> str:
        return f"refs/prompts-tracking/{self.remote}/"

    @property
    def ours(self) -> str:
        return f"refs/promptstore-tracking/{self.remote}/"

    @property
    def agreed(self) -> str:
        return f"refs/promptstore-agreed/{self.remote}/"

    @property
    def branches(self) -> str:
        return f"refs/remotes/{self.remote}/"

    @property
    def refspecs(self) -> tuple[str, str]:
        return (f"+{TAGS}*:{self.tags}*", f"+{OURS}*:{self.ours}*")

    def tracking(self, name: str) -> str:
        """Where a fetch keeps what ``name`` is at the remote."""
        if name.startswith(TAGS):
            return self.tags + name.removeprefix(TAGS)
        if name.startswith(OURS):
            return self.ours + name.removeprefix(OURS)
        return self.branches + name.removeprefix(_HEADS)

    def branch(self, tracking: str) -> str | None:
        """The remote's branch that ``tracking`` (a full name) follows; None for a ref of another remote, or of none."""
        return _HEADS + tracking.removeprefix(self.branches) if tracking.startswith(self.branches) else None


def below(refs: Mapping[str, str], prefix: str) -> dict[str, str]:
    """The refs of one namespace, by what is left of their names."""
    return {name.removeprefix(prefix): oid for name, oid in refs.items() if name.startswith(prefix)}
