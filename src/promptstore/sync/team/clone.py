"""Which clone this is: leases are given to clones, since each has a journal of its own."""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from promptstore.store.store import Store
from promptstore.sync.files import DISK, Files


@dataclass(frozen=True, slots=True)
class Clone:
    """``id`` never changes while the clone lives; ``host`` is for people."""

    id: str
    host: str


def this_clone(store: Store, files: Files = DISK, host: Callable[[], str] = socket.gethostname) -> Clone:
    """This clone; the first call gives it its id, kept in ``.git/promptstore/clone``."""
    path = os.path.join(store.repository.state_dir, "clone")
    known = (files.read(path) or b"").decode("ascii", "replace").strip()
    if not known:
        known = uuid.uuid4().hex
        files.replace(path, f"{known}\n".encode())
    return Clone(known, host())
