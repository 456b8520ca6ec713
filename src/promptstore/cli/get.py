"""``promptstore get``: print a prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from promptstore.cli.app import App
from promptstore.cli.framework import command

if TYPE_CHECKING:
    from promptstore.store.address import Address
    from promptstore.store.store import Store


@command("get", "promptstore get support/summarizer@production")
@click.argument("address", metavar="SLUG[@REV]")
def get(app: App, address: str) -> None:
    """Print a prompt as YAML.

    REV is a version number, a tag, latest (the default), working (the file as it stands), or a git revision.
    """
    from promptstore.store.address import WORKING, parse_address

    asked = parse_address(address)
    with app.store() as store:
        if app.json:
            app.emit(_document(store, asked))
        elif asked.rev == WORKING:
            store.working_facts(asked.slug)
            app.write(store.working_text(asked.slug).decode("utf-8"))
        else:
            app.write(store.text(store.locate(asked)).decode("utf-8"))


def _document(store: Store, asked: Address) -> dict[str, Any]:
    from promptstore.store.address import WORKING

    if asked.rev == WORKING:
        facts = store.working_facts(asked.slug)
        return _row(asked.slug, None, None, facts.digest, [], facts.data)
    located = store.locate(asked)
    facts = store.facts(located)
    tags = [tag for tag, place in store.locator.tags(asked.slug, store.tip).items() if _same(place, located)]
    return _row(asked.slug, located.version, located.commit, facts.digest, sorted(tags), facts.data)


def _same(place: Any, located: Any) -> bool:
    return bool(place.blob == located.blob and place.version == located.version)


def _row(slug: str, version: int | None, commit: str | None, digest: str, tags: list[str], data: Any) -> dict[str, Any]:
    return {"slug": slug, "version": version, "commit": commit, "digest": digest, "tags": tags, "prompt": data}
