"""The prompts of a view by Braintrust's terms: an id, a slug of the vendor's kind, and transaction ids for versions."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from promptstore.errors import InvalidPrompt, NotRepresentable
from promptstore.vendors.base import Document
from promptstore.vendors.braintrust.lens.normal import DOCUMENT_KEYS
from promptstore.vendors.braintrust.xacts import decimal, minted, seconds_of
from promptstore.vendors.serving import Edition, PerView, Refused, Stamp, Twin, View
from promptstore.vendors.values import Wire

_SPACE = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")


def stable_id(*names: str) -> str:
    """A UUID that only depends on the names."""
    return str(uuid.uuid5(_SPACE, "promptstore:" + "/".join(names)))


PROJECT = stable_id("project")
"""Every project name is this store."""
ORG = stable_id("org")
ORG_NAME = "promptstore"


@dataclass(frozen=True, slots=True)
class Version:
    """One edition with its transaction id: Braintrust's own where it is known, else one made of the commit's time."""

    xact: str
    edition: Edition
    stamp: Stamp


@dataclass(frozen=True, slots=True)
class Entry:
    """One prompt that Braintrust could hold. ``key`` is its slug at Braintrust; versions go oldest first."""

    slug: str
    id: str
    key: str
    name: str
    versions: tuple[Version, ...]
    head: Version


class Catalogue:
    """Every prompt of one view."""

    def __init__(self, view: View) -> None:
        self.view = view

    @cached_property
    def entries(self) -> Sequence[Entry]:
        """The newest write first, as Braintrust lists; what it could not hold is left out."""
        found = [entry for slug in self.view.active if (entry := self._entry(slug)) is not None]
        return sorted(found, key=lambda entry: (int(entry.head.xact), entry.id), reverse=True)

    def _entry(self, slug: str) -> Entry | None:
        try:
            document = self.view.document(self.view.newest(slug))
        except (InvalidPrompt, NotRepresentable):
            return None
        versions = self._versions[slug]
        head = _version_of(self.view.newest(slug), versions) or versions[-1]
        return Entry(slug, self._ids[slug], document["slug"], document["name"], versions, head)

    @cached_property
    def _ids(self) -> Mapping[str, str]:
        """Ids by slug: the vendor's own where linked, else made of the first name the prompt ever had."""
        view = self.view
        linked = {slug: known for slug in view.active if (known := view.remote_id(slug))}
        rest = [slug for slug in (*view.active, *view.deleted) if slug not in linked]
        owners: dict[str, str] = {}
        # A prompt that moved keeps its id from a new one under its old name.
        for slug in sorted(rest, key=lambda slug: (view.origin(slug) == slug, slug)):
            owners.setdefault(view.origin(slug), slug)
        own = {
            slug: stable_id(
                "prompt", view.origin(slug), *(() if owners[view.origin(slug)] == slug else (slug, "again"))
            )
            for slug in rest
        }
        return {**own, **linked}

    @cached_property
    def _versions(self) -> Mapping[str, tuple[Version, ...]]:
        """All commits are looked up in one go."""
        editions = {slug: self._editions(slug) for slug in self.view.active}
        stamps = iter(self.view.stamps([edition for each in editions.values() for edition in each]))
        return {slug: _dated([(edition, next(stamps)) for edition in each]) for slug, each in editions.items()}

    def _editions(self, slug: str) -> Sequence[Edition]:
        """Oldest first: what Braintrust has, then what it does not have yet."""
        numbered, newest = list(self.view.editions(slug)), self.view.newest(slug)
        ours = numbered if numbered and numbered[-1].blob == newest.blob else [*numbered, newest]
        return [*self.view.theirs(slug), *(edition for edition in ours if not edition.theirs)]

    def with_id(self, prompt: str) -> Entry:
        """Raises Refused, in Braintrust's words for what is not there."""
        for entry in self.entries:
            if entry.id == prompt:
                return entry
        raise absent("prompt", prompt)

    def with_key(self, key: str) -> Entry | None:
        return next((entry for entry in self.entries if entry.key == key), None)

    def at(self, entry: Entry, version: str | None, environment: str | None) -> Version | None:
        """The version of that transaction id, in either form, or the environment's, or the newest; None where there
        is none. An id counts exactly: a version "at or before" it is not looked for."""
        if version is not None:
            wanted = decimal(version)
            return next((one for one in entry.versions if one.xact == wanted), None)
        if environment is None:
            return entry.head
        return self.pointers(entry).get(environment)

    def pointers(self, entry: Entry) -> dict[str, Version]:
        """The tags that stand at a version of the synced branch, or at one of Braintrust's."""
        tags = self.view.tags(entry.slug).items()
        found = {tag: _version_of(edition, entry.versions) for tag, edition in tags}
        return {tag: version for tag, version in found.items() if version is not None}

    def document(self, entry: Entry, version: Version) -> Document:
        """Raises Refused (400) for an edition that Braintrust could not hold."""
        try:
            return self.view.document(version.edition)
        except (InvalidPrompt, NotRepresentable) as problem:
            message = f"version {version.xact} of '{entry.slug}' cannot be served as a Braintrust prompt"
            raise Refused(400, f"{message}: {problem.message}") from None

    def answer(self, entry: Entry, version: Version) -> Wire:
        """The prompt as Braintrust answers it: every key there, nulls written out."""
        return {
            "id": entry.id,
            "_xact_id": version.xact,
            "project_id": PROJECT,
            "log_id": "p",
            "org_id": ORG,
            "created": version.stamp.when.isoformat() if version.stamp.when else None,
            **dict.fromkeys(DOCUMENT_KEYS),
            **self.document(entry, version),
            "function_data": {"type": "prompt"},
        }


def _version_of(edition: Edition, versions: Sequence[Version]) -> Version | None:
    """The version that an edition is: by Braintrust's id of it, else by its number on the synced branch."""
    if edition.theirs:
        return next((one for one in versions if one.xact == edition.theirs), None)
    if edition.version is None:
        return None
    return next((one for one in versions if one.edition.version == edition.version and not one.edition.theirs), None)


def _dated(editions: Sequence[tuple[Edition, Stamp]]) -> tuple[Version, ...]:
    """Ids that grow with the versions even where the commits' clocks went back."""
    found, latest = [], 0
    for place, (edition, stamp) in enumerate(editions):
        if edition.theirs:
            latest = max(latest, seconds_of(edition.theirs) + 1)
            found.append(Version(edition.theirs, edition, stamp))
            continue
        latest = max(latest, int(stamp.when.timestamp()) if stamp.when else 0)
        found.append(Version(minted(latest, place + 1), edition, stamp))
    return tuple(found)


def absent(kind: str, name: str, what: str = "read") -> Refused:
    """Braintrust's words for what is not there: a 400."""
    return Refused(400, f"Missing {what} access to {kind} id {name}, or the {kind} does not exist")


class Catalogues(PerView[Catalogue]):
    """The catalogue of the newest view, made once a view."""

    def __init__(self, twin: Twin) -> None:
        super().__init__(twin, Catalogue)
