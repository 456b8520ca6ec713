"""``promptstore tags``: where tags stand, and how they came there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from promptstore.cli.app import App
from promptstore.cli.framework import command

if TYPE_CHECKING:
    from promptstore.store.store import Store


@command("tags", "promptstore tags support/summarizer --history")
@click.argument("slug", required=False)
@click.option("--history", is_flag=True, help="Every move: who, when, from, to and why.")
def tags(app: App, slug: str | None, history: bool) -> None:
    """List deployment tags, of one prompt or of all."""
    from promptstore.store.address import parse_address

    wanted = parse_address(slug).slug if slug else None
    with app.store() as store:
        if history:
            _history(app, store, wanted)
        else:
            _standing(app, store, wanted)


def _standing(app: App, store: Store, slug: str | None) -> None:
    rows = _rows(store, slug)
    if app.json:
        app.emit({"tags": rows})
        return
    for row in rows:
        version = f"@{row['version']}" if row["version"] else f"at remote version {row.get('remote_version', '-')}"
        app.write(f"{row['slug']}  {app.styled(row['tag'], 'green')}  {version}\n")


def _rows(store: Store, slug: str | None) -> list[dict[str, Any]]:
    tip = store.tip
    numbering = store.history.numbering(tip)
    found = {slug: store.locator.tag_commits(slug, tip)} if slug else store.locator.all_tag_commits(tip)
    rows = []
    for name in sorted(found):
        for tag, commit in sorted(found[name].items()):
            place = store.locator.place(name, commit, numbering)
            row: dict[str, Any] = {"slug": name, "tag": tag, "version": place.version if place else None}
            if place is not None and place.version is None:
                row["remote_version"] = _remote_version(store, name, place.blob)
            rows.append(row)
    return rows


def _remote_version(store: Store, slug: str, blob: str) -> int | str | None:
    """The vendor's version of a text that never came to the branch."""
    from promptstore.sync.remotes import chosen, open_sessions

    for session in open_sessions(store, chosen(store, []), None):
        session.load()
        seen = session.tracked.prompts.get(slug)
        for version, known in (seen.versions if seen else {}).items():
            if known.blob == blob:
                return session.vendor.shown(version)
    return None


def _history(app: App, store: Store, slug: str | None) -> None:
    from promptstore.store.tagging import tag_history

    moves = tag_history(store, slug)
    if app.json:
        app.emit({"moves": [move.as_json() for move in moves]})
        return
    for move in moves:
        source = f" from {move.remote}" if move.remote else ""
        why = f"  {move.why}" if move.why else ""
        app.write(
            f"{move.when:%Y-%m-%d %H:%M}  {move.slug}  {app.styled(move.tag, 'green')}  "
            f"{move.old or '-'} -> {move.new or '-'}  {move.who}{source}{why}\n"
        )
