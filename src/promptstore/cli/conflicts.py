"""``promptstore conflicts``."""

from __future__ import annotations

from promptstore.cli.app import App
from promptstore.cli.engine import assemble
from promptstore.cli.framework import command
from promptstore.cli.show import show_conflict


@command("conflicts", "promptstore conflicts --json")
def conflicts(app: App) -> int:
    """Show every field that both sides changed, with base, ours and theirs, as last seen. Exit 3 when there are any."""
    with app.store() as store:
        assembled = assemble(app, store, online=False)
        assembled.engine.load()
        found = assembled.engine.plan().conflicts
    if app.json:
        app.emit({"conflicts": [conflict.as_json() for conflict in found]})
    for conflict in () if app.json else found:
        show_conflict(app, conflict)
    if not found:
        app.say("no conflicts")
    return 3 if found else 0
