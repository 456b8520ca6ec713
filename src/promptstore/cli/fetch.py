"""``promptstore fetch``: look, and change nothing of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from promptstore.cli.app import App
from promptstore.cli.engine import Assembled, assemble, engine_lock
from promptstore.cli.framework import command
from promptstore.cli.show import exit_code, show_errors

if TYPE_CHECKING:
    from promptstore.store.store import Store
    from promptstore.sync.actions import SyncError


@command("fetch", "promptstore fetch promptlayer && git log promptlayer/main")
@click.argument("remotes", metavar="[REMOTE]...", nargs=-1)
@click.option("--full", is_flag=True, help="Ask for every prompt's tags, not only the known ones.")
def fetch(app: App, remotes: tuple[str, ...], full: bool) -> int:
    """Look at the remotes: their prompts are then in git as NAME/main, to read with git log, diff and show.

    The git remote (origin) may be named too: it brings tags, version numbers and what other clones agreed on, and
    needs no vendor's key.
    """
    from promptstore.sync.actions import Plan
    from promptstore.sync.observe import Depth

    with app.store() as store:
        shared = [name for name in remotes if name == store.config.git.remote]
        vendors = [name for name in remotes if name not in shared]
        rows = {name: _fetch_shared(app, store, name) for name in shared}
        if shared and not vendors:
            return _report(app, rows, 0)
        with engine_lock(store):
            assembled = assemble(app, store, vendors)
            try:
                counts = assembled.engine.observe(Depth(full=full))
            finally:
                assembled.close()
    rows |= {name: found.as_json() for name, found in counts.items()}
    errors = [error for error in assembled.errors() if not _leads_elsewhere(app, assembled, error)]
    show_errors(app, errors)
    return _report(app, rows, exit_code(Plan(), errors))


def _leads_elsewhere(app: App, assembled: Assembled, error: SyncError) -> bool:
    """Whether an error only says that another clone leads the remote: who looks needs no lead."""
    if error.message not in {session.leader for session in assembled.sessions if session.name == error.remote}:
        return False
    app.note(f"{error.remote}: {error.message}")
    return True


def _fetch_shared(app: App, store: Store, remote: str) -> dict[str, int]:
    from promptstore.store.sharing import fetch_shared

    found = fetch_shared(store, remote)
    for name in found.conflicts:
        app.note(f"warning: {name} was moved both here and at {remote}; ours is kept")
    if found.restored:
        app.note(f"warning: {remote} has none of its {found.restored} tags any more; ours are kept")
    return found.as_json()


def _report(app: App, rows: dict[str, dict[str, int]], code: int) -> int:
    if app.json:
        app.emit({"remotes": rows})
    for name, row in () if app.json else rows.items():
        told = ", ".join(f"{number} {word}" for word, number in row.items() if number)
        app.say(f"{name}: {told or 'nothing'}")
    return code
