"""Who may write to a remote: asked before every pass, so that of several machines only one does."""

from __future__ import annotations

from typing import Protocol


class Lease(Protocol):
    """Says, remote by remote, whether this machine is the one that syncs it now."""

    def holds(self, remote: str) -> bool: ...


class Alone:
    """A machine that knows of no other."""

    def holds(self, remote: str) -> bool:  # noqa: ARG002 - the protocol's own signature
        return True
