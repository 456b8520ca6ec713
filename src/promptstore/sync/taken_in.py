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
    told = _Told(store, session.name)
    for slug, agreed in session.all_agreed().items():
        seen, now = session.tracked.prompts.get(slug), local.prompts.get(slug)
        if seen is None or now is None:
            continue
        entry = _Entry(store, session, local, witnessed, told, slug)
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
    told: _Told
    slug: str

    def merged(self, agreed: Agreed) -> Agreed:
        """Without what ours went on top of, and L has merged by now, oldest first as it was merged."""
        brought = list(self._brought(agreed))
        for one in agreed.link.unmerged:
            texts = (blob for version, blob in brought if version == one.version)
            every = (replace(agreed, link=agreed.link.merged(one.version, blob)) for blob in texts)
            taken = next((made for made in every if self._stands(made)), None)
            if taken is None:
                break
            agreed = taken
        return agreed

    def pulled(self, agreed: Agreed, seen: RemoteEntry) -> Agreed:
        """The newest version after the agreed one that L has."""
        key = self.session.vendor.version_key
        newer = {version for version in seen.versions if key(version) > key(agreed.link.head)}
        brought = (_taken(agreed, seen, told, blob) for told, blob in self._brought(agreed) if told in newer)
        return next((made for made in brought if self._stands(made)), agreed)

    def _brought(self, agreed: Agreed) -> Iterator[tuple[str, str]]:
        """The vendor versions that L's commits since the agreed text brought, and the texts that did, newest first."""
        for version in reversed(self._since(agreed.link.proof or agreed.blob)):
            yield from self.told.by(version, self.slug)

    def _since(self, proof: str) -> tuple[Version, ...]:
        """L's versions after the agreed text, the newest among them: what it says beside the vendor's text goes out.

        A text that came back was perhaps put back after the vendor's version came. Where numbers come back, too, what
        was told of an older prompt must not count.
        """
        versions = self.local.numbering.of(self.slug)
        places = [place for place, version in enumerate(versions, 1) if version.blob == proof] or [len(versions)]
        return versions[places[-1 if self.session.vendor.reuses_ids else 0] :]

    def _stands(self, agreed: Agreed) -> bool:
        """Whether the text that proves it is in L's history."""
        return base_entries(self.store, self.local, {self.slug: agreed}, self.witnessed)[self.slug].seen


class _Told:
    """What L's commits tell of a remote's versions; each is read once."""

    def __init__(self, store: Store, remote: str) -> None:
        self._store = store
        self._remote = remote
        self._known: dict[str, list[tuple[str, dict[str, list[str]]]]] = {}

    def by(self, version: Version, slug: str) -> Iterator[tuple[str, str]]:
        """What one version of ours brought: as its commit says, which may be several that were squashed, or what that
        commit merged; with the texts that did."""
        if version.commit not in self._known:
            self._known[version.commit] = list(self._read(version.commit))
        for commit, said in self._known[version.commit]:
            if slug in said:
                blob = version.blob if commit == version.commit else self._store.prompts_at(commit).get(slug)
                yield from ((told, blob) for told in said[slug] if blob is not None)

    def _read(self, commit: str) -> Iterator[tuple[str, dict[str, list[str]]]]:
        found = self._store.objects.read(commit)
        before, merged = parents_of(found) if found is not None else (None, [])
        messages = [(commit, found.data.decode("utf-8", "replace"))] if found is not None and not merged else []
        if before and merged:
            messages = self._store.git.revisions.messages(before, commit)
        every = ((each, self._said(message)) for each, message in reversed(messages))
        return ((each, said) for each, said in every if said)

    def _said(self, message: str) -> dict[str, list[str]]:
        """The vendor versions that a message tells, newest first, by slug."""
        said: dict[str, list[str]] = {}
        for found in reversed([*TOLD.finditer(message)]):
            if found["remote"] == self._remote:
                said.setdefault(found["slug"], []).append(found["version"] or "")
        return said


def _taken(agreed: Agreed, seen: RemoteEntry, version: str, blob: str) -> Agreed:
    """What a pull of that version had agreed on, had L said it at once: the vendor's own text, so that whatever else
    the commit says goes out."""
    made = seen.versions[version]
    known: Mapping[str, KnownVersion] = {**seen.known_versions(), **agreed.link.versions}
    link = replace(agreed.link, head=version, document=made.document, versions=known, proof=blob)
    return Agreed(made.blob, link)
