"""Finding out whether this clone is alone."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable

from promptstore.store.sharing import Names
from promptstore.store.store import Store
from promptstore.sync.files import DISK, Files
from promptstore.sync.journal import Journal
from promptstore.sync.team.clone import this_clone
from promptstore.sync.team.exchange import Exchange, Publisher
from promptstore.sync.team.fork import Fork, is_same
from promptstore.sync.team.lead import Alone, Team
from promptstore.sync.team.leases import Leases
from promptstore.sync.team.sightings import Sightings

_YES = frozenset({"true", "yes", "on", "1"})


def team_of(
    store: Store,
    journal: Journal,
    *,
    seconds: Callable[[], float],
    note: Callable[[str], None],
    keep: bool = False,
    files: Files = DISK,
    host: Callable[[], str] = socket.gethostname,
) -> Team:
    """The clones that share the git remote of ``[git] remote``; without one this clone is alone.

    ``seconds`` is the wall clock, ``note`` tells people what happened, ``keep`` holds leases beyond the run. ``files``
    and ``host`` are this machine's.
    """
    remote = store.config.git.remote
    url = store.git.revisions.setting(f"remote.{remote}.url") if remote else None
    if url is None:
        return Alone()
    named = store.config.git.url
    if named and not is_same(named, url):
        return Fork(remote, url, named)
    names = Names(remote)
    if (store.git.revisions.setting("promptstore.publisher") or "").lower() in _YES:
        return Publisher(store, names)
    leases = Leases(
        store,
        names,
        this_clone(store, files, host),
        journal,
        seconds=seconds,
        duration=store.config.daemon.lease,
        sightings=Sightings(os.path.join(store.repository.state_dir, "leases.json"), files),
        keep=keep,
    )
    return Exchange(store, names, leases, note, keep=keep)
