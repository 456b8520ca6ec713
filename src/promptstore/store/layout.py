"""Where prompts lie: slugs as paths in the repository and in the work tree."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from promptstore.model.slug import SUFFIX
from promptstore.store.address import slug_fault
from promptstore.store.git.objects import TreeEntry


@dataclass(frozen=True, slots=True)
class Layout:
    """The prompts folder: ``folder`` is its path in the repository (``ml/prompts``), ``directory`` the one on disk."""

    folder: str
    directory: str

    def path(self, slug: str) -> str:
        """The slug's path in the repository."""
        return f"{self.folder}/{slug}{SUFFIX}"

    def file(self, slug: str) -> str:
        """The slug's file in the work tree."""
        return os.path.join(self.directory, *slug.split("/")) + SUFFIX

    def slug(self, path: str) -> str | None:
        """The slug of a repository path, or None where it is no prompt's."""
        if not path.startswith(self.folder + "/") or not path.endswith(SUFFIX):
            return None
        slug = path[len(self.folder) + 1 : -len(SUFFIX)]
        return slug if slug_fault(slug) is None else None

    def prompts(self, tree: Mapping[str, TreeEntry]) -> dict[str, str]:
        """The prompts of a git tree: slug -> blob id. Symbolic links and names that are no slugs are left out."""
        found = {}
        for path, entry in tree.items():
            slug = self.slug(path)
            if slug and entry.is_file:
                found[slug] = entry.oid
        return found

    def files(self) -> Iterator[str]:
        """Every file below the prompts folder of the work tree, as a path relative to it, ``/`` between levels."""
        yield from _walk(self.directory, "")


def _walk(directory: str, prefix: str) -> Iterator[str]:
    try:
        entries = sorted(os.scandir(directory), key=lambda entry: entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(entry.path, f"{prefix}{entry.name}/")
        else:
            yield prefix + entry.name
