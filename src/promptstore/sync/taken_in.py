"""Vendor versions that L has taken in by now, though no run has agreed on them: the pulled commit and an edit on top of
it were pushed together, or merged together from the branch for review; or the run that pulled it died."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from promptstore.store.store import Store
from promptstore.store.versions import Version
from promptstore.sync.agreement import Agreed
from promptstore.sync.local import Local, base_entries
from promptstore.sync.session import Session
from promptstore.sync.trees import KnownVersion, RemoteEntry

TOLD = re.compile(r"^Prompt: (?P<slug>.+)\nRemote: (?P<remote>.+)(?:\nRemote-Version: (?P<version>.+))?$", re.MULTILINE)
"""What a commit that brings a vendor's version says of it."""


def take_in(store: Store, session: Session, local: Local, witnessed: set[tuple[str, str]]) -> None:
    """Agree on vendor versions whose texts stand in L's history after the one that was last agreed on: what was edited
    since was edited with sight of them. ``witnessed`` are the texts, by slug, that this clone brought there itself."""
    for slug, agreed in session.all_agreed().items():
        seen, now = session.tracked.prompts.get(slug), local.prompts.get(slug)
        proof = agreed.link.proof or agreed.blob
        if seen is None or now in (None, proof) or seen.version == agreed.link.head or agreed.link.unmerged:
            continue
        brought = _brought(store, session, slug, _since(local, slug, proof), agreed)
        every = (_taken(agreed, seen, version, blob) for version, blob in brought)
        taken = next((one for one in every if base_entries(store, local, {slug: one}, witnessed)[slug].seen), None)
        if taken is not None:
            session.agree(slug, taken)


def _since(local: Local, slug: str, proof: str) -> tuple[Version, ...]:
    """L's versions after the agreed text, the newest among them: what it says beside the vendor's text goes out."""
    versions = local.numbering.of(slug)
    start = max((place for place, version in enumerate(versions, 1) if version.blob == proof), default=len(versions))
    return versions[start:]


def _brought(
    store: Store, session: Session, slug: str, versions: tuple[Version, ...], agreed: Agreed
) -> Iterator[tuple[str, str]]:
    """The vendor versions after the agreed one that these brought, and the texts that did, newest first."""
    seen = session.tracked.prompts[slug]
    key = session.vendor.version_key
    for version in reversed(versions):
        told = _told(store, session.name, slug, version.commit)
        if told in seen.versions and key(told) > key(agreed.link.head):
            yield told, version.blob


def _told(store: Store, remote: str, slug: str, commit: str) -> str:
    found = store.objects.read(commit)
    said = TOLD.search(found.data.decode("utf-8", "replace")) if found else None
    return (said["version"] or "") if said and (said["slug"], said["remote"]) == (slug, remote) else ""


def _taken(agreed: Agreed, seen: RemoteEntry, version: str, blob: str) -> Agreed:
    """What a pull of that version had agreed on, had L said it at once: the vendor's own text, so that whatever else
    the commit says goes out."""
    made = seen.versions[version]
    known: Mapping[str, KnownVersion] = {**seen.known_versions(), **agreed.link.versions}
    link = replace(agreed.link, head=version, document=made.document, versions=known, proof=blob)
    return Agreed(made.blob, link)
