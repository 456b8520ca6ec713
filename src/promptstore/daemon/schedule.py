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
"""Two passes are at least this far apart, however many hints arrive."""
SLEPT = 20.0
"""A wall clock that is this much ahead of the monotonic one says that the machine slept."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """One remote's timetable. ``ended`` is when it was last tried."""

    poll: float
    next: float
    failures: int = 0
    ended: float | None = None

    def succeeded(self, now: float, dice: float) -> Schedule:
        """It was reached; the next look is one poll away, less jitter."""
        return replace(self, next=now + self.poll * (1 - JITTER * dice), failures=0, ended=now)

    def failed(self, now: float, dice: float) -> Schedule:
        """It was not reached: wait longer each time."""
        failures = self.failures + 1
        wait = backoff(failures, self.poll) * (1 - dice / 2)
        return replace(self, next=now + wait, failures=failures, ended=now)

    def hinted(self, now: float) -> Schedule:
        """Something may be new there or for it: look soon."""
        rest = min(HINTED_RETRY, backoff(self.failures, self.poll)) if self.failures else SPACING
        earliest = now if self.ended is None else max(now, self.ended + rest)
        return replace(self, next=min(self.next, earliest))

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
