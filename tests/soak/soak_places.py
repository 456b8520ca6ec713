"""What the daemons talk to, and what outlives them: the git server, which can die, and the vendors behind bad lines."""

from __future__ import annotations

import os
import random
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from git_servers import free_port, wait_for
from hubs import Twin, serve
from proxy import (
    DROP_REPLY,
    DROP_REQUEST,
    EMPTY,
    GARBAGE,
    HTML,
    NONE,
    TRUNCATE,
    Fault,
    FaultyProxy,
    chaos,
    delayed,
    error_after,
    error_before,
    limited,
)

from promptstore.store.store import Store

VENDORS = ("promptlayer", "braintrust", "basalt")
FAULTS: tuple[Fault, ...] = (
    DROP_REPLY,
    DROP_REPLY,
    DROP_REQUEST,
    error_before(),
    error_before(500),
    error_after(),
    error_after(500),
    limited(1),
    TRUNCATE,
    GARBAGE,
    HTML,
    EMPTY,
    delayed(before=1.0),
    delayed(after=1.0),
)


@dataclass
class Origin:
    """``git daemon`` over a bare repository, at one port for its whole life."""

    bare: Path
    port: int = field(default_factory=free_port)
    kills: int = 0

    def __post_init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"git://127.0.0.1:{self.port}/{self.bare.name}"

    @property
    def is_up(self) -> bool:
        return self._process is not None

    def start(self) -> None:
        """Serve it. The locks of processes that were killed are taken away, as whoever runs a git server does."""
        for lock in self.bare.rglob("*.lock"):
            lock.unlink(missing_ok=True)
        options = ["--reuseaddr", "--export-all", "--enable=receive-pack", "--listen=127.0.0.1"]
        command = ["git", "daemon", *options, f"--port={self.port}", f"--base-path={self.bare.parent}"]
        self._process = subprocess.Popen(
            [*command, str(self.bare.parent)], stderr=subprocess.DEVNULL, start_new_session=True
        )
        wait_for(self.port)

    def kill(self) -> None:
        """The server dies, and with it whatever it has in hand."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None
            self.kills += 1


@dataclass
class Place:
    """One vendor: ``twin`` is its own page, ``proxy`` what the daemons reach."""

    twin: Twin
    proxy: FaultyProxy

    @property
    def name(self) -> str:
        return self.twin.vendor

    @property
    def repository(self) -> Path:
        return Path(self.twin.store.root)


def weather(place: Place, dice: random.Random, rate: float) -> None:
    """From now on about this share of all exchanges goes wrong."""
    place.proxy.rule = chaos(random.Random(dice.random()), rate, *FAULTS) if rate else lambda _: NONE


@contextmanager
def vendors(folder: Path) -> Iterator[dict[str, Place]]:
    """Empty workspaces of all vendors. People use them through a store of their own, beside the server's threads."""
    with ExitStack() as stack:
        places = {}
        for name in VENDORS:
            twin = stack.enter_context(serve(folder / name, name))
            proxy = stack.enter_context(FaultyProxy(twin.url))
            page = replace(twin, store=stack.enter_context(Store.open(folder / name)))
            places[name] = Place(page, proxy)
        yield places
