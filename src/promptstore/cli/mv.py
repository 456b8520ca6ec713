"""``promptstore mv``: rename a prompt in the work tree."""

from __future__ import annotations

import os

import click

from promptstore.cli.app import App
from promptstore.cli.framework import command


@command("mv", "promptstore mv support/summarizer support/ticket-summary")
@click.argument("slug")
@click.argument("new")
def mv(app: App, slug: str, new: str) -> None:
    """Rename a prompt's file. Once that is committed, its versions, tags and links are the new name's.

    Nothing is renamed at a vendor.
    """
    from promptstore.errors import PromptNotFound, UsageError, Where
    from promptstore.store.address import parse_address

    old_slug, new_slug = parse_address(slug).slug, parse_address(new).slug
    with app.store() as store:
        old, target = store.layout.file(old_slug), store.layout.file(new_slug)
        if not os.path.isfile(old):
            raise PromptNotFound(
                f"there is no file of '{old_slug}'", where=Where(slug=old_slug), hint="see `promptstore list`"
            )
        if os.path.exists(target):
            raise UsageError(f"'{new_slug}' is there already", where=Where(slug=new_slug), hint="choose another slug")
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.rename(old, target)
        _prune(os.path.dirname(old), store.layout.directory)
    if app.json:
        app.emit({"slug": old_slug, "new": new_slug})
    else:
        app.say(f"{old_slug} is {new_slug} now; commit it to make that last")


def _prune(folder: str, root: str) -> None:
    """Remove folders that the move left empty."""
    while folder != root and os.path.isdir(folder) and not os.listdir(folder):
        os.rmdir(folder)
        folder = os.path.dirname(folder)
