"""The prompts of a view by PromptLayer's terms: an id and a name each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from promptstore.errors import InvalidPrompt, NotRepresentable, PromptStoreError
from promptstore.model.numbers import whole_number
from promptstore.vendors.base import Document
from promptstore.vendors.promptlayer.routes.ids import distinct_ids, stable_id
from promptstore.vendors.serving import Edition, PerView, Refused, Twin, View


@dataclass(frozen=True, slots=True)
class Entry:
    """One prompt. ``problem`` says why PromptLayer could not hold its newest version; its name is then a guess."""

    slug: str
    id: int
    name: str
    deleted: bool
    problem: PromptStoreError | None = None


class Catalogue:
    """Every prompt of one view."""

    def __init__(self, view: View) -> None:
        self.view = view

    @cached_property
    def entries(self) -> Sequence[Entry]:
        """All prompts, the deleted ones last."""
        return [
            *(self._entry(slug, False) for slug in self.view.active),
            *(self._entry(slug, True) for slug in self.view.deleted),
        ]

    @cached_property
    def _ids(self) -> Mapping[str, int]:
        """Ids by slug: the vendor's own where linked, else made of the first name the prompt ever had."""
        slugs = [*self.view.active, *self.view.deleted]
        known = {slug: whole_number(self.view.remote_id(slug) or "") for slug in slugs}
        linked = {slug: number for slug, number in known.items() if number is not None}
        # A prompt that moved keeps its id from a new one under its old name.
        rest = sorted((slug for slug in slugs if slug not in linked), key=lambda slug: (self._unmoved(slug), slug))
        keys = {slug: ("prompt", self.view.origin(slug)) for slug in rest}
        shared = {key: slug for slug, key in reversed(keys.items())}
        own = {slug: key if shared[key] == slug else ("prompt", slug, "again") for slug, key in keys.items()}
        ids = distinct_ids(own.values(), linked.values())
        return {**linked, **{slug: ids[key] for slug, key in own.items()}}

    def _unmoved(self, slug: str) -> bool:
        return self.view.origin(slug) == slug

    def _entry(self, slug: str, deleted: bool) -> Entry:
        try:
            name = self.view.document(self.view.newest(slug))["prompt_name"]
        except (InvalidPrompt, NotRepresentable) as problem:
            return Entry(slug, self._ids[slug], slug, deleted, problem)
        return Entry(slug, self._ids[slug], name, deleted)

    def served(self, status: str) -> Iterator[Entry]:
        """What a listing shows: ``active``, ``deleted`` or ``all``; what PromptLayer cannot hold is left out."""
        wanted = {"active": (False,), "deleted": (True,)}.get(status, (False, True))
        return (entry for entry in self.entries if entry.deleted in wanted and entry.problem is None)

    def find(self, key: str) -> Entry:
        """The prompt that a path names: by its name, its slug, its id, in this order. Raises Refused."""
        there = [entry for entry in self.entries if not entry.deleted]
        found = self.named(key) or next((entry for entry in there if entry.slug == key), None)
        if found is None and key.isascii() and key.isdigit():
            found = next((entry for entry in there if entry.id == int(key)), None)
        if found is None:
            raise Refused(404, "Prompt template not found")
        if found.problem is not None:
            raise Refused(422, f"'{found.slug}' cannot be served as a PromptLayer prompt: {found.problem.message}")
        return found

    def numbered(self, number: int) -> Entry:
        """The prompt with that id. Raises Refused (404)."""
        for entry in self.entries:
            if entry.id == number and not entry.deleted:
                return entry
        raise Refused(404, "Prompt template not found")

    def named(self, name: str) -> Entry | None:
        """The prompt of exactly that name, one that is there before a deleted one."""
        return next((entry for entry in self.entries if entry.name == name and not entry.deleted), None)

    def once_named(self, name: str) -> Entry | None:
        """The deleted prompt of exactly that name."""
        return next((entry for entry in self.entries if entry.name == name and entry.deleted), None)

    def document(self, entry: Entry, edition: Edition) -> Document:
        """An edition as PromptLayer's document, under the name the prompt has now. Raises Refused (422)."""
        try:
            return {**self.view.document(edition), "prompt_name": entry.name}
        except (InvalidPrompt, NotRepresentable) as problem:
            shown = f"version {edition.number} of '{entry.slug}'"
            raise Refused(422, f"{shown} cannot be served as a PromptLayer prompt: {problem.message}") from None

    def version_id(self, entry: Entry, edition: Edition) -> int:
        return stable_id("version", entry.id, edition.version or edition.blob)


class Catalogues(PerView[Catalogue]):
    """The catalogue of the newest view, made once a view."""

    def __init__(self, twin: Twin) -> None:
        super().__init__(twin, Catalogue)
