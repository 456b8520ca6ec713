"""B: what this store and a remote last agreed on, in ``refs/promptstore/<remote>/base``.

The tree holds two entries a prompt, ``<slug>/-/prompt`` (the agreed text) and ``<slug>/-/link`` (JSON: the vendor's id,
every known vendor version with our blob of it, agreed tags), and ``-/workspace``. Moving this ref is the commit point
of a sync.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from promptstore.errors import GitError
from promptstore.store.git.commits import Commits, Identity, NewCommit
from promptstore.store.git.objects import Objects
from promptstore.store.git.refs import RefMove, Refs
from promptstore.store.refnames import base_ref
from promptstore.sync.trees import Link

_PROMPT = "/-/prompt"
_LINK = "/-/link"
_WORKSPACE = "-/workspace"


@dataclass(frozen=True, slots=True)
class Agreed:
    """One prompt's agreement."""

    blob: str
    link: Link


@dataclass(frozen=True, slots=True)
class Agreement:
    """Everything agreed with one remote. ``commit`` is the state of the ref it was read from."""

    commit: str | None = None
    prompts: Mapping[str, Agreed] = field(default_factory=dict)
    workspace: str = ""
    damaged: str | None = None
    """Why the ref could not be read, where it could not: then it counts as lost, which is safe."""


class Agreements:
    """Reads and moves the base ref of one remote."""

    def __init__(self, remote: str, refs: Refs, objects: Objects, commits: Commits) -> None:
        self.ref = base_ref(remote)
        self._remote = remote
        self._refs = refs
        self._objects = objects
        self._commits = commits

    def read(self) -> Agreement:
        try:
            commit = self._refs.read(self.ref)
        except GitError as error:
            return Agreement(damaged=str(error))
        return Agreement() if commit is None else self.at(commit)

    def at(self, commit: str) -> Agreement:
        """What a commit of the ref says."""
        try:
            return self._parse(commit)
        except (GitError, ValueError, KeyError, TypeError) as error:
            return Agreement(commit, damaged=str(error))

    def _parse(self, commit: str) -> Agreement:
        tree = {path: entry.oid for path, entry in self._objects.tree(commit).items()}
        links = [path for path in tree if path.endswith(_LINK)]
        texts = self._objects.blobs([tree[path] for path in links])
        prompts = {}
        for path, text in zip(links, texts, strict=True):
            slug = path.removesuffix(_LINK)
            prompts[slug] = Agreed(tree[slug + _PROMPT], Link.from_json(json.loads(text)))
        workspace = self._objects.blob(tree[_WORKSPACE]).decode() if _WORKSPACE in tree else ""
        return Agreement(commit, prompts, workspace)

    def write(
        self,
        before: Agreement,
        changes: Mapping[str, Agreed | None],
        who: Identity,
        *,
        workspace: str = "",
        was: str | None = None,
    ) -> Agreement:
        """Move the ref to what was agreed now: from ``before``, or from ``was`` where another clone's agreement is
        taken up. Raises RefMoved when another engine moved it meanwhile."""
        real = {slug: agreed for slug, agreed in changes.items() if before.prompts.get(slug) != agreed}
        named = workspace if workspace != before.workspace else ""
        reason = f"promptstore: agree with {self._remote}"
        if not real and not named:
            self._refs.move([RefMove(self.ref, before.commit, was)] if was else [], reason)
            return before
        files: dict[str, bytes | str | None] = {}
        for slug, agreed in real.items():
            files[slug + _PROMPT] = agreed.blob if agreed else None
            files[slug + _LINK] = _json(agreed.link) if agreed else None
        if named:
            files[_WORKSPACE] = named.encode()
        lost = before.damaged is not None
        if lost and before.commit is None:
            self._refs.drop_damaged(self.ref)
        message = f"Agree with {self._remote} on {len(real)} prompt{'' if len(real) == 1 else 's'}\n"
        new = self._commits.write([NewCommit(self._parent(before), who, who, message, files, fresh_tree=lost)])[0]
        self._refs.move([RefMove(self.ref, new, was or before.commit)], reason)
        merged = {**before.prompts, **{slug: agreed for slug, agreed in real.items() if agreed}}
        kept = {slug: agreed for slug, agreed in merged.items() if real.get(slug, agreed) is not None}
        return Agreement(new, kept, workspace or before.workspace)

    def _parent(self, before: Agreement) -> str | None:
        """The commit to build on; of a damaged ref perhaps nothing is left."""
        there = before.damaged is None or (before.commit and self._objects.commit(before.commit) == before.commit)
        return before.commit if there else None


def _json(link: Link) -> bytes:
    return json.dumps(link.as_json(), indent=1, sort_keys=True, ensure_ascii=False).encode() + b"\n"
