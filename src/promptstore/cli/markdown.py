"""A plan as Markdown: for the comment on a pull request, or a job's summary."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from promptstore.cli.wording import shown_value
from promptstore.sync.actions import Action, Plan, SyncError

_VERBS = {
    "create-remote": "publish, new there",
    "update-remote": "publish",
    "delete-remote": "archive there",
    "tag-remote": "tag there",
    "untag-remote": "untag there",
    "create-local": "import",
    "update-local": "pull",
    "delete-local": "delete here",
    "tag-local": "tag here",
    "untag-local": "untag here",
    "merge": "merge",
    "link": "link",
    "move": "follow the move",
}
_SHORT = 200


def plan_markdown(plan: Plan, errors: Sequence[SyncError] = ()) -> str:
    """The whole plan: actions as a table, then conflicts, what is held or halted, and what went wrong."""
    lines = ["### promptstore plan", ""]
    nothing = ["No plan, or a part of it only: see the errors.", ""] if errors else ["Nothing to do.", ""]
    lines += list(_actions(plan.actions)) or nothing
    conflicts = [
        f"`{c.slug}` ({_text(c.remote)}) {_code(c.field or 'the whole prompt')}: ours {_value(c.ours)}, "
        f"theirs {_value(c.theirs)}"
        for c in plan.conflicts
    ]
    lines += _section("Conflicts", conflicts)
    lines += _section("Held", [f"`{h.slug}` ({_text(h.remote)}): {_text(h.reason)}" for h in plan.held])
    lines += _section("Halted", [f"{_text(h.remote)}: {_text(h.reason)}" for h in plan.halted])
    lines += _section("Errors", [f"{_text(_place(error))}: {_text(error.message)}" for error in errors])
    return "\n".join(lines) + "\n"


def _actions(actions: Iterable[Action]) -> Iterator[str]:
    rows = sorted(actions, key=lambda action: action.remote)
    if rows:
        yield from ("| remote | prompt | action | fields | why |", "| --- | --- | --- | --- | --- |")
    for action in rows:
        verb = _VERBS[action.kind] + (f" {_code(action.tag)}" if action.tag else "")
        fields = ", ".join(_code(field) for field in action.fields)
        yield f"| {_text(action.remote)} | `{action.slug}` | {verb} | {fields} | {_text(action.reason)} |"
    if rows:
        yield ""


def _section(title: str, items: Sequence[str]) -> list[str]:
    return [f"**{title}**", "", *(f"- {item}" for item in items), ""] if items else []


def _place(error: SyncError) -> str:
    return f"{error.remote}, {error.slug}" if error.slug else error.remote


def _value(value: Any) -> str:
    return _code(shown_value(value, _SHORT))


def _text(words: str) -> str:
    """Words that nobody can smuggle a table cell, a link or a mention through."""
    marked = "".join(f"\\{char}" if char in "\\`*_[]<>|#" else char for char in " ".join(words.split()))
    return marked.replace("@", "@\u200b")


def _code(words: str) -> str:
    """Words as code; what would end it is replaced."""
    flat = words.replace("\n", "⏎").replace("`", "ˋ").replace("|", "∣")
    return f"`{flat}`"
