"""Who may pull from and publish to a remote: the question the engine asks before it changes anything."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from promptstore.sync.journal import Intent


class Lead(Protocol):
    """The right to write. All three raise LeasedElsewhere, OriginUnreachable or OriginRefuses where there is none."""

    shared: bool
    """Whether others must hear of a write before it is sent."""

    def check(self, remote: str) -> None:
        """Raise where it is known already that another clone leads; asks nobody."""

    def take(self, remote: str) -> None:
        """Make sure that this clone leads."""

    def announce(self, remote: str, intents: Sequence[Intent]) -> None:
        """Tell what is about to be sent, so that whoever takes over after this clone died finds out about it."""


class Alone:
    """The only clone."""

    shared = False

    def check(self, remote: str) -> None:
        """Nobody else is there."""

    def take(self, remote: str) -> None:
        """It is led already."""

    def announce(self, remote: str, intents: Sequence[Intent]) -> None:
        """Nobody would listen."""
