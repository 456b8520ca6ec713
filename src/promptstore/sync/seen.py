"""What was seen of a prompt, as values: its entry after one more version was read, its tags, who made it when."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from promptstore.model.digest import digest_of
from promptstore.store.git.commits import Identity
from promptstore.sync.trees import RemoteEntry, SeenVersion
from promptstore.vendors.base import RemoteHead, RemoteVersion, TagListing, Vendor


def stamp_of(shown: RemoteHead | RemoteVersion) -> str:
    """What changes whenever the listing says something new about a prompt."""
    return shown.stamp or digest_of([shown.version, shown.name])[:16]


def seen_entry(
    entry: RemoteEntry | None, version: RemoteVersion, blob: str, folder: str, order: Callable[[str], Any]
) -> RemoteEntry:
    """The entry after one more version was read; an older one never displaces a newer one."""
    if entry is not None and entry.id != version.id:
        entry = None  # another prompt that took this one's place
    seen = SeenVersion(
        blob,
        digest_of(version.document),
        version.created.isoformat() if version.created else None,
        version.author,
        version.message,
    )
    versions = {**(entry.versions if entry else {}), version.version: seen}
    ordered = {v: versions[v] for v in sorted(versions, key=order)}
    newest = entry is None or order(version.version) >= order(entry.version)
    if entry is not None and not newest:
        return replace(entry, versions=ordered)
    return RemoteEntry(
        version.id,
        version.name,
        folder,
        version.version,
        stamp_of(version),
        version.document,
        ordered,
        entry.tags if entry else {},
    )


def merged_tags(entry: RemoteEntry, listing: TagListing, covers: Callable[[str], bool]) -> dict[str, str]:
    """The tags of a prompt after a listing: what it tells replaces what was known, what it does not stays."""
    told = listing.tags.get(entry.id, {})
    kept = {tag: version for tag, version in entry.tags.items() if not listing.knows(entry.id, tag)}
    return {tag: version for tag, version in sorted({**kept, **told}.items()) if covers(tag)}


def joined_tags(listings: Sequence[TagListing]) -> TagListing:
    """What several listings tell together."""
    tags: dict[str, dict[str, str]] = {}
    for listing in listings:
        for prompt_id, found in listing.tags.items():
            tags.setdefault(prompt_id, {}).update(found)
    names = frozenset(name for listing in listings for name in listing.names)
    return TagListing(tags, names, frozenset(swept for listing in listings for swept in listing.swept))


def author_of(version: RemoteVersion, vendor: Vendor) -> Identity:
    """The vendor's author and date; the vendor itself where it does not tell, the epoch where there is no date."""
    return vendor_identity(version.author, vendor, version.created or datetime.fromtimestamp(0, UTC))


def vendor_identity(author: str | None, vendor: Vendor, when: datetime) -> Identity:
    email = author if author and "@" in author else f"{vendor.name}@promptstore.invalid"
    return Identity(author or vendor.title, email, when)
