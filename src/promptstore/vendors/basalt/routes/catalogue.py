"""The prompts of a view by Basalt's terms: a slug each, versions as texts, and ``latest`` among the tags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from promptstore.errors import InvalidPrompt, NotRepresentable, PromptStoreError
from promptstore.vendors.basalt.lens.normal import NAMESPACE
from promptstore.vendors.base import Document
from promptstore.vendors.serving import Edition, PerView, Refused, Twin, View

LATEST = "latest"
PRODUCTION = "production"


@dataclass(frozen=True, slots=True)
class Entry:
    """One prompt. ``slug`` is the store's, ``key`` Basalt's; ``problem`` says why Basalt cannot hold it."""

    slug: str
    key: str
    problem: PromptStoreError | None = None


class Catalogue:
    """Every prompt of one view."""

    def __init__(self, view: View) -> None:
        self.view = view

    @cached_property
    def entries(self) -> Sequence[Entry]:
        return [self._entry(slug) for slug in self.view.active]

    def _entry(self, slug: str) -> Entry:
        newest = self.view.newest(slug)
        try:
            return Entry(slug, self.view.document(newest)["slug"])
        except (InvalidPrompt, NotRepresentable) as problem:
            return Entry(slug, self._key_of_unheld(newest), problem)

    def _key_of_unheld(self, newest: Edition) -> str:
        """The key of a prompt whose text Basalt cannot hold."""
        try:
            own = (self.view.prompt(newest).vendors or {}).get(NAMESPACE.vendor, {})
        except InvalidPrompt:
            return newest.slug
        key = own.get("slug")
        return key if isinstance(key, str) and key else newest.slug

    @cached_property
    def served(self) -> Sequence[Entry]:
        """What a listing shows: what Basalt cannot hold is left out, and of one key the first."""
        fitting = {entry.key: entry for entry in reversed(self.entries) if entry.problem is None}
        return sorted(fitting.values(), key=lambda entry: entry.key)

    def find(self, key: str) -> Entry:
        """The prompt of that key, else of that slug in the store. Raises Refused (404, 400)."""
        found = next((entry for entry in self.served if entry.key == key), None)
        found = found or next((entry for entry in self.entries if entry.slug == key), None)
        if found is None:
            raise Refused(404, "No prompt found for the given slug")
        if found.problem is not None:
            raise Refused(400, f"'{found.slug}' cannot be served as a Basalt prompt: {found.problem.message}")
        return found

    def versions(self, entry: Entry) -> Mapping[str, Edition]:
        """Every version that can be asked for, oldest first."""
        view, slug = self.view, entry.slug
        ours = [*view.editions(slug), *view.tags(slug).values(), view.newest(slug)]
        unknown_there = [edition for edition in ours if not edition.theirs]
        return {version_of(edition): edition for edition in [*view.theirs(slug), *unknown_there]}

    def tags(self, entry: Entry) -> Mapping[str, Edition]:
        """The deployment tags, and ``latest``."""
        return {**self.view.tags(entry.slug), LATEST: self.view.newest(entry.slug)}

    def document(self, entry: Entry, edition: Edition) -> Document:
        """An edition as Basalt's document. Raises Refused (400)."""
        try:
            return {**self.view.document(edition), "slug": entry.key}
        except (InvalidPrompt, NotRepresentable) as problem:
            shown = f"version {version_of(edition)} of '{entry.slug}'"
            raise Refused(400, f"{shown} cannot be served as a Basalt prompt: {problem.message}") from None

    def chosen(self, entry: Entry, version: str | None, tag: str | None) -> tuple[Edition, str]:
        """The edition asked for, and the tag to say it has. The version wins over the tag. Raises Refused (404)."""
        tags = self.tags(entry)
        if version is not None:
            found = self.versions(entry).get(version) or (tags[LATEST] if version == LATEST else None)
        else:
            found = tags.get(tag or "")
        if found is None:
            raise Refused(404, "No prompt found for the given slug, version and tag")
        return found, tag if version is None and tag else _a_tag_of(found, tags)


def _a_tag_of(edition: Edition, tags: Mapping[str, Edition]) -> str:
    return next((tag for tag, there in sorted(tags.items()) if there.blob == edition.blob), "")


def version_of(edition: Edition) -> str:
    """Basalt's own version where it is known, else the store's number.

    A text without either goes by its content, below all: one that never came to the synced branch, and in a store
    that is linked to Basalt, one that Basalt does not have.
    """
    return edition.theirs or (str(edition.number) if edition.number else f"0-{edition.blob[:12]}")


class Catalogues(PerView[Catalogue]):
    """The catalogue of the newest view, made once a view."""

    def __init__(self, twin: Twin) -> None:
        super().__init__(twin, Catalogue)
