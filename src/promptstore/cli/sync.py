"""``promptstore sync``, ``pull`` and ``push``: one pass, both directions or one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from promptstore.cli.app import App
from promptstore.cli.engine import Assembled, Flags, assemble, engine_lock, state_file
from promptstore.cli.framework import Command, command
from promptstore.cli.pipeline import is_pull_request
from promptstore.cli.show import exit_code, report_plan, show_actions, show_errors, show_left
from promptstore.cli.wording import counted
from promptstore.sync.actions import Plan


def _options(function: Callable[..., int]) -> Callable[..., int]:
    for option in reversed(
        [
            click.argument("remotes", metavar="[REMOTE]...", nargs=-1),
            click.option("--only", metavar="GLOB", help="Only these prompts."),
            click.option("--history", is_flag=True, help="Bring every version that the vendor still gives."),
            click.option("--dry-run", is_flag=True, help="Show the plan and change nothing."),
            click.option("--markdown", is_flag=True, help="With --dry-run: print the plan as Markdown."),
            click.option("--accept", metavar="PLAN_ID", help="Carry out this very plan although a guard halted it."),
            click.option("--allow-delete", is_flag=True, help="Archive at the vendor what was deleted here."),
            click.option("--republish", is_flag=True, help="Publish older tagged versions, then the newest again."),
        ]
    ):
        function = option(function)
    return function


def _direction(name: str, example: str, text: str, *, pull: bool, push: bool) -> Command:
    def run(app: App, remotes: tuple[str, ...], **options: Any) -> int:
        return _run(app, remotes, pull=pull, push=push, **options)

    run.__doc__ = text
    return command(name, example)(_options(run))


sync = _direction(
    "sync",
    "promptstore sync",
    "Bring the store and its remotes together: pull, merge, publish, tags. Doing it again does nothing.",
    pull=True,
    push=True,
)
pull = _direction(
    "pull",
    "promptstore pull promptlayer --history",
    "Only bring the remotes' edits and tags here; nothing is published.",
    pull=True,
    push=False,
)
push = _direction(
    "push",
    "promptstore push --only 'support/**'",
    "Only publish what is committed here; the remotes' own edits are left for later.",
    pull=False,
    push=True,
)


def _run(
    app: App,
    remotes: tuple[str, ...],
    *,
    pull: bool,
    push: bool,
    only: str | None,
    history: bool,
    dry_run: bool,
    markdown: bool,
    accept: str | None,
    allow_delete: bool,
    republish: bool,
) -> int:
    from promptstore.sync.last_sync import LastSync
    from promptstore.sync.local import unpushed
    from promptstore.sync.observe import Depth

    flags = Flags(pull, push, only, allow_delete, republish)
    reviewed = is_pull_request(app.environ)
    if reviewed:
        app.note("this is a pull request: the plan is shown and nothing is changed")
    with app.store() as store, engine_lock(store):
        assembled = assemble(app, store, remotes, flags, ref="HEAD" if reviewed else None)
        try:
            assembled.engine.observe(Depth(history=history))
            if dry_run or reviewed:
                plan = assembled.engine.plan()
                return report_plan(app, plan, assembled.errors(), markdown=markdown or reviewed)
            result = assembled.engine.run(accept)
        finally:
            assembled.close()
        result.errors += assembled.unsent
        done = [session.name for session in assembled.sessions if not session.down]
        LastSync(state_file(store, "last-sync.json")).note(done, store.clock())
        waiting = set() if app.json else unpushed(store)
    actions = [{**action.as_json(), "result": "done"} for action in result.done]
    actions += [{**action.as_json(), "result": "failed"} for action in result.failed]
    if app.json:
        app.emit({**result.plan.as_json(), "actions": actions, "errors": [error.as_json() for error in result.errors]})
    else:
        show_actions(app, result.done)
        show_left(app, result.plan)
        _show_counts(app, assembled, result.plan)
        show_errors(app, result.errors)
        if not actions and not result.errors and not result.plan.halted:
            app.say("everything is in sync" if not result.plan.conflicts else "nothing else to do")
        if waiting:
            app.note(f"not pushed yet: {', '.join(sorted(waiting))} (only what is pushed is published: `git push`)")
    return exit_code(result.plan, result.errors)


def _show_counts(app: App, assembled: Assembled, plan: Plan) -> None:
    """Where something is held: how much of each remote that is, so that nobody has to count."""
    for session in assembled.sessions:
        held = {one.slug for one in plan.held if one.remote == session.name}
        if held and not session.down:
            there = sum(not entry.gone for entry in session.tracked.prompts.values())
            app.say(f"{session.name}: {counted(there, 'prompt')} there, {counted(len(held), 'prompt')} held")
