"""From the config to open sessions."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from typing import Any

from promptstore.errors import ConfigError, PromptStoreError
from promptstore.store.config import RemoteConfig
from promptstore.store.store import Store
from promptstore.sync.agreement import Agreements
from promptstore.sync.credentials import Keys, endpoint
from promptstore.sync.session import Session
from promptstore.sync.tracking import Tracking
from promptstore.vendors.base import Connection, Vendor, Workspace
from promptstore.vendors.registry import vendor

Opener = Callable[[RemoteConfig, Vendor], Workspace]


def network_opener(keys: Keys, transport: Any = None, timing: Any = None) -> Opener:
    """Opens workspaces over the network (or over a given HTTP transport), by the real clock (or a given one)."""

    def opened(config: RemoteConfig, found: Vendor) -> Workspace:
        if found.needs_project and not config.project:
            raise ConfigError(
                f"[remotes.{config.name}] needs 'project', by name", hint=f"{found.title} keeps prompts in projects"
            )
        where = endpoint(config, found)
        connection = Connection(where.url, keys.key_for(config, found), config.project, transport, timing)
        workspace: Workspace = found.connect(connection)
        return workspace

    return opened


def chosen(store: Store, names: Iterable[str]) -> list[RemoteConfig]:
    """The remotes of these names, or all of them. Raises ConfigError for an unknown one."""
    known = store.config.remotes
    wanted = list(names)
    for name in wanted:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean '{near[0]}'?" if near else f"configured: {', '.join(known) or 'none'}"
            raise ConfigError(f"there is no remote '{name}'", hint=hint)
    return [known[name] for name in wanted] if wanted else list(known.values())


def open_sessions(store: Store, remotes: Iterable[RemoteConfig], opener: Opener | None) -> list[Session]:
    """A session a remote; without an opener they work from what was last seen. A remote that cannot be opened is told
    about in its session and left out of the run."""
    return [_session(store, config, opener) for config in remotes]


def _session(store: Store, config: RemoteConfig, opener: Opener | None) -> Session:
    found = vendor(config.vendor)
    agreements = Agreements(config.name, store.refs, store.objects, store.commits)
    tracking = Tracking(config.name, store.layout, store.refs, store.objects, store.commits)
    session = Session(config, found, None, agreements, tracking)
    if opener is not None:
        try:
            session.workspace = opener(config, found)
        except PromptStoreError as error:
            session.fail(error)
            session.down = True
    return session
