"""When a remote is looked at next: polls with jitter, backoff while it fails, hints. Pure.

Times are seconds of a monotonic clock; ``dice`` are numbers from 0 up to 1.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

JITTER = 0.2
"""A poll comes up to this share early, so that many machines do not ask in step; never late."""
FIRST_RETRY = 30.0
"""The longest first wait after a failure; doubled with each further one."""
LONGEST_RETRY = 300.0
"""The longest wait while a remote fails (or the poll interval, where that is longer)."""
HINTED_RETRY = 10.0
"""A failing remote is not tried sooner than this after the last time, whatever happens here."""
SPACING = 0.5
LONGEST_SPACING = 5.0
"""Two passes are as far apart as the first one took, within these bounds, however many hints arrive."""
BLOCKED_RETRY = 1.0
"""Seconds until the lock of this clone is asked for again."""
SLEPT = 20.0
"""A wall clock that is this much ahead of the monotonic one says that the machine slept."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """One remote's timetable. ``rested`` is when it may be tried again at the earliest, whatever happens."""

    poll: float
    next: float
    failures: int = 0
    rested: float | None = None

    def succeeded(self, now: float, dice: float, took: float = 0.0) -> Schedule:
        """It was reached, in ``took`` seconds; the next look is one poll away, less jitter."""
        rested = now + min(max(SPACING, took), LONGEST_SPACING)
        return replace(self, next=now + self.poll * (1 - JITTER * dice), failures=0, rested=rested)

    def failed(self, now: float, dice: float) -> Schedule:
        """It was not reached: wait longer each time."""
        wait = backoff(self.failures + 1, self.poll)
        rested = now + min(HINTED_RETRY, wait)
        return replace(self, next=now + wait * (1 - dice / 2), failures=self.failures + 1, rested=rested)

    def hinted(self, now: float) -> Schedule:
        """Something may be new there or for it: look soon."""
        earliest = now if self.rested is None else max(now, self.rested)
        return replace(self, next=min(self.next, earliest))

    def blocked(self, now: float) -> Schedule:
        """Another sync was at work in this clone: try again at once when it is done."""
        return replace(self, next=now + BLOCKED_RETRY)

    def woken(self, now: float) -> Schedule:
        """The machine slept: what was known of the network is over."""
        return replace(self, next=now, failures=0)

    def polled_every(self, poll: float, now: float) -> Schedule:
        """The same with another interval."""
        return replace(self, poll=poll, next=min(self.next, now + poll))


def backoff(failures: int, poll: float) -> float:
    """Seconds to wait after so many failures in a row."""
    first = min(poll, FIRST_RETRY)
    longest = max(poll, LONGEST_RETRY)
    return float(min(longest, first * 2 ** min(failures - 1, 30)))


@dataclass(frozen=True, slots=True)
class Reading:
    """Both clocks at one moment."""

    monotonic: float
    wall: float


def slept(before: Reading, now: Reading) -> bool:
    """Whether the machine was asleep between two readings (or its clock was set ahead, which is as good a reason)."""
    return (now.wall - before.wall) - (now.monotonic - before.monotonic) > SLEPT
