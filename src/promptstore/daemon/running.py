"""``daemon run``: everything put together, in front, until a signal ends it."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TextIO

from promptstore.daemon.interruptible import Interruptible
from promptstore.daemon.log import Secrets, open_log
from promptstore.daemon.loop import Clocks, Loop
from promptstore.daemon.mailbox import Mailbox
from promptstore.daemon.notify import Notifier
from promptstore.daemon.status import Lock, StatusFile, from_iso
from promptstore.daemon.surroundings import Here
from promptstore.daemon.systemd import Supervisor
from promptstore.daemon.work import Assembled, Work
from promptstore.daemon.worker import Worker
from promptstore.errors import RemoteUnreachable
from promptstore.store.config import RemoteConfig
from promptstore.store.git.repository import require_repository
from promptstore.store.store import Store
from promptstore.sync.credentials import Keys
from promptstore.sync.last_sync import LastSync
from promptstore.sync.remotes import Opener, network_opener
from promptstore.vendors.base import Vendor, Workspace
from promptstore.vendors.http import Timing

SECRET_VARIABLE = "PROMPTSTORE_WEBHOOK_SECRET"

AssembleWith = Callable[[Store, Sequence[str], Opener | None], Assembled]
"""``(store, remotes, opener)``: an engine over these remotes; without an opener it stays offline."""

Announce = Callable[[Mapping[str, Any]], None]


_PRIVATE = re.compile(r"(?:^|_)(?:KEY|TOKEN|SECRET|PASSWORD)$", re.IGNORECASE)
_SHORTEST = 6
"""Shorter values are words like ``true``."""


def _private(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that look as if they held a key: whichever of them a config may come to name."""
    return {name: value for name, value in environ.items() if _PRIVATE.search(name) and len(value) >= _SHORTEST}


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True


class Daemon:
    """One daemon of one clone."""

    def __init__(self, root: str, keys: Keys, assemble: AssembleWith, announce: Announce) -> None:
        """``announce`` is called once, with the first status, when everything is watched."""
        self._root = root
        self._secrets = Secrets([*_private(keys.environ).values(), keys.environ.get(SECRET_VARIABLE, "")])
        self._keys = replace(keys, keyring=lambda name: self._learned(keys.keyring(name)))
        self._assemble_with = assemble
        self._announce = announce
        self._folder = require_repository(root).state_dir
        self._mailbox = Mailbox()
        self._stop = threading.Event()
        self._progress: Callable[[], None] = lambda: None

    def run(self, stream: TextIO | None, *, verbose: bool = False) -> int:
        """Run until SIGTERM or SIGINT, telling ``stream`` what happens.

        Raises StoreBusy where a daemon runs already, and ConfigError where there is no config to begin with.
        """
        lock = Lock(self._folder)
        lock.take()
        try:
            return self._run(lock, stream, verbose)
        finally:
            lock.release()

    def _run(self, lock: Lock, stream: TextIO | None, verbose: bool) -> int:
        branch = StatusFile(self._folder).read().get("branch")
        work = Work(self._root, self._assemble, branch=branch if isinstance(branch, str) else None)
        config = work.store.config
        log = open_log(self._folder, self._secrets, stream, verbose=verbose)
        worker = Worker(work, self._mailbox, time.monotonic)
        self._progress = worker.progress
        here = Here(
            work,
            self._mailbox,
            log,
            Notifier(self._keys.environ, _private(self._keys.environ), log),
            Supervisor(self._keys.environ),
            lock=lock,
            folder=self._folder,
            secret=self._keys.environ.get(SECRET_VARIABLE, ""),
            clean=self._secrets.clean,
            ready=self._announce,
        )
        log.info("started, process %s, with the config of %s", os.getpid(), work.source)
        with self._signals():
            ending = Loop(worker, self._mailbox, here, log, Clocks(), self._synced()).run(config)
        here.close()
        log.info(
            "stopped" if ending.in_time else "stopped in the middle of a call; the next run settles what came of it"
        )
        if not ending.in_time:
            os._exit(0)  # a call that hangs would keep the interpreter from ending
        work.close()
        return 1 if ending.replaced else 0

    # --- engines whose calls can be refused

    def _assemble(self, store: Store, remotes: Sequence[str], online: bool) -> Assembled:
        return self._assemble_with(store, remotes, self._opened if online else None)

    def _opened(self, config: RemoteConfig, found: Vendor) -> Workspace:
        self._secrets.learn(self._keys.environ.get(self._keys.variable(config, found)))
        inner = network_opener(self._keys, timing=Timing(sleep=self._sleep))(config, found)
        return Interruptible(inner, self._stop, self._progress)

    def _sleep(self, seconds: float) -> None:
        """Between two tries of a read; at the end there is no other try."""
        self._progress()
        if self._stop.wait(seconds):
            raise RemoteUnreachable("the daemon is ending", hint="the next run does it")

    # --- signals

    def _signals(self) -> _Signals:
        def end(*_: object) -> None:
            self._stop.set()
            self._mailbox.put("stop")

        in_terminal = _has_terminal()

        def reload(*_: object) -> None:
            if in_terminal and not _has_terminal():
                end()  # it was not asked to reload: its window was closed
            else:
                self._mailbox.put("reload")

        return _Signals({signal.SIGTERM: end, signal.SIGINT: end, signal.SIGHUP: reload, signal.SIGIO: signal.SIG_IGN})

    # --- what is private, and what was

    def _learned(self, secret: str | None) -> str | None:
        self._secrets.learn(secret)
        return secret

    def _synced(self) -> dict[str, float]:
        told = LastSync(os.path.join(self._folder, "last-sync.json")).read()
        times = {name: from_iso(text) for name, text in told.items()}
        return {name: time for name, time in times.items() if time is not None}


class _Signals:
    """Handlers for as long as the block lasts; only the main thread can have them."""

    def __init__(self, handlers: Mapping[signal.Signals, Any]) -> None:
        self._handlers = handlers
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> None:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, handler) for number, handler in self._handlers.items()}

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
