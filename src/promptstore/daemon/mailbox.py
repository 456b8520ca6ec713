"""How threads and signals reach the loop: a queue of messages, and touches that are counted as one."""

from __future__ import annotations

import queue
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from promptstore.daemon.machine import Job, Touched


@dataclass(frozen=True, slots=True)
class Hint:
    """A webhook says that something is new at these remotes."""

    remotes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Done:
    """The worker ended a job, with a result or an exception."""

    job: Job
    result: object


@dataclass(frozen=True, slots=True)
class Wake:
    """There are touches to be fetched."""


Command = Literal["stop", "reload"]
Message = Hint | Done | Wake | Command


class Mailbox:
    """Any thread may put; only the loop gets."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._touches: dict[Touched, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def put(self, message: Message) -> None:
        """Safe in a signal handler too (SimpleQueue.put is reentrant)."""
        self._queue.put(message)

    def touch(self, what: Touched, at: float) -> None:
        """A file or a ref may have changed. A storm of these wakes the loop once."""
        with self._lock:
            sleeping = not self._touches
            first, _ = self._touches.get(what, (at, at))
            self._touches[what] = (first, at)
        if sleeping:
            self._queue.put(Wake())

    def touches(self) -> Mapping[Touched, tuple[float, float]]:
        """First and last touch of each kind since they were last fetched."""
        with self._lock:
            found, self._touches = self._touches, {}
        return found

    def get(self, seconds: float) -> Message | None:
        """The next message, or None after so many seconds."""
        try:
            return self._queue.get(timeout=max(0.0, seconds))
        except queue.Empty:
            return None
