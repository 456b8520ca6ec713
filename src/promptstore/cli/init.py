"""``promptstore init``: make a store."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import click

from promptstore.cli.app import App
from promptstore.cli.framework import command

if TYPE_CHECKING:
    from git import Repo

CONFIG = """\
[store]
prompts = "prompts"            # folder
branch = "{branch}"                # the synced branch

# One table a vendor workspace; `promptstore remote add` writes them.
# [remotes.promptlayer]
# vendor = "promptlayer"       # its key: the environment variable PROMPTLAYER_API_KEY, or `promptstore remote login`
"""

ATTRIBUTES = ("prompts/** text eol=lf", "prompts/**/*.yaml merge=promptstore")

DRIVER = (
    "if command -v promptstore >/dev/null 2>&1; then promptstore merge-driver %O %A %B %P; "
    "else git merge-file -L ours -L base -L theirs %A %O %B; fi"
)


@command("init", "promptstore init my-prompts")
@click.argument("directory", metavar="[DIR]", required=False)
def init(app: App, directory: str | None) -> None:
    """Make a store: a git repository if there is none, a config, a prompts folder, the merge driver and the schema.

    Never overwrites anything, so it may be run again (after a clone it sets up the merge driver).
    """
    root = os.path.abspath(app.path(directory) if directory else app.directory)
    os.makedirs(root, exist_ok=True)
    repository = _repository(root)
    made = _files(root, repository)
    _merge_driver(repository)
    _refspecs(root)
    if app.json:
        app.emit({"root": root})
        return
    for path in made:
        app.say(f"made {path}")
    app.say(f"{root} is a promptstore." + ("" if made else " Nothing was missing."))
    app.say("Next: promptstore new greeting")


def _repository(root: str) -> Repo:
    from git import InvalidGitRepositoryError, Repo

    try:
        return Repo(root, search_parent_directories=True)
    except InvalidGitRepositoryError:
        return Repo.init(root, initial_branch="main")


def _files(root: str, repository: Repo) -> list[str]:
    from promptstore.model.schema import prompt_schema

    branch = "main" if repository.head.is_detached else repository.active_branch.name
    contents = {
        ".promptstore.toml": CONFIG.format(branch=branch),
        ".gitattributes": "".join(f"{line}\n" for line in ATTRIBUTES),
        "prompts/.schema.json": json.dumps(prompt_schema(), indent=2) + "\n",
    }
    return [path for path, text in contents.items() if _write_new(os.path.join(root, path), text)] + _attributes(root)


def _write_new(path: str, text: str) -> bool:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    try:
        with open(path, "x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        return False
    return True


def _attributes(root: str) -> list[str]:
    """Add our lines to attributes that were there already."""
    path = os.path.join(root, ".gitattributes")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    missing = [line for line in ATTRIBUTES if line not in text.splitlines()]
    if not missing:
        return []
    with open(path, "a", encoding="utf-8", newline="\n") as file:
        file.write(("" if text.endswith("\n") or not text else "\n") + "".join(f"{line}\n" for line in missing))
    return [".gitattributes (added lines)"]


def _refspecs(root: str) -> None:
    """Let a plain ``git fetch`` bring tags and version numbers along."""
    from promptstore.store.sharing import ensure_refspecs, git_remotes
    from promptstore.store.store import Store

    with Store.open(root) as store:
        if store.config.git.remote in git_remotes(store):
            ensure_refspecs(store, store.config.git.remote)


def _merge_driver(repository: Repo) -> None:
    with repository.config_writer() as config:
        config.set_value('merge "promptstore"', "name", "promptstore's merge of prompt files, field by field")
        config.set_value('merge "promptstore"', "driver", DRIVER)
