"""``promptstore merge-driver``: what git calls for prompt files, with the three versions in files."""

from __future__ import annotations

import subprocess

import click

from promptstore.cli.app import App
from promptstore.cli.framework import command
from promptstore.errors import InvalidPrompt


@command("merge-driver", "git config merge.promptstore.driver 'promptstore merge-driver %O %A %B %P'", hidden=True)
@click.argument("base")
@click.argument("ours")
@click.argument("theirs")
@click.argument("path")
def merge_driver(app: App, base: str, ours: str, theirs: str, path: str) -> int:
    """Merge THEIRS into OURS field by field, leaving the result in OURS; exit 1 when a field is in conflict.

    A file that is no valid prompt is merged line by line, as git would.
    """
    from promptstore.merge.driver import merge_files

    try:
        texts = [_read(app, name) for name in (base, ours, theirs)]
        merged = merge_files(texts[0] or None, texts[1], texts[2], path)
    except (InvalidPrompt, UnicodeDecodeError):
        labels = ["-L", "ours", "-L", "base", "-L", "theirs"]
        return subprocess.run(
            ["git", "merge-file", *labels, ours, base, theirs], cwd=app.directory, check=False
        ).returncode
    with open(app.path(ours), "w", encoding="utf-8", newline="") as file:
        file.write(merged.text)
    return 1 if merged.conflicted else 0


def _read(app: App, name: str) -> str:
    with open(app.path(name), encoding="utf-8", newline="") as file:
        return file.read()
