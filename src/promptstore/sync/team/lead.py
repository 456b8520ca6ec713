"""Who may pull from and publish to a remote: the question the engine asks before it changes anything."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from promptstore.sync.actions import SyncError
from promptstore.sync.journal import Intent
from promptstore.sync.session import Session


class Lead(Protocol):
    """The right to write. All but `inherits` raise LeasedElsewhere, OriginUnreachable or OriginRefuses elsewhere."""

    shared: bool
    """Whether others must hear of a write before it is sent."""

    def check(self, remote: str) -> None:
        """Raise where it is known already that another clone leads; asks nobody."""

    def inherits(self, remote: str) -> bool:
        """Whether whoever led before left writes in doubt, to be looked into first."""

    def take(self, remote: str) -> None:
        """Make sure that this clone leads."""

    def announce(self, remote: str, intents: Sequence[Intent]) -> None:
        """Tell what is about to be sent, so that whoever takes over after this clone died finds out about it."""

    def confirm(self, remote: str) -> None:
        """Raise where this clone does not lead any more; asked right before each write, by several threads at once."""


class Team(Lead, Protocol):
    """A lead that is shared with other clones: what they sent is taken before a run, what came of it is sent after."""

    def begin(self, sessions: Sequence[Session]) -> None:
        """Take what other clones sent."""

    def end(self, sessions: Sequence[Session]) -> list[SyncError]:
        """Send what is new; returns what went wrong."""

    def leave(self, remotes: Sequence[str]) -> None:
        """Give up whatever this clone leads of these. Raises what keeps others from hearing of it."""


class Alone:
    """The only clone."""

    shared = False

    def begin(self, sessions: Sequence[Session]) -> None:
        """There is nobody to hear from."""

    def end(self, sessions: Sequence[Session]) -> list[SyncError]:  # noqa: ARG002 - the protocol's
        """There is nobody to tell."""
        return []

    def leave(self, remotes: Sequence[str]) -> None:
        """There is nobody to take over."""

    def check(self, remote: str) -> None:
        """Nobody else is there."""

    def inherits(self, remote: str) -> bool:  # noqa: ARG002 - the protocol's
        return False

    def take(self, remote: str) -> None:
        """It is led already."""

    def announce(self, remote: str, intents: Sequence[Intent]) -> None:
        """Nobody would listen."""

    def confirm(self, remote: str) -> None:
        """It is led still."""
