"""Trees read from the process that runs already are those that git lists."""

from __future__ import annotations

from pathlib import Path

import pytest
from repos import git

from promptstore.errors import GitError
from promptstore.store.git.objects import Objects
from promptstore.store.git.repository import require_repository


@pytest.fixture(scope="module")
def where(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nested and equal folders, odd names and modes, and a repository in the repository."""
    where = tmp_path_factory.mktemp("trees")
    git(where, "init", "-q", "-b", "main")
    with (where / ".git/config").open("a") as settings:
        settings.write("[user]\n\tname = Ann\n\temail = ann@example.com\n")
    for path in (
        "top.txt",
        "p/a.yaml",
        "p/x/y/a.yaml",
        "p/z/y/a.yaml",
        "p/grüße/ö.yaml",
        "p/two\nlines",
        "p-/b",
        "p/#:x",
    ):
        (where / path).parent.mkdir(parents=True, exist_ok=True)
        (where / path).write_text("same")
    (where / "p/run").write_text("#!/bin/sh\n")
    (where / "p/run").chmod(0o755)
    (where / "p/link").symlink_to("a.yaml")
    git(where, "add", "-A")
    git(where, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},p/module")
    git(where, "commit", "-q", "-m", "Start")
    return where


@pytest.mark.parametrize(
    "paths", [[], ["p"], ["p/x"], ["p/a.yaml"], ["p/module"], ["no"], ["p/two\nlines"], ["p/x", "p/a.yaml"], ["p/#:x"]]
)
def test_they_are_the_same(where: Path, paths: list[str]) -> None:
    objects = Objects(require_repository(str(where)))
    for treeish in ("main", git(where, "rev-parse", "main^{tree}")):
        found = objects.tree(treeish, *paths)
        assert list(found.items()) == list(objects._listed(treeish, *paths).items())
    assert len(objects.tree("main", "p")) == 9
    objects.close()


def test_what_is_not_there_is_an_error_and_no_empty_tree(where: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--no-hardlinks", str(where), "clone")
    folder = git(where, "rev-parse", "main:p/x")
    (tmp_path / "clone/.git/objects" / folder[:2] / folder[2:]).unlink()
    objects = Objects(require_repository(str(tmp_path / "clone")))
    for treeish in ("main", "1" * 40, "nowhere"):
        with pytest.raises(GitError):
            objects.tree(treeish, "p")
    objects.close()
