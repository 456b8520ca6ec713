"""``promptstore rm``: remove a prompt from the work tree."""

from __future__ import annotations

import os

import click

from promptstore.cli.app import App
from promptstore.cli.framework import command


@command("rm", "promptstore rm support/old-summarizer")
@click.argument("slug")
def rm(app: App, slug: str) -> None:
    """Remove a prompt's file. Its versions and tags stay in git; a vendor's copy is archived only by
    `sync --allow-delete`."""
    from promptstore.errors import PromptNotFound, Where
    from promptstore.store.address import parse_address

    name = parse_address(slug).slug
    with app.store() as store:
        file = store.layout.file(name)
        if not os.path.isfile(file):
            raise PromptNotFound(f"there is no file of '{name}'", where=Where(slug=name), hint="see `promptstore list`")
        os.unlink(file)
    if app.json:
        app.emit({"slug": name})
    else:
        app.say(f"removed the file of {name}; commit it to make that last")
