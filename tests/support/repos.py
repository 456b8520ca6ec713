"""Small stores to test with, made with plain git as a user would."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from promptstore.store.store import Store

CONFIG = """\
[store]
prompts = "prompts"
branch = "main"

[remotes.acme]
vendor = "promptlayer"
"""


def git(where: Path, *arguments: str, stdin: str | None = None) -> str:
    done = subprocess.run(["git", *arguments], cwd=where, input=stdin, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"git {arguments}: {done.stderr}"
    return done.stdout.rstrip("\n")


@cache
def _empty() -> tempfile.TemporaryDirectory[str]:
    """A repository as git makes it, to be copied: that takes a tenth of the time."""
    folder = tempfile.TemporaryDirectory(prefix="promptstore-empty-")
    git(Path(folder.name), "init", "-q", "-b", "main")
    return folder


def make_store(where: Path, config: str = CONFIG, prompts: dict[str, str] | None = None) -> Store:
    """A repository with a config and, where given, prompts in a first commit."""
    where.mkdir(parents=True, exist_ok=True)
    shutil.copytree(Path(_empty().name, ".git"), where / ".git")
    with (where / ".git/config").open("a") as settings:
        settings.write("[user]\n\tname = Ann\n\temail = ann@example.com\n")
    (where / ".promptstore.toml").write_text(config)
    store = Store.open(where)
    if prompts is not None:
        commit(where, prompts, "Start")
    return store


def commit(where: Path, prompts: dict[str, str | None], message: str = "Change") -> str:
    """Write (or remove) prompts and commit everything; returns the commit."""
    for slug, text in prompts.items():
        file = where / "prompts" / f"{slug}.yaml"
        if text is None:
            file.unlink()
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
    git(where, "add", "-A")
    git(where, "commit", "-q", "-m", message)
    return head(where)


def head(where: Path) -> str:
    """The commit checked out; of a branch it stands in a file right after a commit."""
    said = where / ".git/HEAD"
    branch = where / ".git" / said.read_text().strip().removeprefix("ref: ") if said.is_file() else said
    return branch.read_text().strip() if branch.is_file() else git(where, "rev-parse", "HEAD")


def chat(text: str, extra: str = "") -> str:
    """A one-message prompt file."""
    body = "\n".join(f"      {line}" for line in text.split("\n"))
    return f"{extra}template_format: jinja2\nmessages:\n  - role: system\n    content: |-\n{body}\n"
