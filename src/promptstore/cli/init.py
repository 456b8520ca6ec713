"""``promptstore init``: make a store."""

from __future__ import annotations

import json
import os
import shlex
from typing import TYPE_CHECKING

import click

from promptstore.cli.app import App
from promptstore.cli.framework import command
from promptstore.errors import StoreNotFound, UsageError, Where

if TYPE_CHECKING:
    from promptstore.store.git.repository import Repository

CONFIG = """\
[store]
prompts = "prompts"            # folder
branch = "{branch}"                # the synced branch

# One table a vendor workspace; `promptstore remote add` writes them.
# [remotes.promptlayer]
# vendor = "promptlayer"       # its key: the environment variable PROMPTLAYER_API_KEY, or `promptstore remote login`
"""

ATTRIBUTES = (("**", "text eol=lf"), ("**/*.yaml", "merge=promptstore"))

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
    if not directory:
        _refuse_nested(root)
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
    app.say(f"{root} is a promptstore." + ("" if made else " No file was missing."))
    app.say("Next: promptstore new greeting")


def _refuse_nested(root: str) -> None:
    """Whoever stands in a folder of a store does not mean another one inside it, or says so by naming the folder."""
    from promptstore.store.config import find_root

    try:
        above = find_root(root)
    except StoreNotFound:
        return
    if os.path.realpath(above) != os.path.realpath(root):
        raise UsageError(
            f"this folder is in the store at {above}",
            where=Where(path=root),
            hint=f"run it there (`promptstore -C {shlex.quote(above)} init`), or name a folder: `promptstore init .`",
        )


def _repository(root: str) -> Repository:
    from promptstore.store.git.process import run
    from promptstore.store.git.repository import find_repository, require_repository

    if find_repository(root) is None:
        run(["init", "--quiet", "--initial-branch=main", root])
    return require_repository(root)


def _files(root: str, repository: Repository) -> list[str]:
    from promptstore.model.schema import prompt_schema
    from promptstore.store.config import load_config
    from promptstore.store.git.refs import Refs

    head = Refs(repository).head_branch() or "refs/heads/main"
    config = CONFIG.format(branch=head.removeprefix("refs/heads/")) + _which_repository(repository)
    made = [".promptstore.toml"] if _write_new(os.path.join(root, ".promptstore.toml"), config) else []
    folder = load_config(root).prompts  # which a config that was there already may have put elsewhere
    made += _attributes(root, folder)
    schema = json.dumps(prompt_schema(), indent=2) + "\n"
    new = _write_new(os.path.join(root, folder, ".schema.json"), schema)
    return [*made, f"{folder}/.schema.json"] if new else made


def _which_repository(repository: Repository) -> str:
    """The table that tells a fork from this repository, where origin is on a host."""
    from promptstore.store.git.revisions import Revisions
    from promptstore.sync.team.fork import place_of

    url = Revisions(repository).setting("remote.origin.url")
    place = place_of(url) if url else "/"
    return "" if place.startswith(("/", ".")) else f'\n[git]\nurl = "{place}"  # a clone of a fork publishes nothing\n'


def _write_new(path: str, text: str) -> bool:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    try:
        with open(path, "x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        return False
    return True


def _attributes(root: str, folder: str) -> list[str]:
    """Put our lines below the attributes that are there."""
    path = os.path.join(root, ".gitattributes")
    new = _write_new(path, "")
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        text = file.read()
    lines = [f"{_pattern(folder, ending)} {attributes}" for ending, attributes in ATTRIBUTES]
    missing = [line for line in lines if line not in text.splitlines()]
    if not missing:
        return []
    with open(path, "a", encoding="utf-8", newline="\n") as file:
        file.write(("" if text.endswith("\n") or not text else "\n") + "".join(f"{line}\n" for line in missing))
    return [".gitattributes" if new else ".gitattributes (added lines)"]


def _pattern(folder: str, ending: str) -> str:
    pattern = f"{folder}/{ending}"
    return f'"{pattern}"' if " " in pattern else pattern


def _refspecs(root: str) -> None:
    """Let a plain ``git fetch`` bring tags and version numbers along."""
    from promptstore.store.sharing import ensure_refspecs, git_remotes
    from promptstore.store.store import Store

    with Store.open(root) as store:
        if store.config.git.remote in git_remotes(store):
            ensure_refspecs(store, store.config.git.remote)


def _merge_driver(repository: Repository) -> None:
    from promptstore.store.git.process import run

    settings = {"name": "promptstore's merge of prompt files, field by field", "driver": DRIVER}
    for key, value in settings.items():
        run([*repository.arguments, "config", f"merge.promptstore.{key}", value])
