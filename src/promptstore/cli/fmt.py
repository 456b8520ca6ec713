"""``promptstore fmt``: the canonical layout."""

from __future__ import annotations

import click

from promptstore.cli.app import App
from promptstore.cli.files import prompt_paths
from promptstore.cli.framework import command
from promptstore.errors import InvalidPrompt


@command("fmt", "promptstore fmt --check")
@click.argument("paths", metavar="[PATH]...", nargs=-1)
@click.option("--check", is_flag=True, help="Change nothing; exit 1 when a file would change.")
def fmt(app: App, paths: tuple[str, ...], check: bool) -> int:
    """Bring prompt files into the canonical layout. Comments stay, the meaning does not change."""
    changed, broken = [], []
    with app.store() as store:
        for path in prompt_paths(app, store, paths):
            if path.slug is None:
                continue
            try:
                if _format(path.file, path.path, write=not check):
                    changed.append(path.path)
            except InvalidPrompt as problem:
                broken.append(problem)
    for error in broken:
        app.note(f"error: {error}\nhint: {error.hint}")
    if app.json:
        app.emit({"changed": changed})
    for name in () if app.json else changed:
        app.say(f"{'would change' if check else 'changed'} {name}")
    return 1 if broken or (check and changed) else 0


def _format(file: str, shown: str, *, write: bool) -> bool:
    from promptstore.model.reading import parse_prompt
    from promptstore.model.yaml.formatter import format_text
    from promptstore.store.atomic import replace_file

    with open(file, "rb") as opened:
        raw = opened.read()
    parse_prompt(raw, shown)
    new = format_text(raw.decode("utf-8-sig")).encode("utf-8")
    if new != raw and write:
        replace_file(file, new)
    return new != raw
