"""Recording a run: first what was seen (R), then what was agreed (B, the commit point), then the journal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from promptstore.errors import PromptStoreError
from promptstore.store.history import system_identity
from promptstore.store.store import Store
from promptstore.sync.journal import Journal
from promptstore.sync.publish import Published
from promptstore.sync.seen import author_of, seen_entry
from promptstore.sync.session import Session
from promptstore.sync.texts import text_of
from promptstore.sync.tracking import Sighting, Tracked
from promptstore.sync.trees import RemoteEntry
from promptstore.sync.witness import Witness
from promptstore.vendors.base import RemoteVersion


class Recorder:
    """Makes a session's findings lasting. Recording twice is the same as once."""

    def __init__(self, store: Store, journal: Journal, witness: Witness, clock: Callable[[], float]) -> None:
        self._store = store
        self._journal = journal
        self._witness = witness
        self._clock = clock

    def record(self, session: Session) -> None:
        """Write R and B for everything the session learned since the last time."""
        self._record_seen(session)
        self._record_agreed(session)
        for intent in [*(published.intent for published in session.published), *session.deleted]:
            self._journal.move(intent, "recorded", self._clock())
        session.published.clear()
        session.deleted.clear()
        session.forget_pending()

    def _record_seen(self, session: Session) -> None:
        entries = dict(session.tracked.prompts)
        sightings = self._renames(session, entries) + [
            sighting
            for published in session.published
            for version in (*published.foreign, published.version, *published.later)
            for sighting in self._sighting(session, entries, published, version)
        ]
        sightings += self._tags(session, entries)
        sightings += self._removals(session, entries)
        tip = session.tracking.write(session.tracked, sightings, system_identity(self._store.clock()))
        session.tracked = Tracked(tip, entries, session.tracked.damaged and not sightings)

    def _sighting(
        self, session: Session, entries: dict[str, RemoteEntry], published: Published, version: RemoteVersion
    ) -> list[Sighting]:
        slug = published.slug or published.intent.slug
        entry = entries.get(slug)
        if version is published.version and not published.edited:
            blob, texts = published.intent.blob, {}
        else:
            called = session.called(slug)
            try:
                text = text_of(self._store, session.vendor.lens, version.document, called, published.intent.blob)
            except PromptStoreError:
                return []  # the next look tells of it
            blob = self._store.commits.blob_id(text)
            texts = {blob: text}
        folder = entry.folder if entry else slug.rpartition("/")[0]
        after = seen_entry(entry, version, blob, folder, session.vendor.version_key)
        entries[slug] = after
        message = version.message or f"{slug}: version {version.version} at {session.name}"
        return [Sighting(author_of(version, session.vendor), message + "\n", {slug: after}, texts)]

    def _renames(self, session: Session, entries: dict[str, RemoteEntry]) -> list[Sighting]:
        moved = {slug: entries.get(slug) for slug in sorted(session.moved)}
        session.moved.clear()
        followed = sum(entry is not None for entry in moved.values())
        who = system_identity(self._store.clock())
        return [Sighting(who, f"Follow {followed} moved prompts\n", moved)] if moved else []

    def _tags(self, session: Session, entries: dict[str, RemoteEntry]) -> list[Sighting]:
        moved: dict[str, RemoteEntry | None] = {}
        for (slug, tag), version in session.moved_tags.items():
            if slug in entries:
                tags = {name: place for name, place in entries[slug].tags.items() if name != tag}
                tags.update({tag: version} if version is not None else {})
                entries[slug] = replace(entries[slug], tags=tags)
                moved[slug] = entries[slug]
        session.moved_tags.clear()
        who = system_identity(self._store.clock())
        return [Sighting(who, f"Move {len(moved)} prompts' tags at {session.name}\n", moved)] if moved else []

    def _removals(self, session: Session, entries: dict[str, RemoteEntry]) -> list[Sighting]:
        unlinked = {slug for slug, agreed in session.pending.items() if agreed is None}
        ended = unlinked & entries.keys() - session.anew
        for slug in ended:
            del entries[slug]
        who = system_identity(self._store.clock())
        removed: dict[str, RemoteEntry | None] = dict.fromkeys(sorted(ended))
        return [Sighting(who, f"{len(ended)} prompts are gone at {session.name}\n", removed)] if ended else []

    def _record_agreed(self, session: Session) -> None:
        if session.pending:
            self._store.history.record(self._store.refs.read(self._store.branch), system_identity(self._store.clock()))
        agreed = {slug: agreed for slug, agreed in session.pending.items() if agreed is not None}
        others = {published.slug for published in session.published if published.intent.inherited}
        own = ((slug, made.link.proof or made.blob) for slug, made in agreed.items() if slug not in others)
        self._witness.add(session.name, own)
        session.agreement = session.agreements.write(
            session.agreement,
            session.pending,
            system_identity(self._store.clock()),
            workspace=session.agreement.workspace or session.identity or _identity(session),
        )


def _identity(session: Session) -> str:
    """The workspace as the vendor named it meanwhile: an empty one may do so only with its first prompt."""
    return session.workspace.identity() if session.workspace is not None else ""
