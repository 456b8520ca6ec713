"""What the loop acts upon: observers, the webhook's listener, status, notifications, the supervisor."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from promptstore.daemon.filesystem import is_silent
from promptstore.daemon.machine import Touched
from promptstore.daemon.mailbox import Hint, Mailbox
from promptstore.daemon.notify import Notifier
from promptstore.daemon.standing import Standing
from promptstore.daemon.status import Lock, StatusFile, iso
from promptstore.daemon.systemd import Supervisor
from promptstore.daemon.watch import Watch, places
from promptstore.daemon.webhook import Bell, Listener, Signed
from promptstore.daemon.work import Work
from promptstore.errors import ConfigError, PromptStoreError
from promptstore.store.config import Config
from promptstore.vendors.registry import vendor


class Here:
    """This machine: implements ``loop.Surroundings``."""

    def __init__(
        self,
        work: Work,
        mailbox: Mailbox,
        log: logging.Logger,
        notifier: Notifier,
        supervisor: Supervisor,
        *,
        lock: Lock,
        folder: str,
        secret: str,
        clean: Callable[[str], str],
        ready: Callable[[Mapping[str, Any]], None],
    ) -> None:
        self._work = work
        self._mailbox = mailbox
        self._log = log
        self._notifier = notifier
        self._supervisor = supervisor
        self._lock = lock
        self._status = StatusFile(folder)
        self._secret = secret
        self._clean = clean
        self._ready: Callable[[Mapping[str, Any]], None] | None = ready
        self._since = iso(time.time())
        self._watch: Watch | None = None
        self._listener: Listener | None = None
        self._address = ""

    # --- Surroundings

    def configure(self, config: Config) -> None:
        self._look_out(config)
        self._listen(config)

    def looked(self) -> None:
        if self._watch is not None:
            self._watch.refresh()

    def alert(self, config: Config, message: str) -> None:
        self._notifier.tell(config.notify, self._clean(message))

    def report(self, standings: Mapping[str, Standing], next_times: Mapping[str, float], problem: str | None) -> None:
        if not os.path.isdir(self._status.folder):
            return  # the store is away: nothing may be made in its place
        document = {
            "pid": os.getpid(),
            "since": self._since,
            "branch": self._work.store.config.branch,
            "config": self._work.source,
            "watching": "polling" if self._watch is None or self._watch.polling else "events",
            "webhook": self._listener.url if self._listener else None,
            "problem": problem and self._clean(problem),
            "remotes": {name: self._row(standing, next_times.get(name)) for name, standing in standings.items()},
        }
        try:
            self._status.write(document)
        except OSError as error:
            self._log.error("the status cannot be written: %s", error)
        if self._ready is not None:
            self._supervisor.tell("READY=1")
            self._ready(document)
            self._ready = None

    def _row(self, standing: Standing, next_time: float | None) -> dict[str, Any]:
        found = row(standing, next_time)
        return {**found, "error": found["error"] and self._clean(found["error"])}

    def beat(self) -> bool:
        if self._supervisor.watchdog is not None:
            self._supervisor.tell("WATCHDOG=1")
        return self._lock.is_ours()

    # --- the end

    def close(self) -> None:
        self._supervisor.tell("STOPPING=1")
        if self._watch is not None:
            self._watch.stop()
        if self._listener is not None:
            self._listener.stop()

    # --- pieces

    def _look_out(self, config: Config) -> None:
        polling = config.daemon.watch == "poll"
        if config.daemon.watch == "auto":
            polling = is_silent(self._work.store.root) or is_silent(self._work.store.repository.common_dir)
        if self._watch is None or (polling and not self._watch.polling):
            if self._watch is not None:
                self._watch.stop()
            self._watch = Watch(self._touched, self._log.warning, polling=polling)
            self._log.info("watching %s", "by looking now and then" if polling else "for events")
        self._watch.over(places(self._work.store))

    def _touched(self, what: Touched) -> None:
        self._mailbox.touch(what, time.monotonic())

    def _listen(self, config: Config) -> None:
        bell = Bell(self._secret, {name: _signature(remote.vendor) for name, remote in config.remotes.items()})
        address = config.daemon.webhook
        if self._listener is not None and address == self._address:
            self._listener.ring_with(bell)
            return
        if self._listener is not None:
            self._listener.stop()
            self._listener = None
        self._address = address
        if not address:
            return
        if not self._secret:
            self._log.warning("[daemon] webhook is set, but PROMPTSTORE_WEBHOOK_SECRET is not: not listening")
            return
        try:
            self._listener = Listener(address, bell, lambda names: self._mailbox.put(Hint(names)))
        except ConfigError as error:
            self._log.error("%s", error)
            return
        self._log.info("listening for webhooks at %s", self._listener.url)


def _signature(name: str) -> Signed | None:
    try:
        module = vendor(name).webhook
    except PromptStoreError:
        return None
    signed: Signed | None = import_module(module).signed if module else None
    return signed


def row(standing: Standing, next_time: float | None) -> dict[str, Any]:
    """A remote's row of the status."""
    outcome = standing.outcome
    return {
        "last_sync": iso(standing.synced),
        "next_sync": iso(next_time),
        "state": outcome.state,
        "error": outcome.error,
        "conflicts": len(outcome.conflicts),
        "held": len(outcome.held),
    }
