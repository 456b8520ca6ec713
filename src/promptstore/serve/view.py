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
        return Edition(slug, 0, None, blob, self.tip)

    def editions(self, slug: str) -> Sequence[Edition]:
        return [self._edition(slug, version) for version in self.numbering.of(slug)]

    def numbered(self, slug: str, number: int) -> Edition:
        link = self._link(slug) if self._vendor.capabilities.numbered else None
        found = self._linked(slug, link, number) if link else self._own(slug, number)
        if found is None:
            raise VersionNotFound(f"'{slug}' has no version {number}", where=Where(slug=slug))
        return found

    def _own(self, slug: str, number: int) -> Edition | None:
        if self._links.lost:
            return None  # the vendor's numbers are meant, and this clone cannot know them
        return next((self._edition(slug, v) for v in self.numbering.of(slug) if v.number == number), None)

    def _linked(self, slug: str, link: Link, number: int) -> Edition | None:
        known = link.versions.get(str(number))
        if known is None:
            return None
        same = [version for version in self.numbering.of(slug) if version.blob == known.blob]
        if same:
            return Edition(slug, number, same[-1].number, known.blob, same[-1].commit)
        return Edition(slug, number, None, known.blob, None)

    def _edition(self, slug: str, version: Version) -> Edition:
        return Edition(slug, self._number(slug, version), version.number, version.blob, version.commit)

    def _number(self, slug: str, version: Version) -> int:
        link = self._link(slug) if self._vendor.capabilities.numbered else None
        if link is None:
            return 0 if self._links.lost else version.number
        theirs = link.version_of(version.blob) or ""
        return whole_number(theirs) or 0

    # --- tags

    def tags(self, slug: str) -> Mapping[str, Edition]:
        commits = self._store.locator.tag_commits(slug, self.tip)
        return self._placed(slug, commits)

    def all_tags(self) -> Mapping[str, Mapping[str, Edition]]:
        found = self._store.locator.all_tag_commits(self.tip)
        return {slug: self._placed(slug, commits) for slug, commits in found.items() if slug in self.prompts}

    def _placed(self, slug: str, commits: Mapping[str, str]) -> dict[str, Edition]:
        places = {tag: self._store.locator.place(slug, commit, self.numbering) for tag, commit in commits.items()}
        return {tag: self._at(place) for tag, place in places.items() if place is not None}

    def _at(self, place: Located) -> Edition:
        version = next((v for v in self.numbering.of(place.slug) if v.number == place.version), None)
        if version is not None:
            return self._edition(place.slug, version)
        link = self._link(place.slug)
        theirs = (link.version_of(place.blob) if link else None) or ""
        return Edition(place.slug, whole_number(theirs) or 0, None, place.blob, place.commit)

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
