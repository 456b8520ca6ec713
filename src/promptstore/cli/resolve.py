"""``promptstore resolve``: settle conflicts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from promptstore.cli.app import App
from promptstore.cli.engine import assemble, engine_lock
from promptstore.cli.framework import command
from promptstore.errors import NotFound, UsageError

if TYPE_CHECKING:
    from promptstore.store.store import Store
    from promptstore.sync.actions import Conflict, Held, Plan
    from promptstore.sync.resolve import Side
    from promptstore.sync.session import Session


@command("resolve", "promptstore resolve support/summarizer --ours")
@click.argument("slugs", metavar="[SLUG]...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every conflict there is.")
@click.option("--remote", metavar="NAME", help="Only conflicts with this remote.")
@click.option("--ours", "side", flag_value="ours", help="Take our side of each conflicting field.")
@click.option("--theirs", "side", flag_value="theirs", help="Take the remote's side.")
@click.option("--edit", "side", flag_value="edit", help="Decide in $EDITOR.")
def resolve(app: App, slugs: tuple[str, ...], everything: bool, remote: str | None, side: Side | None) -> None:
    """Settle conflicts and commit the result here; the next sync publishes it. Fields not in conflict are merged."""
    if side is None:
        raise UsageError("say how: --ours, --theirs or --edit", hint="promptstore resolve SLUG --ours")
    if bool(slugs) == everything:
        raise UsageError("name prompts, or give --all", hint="promptstore conflicts shows what there is")
    with app.store() as store, engine_lock(store):
        assembled = assemble(app, store, [remote] if remote else [], online=False)
        assembled.engine.load()
        found, held = _wanted(assembled.engine.plan(), slugs)
        for session in assembled.sessions:
            _settle(store, session, found, held, side)
            assembled.engine.record()
    if app.json:
        app.emit({"conflicts": [conflict.as_json() for conflict in found]})
    settled = [(one.slug, one.remote, one.field) for one in found] + [(one.slug, one.remote, "") for one in held]
    for slug, name, field in () if app.json else settled:
        app.say(f"settled {slug} ({name}): {field or 'the whole prompt'}: {side}")
    if not settled:
        app.say("no conflicts")
    else:
        app.say("Next: promptstore sync")


def _wanted(plan: Plan, slugs: tuple[str, ...]) -> tuple[list[Conflict], list[Held]]:
    """The conflicts in question, and what is held until a side is chosen: that only by name, since a `git pull` may
    be the better way out."""
    found = [conflict for conflict in plan.conflicts if not slugs or conflict.slug in slugs]
    held = [held for held in plan.held if held.can_resolve and held.slug in slugs]
    for slug in slugs:
        if slug not in {one.slug for one in found} | {one.slug for one in held}:
            raise NotFound(f"'{slug}' has no conflict", hint="`promptstore conflicts` shows what there is")
    return found, held


def _settle(store: Store, session: Session, conflicts: list[Conflict], held: list[Held], side: Side) -> None:
    from promptstore.sync.local import read_local
    from promptstore.sync.resolve import Resolver

    mine = [conflict for conflict in conflicts if conflict.remote == session.name]
    for slug in sorted({conflict.slug for conflict in mine}):
        resolver = Resolver(store, session, read_local(store), side, _editor)
        resolver.resolve(slug, [conflict for conflict in mine if conflict.slug == slug])
    for slug in sorted({one.slug for one in held if one.remote == session.name}):
        Resolver(store, session, read_local(store), side, _editor).take(slug)


def _editor(text: str) -> str | None:
    return click.edit(text, extension=".yaml", require_save=True)
