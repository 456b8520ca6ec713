"""Vendor versions that L has taken in by now, though no run has agreed on them: the pulled commit and an edit on top of
it were pushed together, or merged together from the branch for review; or the run that pulled it died."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from promptstore.store.git.objects import parents_of
from promptstore.store.store import Store
from promptstore.store.versions import Version
from promptstore.sync.agreement import Agreed
from promptstore.sync.local import Local, base_entries
from promptstore.sync.session import Session
from promptstore.sync.trees import KnownVersion, RemoteEntry

TOLD = re.compile(
    r"^[ \t]*Prompt: (?P<slug>.+)\n[ \t]*Remote: (?P<remote>.+)(?:\n[ \t]*Remote-Version: (?P<version>.+))?$",
    re.MULTILINE,
)
"""What a commit that brings a vendor's version says of it; a squashed one says it of each, perhaps indented."""


def take_in(store: Store, session: Session, local: Local, witnessed: set[tuple[str, str]]) -> None:
    """Agree on vendor versions whose texts stand in L's history after the one that was last agreed on: what was edited
    since was edited with sight of them. ``witnessed`` are the texts, by slug, that this clone brought there itself."""
    for slug, agreed in session.all_agreed().items():
        seen, now = session.tracked.prompts.get(slug), local.prompts.get(slug)
        if seen is None or now is None:
            continue
        entry = _Entry(store, session, local, witnessed, slug)
        taken = entry.merged(agreed) if agreed.link.unmerged else agreed
        if not taken.link.unmerged and seen.version != taken.link.head:
            taken = entry.pulled(taken, seen)
        if taken is not agreed:
            session.agree(slug, taken)


@dataclass(frozen=True, slots=True)
class _Entry:
    """One prompt, and what its agreement is held against."""

    store: Store
    session: Session
    local: Local
    witnessed: set[tuple[str, str]]
    slug: str

    def merged(self, agreed: Agreed) -> Agreed:
        """Without what ours went on top of, and L has merged by now, oldest first as it was merged."""
        told = list(self._told(agreed))
        for one in agreed.link.unmerged:
            texts = (blob for version, blob in told if version == one.version)
            every = (replace(agreed, link=agreed.link.merged(one.version, blob)) for blob in texts)
            taken = next((made for made in every if self._stands(made)), None)
            if taken is None:
                break
            agreed = taken
        return agreed

    def pulled(self, agreed: Agreed, seen: RemoteEntry) -> Agreed:
        """The newest version after the agreed one that L has."""
        every = (_taken(agreed, seen, version, blob) for version, blob in self._brought(agreed, seen))
        return next((made for made in every if self._stands(made)), agreed)

    def _brought(self, agreed: Agreed, seen: RemoteEntry) -> Iterator[tuple[str, str]]:
        """The vendor versions after the agreed one that L brought since, and the texts that did, newest first."""
        key = self.session.vendor.version_key
        floor = key(agreed.link.head)
        return ((told, blob) for told, blob in self._told(agreed) if told in seen.versions and key(told) > floor)

    def _told(self, agreed: Agreed) -> Iterator[tuple[str, str]]:
        """The vendor versions that L's commits since the agreed text brought, and the texts that did, newest first."""
        for version in reversed(_since(self.local, self.slug, agreed.link.proof or agreed.blob)):
            yield from _told(self.store, self.session.name, self.slug, version)

    def _stands(self, agreed: Agreed) -> bool:
        """Whether the text that proves it is in L's history."""
        return base_entries(self.store, self.local, {self.slug: agreed}, self.witnessed)[self.slug].seen


def _since(local: Local, slug: str, proof: str) -> tuple[Version, ...]:
    """L's versions after the agreed text, the newest among them: what it says beside the vendor's text goes out."""
    versions = local.numbering.of(slug)
    start = max((place for place, version in enumerate(versions, 1) if version.blob == proof), default=len(versions))
    return versions[start:]


def _told(store: Store, remote: str, slug: str, version: Version) -> Iterator[tuple[str, str]]:
    """What one version of ours brought: as its commit says, which may be several that were squashed, or what that
    commit merged."""
    found = store.objects.read(version.commit)
    if found is None:
        return
    yield from ((told, version.blob) for told in _said(found.data.decode("utf-8", "replace"), remote, slug))
    before, merged = parents_of(found)
    for commit, message in reversed(store.git.revisions.messages(before, version.commit)) if before and merged else ():
        blob = store.prompts_at(commit).get(slug)
        yield from ((told, blob) for told in _said(message, remote, slug) if blob is not None)


def _said(message: str, remote: str, slug: str) -> list[str]:
    """The vendor versions of a prompt that a message tells, newest first."""
    found = [
        said["version"] or "" for said in TOLD.finditer(message) if (said["slug"], said["remote"]) == (slug, remote)
    ]
    return found[::-1]


def _taken(agreed: Agreed, seen: RemoteEntry, version: str, blob: str) -> Agreed:
    """What a pull of that version had agreed on, had L said it at once: the vendor's own text, so that whatever else
    the commit says goes out."""
    made = seen.versions[version]
    known: Mapping[str, KnownVersion] = {**seen.known_versions(), **agreed.link.versions}
    link = replace(agreed.link, head=version, document=made.document, versions=known, proof=blob)
    return Agreed(made.blob, link)
