"""``promptstore demo``: the whole story in a temporary folder, against vendors served from this machine."""

from __future__ import annotations

import os
import shutil
import tempfile

import click

from promptstore.cli.app import App
from promptstore.cli.framework import command


@command("demo", "promptstore demo --keep /tmp/promptstore-demo")
@click.option("--keep", metavar="DIR", help="Play it in DIR, and leave everything there to look at.")
@click.option("--real", is_flag=True, help="Play it with a real Arize Phoenix, which must be installed here.")
def demo(app: App, keep: str | None, real: bool) -> int:
    """Play the whole story: import, edit, publish, an edit and a label in the vendor's page, a conflict, three vendors.

    No account and no network are needed: local twins play PromptLayer, Braintrust and Basalt. Every step is checked;
    exit 0 only if all of them came out right.

    With --real the vendor is a Phoenix of this machine, started for the story on free ports: it takes a minute more.
    """
    from promptstore.cli import demo_real, demo_story
    from promptstore.errors import UsageError

    play = demo_real.play if real else demo_story.play
    if keep is not None:
        folder = os.path.abspath(app.path(keep))
        if os.path.isdir(folder) and os.listdir(folder):
            raise UsageError(f"{folder} is not empty", hint="name a new folder with --keep")
        os.makedirs(folder, exist_ok=True)
        return play(app, folder, kept=True)
    folder = tempfile.mkdtemp(prefix="promptstore-demo-")
    try:
        return play(app, folder, kept=False)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
