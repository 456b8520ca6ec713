"""``promptstore plan``: what sync would do."""

from __future__ import annotations

import click

from promptstore.cli.app import App
from promptstore.cli.engine import Flags, assemble, engine_lock
from promptstore.cli.framework import command
from promptstore.cli.show import report_plan


@command("plan", "promptstore plan promptlayer --exit-code")
@click.argument("remotes", metavar="[REMOTE]...", nargs=-1)
@click.option("--only", metavar="GLOB", help="Only these prompts.")
@click.option("--allow-delete", is_flag=True, help="Plan to archive at the vendor what was deleted here.")
@click.option("--republish", is_flag=True, help="Plan to publish older tagged versions again.")
@click.option("--ref", metavar="REF", help="Plan as if this ref were the synced branch (HEAD, in a pull request).")
@click.option("--markdown", is_flag=True, help="Print the plan as Markdown.")
@click.option("--exit-code", "differences", is_flag=True, help="Exit 4 when there is something to do.")
def plan(
    app: App,
    remotes: tuple[str, ...],
    only: str | None,
    allow_delete: bool,
    republish: bool,
    ref: str | None,
    markdown: bool,
    differences: bool,
) -> int:
    """Look at the remotes and show what sync would do. Nothing is changed here or there."""
    from promptstore.sync.observe import Depth

    flags = Flags(only=only, allow_delete=allow_delete, republish=republish)
    with app.store() as store, engine_lock(store):
        assembled = assemble(app, store, remotes, flags, ref=ref)
        try:
            assembled.engine.observe(Depth())
            found = assembled.engine.plan()
        finally:
            assembled.close()
    return report_plan(app, found, assembled.errors(), differences=differences, markdown=markdown)
