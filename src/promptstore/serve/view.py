"""One look at the store in one vendor's terms; see ``promptstore.vendors.serving.View``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from promptstore.errors import PromptNotFound, PromptStoreError, VersionNotFound, Where
from promptstore.model.numbers import whole_number
from promptstore.serve.links import Links
from promptstore.serve.stamps import Stamps
from promptstore.store.address import Located
from promptstore.store.store import Store
from promptstore.store.versions import Numbering, Version
from promptstore.sync.naming import assign_slugs
from promptstore.vendors.base import Document, RemoteHead, Vendor
from promptstore.vendors.serving import Edition, Stamp

if TYPE_CHECKING:
    from promptstore.model.prompt_file import PromptFile
    from promptstore.sync.trees import Link

_MEMORY = 20_000


@dataclass(slots=True)
class Documents:
    """Documents (or why there is none) by the slug they were made for and the blob: neither ever changes."""

    known: dict[tuple[str, str], Document | PromptStoreError] = field(default_factory=dict)

    def keep(self, key: tuple[str, str], document: Document | PromptStoreError) -> None:
        if len(self.known) > _MEMORY:
            self.known.clear()
        self.known[key] = document


class StoreView:
    """The prompts of one commit of the synced branch, with their numbers; tags are read when asked for."""

    def __init__(
        self,
        store: Store,
        vendor: Vendor,
        tip: str | None,
        links: Links,
        stamps: Stamps,
        documents: Documents,
    ) -> None:
        self._store = store
        self._vendor = vendor
        self._links = links
        self._stamps = stamps
        self._documents = documents
        self.tip = tip
        self.prompts: Mapping[str, str] = store.prompts_at(tip)
        self.numbering: Numbering = store.history.numbering(tip)

    # --- which prompts

    @cached_property
    def active(self) -> tuple[str, ...]:
        return tuple(sorted(self.prompts))

    @cached_property
    def deleted(self) -> tuple[str, ...]:
        moved_away = set(self.numbering.moves.values())
        return tuple(sorted(set(self.numbering.versions) - set(self.prompts) - moved_away))

    def origin(self, slug: str) -> str:
        return self.numbering.names_of(slug)[-1]

    def fresh(self, name: str, folder: str) -> str:
        used = {*self.prompts, *self.numbering.versions, *self.numbering.moves.values()}
        return assign_slugs([RemoteHead("", name, folder, "")], {slug: slug for slug in used}, {})[""]

    def remote_id(self, slug: str) -> str | None:
        link = self._link(slug)
        return link.id if link else None

    def called(self, slug: str) -> str:
        """The slug that the vendor's name of the prompt comes from."""
        link = self._link(slug)
        return (link.called or slug) if link else slug

    def _link(self, slug: str) -> Link | None:
        names = self.numbering.names_of(slug)
        return next((self._links.by_slug[name] for name in names if name in self._links.by_slug), None)

    # --- which versions

    def newest(self, slug: str) -> Edition:
        blob = self.prompts.get(slug)
        versions = self.numbering.of(slug)
        if blob is None and slug in self.deleted:
            return self._edition(slug, versions[-1])
        if blob is None:
            raise PromptNotFound(f"there is no prompt '{slug}'", where=Where(slug=slug))
        if versions and versions[-1].blob == blob:
            return self._edition(slug, versions[-1])
        theirs = self._theirs(slug, blob)
        return Edition(slug, whole_number(theirs) or 0, None, blob, self.tip, theirs)

    def editions(self, slug: str) -> Sequence[Edition]:
        return [self._edition(slug, version) for version in self.numbering.of(slug)]

    def theirs(self, slug: str) -> Sequence[Edition]:
        link = self._link(slug)
        if link is None:
            return []
        return [self._linked(slug, link, version) for version in sorted(link.versions, key=self._vendor.version_key)]

    def numbered(self, slug: str, number: int) -> Edition:
        link = self._link(slug)
        theirs = str(number)
        if link is None:
            found = self._own(slug, number)
        else:
            found = self._linked(slug, link, theirs) if theirs in link.versions else None
        if found is None:
            raise VersionNotFound(f"'{slug}' has no version {number}", where=Where(slug=slug))
        return found

    def _own(self, slug: str, number: int) -> Edition | None:
        if self._links.lost:
            return None  # the vendor's numbers are meant, and this clone cannot know them
        return next((self._edition(slug, v) for v in self.numbering.of(slug) if v.number == number), None)

    def _linked(self, slug: str, link: Link, theirs: str) -> Edition:
        number, blob = whole_number(theirs) or 0, link.versions[theirs].blob
        same = [version for version in self.numbering.of(slug) if version.blob == blob]
        if same:
            return Edition(slug, number, same[-1].number, blob, same[-1].commit, theirs)
        return Edition(slug, number, None, blob, None, theirs)

    def _edition(self, slug: str, version: Version, tag: str = "") -> Edition:
        theirs = self._theirs(slug, version.blob, tag)
        own = 0 if self._links.lost or self._link(slug) else version.number
        return Edition(slug, whole_number(theirs) or own, version.number, version.blob, version.commit, theirs)

    def _theirs(self, slug: str, blob: str, tag: str = "") -> str:
        """The vendor's version of a text: the one it has that tag on, else the newest."""
        link = self._link(slug)
        same = [version for version, known in link.versions.items() if known.blob == blob] if link else []
        tagged = link.tags.get(tag) if link else None
        return tagged if tagged in same else max(same, key=self._vendor.version_key, default="")

    # --- tags

    def tags(self, slug: str) -> Mapping[str, Edition]:
        commits = self._store.locator.tag_commits(slug, self.tip)
        return self._placed(slug, commits)

    def all_tags(self) -> Mapping[str, Mapping[str, Edition]]:
        found = self._store.locator.all_tag_commits(self.tip)
        return {slug: self._placed(slug, commits) for slug, commits in found.items() if slug in self.prompts}

    def _placed(self, slug: str, commits: Mapping[str, str]) -> dict[str, Edition]:
        places = {tag: self._store.locator.place(slug, commit, self.numbering) for tag, commit in commits.items()}
        return {tag: self._at(place, tag) for tag, place in places.items() if place is not None}

    def _at(self, place: Located, tag: str) -> Edition:
        version = next((v for v in self.numbering.of(place.slug) if v.number == place.version), None)
        if version is not None:
            return self._edition(place.slug, version, tag)
        theirs = self._theirs(place.slug, place.blob, tag)
        return Edition(place.slug, whole_number(theirs) or 0, None, place.blob, place.commit, theirs)

    # --- what they say

    def prompt(self, edition: Edition) -> PromptFile:
        return self._store.contents.prompt(edition.blob, self._store.layout.path(edition.slug))

    def document(self, edition: Edition) -> Document:
        key = (self.called(edition.slug), edition.blob)
        if key not in self._documents.known:
            self._documents.keep(key, self._projected(edition, key[0]))
        found = self._documents.known[key]
        if isinstance(found, PromptStoreError):
            raise found
        return found

    def _projected(self, edition: Edition, called: str) -> Document | PromptStoreError:
        try:
            return self._vendor.lens.project(self.prompt(edition), called)
        except PromptStoreError as error:
            return error

    def stamps(self, editions: Sequence[Edition]) -> Sequence[Stamp]:
        return self._stamps.of([edition.commit for edition in editions])
