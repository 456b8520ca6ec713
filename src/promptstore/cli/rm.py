"""``promptstore rm``: remove a prompt from the work tree."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from promptstore.cli.app import App
from promptstore.cli.framework import command

if TYPE_CHECKING:
    from promptstore.store.store import Store


@command("rm", "promptstore rm support/old-summarizer")
@click.argument("slug")
@click.option("--force", is_flag=True, help="Remove the file even if it has edits that were never committed.")
def rm(app: App, slug: str, force: bool) -> None:
    """Remove a prompt's file. Its versions and tags stay in git; a vendor's copy is archived only by
    `sync --allow-delete`.

    A file with edits that were never committed stays, as nothing could bring them back.
    """
    from promptstore.errors import PromptNotFound, Where
    from promptstore.store.address import parse_address

    name = parse_address(slug).slug
    with app.store() as store:
        file = store.layout.file(name)
        if not os.path.isfile(file):
            raise PromptNotFound(f"there is no file of '{name}'", where=Where(slug=name), hint="see `promptstore list`")
        if not force:
            _refuse_edits(store, name)
        os.unlink(file)
    if app.json:
        app.emit({"slug": name})
    else:
        app.say(f"removed the file of {name}; commit it to make that last")


def _refuse_edits(store: Store, slug: str) -> None:
    """Raise UsageError where the file is not, as it stands, in the last commit of this work tree."""
    from promptstore.errors import UsageError, Where
    from promptstore.store.git.checkout import dirty_paths

    path, head = store.layout.path(slug), store.refs.read("HEAD")
    committed = store.objects.tree(head, path) if head else {}
    if dirty_paths(store.repository, committed, [path]):
        hint = "commit them first, or pass --force to lose them"
        raise UsageError(f"{path} has edits that were never committed", where=Where(slug=slug), hint=hint)
