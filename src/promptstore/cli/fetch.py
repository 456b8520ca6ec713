"""``promptstore fetch``: look, and change nothing of ours."""

from __future__ import annotations

import click

from promptstore.cli.app import App
from promptstore.cli.engine import assemble, engine_lock, exit_code
from promptstore.cli.framework import command
from promptstore.cli.show import show_errors


@command("fetch", "promptstore fetch promptlayer && git log promptlayer/main")
@click.argument("remotes", metavar="[REMOTE]...", nargs=-1)
@click.option("--full", is_flag=True, help="Ask for every prompt's tags, not only the known ones.")
def fetch(app: App, remotes: tuple[str, ...], full: bool) -> int:
    """Look at the remotes: their prompts are then in git as NAME/main, to read with git log, diff and show."""
    from promptstore.sync.actions import Plan
    from promptstore.sync.observe import Depth

    with app.store() as store, engine_lock(store):
        assembled = assemble(app, store, remotes)
        try:
            counts = assembled.engine.observe(Depth(full=full))
        finally:
            assembled.close()
    if app.json:
        app.emit({"remotes": {name: found.as_json() for name, found in counts.items()}})
    for name, found in () if app.json else counts.items():
        told = ", ".join(f"{number} {word}" for word, number in found.as_json().items() if number)
        app.say(f"{name}: {told or 'no prompts'}")
    errors = assembled.errors()
    show_errors(app, errors)
    return exit_code(Plan(), errors)
