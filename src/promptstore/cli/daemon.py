"""``promptstore daemon``: the sync that runs by itself, and how it is started, stopped and asked."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from promptstore.cli.app import App
from promptstore.cli.daemon_service import install, uninstall
from promptstore.cli.framework import CONTEXT, command

if TYPE_CHECKING:
    from promptstore.store.store import Store
    from promptstore.sync.remotes import Opener

NOT_RUNNING = 3


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

    root = _root(app)

    def assembled(store: Store, names: Sequence[str], opener: Opener | None) -> Assembled:
        return assemble(app, store, names, online=False, opener=opener, keep=True)

    def announce(status: Mapping[str, Any]) -> None:
        shown = {"running": True, **{key: status[key] for key in ("pid", "since", "webhook")}}
        app.write(json.dumps(shown) + "\n" if app.json else f"watching {root}, process {os.getpid()}\n")
        app.out.flush()

    stream = None if app.quiet else app.err
    return Daemon(root, machine_keys(app), assembled, announce).run(stream, verbose=bool(app.verbose))


@command("start", "promptstore daemon start")
def start(app: App) -> None:
    """Run the daemon in the background; it outlives the terminal, but not the machine (see `install`)."""
    from promptstore.daemon.control import start as begin

    pid = begin(_root(app), _folder(app))
    if app.json:
        app.emit({"running": True, "pid": pid})
    app.say(f"running, process {pid}")


@command("stop", "promptstore daemon stop")
def stop(app: App) -> None:
    """End the daemon after the write it has in hand."""
    from promptstore.daemon.control import stop as end

    pid = end(_folder(app))
    if app.json:
        app.emit({"running": False, "pid": pid})
    app.say("not running" if pid is None else f"stopped process {pid}")


@command("status", "promptstore daemon status")
def status(app: App) -> int:
    """Show whether it runs, when each remote was and will be looked at, and what is wrong.

    Exits 0 while it runs, 3 when it does not.
    """
    from promptstore.daemon.status import report

    told = report(_folder(app))
    if app.json:
        app.emit(told)
    else:
        _show(app, told)
    return 0 if told["running"] else NOT_RUNNING


def _show(app: App, told: Mapping[str, Any]) -> None:
    app.say(f"running, process {told['pid']}, since {told['since']}" if told["running"] else "not running")
    if told.get("problem"):
        app.say(app.styled(told["problem"], "red"))
    for name, row in told["remotes"].items():
        color = "green" if row["state"] == "ok" else "yellow"
        times = [f"last sync {row['last_sync'] or 'never'}"] + (
            [f"next {row['next_sync']}"] if row["next_sync"] else []
        )
        app.say(f"{app.styled(name, 'bold')}: {app.styled(row['state'], color)} ({', '.join(times)})")
        if row["error"]:
            app.say(f"  {row['error']}")


@command("logs", "promptstore daemon logs --follow")
@click.option("-n", "--lines", metavar="N", type=click.IntRange(0), default=50, show_default=True, help="How many.")
@click.option("-f", "--follow", is_flag=True, help="Go on with what comes; Ctrl-C ends it.")
def logs(app: App, lines: int, follow: bool) -> None:
    """Print the last lines of the daemon's log."""
    from promptstore.daemon.log import read_log
    from promptstore.errors import UsageError

    folder = _folder(app)
    rows = read_log(folder, lines)
    if app.json:
        if follow:
            raise UsageError("--json prints one document, and --follow never ends", hint="use one of them")
        app.emit({"lines": rows})
        return
    for row in rows:
        app.say(_line(row))
    for new in _new_rows(folder) if follow else ():
        app.say(_line(new))
        app.out.flush()


def _line(row: Mapping[str, Any]) -> str:
    return f"{row['time']} {row['level']:<7} {row['message']}"


def _new_rows(folder: str) -> Iterator[Mapping[str, Any]]:
    from promptstore.daemon.log import Tail

    tail = Tail(folder)
    while True:
        yield from tail.rows()
        time.sleep(0.5)


def _root(app: App) -> str:
    from promptstore.store.config import find_root

    return find_root(app.directory)


def _folder(app: App) -> str:
    from promptstore.store.git.repository import require_repository

    return require_repository(_root(app)).state_dir


for child in (run, start, stop, status, logs, install, uninstall):
    daemon.add_command(child)
