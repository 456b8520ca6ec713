"""``promptstore log``: a prompt's versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from promptstore.cli.app import App
from promptstore.cli.framework import command

if TYPE_CHECKING:
    from promptstore.store.store import Store
    from promptstore.store.versions import Version


@command("log", "promptstore log support/summarizer")
@click.argument("slug")
def log(app: App, slug: str) -> None:
    """Show a prompt's versions, newest first, with the tags and remotes that have them."""
    from promptstore.store.address import parse_address

    asked = parse_address(slug)
    with app.store() as store:
        store.locate(asked)
        rows = _rows(store, asked.slug)
        lasting = store.history.provisional(store.tip).get(asked.slug)
    if app.json:
        app.emit({"versions": rows})
        return
    for row in rows:
        _print(app, row, provisional=lasting is not None and row["version"] > lasting)


def _rows(store: Store, slug: str) -> list[dict[str, Any]]:
    versions = store.history.numbering(store.tip).of(slug)
    facts, _ = store.contents.facts_of({f"{slug}@{version.number}": version.blob for version in versions})
    tags = store.locator.tags(slug, store.tip)
    remotes = _remotes(store, slug)
    rows = []
    for version in reversed(versions):
        known = facts.get(f"{slug}@{version.number}")
        rows.append(
            {
                "version": version.number,
                "commit": version.commit,
                "digest": known.digest if known else None,
                **_commit(store, version),
                "tags": sorted(tag for tag, place in tags.items() if place.version == version.number),
                "remotes": {name: found[version.blob] for name, found in remotes.items() if version.blob in found},
            }
        )
    return rows


def _remotes(store: Store, slug: str) -> dict[str, dict[str, int | str]]:
    """Per remote, blob -> the vendor's version of it."""
    from promptstore.sync.remotes import chosen, open_sessions

    found = {}
    for session in open_sessions(store, chosen(store, []), None):
        session.load()
        agreed = session.agreed(slug)
        if agreed is not None:
            versions = agreed.link.versions.items()
            found[session.name] = {known.blob: session.vendor.shown(v) for v, known in versions}
    return found


def _commit(store: Store, version: Version) -> dict[str, Any]:
    from datetime import UTC, datetime

    found = store.objects.read(version.commit)
    text = found.data.decode("utf-8", "replace") if found else ""
    head, _, message = text.partition("\n\n")
    author = next((line for line in head.splitlines() if line.startswith("author ")), "")
    who, _, stamp = author.removeprefix("author ").rpartition("> ")
    when = datetime.fromtimestamp(int(stamp.split(" ")[0]), UTC) if stamp else None
    return {
        "date": when.strftime("%Y-%m-%dT%H:%M:%SZ") if when else None,
        "author": f"{who}>" if who else None,
        "message": message.strip(),
    }


def _print(app: App, row: dict[str, Any], *, provisional: bool) -> None:
    marks = [app.styled(tag, "green") for tag in row["tags"]]
    marks += [app.styled(f"{name}@{version}", "blue") for name, version in row["remotes"].items()]
    marks += ["provisional"] if provisional else []
    suffix = f"  ({', '.join(marks)})" if marks else ""
    number = app.styled(f"@{row['version']}", "yellow")
    app.write(f"{number}  {row['commit'][:10]}  {(row['date'] or '')[:10]}  {row['author'] or ''}{suffix}\n")
    app.write(f"    {row['message'].splitlines()[0] if row['message'] else ''}\n")
