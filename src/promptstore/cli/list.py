"""``promptstore list``."""

from __future__ import annotations

from typing import Any

import click

from promptstore.cli.app import App
from promptstore.cli.framework import command
from promptstore.store.config import glob_match


@command("list", "promptstore list 'support/**'")
@click.argument("glob", required=False)
def list_prompts(app: App, glob: str | None) -> None:
    """List the committed prompts, with their newest version and their tags."""
    with app.store() as store:
        tip = store.tip
        facts, broken = store.all_facts(tip)
        numbering = store.history.numbering(tip)
        tags = store.locator.all_tag_commits(tip)
        rows: list[dict[str, Any]] = []
        for slug in sorted(facts):
            if glob is not None and not glob_match(slug, glob):
                continue
            newest = store.locator.latest(slug, tip)
            places = {tag: store.locator.place(slug, commit, numbering) for tag, commit in tags.get(slug, {}).items()}
            rows.append(
                {
                    "slug": slug,
                    "name": facts[slug].name or slug,
                    "version": newest.version,
                    "tags": {tag: place.version for tag, place in sorted(places.items()) if place},
                    "digest": facts[slug].digest,
                }
            )
    for slug, error in sorted(broken.items()):
        app.note(f"warning: {slug} is left out: {error}")
    if app.json:
        app.emit({"prompts": rows})
    else:
        _print(app, rows)


def _print(app: App, rows: list[dict[str, Any]]) -> None:
    width = max((len(row["slug"]) for row in rows), default=0)
    for row in rows:
        tags = " ".join(f"{tag}@{version or '-'}" for tag, version in row["tags"].items())
        name = "" if row["name"] == row["slug"] else f"  {row['name']}"
        version = f"@{row['version']}" if row["version"] else "@-"
        line = f"{row['slug']:<{width}}  {version:<4}{name}"
        app.write(line.rstrip() + (f"  {app.styled(tags, 'green')}" if tags else "") + "\n")
    if not rows:
        app.say("no committed prompts; `promptstore new SLUG` writes one")
