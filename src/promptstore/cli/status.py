"""``promptstore status``: files, branch and remotes in one view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from promptstore.cli.app import App
from promptstore.cli.engine import assemble, engine_lock, state_file
from promptstore.cli.files import prompt_paths
from promptstore.cli.framework import command
from promptstore.cli.show import exit_code

if TYPE_CHECKING:
    from promptstore.store.store import Store
    from promptstore.sync.actions import Plan


@command("status", "promptstore status --fetch")
@click.option("--fetch", is_flag=True, help="Look at the remotes first; without it nothing touches the network.")
def status(app: App, fetch: bool) -> int:
    """Show uncommitted prompts, and per remote what would go out (ahead) and come in (behind)."""
    from promptstore.cli.show import show_errors
    from promptstore.sync.last_sync import LastSync
    from promptstore.sync.observe import Depth

    with app.store() as store:
        working = _working(store)
        assembled = assemble(app, store, online=fetch)
        try:
            if fetch:
                with engine_lock(store):
                    assembled.engine.observe(Depth())
            else:
                assembled.engine.load()
            plan = assembled.engine.plan()
        finally:
            assembled.close()
        times = LastSync(state_file(store, "last-sync.json")).read()
        names = [session.name for session in assembled.sessions]
        place = _place(store)
        strays = sum(path.problem is not None for path in prompt_paths(app, store, ()))
    rows = {name: {**_counts(plan, name), "last_sync": times.get(name)} for name in names}
    if app.json:
        app.emit({"working": working, "remotes": rows})
    else:
        app.say(place)
        _print(app, working, strays, rows)
        show_errors(app, assembled.errors())
    return exit_code(plan, assembled.errors()) or (3 if working["invalid"] else 0)


def _working(store: Store) -> dict[str, list[str]]:
    from promptstore.errors import PromptStoreError
    from promptstore.sync.local import uncommitted

    modified, invalid = sorted(uncommitted(store)), []
    for slug in modified:
        try:
            store.working_facts(slug)
        except PromptStoreError as error:
            if error.kind == "invalid-prompt":
                invalid.append(slug)
    return {"modified": modified, "invalid": invalid}


def _counts(plan: Plan, remote: str) -> dict[str, int]:
    from promptstore.sync.actions import LOCAL_KINDS, LOCAL_TAG_KINDS, REMOTE_KINDS, REMOTE_TAG_KINDS

    kinds = [action.kind for action in plan.actions if action.remote == remote]
    return {
        "ahead": sum(kind in REMOTE_KINDS | REMOTE_TAG_KINDS | {"merge"} for kind in kinds),
        "behind": sum(kind in (LOCAL_KINDS | LOCAL_TAG_KINDS) - {"link", "move"} for kind in kinds),
        "conflicts": sum(conflict.remote == remote for conflict in plan.conflicts),
        "held": sum(held.remote == remote for held in plan.held),
    }


def _told(what: str, number: int) -> str:
    return f"1 {what.removesuffix('s')}" if number == 1 else f"{number} {what}"


def _place(store: Store) -> str:
    """The synced branch, and that another one is checked out."""
    branch, head = store.config.branch, store.refs.head_branch()
    if head == store.branch:
        return f"on {branch}"
    there = f"'{head.removeprefix('refs/heads/')}'" if head else "no branch"
    return f"on {branch} ({there} is checked out here; what counts is on {branch})"


def _print(app: App, working: dict[str, list[str]], strays: int, rows: dict[str, dict[str, Any]]) -> None:
    for slug in working["modified"]:
        mark = app.styled("invalid", "red") if slug in working["invalid"] else app.styled("not committed", "yellow")
        app.say(f"  {mark}  {slug}")
    if strays:
        app.say(f"  {strays} file{'s are' if strays > 1 else ' is'} no prompt; see `promptstore check`")
    for name, row in rows.items():
        parts = [_told(key, row[key]) for key in ("ahead", "behind", "conflicts", "held") if row[key]]
        when = f"last sync {row['last_sync']}" if row["last_sync"] else "never synced"
        app.say(f"{app.styled(name, 'bold')}: {', '.join(parts) or 'in sync as last seen'} ({when})")
    if any(row["conflicts"] for row in rows.values()):
        app.say("Next: promptstore conflicts")
    elif any(row["held"] for row in rows.values()):
        app.say("Next: promptstore plan says why it is held")
    if not rows:
        app.say("no remotes; `promptstore remote add` connects one")
