"""What a case may find: that the workspace differs from its contract, or that there is nothing to try it with."""

from __future__ import annotations


class Differs(Exception):
    """The workspace does something else than its contract says; the text says what."""


class NotApplicable(Exception):
    """There is nothing here that the case could be tried with; the text says why."""


def expect(holds: bool, otherwise: str) -> None:
    """Raise Differs with the words of ``otherwise``, unless it holds."""
    if not holds:
        raise Differs(otherwise)
