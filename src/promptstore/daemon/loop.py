"""The loop: messages in, jobs out. What to do next is the machine's to say; here it is only carried out and told."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from promptstore.daemon.machine import Look, Machine, Pass
from promptstore.daemon.mailbox import Done, Hint, Mailbox, Message
from promptstore.daemon.schedule import Reading, slept
from promptstore.daemon.standing import Outcome, Standing, Told
from promptstore.daemon.work import Looked
from promptstore.daemon.worker import Worker
from promptstore.errors import PromptStoreError
from promptstore.store.config import Config
from promptstore.sync.actions import Action

HEARTBEAT = 5.0
"""The longest sleep: by then clocks are compared, and a supervisor hears from us."""
STUCK = 300.0
"""Seconds without progress after which the supervisor hears no more, and starts us anew."""
GRACE = 4.0
"""Seconds that the job in hand has to end."""
BUSY_TOLD = 8
"""So many vain looks in a row are worth a line."""


@dataclass(frozen=True, slots=True)
class Clocks:
    """Time and chance, passed in."""

    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    dice: Callable[[], float] = random.random

    def reading(self) -> Reading:
        return Reading(self.monotonic(), self.wall())


@dataclass(frozen=True, slots=True)
class Ending:
    """How it ended: whether the last job did in time, and whether the store was replaced under us."""

    in_time: bool
    replaced: bool


class Surroundings(Protocol):
    """What the loop acts upon outside itself."""

    def configure(self, config: Config) -> None:
        """Watch and listen as this config says."""

    def looked(self) -> None:
        """The work tree was looked at: see that it is still watched."""

    def alert(self, config: Config, message: str) -> None:
        """Tell a person."""

    def report(self, standings: Mapping[str, Standing], next_times: Mapping[str, float], problem: str | None) -> None:
        """Write down how things stand; times are wall seconds."""

    def beat(self) -> bool:
        """A sign of life for the supervisor; returns whether the store is still ours to look after."""


class Loop:
    """Runs until it is told to stop."""

    def __init__(
        self,
        worker: Worker,
        mailbox: Mailbox,
        around: Surroundings,
        log: logging.Logger,
        clocks: Clocks,
        synced: Mapping[str, float],
    ) -> None:
        self._worker = worker
        self._mailbox = mailbox
        self._around = around
        self._log = log
        self._clocks = clocks
        self._synced = synced
        self._machine = Machine.started(clocks.monotonic())
        self._config = Config()
        self._standings: dict[str, Standing] = {}
        self._left: Mapping[str, str] = {}
        self._fault: str | None = None
        self._faults: dict[type, str] = {}
        """The internal errors that were told last: kind of job -> error."""
        self._stopping = False
        self._replaced = False

    def run(self, config: Config) -> Ending:
        """Run until there is a reason to end."""
        self._take_config(config)
        self._worker.start()
        before = self._clocks.reading()
        while not self._stopping:
            self._give_job()
            message = self._mailbox.get(self._patience())
            before = self._compare_clocks(before)
            self._take_touches()
            if message is not None:
                self._handle(message)
            if self._worker.stuck_for(before.monotonic) < STUCK and not self._around.beat():
                self._log.error("the store was replaced by another one: ending")
                self._stopping = self._replaced = True
        return Ending(self._worker.end(GRACE), self._replaced)

    # --- waiting

    def _give_job(self) -> None:
        if not self._worker.idle:
            return
        self._machine, job = self._machine.next_job(self._clocks.monotonic())
        if job is not None:
            self._log.debug("%s", job)
            self._worker.give(job)

    def _patience(self) -> float:
        """How long nothing needs to be done: while the worker works, its end is what counts."""
        if not self._worker.idle:
            return HEARTBEAT
        return min(HEARTBEAT, self._machine.next_wake - self._clocks.monotonic())

    def _compare_clocks(self, before: Reading) -> Reading:
        now = self._clocks.reading()
        if slept(before, now):
            self._log.info("the machine slept or its clock was set: looking at everything")
            self._machine = self._machine.woken(now.monotonic)
        return now

    def _take_touches(self) -> None:
        for what, (first, last) in self._mailbox.touches().items():
            self._machine = self._machine.touched(what, first).touched(what, last)

    # --- messages

    def _handle(self, message: Message) -> None:
        now = self._clocks.monotonic()
        if message == "stop":
            self._stopping = True
        elif message == "reload":
            self._log.info("reading the config again")
            self._machine = self._machine.reloading(now)
        elif isinstance(message, Hint):
            self._machine = self._machine.hinted(message.remotes, now)
        elif isinstance(message, Done):
            self._worker.idle = True
            self._take_result(message)

    def _take_result(self, done: Done) -> None:
        result = done.result
        self._tell_fault(type(done.job), result)
        if isinstance(done.job, Pass):
            self._passed(done.job, result)
        else:
            self._looked(done.job, result)
        self._report()

    def _tell_fault(self, kind: type, result: object) -> None:
        """What stopped a whole job, once for as long as it lasts; what should never happen, in full."""
        fault = repr(result) if isinstance(result, Exception) else ""
        if isinstance(result, Exception) and fault != self._faults.get(kind):
            if isinstance(result, PromptStoreError):
                self._log.error("%s", result)
            else:
                self._log.error("internal error: %s", result, exc_info=result)
        self._faults[kind] = fault

    def _looked(self, job: Look, result: object) -> None:
        now = self._clocks.monotonic()
        if not isinstance(result, Looked):
            self._machine = self._machine.looked(replace(job, files=True), now, busy=True)
            return
        self._machine = self._machine.looked(job, now, busy=result.busy is not None, again=result.again)
        if result.config != self._config:
            self._take_config(result.config)
            self._log.info("took over another config")
        self._machine = self._machine.hinted(result.wanted, now)
        self._tell_look(result)
        if job.files:
            self._around.looked()

    def _tell_look(self, looked: Looked) -> None:
        if looked.committed:
            self._log.info("committed %s", ", ".join(looked.committed))
        for slug, reason in looked.left.items():
            if self._left.get(slug) != reason:
                self._log.warning("not committed: %s: %s", slug, reason)
        if looked.busy is None:
            self._left = looked.left
        elif self._machine.busy == BUSY_TOLD:
            self._log.info("the work tree is left alone: %s", looked.busy)
        if looked.fault is not None and looked.fault != self._fault:
            self._log.error("%s", looked.fault)
            self._around.alert(self._config, looked.fault)
        self._fault = looked.fault

    def _passed(self, job: Pass, result: object) -> None:
        now, wall = self._clocks.monotonic(), self._clocks.wall()
        outcomes = _outcomes(job, result)
        reached = {outcome.remote: outcome.reached for outcome in outcomes}
        self._machine = self._machine.ended(reached, now, self._clocks.dice())
        for outcome in outcomes:
            before = self._standings.get(outcome.remote)
            if before is not None:
                self._standings[outcome.remote], told = before.after(outcome, now, wall)
                self._tell(outcome, told)
        if any(outcome.done for outcome in outcomes):
            self._machine = self._machine.touched("refs", now)

    def _tell(self, outcome: Outcome, told: Told) -> None:
        for action in outcome.done:
            self._log.info("%s", words_for(action), extra={"remote": outcome.remote})
        level = logging.INFO if outcome.state in {"ok", "waiting", "observing"} else logging.WARNING
        for line in told.lines:
            self._log.log(level, "%s", line, extra={"remote": outcome.remote})
        for alert in told.alerts:
            self._around.alert(self._config, alert)

    # --- config and status

    def _take_config(self, config: Config) -> None:
        self._config = config
        self._machine = self._machine.configured(config, self._clocks.monotonic())
        fresh = {name: Standing(Outcome(name, "starting"), synced=self._synced.get(name)) for name in config.remotes}
        self._standings = {name: self._standings.get(name, standing) for name, standing in fresh.items()}
        self._around.configure(config)

    def _report(self) -> None:
        now = self._clocks.reading()
        times = {name: now.wall + one.next - now.monotonic for name, one in self._machine.schedules.items()}
        self._around.report(self._standings, times, self._fault)


def _outcomes(job: Pass, result: object) -> list[Outcome]:
    if result is None:
        return []  # another sync was at work in this clone
    if isinstance(result, list):
        return result
    return [Outcome(name, "failing", f"internal error: {result}", reached=False) for name in job.remotes]


def words_for(action: Action) -> str:
    """An action as one line of the log."""
    what = action.slug + (f": {action.tag}" if action.tag else "")
    version = "" if action.version is None else f" @{action.version}"
    return f"{action.remote}: {action.kind} {what}{version}"
