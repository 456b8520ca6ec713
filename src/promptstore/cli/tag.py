"""``promptstore tag``: name a version."""

from __future__ import annotations

import click

from promptstore.cli.app import App
from promptstore.cli.framework import command


@command("tag", "promptstore tag support/summarizer@3 production -m 'better on long tickets'")
@click.argument("address", metavar="SLUG[@REV]")
@click.argument("name", metavar="TAG")
@click.option("-m", "--message", "why", default="", metavar="WHY", help="Why it moves; kept in the history.")
def tag(app: App, address: str, name: str, why: str) -> None:
    """Set or move a deployment tag. Every move is kept: see `promptstore tags --history`."""
    from promptstore.errors import UsageError
    from promptstore.store.address import WORKING, parse_address
    from promptstore.store.tagging import set_tag

    asked = parse_address(address)
    if asked.rev == WORKING:
        raise UsageError("a tag names a committed version", hint="commit the file first")
    with app.store() as store:
        located = store.locate(asked)
        store.facts(located)  # whoever deploys it must be able to read it
        was = set_tag(store, located, name, why)
    if app.json:
        app.emit({"slug": asked.slug, "tag": name, "version": located.version, "was": was})
        return
    before = f" (was version {was})" if was and was != located.version else ""
    place = f"version {located.version}" if located.version else located.commit[:10]
    app.say(f"{asked.slug}: {name} is {place}{before}")
