"""``promptstore daemon install`` and ``uninstall``: the daemon as a service of the user's."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from promptstore.cli.app import App
from promptstore.cli.framework import command

if TYPE_CHECKING:
    from promptstore.daemon.service import Service


@command("install", "promptstore daemon install")
@click.option("--print", "shown", is_flag=True, help="Print the service's definition and do nothing.")
@click.option("--no-start", is_flag=True, help="Write the definition, and leave starting it to you.")
def install(app: App, shown: bool, no_start: bool) -> None:
    """Run the daemon as a service: with every login, and anew when it fails.

    A systemd user unit on Linux, a launchd agent on macOS. A service does not see your shell's variables: keys come
    from the keyring (`promptstore remote login`) or, under systemd, from ~/.config/promptstore/environment.
    """
    from promptstore.store.atomic import replace_file

    service = _service(app)
    if shown:
        if app.json:
            app.emit({"name": service.name, "path": service.path, "text": service.text})
        else:
            app.write(service.text)
        return
    replace_file(service.path, service.text)
    problem = "" if no_start else _carry_out(service.enable)
    started = not no_start and not problem
    if app.json:
        app.emit({"name": service.name, "path": service.path, "started": started})
        return
    app.say(f"wrote {service.path}")
    if problem:
        app.note(f"warning: {problem}")
    app.say(f"running as {service.name}" if started else f"Next: {' '.join(service.enable[-1])}")


@command("uninstall", "promptstore daemon uninstall")
def uninstall(app: App) -> None:
    """Stop the service and remove its definition."""
    service = _service(app)
    there = os.path.exists(service.path)
    problem = _carry_out(service.disable) if there else ""
    if there:
        os.unlink(service.path)
    if app.json:
        app.emit({"name": service.name, "path": service.path, "removed": there})
        return
    if problem:
        app.note(f"warning: {problem}")
    app.say(f"removed {service.path}" if there else "there is no service of this store")


def _service(app: App) -> Service:
    from promptstore.daemon.control import command_line
    from promptstore.daemon.service import service_for
    from promptstore.store.config import find_root

    root = find_root(app.directory)
    return service_for(sys.platform, root, command_line(root), app.environ, os.getuid())


def _carry_out(commands: Sequence[Sequence[str]]) -> str:
    """Run the service manager; returns what it did not do, in words."""
    for words in commands:
        if shutil.which(words[0]) is None:
            return f"there is no {words[0]} here"
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode:
            return f"{' '.join(words)}: {(done.stderr or done.stdout).strip() or 'failed'}"
    return ""
