"""``promptstore untag``: take a tag away."""

from __future__ import annotations

import click

from promptstore.cli.app import App
from promptstore.cli.framework import command


@command("untag", "promptstore untag support/summarizer staging")
@click.argument("slug")
@click.argument("name", metavar="TAG")
@click.option("-m", "--message", "why", default="", metavar="WHY", help="Why it goes; kept in the history.")
def untag(app: App, slug: str, name: str, why: str) -> None:
    """Take a deployment tag away."""
    from promptstore.store.address import parse_address
    from promptstore.store.tagging import delete_tag

    asked = parse_address(slug)
    with app.store() as store:
        was = delete_tag(store, asked.slug, name, why)
    if app.json:
        app.emit({"slug": asked.slug, "tag": name, "version": None, "was": was})
    else:
        app.say(f"{asked.slug}: {name} is gone" + (f" (was version {was})" if was else ""))
