"""Waiting for quiet: many events in a row become one look. Pure; times are seconds of a monotonic clock."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Debounce:
    """Due once nothing has happened for ``quiet`` seconds, and at the latest ``most`` seconds after the first event."""

    quiet: float
    most: float
    first: float | None = None
    last: float | None = None

    def touched(self, at: float) -> Debounce:
        """Something happened at ``at``."""
        first = at if self.first is None else min(self.first, at)
        last = at if self.last is None else max(self.last, at)
        return replace(self, first=first, last=last)

    def settled(self) -> Debounce:
        """What happened has been looked at."""
        return replace(self, first=None, last=None)

    @property
    def due(self) -> float | None:
        """When to look; None while nothing has happened."""
        if self.first is None or self.last is None:
            return None
        return min(self.last + self.quiet, self.first + self.most)
