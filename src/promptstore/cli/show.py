"""Plans and their outcomes, for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from promptstore.cli.app import App
from promptstore.cli.wording import counted, shown_value
from promptstore.sync.actions import Action, Conflict, Plan, SyncError

_VERBS = {
    "create-remote": ("green", "publish new"),
    "update-remote": ("green", "publish"),
    "delete-remote": ("red", "archive there"),
    "tag-remote": ("blue", "tag there"),
    "untag-remote": ("red", "untag there"),
    "create-local": ("green", "import"),
    "update-local": ("green", "pull"),
    "delete-local": ("red", "delete here"),
    "tag-local": ("blue", "tag here"),
    "untag-local": ("red", "untag here"),
    "merge": ("yellow", "merge"),
    "link": ("dim", "link"),
    "move": ("dim", "follow move"),
}
_SHORT = 70


def report_plan(
    app: App, plan: Plan, errors: Sequence[SyncError], *, differences: bool = False, markdown: bool = False
) -> int:
    """Tell a plan and what went wrong on the way to it; returns the exit code."""
    if app.json:
        app.emit({**plan.as_json(), "errors": [error.as_json() for error in errors]})
    elif markdown:
        from promptstore.cli.markdown import plan_markdown

        app.write(plan_markdown(plan, errors))
    else:
        show_plan(app, plan, complete=not errors)
        show_errors(app, errors)
    return exit_code(plan, errors, differences=differences)


def exit_code(plan: Plan, errors: Iterable[SyncError], *, differences: bool = False) -> int:
    """1, then 75, 3 and 4, where several hold."""
    found = list(errors)
    if any(not error.retry for error in found):
        return 1
    if found:
        return 75
    if plan.conflicts or plan.held or plan.halted:
        return 3
    return 4 if differences and plan.actions else 0


def show_plan(app: App, plan: Plan, *, complete: bool = True) -> None:
    """The whole plan, by remote. Without every remote looked at, an empty plan says nothing."""
    show_actions(app, plan.actions)
    show_left(app, plan)
    if plan.actions:
        app.say(f"plan {plan.plan_id}: {counted(len(plan.actions), 'action')}")
    elif complete and not (plan.conflicts or plan.held or plan.halted):
        app.say("nothing to do")


def show_actions(app: App, actions: Iterable[Action], mark: str = "") -> None:
    remote = ""
    for action in sorted(actions, key=lambda action: action.remote):
        if action.remote != remote:
            remote = action.remote
            app.say(app.styled(remote, "bold"))
        app.say(f"  {mark}{_action(app, action)}")


def _action(app: App, action: Action) -> str:
    color, verb = _VERBS[action.kind]
    what = f"{action.slug}" + (f": {action.tag}" if action.tag else "")
    version = f" @{action.version}" if action.version is not None else ""
    fields = f" [{', '.join(action.fields)}]" if action.fields else ""
    reason = app.styled(f"  {action.reason}", "dim") if action.reason else ""
    return f"{app.styled(f'{verb:<13}', color)} {what}{version}{fields}{reason}"


def show_left(app: App, plan: Plan) -> None:
    """Conflicts, what is held, and what is halted: with the way out of each."""
    for conflict in plan.conflicts:
        show_conflict(app, conflict)
    for held in plan.held:
        app.say(f"{app.styled('held', 'yellow')} {held.slug} ({held.remote}): {held.reason}")
        app.say(f"  hint: {held.hint}")
    for halt in plan.halted:
        app.say(f"{app.styled('halted', 'red')} {halt.remote}: {halt.reason}")
        app.say(f"  hint: if that is right, run `promptstore sync --accept {plan.plan_id}`")


def show_conflict(app: App, conflict: Conflict) -> None:
    field = conflict.field or "the whole prompt"
    app.say(f"{app.styled('conflict', 'red')} {conflict.slug} ({conflict.remote}): {field}")
    for name, value in (("base", conflict.base), ("ours", conflict.ours), ("theirs", conflict.theirs)):
        app.say(f"  {name + ':':<8}{shown_value(value, _SHORT)}")
    app.say(f"  hint: promptstore resolve {conflict.slug} --ours | --theirs | --edit")


def show_errors(app: App, errors: Iterable[SyncError]) -> None:
    for error in errors:
        place = f"remote {error.remote}" + (f", prompt {error.slug}" if error.slug else "")
        app.note(f"{app.styled('error', 'red')}: {error.message} ({place})")
        if error.hint:
            app.note(f"hint: {error.hint}")
