"""What a run may do: direction, scope and permissions, from the command line and the config."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


def _everything(_: str) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Policy:
    """The planner's settings for one remote."""

    pull: bool = True
    push: bool = True
    allow_delete: bool = False
    republish: bool = False
    covers: Callable[[str], bool] = _everything
    """Whether a slug belongs to this remote and run (``include``, ``exclude``, ``--only``)."""
    covers_tag: Callable[[str], bool] = _everything
    max_delete: float = 0.2
    """Share of a listing that may vanish at once before the remote is halted."""
    max_vanish: int = 10
