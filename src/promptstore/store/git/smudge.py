"""Blobs as git would write them to the work tree."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping

from promptstore.store.git.process import environment, run
from promptstore.store.git.repository import Repository

_FOLDER = "promptstore-scratch"


def scratch_place(tree: Repository) -> str:
    """A folder for files on their way, of one step alone: git commands of a killed one may still be writing."""
    return os.path.join(tree.git_dir, _FOLDER, os.urandom(8).hex())


def smudged(tree: Repository, blobs: Mapping[str, str], scratch: str) -> dict[str, bytes]:
    """Blobs with the work tree's line ends and filters: path -> oid in, path -> bytes out.

    Checked out from an index of their own into ``scratch`` (`git cat-file --batch --filters` tells the sizes from
    before the filters, so that its output cannot be taken apart).
    """
    if not blobs:
        return {}
    folder = os.path.join(scratch, "smudged")
    os.makedirs(folder)
    return _checked_out(tree, blobs, folder)


def clear(tree: Repository) -> None:
    """Remove what this step and killed ones left of it."""
    shutil.rmtree(os.path.join(tree.git_dir, _FOLDER), ignore_errors=True)


def _checked_out(tree: Repository, blobs: Mapping[str, str], folder: str) -> dict[str, bytes]:
    git = [*tree.arguments, "-C", tree.worktree or "."]
    env = environment(GIT_INDEX_FILE=os.path.join(folder, "index"))
    lines = "".join(f"100644 {oid} 0\t{path}\0" for path, oid in blobs.items())
    run([*git, "update-index", "-z", "--index-info"], stdin=lines.encode("utf-8", "surrogateescape"), env=env)
    run([*git, "checkout-index", "--all", f"--prefix={folder}/files/"], env=env)
    return {path: _read(os.path.join(folder, "files", path)) for path in blobs}


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()
