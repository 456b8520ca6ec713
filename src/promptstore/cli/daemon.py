"""``promptstore daemon``: the sync that runs by itself."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from promptstore.cli.app import App
from promptstore.cli.framework import CONTEXT, command

if TYPE_CHECKING:
    from promptstore.store.store import Store
    from promptstore.sync.remotes import Opener


@click.group("daemon", context_settings=CONTEXT, no_args_is_help=False)
def daemon() -> None:
    """Keep the store and its remotes together all the time.

    Example: promptstore daemon start
    """


@command("run", "promptstore daemon run")
def run(app: App) -> int:
    """Watch prompts, refs and remotes, and sync whatever changes, until SIGTERM or Ctrl-C.

    The config counts as it is committed on the synced branch. SIGHUP reads it again.
    """
    from promptstore.cli.engine import assemble, machine_keys
    from promptstore.daemon.running import Daemon
    from promptstore.daemon.work import Assembled
    from promptstore.store.config import find_root

    root = find_root(app.directory)

    def assembled(store: Store, names: Sequence[str], opener: Opener | None) -> Assembled:
        return assemble(app, store, names, online=False, opener=opener)

    def announce(status: Mapping[str, Any]) -> None:
        shown = {"running": True, **{key: status[key] for key in ("pid", "since", "webhook")}}
        app.write(json.dumps(shown) + "\n" if app.json else f"watching {root}, process {os.getpid()}\n")
        app.out.flush()

    stream = None if app.quiet else app.err
    return Daemon(root, machine_keys(app), assembled, announce).run(stream, verbose=bool(app.verbose))


daemon.add_command(run)
