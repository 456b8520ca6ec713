"""``promptstore diff``: what changed, by field, word by word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from promptstore.cli.app import App
from promptstore.cli.framework import command
from promptstore.errors import UsageError

if TYPE_CHECKING:
    from promptstore.model.changes import Change
    from promptstore.model.prompt_file import PromptFile
    from promptstore.store.address import Address
    from promptstore.store.store import Store

_LONG = 60  # characters from which a changed text is shown word by word on lines of its own


@command("diff", "promptstore diff support/summarizer@2 production")
@click.argument("address", metavar="SLUG[@A]", required=False)
@click.argument("other", metavar="[B]", required=False)
@click.option("--remote", metavar="NAME", help="Compare with a remote as last seen, every prompt or the one named.")
@click.option("--exit-code", is_flag=True, help="Exit 4 when there are differences.")
def diff(app: App, address: str | None, other: str | None, remote: str | None, exit_code: bool) -> int:
    """Show what changed between two versions (A is the newest committed one, B the working file)."""
    if address is None and remote is None:
        raise UsageError("name a prompt, or a remote with --remote", hint="promptstore diff support/summarizer@2 3")
    with app.store() as store:
        pairs = _remote_pairs(store, address, remote) if remote else [_pair(store, address or "", other)]
    rows = [(slug, change) for slug, old, new in pairs for change in _changes(old, new)]
    if app.json:
        app.emit({"changes": [_row(slug, change) for slug, change in rows]})
    else:
        _print(app, rows)
    return 4 if exit_code and rows else 0


def _changes(old: PromptFile | None, new: PromptFile | None) -> list[Change]:
    from promptstore.model.changes import changes

    return changes(old, new)


def _pair(store: Store, address: str, other: str | None) -> tuple[str, PromptFile, PromptFile]:
    from promptstore.store.address import WORKING, Address, parse_address

    first = parse_address(address)
    if other is None:
        second = Address(first.slug, WORKING)
    else:
        second = parse_address(other) if "@" in other.lstrip("@") else Address(first.slug, other.lstrip("@"))
    return first.slug, _file(store, first), _file(store, second)


def _file(store: Store, address: Address) -> PromptFile:
    from promptstore.model.prompt_file import PromptFile
    from promptstore.store.address import WORKING

    facts = store.working_facts(address.slug) if address.rev == WORKING else store.facts(store.locate(address))
    return PromptFile.model_validate(facts.data)


def _remote_pairs(
    store: Store, address: str | None, remote: str
) -> list[tuple[str, PromptFile | None, PromptFile | None]]:
    from promptstore.store.address import parse_address
    from promptstore.sync.remotes import chosen, open_sessions

    session = open_sessions(store, chosen(store, [remote]), None)[0]
    session.load()
    ours = store.prompts_at(store.tip)
    theirs = {slug: entry.blob for slug, entry in session.tracked.prompts.items()}
    wanted = {parse_address(address).slug} if address else {*ours, *theirs}
    blobs = {blob for slug in wanted for blob in (ours.get(slug), theirs.get(slug)) if blob}
    files = store.contents.known(blobs, store.layout.folder)
    return [
        (slug, files.get(theirs.get(slug, "")), files.get(ours.get(slug, "")))
        for slug in sorted(wanted)
        if session.config.covers(slug)
    ]


def _row(slug: str, change: Change) -> dict[str, Any]:
    return {"slug": slug, "path": change.path, "old": change.old, "new": change.new}


def _print(app: App, rows: list[tuple[str, Change]]) -> None:
    last = ""
    for slug, change in rows:
        if slug != last:
            app.write(app.styled(slug, "bold") + "\n")
            last = slug
        app.write(f"  {app.styled(change.path, 'blue')}: {_words(app, change)}\n")
    if not rows:
        app.say("no differences")


def _words(app: App, change: Change) -> str:
    import json

    from promptstore.model.changes import word_diff

    if isinstance(change.old, str) and isinstance(change.new, str):
        marks = {"-": ("red", "[-", "-]"), "+": ("green", "{+", "+}"), "=": (None, "", "")}
        parts = []
        for kind, text in word_diff(change.old, change.new):
            style, opened, closed = marks[kind]
            parts.append(app.styled(f"{opened}{text}{closed}", style) if style else text)
        joined = "".join(parts)
        return f"\n    {joined.rstrip().replace(chr(10), chr(10) + '    ')}" if len(joined) > _LONG else joined
    old = "" if change.old is None else app.styled(f"[-{json.dumps(change.old, ensure_ascii=False)}-]", "red")
    new = "" if change.new is None else app.styled(f"{{+{json.dumps(change.new, ensure_ascii=False)}+}}", "green")
    return " ".join(part for part in (old, new) if part)
