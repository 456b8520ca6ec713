"""``promptstore resolve``: settle conflicts."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

import click

from promptstore.cli.app import App
from promptstore.cli.engine import assemble, engine_lock
from promptstore.cli.framework import command
from promptstore.errors import NotFound, UsageError

if TYPE_CHECKING:
    from promptstore.store.store import Store
    from promptstore.sync.actions import Conflict, Held, Plan
    from promptstore.sync.resolve import OneSide, Resolver, Side
    from promptstore.sync.session import Session


@command("resolve", "promptstore resolve support/summarizer --ours")
@click.argument("slugs", metavar="[SLUG]...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every conflict there is.")
@click.option("--remote", metavar="NAME", help="Only conflicts with this remote.")
@click.option("--ours", is_flag=True, help="Take our side of each conflicting field.")
@click.option("--theirs", is_flag=True, help="Take the remote's side.")
@click.option("--edit", is_flag=True, help="Decide in $EDITOR.")
@click.option(
    "--field", "fields", metavar="FIELD=SIDE", multiple=True, help="Another side for one field, as conflicts names it."
)
def resolve(
    app: App,
    slugs: tuple[str, ...],
    everything: bool,
    remote: str | None,
    ours: bool,
    theirs: bool,
    edit: bool,
    fields: tuple[str, ...],
) -> None:
    """Settle conflicts and commit the result here; the next sync publishes it. Fields not in conflict are merged."""
    if bool(slugs) == everything:
        raise UsageError("name prompts, or give --all", hint="promptstore conflicts shows what there is")
    from promptstore.sync.resolve import in_turn

    side = _side(ours=ours, theirs=theirs, edit=edit)
    others = _others(fields, side)
    with app.store() as store, engine_lock(store):
        assembled = assemble(app, store, [remote] if remote else [], online=False)
        assembled.engine.load()
        found, held = _wanted(assembled.engine.plan(), slugs)
        _check_fields(others, found)
        settle = _Settling(store, side, others)
        done: list[Conflict] = []
        for session, mine in in_turn(store, assembled.sessions, found, assembled.engine.plan):
            settle(session, mine, held)
            assembled.engine.record()
            done += mine
    if app.json:
        app.emit({"conflicts": [conflict.as_json() for conflict in done]})
    settled = [(one.slug, one.remote, one.field) for one in done] + [(one.slug, one.remote, "") for one in held]
    for slug, name, field in () if app.json else settled:
        app.say(f"settled {slug} ({name}): {field or 'the whole prompt'}: {others.get(field, side)}")
    for one in found:
        if one not in done:
            app.say(f"left {one.slug} ({one.remote}): {one.field}: it is shown anew beside the settled text")
    if not settled:
        app.say("no conflicts")
    else:
        app.say("Next: promptstore sync")


def _side(*, ours: bool, theirs: bool, edit: bool) -> Side:
    """The one way that was asked for."""
    asked: list[Side] = []
    asked += ["ours"] if ours else []
    asked += ["theirs"] if theirs else []
    asked += ["edit"] if edit else []
    if len(asked) != 1:
        raise UsageError("say how: one of --ours, --theirs and --edit", hint="promptstore resolve SLUG --ours")
    return asked[0]


def _wanted(plan: Plan, slugs: tuple[str, ...]) -> tuple[list[Conflict], list[Held]]:
    """The conflicts in question, and what is held until a side is chosen: that only by name, since a `git pull` may
    be the better way out."""
    found = [conflict for conflict in plan.conflicts if not slugs or conflict.slug in slugs]
    open_ones = [held for held in plan.held if held.can_resolve]
    known = {conflict.slug for conflict in plan.conflicts} | {held.slug for held in open_ones}
    for slug in slugs:
        if slug not in known:
            near = get_close_matches(slug, known, 1)
            hint = f"did you mean '{near[0]}'?" if near else "`promptstore conflicts` shows what there is"
            raise NotFound(f"'{slug}' has no conflict", hint=hint)
    return found, [held for held in open_ones if held.slug in slugs]


def _others(fields: tuple[str, ...], side: Side) -> dict[str, OneSide]:
    """The fields that go another way than the rest."""
    found: dict[str, OneSide] = {}
    for field in fields:
        name, _, its = field.rpartition("=")
        if not name or its not in ("ours", "theirs") or side == "edit":
            raise UsageError(
                f"--field {field}: say FIELD=ours or FIELD=theirs, and --ours or --theirs for the rest",
                hint="promptstore resolve SLUG --ours --field model.name=theirs",
            )
        found[name] = "ours" if its == "ours" else "theirs"
    return found


def _check_fields(fields: dict[str, OneSide], conflicts: list[Conflict]) -> None:
    for field in fields:
        if field not in {conflict.field for conflict in conflicts}:
            raise NotFound(f"no conflict in the field '{field}'", hint="`promptstore conflicts` names the fields")


@dataclass(frozen=True)
class _Settling:
    """How the prompts of a run are settled."""

    store: Store
    side: Side
    others: dict[str, OneSide]

    def __call__(self, session: Session, conflicts: list[Conflict], held: list[Held]) -> None:
        for slug in sorted({conflict.slug for conflict in conflicts}):
            self._resolver(session).resolve(slug, [conflict for conflict in conflicts if conflict.slug == slug])
        for one in sorted((one for one in held if one.remote == session.name), key=lambda one: one.slug):
            resolver = self._resolver(session)
            (resolver.pass_over if one.unread else resolver.take)(one.slug)

    def _resolver(self, session: Session) -> Resolver:
        from promptstore.sync.local import read_local
        from promptstore.sync.resolve import Resolver

        return Resolver(self.store, session, read_local(self.store), self.side, _editor, self.others)


def _editor(text: str) -> str | None:
    try:
        return click.edit(text, extension=".yaml", require_save=True)
    except click.ClickException as error:
        raise UsageError(error.format_message(), hint="set EDITOR to an editor that can be run here") from None
