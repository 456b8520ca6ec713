"""What to do next: the daemon as a value. Pure: events and times in, the next job and the next waking time out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from promptstore.daemon.debounce import Debounce
from promptstore.daemon.schedule import Schedule
from promptstore.store.config import Config

REF_QUIET = 0.1
"""A ref moves whole, so a short quiet is enough for it (a fetch moves many)."""
REF_MOST = 1.0
FILE_MOST = 5.0
FULL_LOOK = 300.0
"""Seconds between full looks, for events that were lost."""
SHORTEST_POLL = 0.2
"""Seconds between polls, even if the config says nothing at all."""
LONGEST_BUSY = 30.0
"""The longest wait before a busy checkout is looked at again."""
TOGETHER = 0.25
"""Remotes that are due within this share of a poll are looked at in one pass."""

Touched = Literal["files", "refs"]


@dataclass(frozen=True, slots=True)
class Look:
    """Look at this clone: its refs, and with ``files`` its work tree; commit what is to be committed. With ``reload``
    the config is read again even if no commit moved."""

    files: bool
    reload: bool = False


@dataclass(frozen=True, slots=True)
class Pass:
    """Run the engine's pass over these remotes."""

    remotes: tuple[str, ...]


Job = Look | Pass


@dataclass(frozen=True, slots=True)
class Machine:
    """The daemon between two jobs. One job runs at a time."""

    files: Debounce
    refs: Debounce
    full_look: float
    """When the next full look is due."""
    schedules: Mapping[str, Schedule] = field(default_factory=dict)
    busy: int = 0
    """How often in a row the work tree could not be scanned."""
    again: float | None = None
    """When to look at the work tree again whatever happens: it was busy, or a file was too young."""
    reload: bool = False
    """Whether somebody asked for the config to be read again."""
    running: frozenset[str] = frozenset()
    """The remotes of the pass in hand."""
    rung: frozenset[str] = frozenset()
    """Those of them that were hinted at meanwhile: the pass may have looked there before."""
    since: float = 0.0
    """When the pass in hand began."""

    @classmethod
    def started(cls, now: float) -> Machine:
        """A machine that looks at everything first."""
        files = Debounce(0.0, FILE_MOST)
        return cls(files, Debounce(REF_QUIET, REF_MOST), now)

    # --- events

    def configured(self, config: Config, now: float) -> Machine:
        """The config says which remotes there are, how often to poll and how long to wait for quiet."""
        poll = max(config.daemon.poll, SHORTEST_POLL)
        schedules = {
            name: self.schedules[name].polled_every(poll, now) if name in self.schedules else Schedule(poll, now)
            for name in config.remotes
        }
        return replace(self, schedules=schedules, files=replace(self.files, quiet=config.daemon.debounce))

    def touched(self, what: Touched, at: float) -> Machine:
        """A file or a ref may have changed."""
        if what == "files":
            return replace(self, files=self.files.touched(at))
        return replace(self, refs=self.refs.touched(at))

    def hinted(self, remotes: Iterable[str], now: float) -> Machine:
        """Something may be new at these remotes, or for them."""
        named = frozenset(remotes)
        fresh = {name: one.hinted(now) if name in named else one for name, one in self.schedules.items()}
        return replace(self, schedules=fresh, rung=self.rung | (named & self.running))

    def woken(self, now: float) -> Machine:
        """The machine slept: look at everything."""
        schedules = {name: one.woken(now) for name, one in self.schedules.items()}
        return replace(self, schedules=schedules, full_look=now, rung=self.running)

    def reloading(self, now: float) -> Machine:
        """Somebody asks for the config to be read again."""
        return replace(self, full_look=now, reload=True)

    def looked(self, job: Look, now: float, *, busy: bool = False, again: float | None = None) -> Machine:
        """A look ended. ``again`` is how many seconds until what was too young is old enough."""
        if not job.files:
            return self
        times = self.busy + 1 if busy else 0
        if busy:
            again = min(LONGEST_BUSY, max(self.files.quiet, 0.1) * 2 ** min(times, 16))
        return replace(self, busy=times, again=None if again is None else now + again)

    def ended(self, reached: Mapping[str, bool], now: float, dice: float) -> Machine:
        """A pass ended: which remotes answered. Where another sync had the lock of this clone, none was asked."""
        schedules = dict(self.schedules)
        for name in self.running & schedules.keys():
            schedules[name] = self._after(schedules[name], reached.get(name), now, dice)
        rung = self.rung
        idle = replace(self, schedules=schedules, running=frozenset(), rung=frozenset())
        return idle.hinted(rung, now)

    def _after(self, one: Schedule, reached: bool | None, now: float, dice: float) -> Schedule:
        if reached is None:
            return one.blocked(now)
        return one.succeeded(now, dice, now - self.since) if reached else one.failed(now, dice)

    # --- what follows

    def next_job(self, now: float) -> tuple[Machine, Job | None]:
        """The job that is due, taken off the list. This clone comes before the remotes."""
        if self._files_due <= now:
            full = now + FULL_LOOK if self.full_look <= now else self.full_look
            settled = replace(self, files=self.files.settled(), refs=self.refs.settled(), again=None, full_look=full)
            return replace(settled, reload=False), Look(files=True, reload=self.reload)
        if (self.refs.due or now + 1) <= now:
            return replace(self, refs=self.refs.settled()), Look(files=False)
        if not any(one.next <= now for one in self.schedules.values()):
            return self, None
        remotes = self._together(now)
        return replace(self, running=frozenset(remotes), since=now), Pass(remotes)

    def _together(self, now: float) -> tuple[str, ...]:
        """The remotes of a pass: those that are due, and healthy ones that would be soon."""
        return tuple(
            name
            for name, one in self.schedules.items()
            if one.next <= now + (0 if one.failures else one.poll * TOGETHER)
        )

    @property
    def _files_due(self) -> float:
        return min(time for time in (self.files.due, self.again, self.full_look) if time is not None)

    @property
    def next_wake(self) -> float:
        """When there may be something to do if nothing happens before."""
        times = [self._files_due, *(one.next for one in self.schedules.values())]
        return min([*times, self.refs.due] if self.refs.due is not None else times)
