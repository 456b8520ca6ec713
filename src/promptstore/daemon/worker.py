"""The one thread that works: it takes a job at a time, and what came of it goes to the mailbox."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

from promptstore.daemon.machine import Job, Look
from promptstore.daemon.mailbox import Done, Mailbox
from promptstore.daemon.work import Work


class Worker:
    """Runs jobs. ``busy_since`` is when the present job last made progress, for those who watch over us."""

    def __init__(self, work: Work, mailbox: Mailbox, monotonic: Callable[[], float]) -> None:
        self._work = work
        self._mailbox = mailbox
        self._monotonic = monotonic
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="work", daemon=True)
        self.idle = True
        self._moved = monotonic()

    def start(self) -> None:
        self._thread.start()

    def give(self, job: Job) -> None:
        self.idle = False
        self.progress()
        self._jobs.put(job)

    def progress(self) -> None:
        """Something is being done."""
        self._moved = self._monotonic()

    def stuck_for(self, now: float) -> float:
        """Seconds since anything was done of the present job."""
        return 0.0 if self.idle else now - self._moved

    def end(self, seconds: float) -> bool:
        """Take no further job; returns whether the present one ended in time, and what was led was given up."""
        self._jobs.put(None)
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            self._mailbox.put(Done(job, self._result(job)))
        self._work.let_go()

    def _result(self, job: Job) -> object:
        try:
            return self._work.look(job.files, job.reload) if isinstance(job, Look) else self._work.run(job.remotes)
        except Exception as error:  # noqa: BLE001 - one job that fails must not end the daemon; the loop tells it
            return error
