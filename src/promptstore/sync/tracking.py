"""R: the vendor as last seen, in ``refs/remotes/<remote>/main``, for looking at with plain git.

A linear history, one commit a vendor version, by the vendor's author and date. The tree holds the prompts folder as in
the store, and beside it ``.remote/<slug>/-/seen`` (the vendor's ids, tags and document) and
``.remote/<slug>/-/<version>`` (our text of each older version that was read).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import quote

from promptstore.errors import GitError
from promptstore.store.git.commits import Commits, Identity, NewCommit
from promptstore.store.git.objects import Objects
from promptstore.store.git.refs import RefMove, Refs
from promptstore.store.layout import Layout
from promptstore.store.refnames import remote_ref
from promptstore.sync.trees import RemoteEntry

_FOLDER = ".remote/"
_END = "/-/seen"


@dataclass(frozen=True, slots=True)
class Tracked:
    """Every prompt of one remote as last seen."""

    commit: str | None = None
    prompts: Mapping[str, RemoteEntry] = field(default_factory=dict)
    damaged: bool = False
    """Whether the ref could not be read: then everything is asked again, and nothing is concluded from it."""

    def by_id(self) -> dict[str, str]:
        """Vendor id -> slug."""
        return {entry.id: slug for slug, entry in self.prompts.items()}


@dataclass(frozen=True, slots=True)
class Sighting:
    """One commit of R: what was seen of one prompt, or of many prompts' tags at once (None: the prompt is gone)."""

    author: Identity
    message: str
    entries: Mapping[str, RemoteEntry | None]
    texts: Mapping[str, bytes] = field(default_factory=dict)
    """Blob id -> text, for those that git does not have yet."""


class Tracking:
    """Reads and moves the tracking ref of one remote."""

    def __init__(self, remote: str, layout: Layout, refs: Refs, objects: Objects, commits: Commits) -> None:
        self.ref = remote_ref(remote)
        self._remote = remote
        self._layout = layout
        self._refs = refs
        self._objects = objects
        self._commits = commits

    def read(self) -> Tracked:
        commit = None
        try:
            commit = self._refs.read(self.ref)
            return Tracked() if commit is None else self._parse(commit)
        except (GitError, ValueError, KeyError, TypeError):
            return Tracked(commit, damaged=True)

    def _parse(self, commit: str) -> Tracked:
        tree = {path: entry.oid for path, entry in self._objects.tree(commit).items()}
        sidecars = [path for path in tree if path.startswith(_FOLDER) and path.endswith(_END)]
        prompts = {}
        for path, text in zip(sidecars, self._objects.blobs([tree[path] for path in sidecars]), strict=True):
            slug = path[len(_FOLDER) : -len(_END)]
            prompts[slug] = RemoteEntry.from_json(json.loads(text))
        return Tracked(commit, prompts)

    def write(self, before: Tracked, sightings: Sequence[Sighting], who: Identity) -> str | None:
        """Append what was seen and return the new tip. Raises RefMoved when another engine did so meanwhile."""
        if not sightings:
            return before.commit
        if before.damaged and before.commit is None:
            self._refs.drop_damaged(self.ref)
        chain = [self._commit(i - 1 if i else self._parent(before), seen, who) for i, seen in enumerate(sightings)]
        if before.damaged:
            chain[0] = replace(chain[0], fresh_tree=True)
        new = self._commits.write(chain)[-1]
        self._refs.move([RefMove(self.ref, new, before.commit)], f"promptstore: fetch {self._remote}")
        return new

    def _parent(self, before: Tracked) -> str | None:
        """The commit to build on; of a damaged ref perhaps nothing is left."""
        there = not before.damaged or (before.commit and self._objects.commit(before.commit) == before.commit)
        return before.commit if there else None

    def _commit(self, parent: str | int | None, seen: Sighting, who: Identity) -> NewCommit:
        files: dict[str, bytes | str | None] = {}
        for slug, entry in seen.entries.items():
            if entry is None:
                files[f"{_FOLDER}{slug}/-"] = None
                files[self._layout.path(slug)] = None
            else:
                files.update(self._files(slug, entry, seen.texts))
        return NewCommit(parent, seen.author, Identity(who.name, who.email, seen.author.when), seen.message, files)

    def _files(self, slug: str, entry: RemoteEntry, texts: Mapping[str, bytes]) -> dict[str, bytes | str | None]:
        files: dict[str, bytes | str | None] = {f"{_FOLDER}{slug}{_END}": _json(entry)}
        for version, seen in entry.versions.items():
            newest = version == entry.version
            path = self._layout.path(slug) if newest else f"{_FOLDER}{slug}/-/{quote(version, safe='')}"
            files[path] = texts.get(seen.blob, seen.blob)
        return files


def _json(entry: RemoteEntry) -> bytes:
    return json.dumps(entry.as_json(), indent=1, sort_keys=True, ensure_ascii=False).encode() + b"\n"
