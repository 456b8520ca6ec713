"""``promptstore new``: a starter prompt."""

from __future__ import annotations

import os

import click

from promptstore.cli.app import App
from promptstore.cli.framework import command

STARTER = """\
{modeline}description: What this prompt is for.
model:
  provider: openai
  name: gpt-4o
template_format: jinja2
messages:
  - role: system
    content: |
      You are a helpful assistant.
  - role: user
    content: "{{{{ question }}}}"
"""


@command("new", "promptstore new support/summarizer")
@click.argument("slug")
def new(app: App, slug: str) -> None:
    """Write a starter prompt into the work tree. Commit it to make it version 1."""
    from promptstore.errors import UsageError, Where
    from promptstore.store.address import parse_address

    slug = parse_address(slug).slug
    with app.store() as store:
        path = store.layout.file(slug)
        shown = store.layout.path(slug)
        up = "../" * slug.count("/")
        schema = os.path.exists(os.path.join(store.layout.directory, ".schema.json"))
        modeline = f"# yaml-language-server: $schema={up or './'}.schema.json\n\n" if schema else ""
        os.makedirs(os.path.dirname(path), exist_ok=True)
        try:
            with open(path, "x", encoding="utf-8", newline="\n") as file:
                file.write(STARTER.format(modeline=modeline))
        except FileExistsError:
            raise UsageError(
                f"'{slug}' is there already", where=Where(path=shown), hint="choose another slug, or edit that file"
            ) from None
    if app.json:
        app.emit({"slug": slug, "path": shown})
    else:
        here = os.path.relpath(path, app.directory)
        app.say(f"wrote {here}")
        app.say(f"Next: edit it, then `git add {here} && git commit`")
