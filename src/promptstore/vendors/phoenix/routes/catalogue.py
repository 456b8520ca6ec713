"""The prompts of a view by Phoenix's terms: names, ids with numbers in them, and versions apart from their prompt."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from promptstore.errors import InvalidPrompt, NotRepresentable
from promptstore.vendors.base import Document
from promptstore.vendors.phoenix.lens.normal import INTENT_KEY
from promptstore.vendors.phoenix.names import PROMPT, VERSION, gid, is_name, number_in, version_order
from promptstore.vendors.phoenix.publishing import TYPES, wire_message
from promptstore.vendors.serving import Edition, PerView, Refused, Stamp, Twin, View
from promptstore.vendors.values import Wire

PATCHED = "patched"
"""The note on a commit that changed the prompt and made no version."""

_BITS = 20
"""Bits of a version's number for its place among those of its prompt."""


@dataclass(frozen=True, slots=True)
class Version:
    """One version: an edition of the store that Phoenix would know."""

    id: str
    edition: Edition
    stamp: Stamp


@dataclass(frozen=True, slots=True)
class Entry:
    """One prompt that Phoenix could hold; versions go oldest first."""

    slug: str
    number: int
    document: Document
    versions: tuple[Version, ...]

    @property
    def name(self) -> str:
        found: str = self.document["name"]
        return found

    @property
    def id(self) -> str:
        return gid(PROMPT, self.number)

    def says(self) -> Wire:
        """The prompt as Phoenix lists it."""
        described = {key: self.document.get(key) for key in ("name", "description")}
        return {**described, "source_prompt_id": None, "metadata": self.document.get("metadata", {}), "id": self.id}


class Catalogue:
    """Every prompt of one view."""

    def __init__(self, view: View) -> None:
        self.view = view

    @cached_property
    def entries(self) -> Sequence[Entry]:
        """In Phoenix's order, the greatest number first; what it could not hold is left out, and of one name all but
        the first."""
        found = [entry for slug in self.view.active if (entry := self._entry(slug)) is not None]
        named = {entry.name: entry for entry in reversed(found)}
        return sorted(named.values(), key=lambda entry: entry.number, reverse=True)

    def _entry(self, slug: str) -> Entry | None:
        try:
            document = self.view.document(self.view.newest(slug))
        except (InvalidPrompt, NotRepresentable):
            return None
        return Entry(slug, _number(document["name"]), document, self._versions[slug])

    @cached_property
    def _versions(self) -> Mapping[str, tuple[Version, ...]]:
        """All commits are looked up in one go."""
        editions = {slug: self._editions(slug) for slug in self.view.active}
        stamps = iter(self.view.stamps([edition for each in editions.values() for edition in each]))
        return {
            slug: _versions(self.view.origin(slug), [(edition, next(stamps)) for edition in each])
            for slug, each in editions.items()
        }

    def _editions(self, slug: str) -> Sequence[Edition]:
        """Oldest first: what Phoenix has, then what it does not have yet."""
        numbered, newest = list(self.view.editions(slug)), self.view.newest(slug)
        ours = numbered if numbered and numbered[-1].blob == newest.blob else [*numbered, newest]
        return [*self.view.theirs(slug), *(edition for edition in ours if not edition.theirs)]

    def find(self, identifier: str) -> Entry | None:
        """The prompt of that name or id. Raises Refused (422) for what could be neither."""
        number = number_in(identifier, PROMPT)
        if number is None and not is_name(identifier):
            raise Refused(422, "Invalid prompt name")
        return next((entry for entry in self.entries if identifier == entry.name or entry.number == number), None)

    def version(self, version: str) -> tuple[Entry, Version]:
        """The version of that id, and its prompt. Raises Refused."""
        if number_in(version, VERSION) is None:
            raise Refused(422, "Invalid prompt version ID")
        for entry in self.entries:
            for one in entry.versions:
                if one.id == version:
                    return entry, one
        raise Refused(404, "Not Found")

    def tags(self, entry: Entry) -> dict[str, Version]:
        """The tags that Phoenix could hold; one on a mere change of the prompt stands at the version before."""
        placed = ((tag, self._at(entry, edition)) for tag, edition in self.view.tags(entry.slug).items())
        return {tag: version for tag, version in placed if version is not None and is_name(tag)}

    def _at(self, entry: Entry, edition: Edition) -> Version | None:
        exact = (one for one in entry.versions if edition.theirs and one.edition.theirs == edition.theirs)
        found = next(exact, None)
        if found is not None or edition.version is None:
            return found
        upto = (one for one in entry.versions if one.edition.version is not None)
        return max(
            (one for one in upto if (one.edition.version or 0) <= edition.version),
            key=lambda one: one.edition.version or 0,
            default=None,
        )

    def answer(self, entry: Entry, version: Version) -> Wire:
        """The version as Phoenix answers it. Raises Refused for an edition that it could not hold."""
        try:
            said = self.view.document(version.edition)["version"]
        except (InvalidPrompt, NotRepresentable) as problem:
            message = f"version {version.id} of '{entry.slug}' cannot be served as a Phoenix prompt"
            raise Refused(422, f"{message}: {problem.message}") from None
        template = said["template"]
        if template["type"] == "chat":
            template = {**template, "messages": [wire_message(message) for message in template["messages"]]}
        intent = version.stamp.notes.get(INTENT_KEY)
        metadata = {**said.get("metadata", {}), **({INTENT_KEY: intent} if intent else {})}
        return {
            "description": version.stamp.message.strip(),
            **said,
            **({"metadata": metadata} if metadata else {}),
            "template": template,
            "template_type": TYPES[template["type"]],
            "id": version.id,
        }


def _versions(origin: str, editions: Sequence[tuple[Edition, Stamp]]) -> tuple[Version, ...]:
    found: list[Version] = []
    for place, (edition, stamp) in enumerate(editions):
        if not stamp.notes.get(PATCHED) or not found:
            version = edition.theirs or gid(VERSION, (_number(origin) << _BITS) + (edition.version or place + 1))
            found.append(Version(version, edition, stamp))
    return tuple(sorted(found, key=lambda one: version_order(one.id)))


def _number(name: str) -> int:
    """A number that only depends on the name, greater than any that a server would give."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:5], "big") | 1 << 40


class Catalogues(PerView[Catalogue]):
    """The catalogue of the newest view, made once a view."""

    def __init__(self, twin: Twin) -> None:
        super().__init__(twin, Catalogue)
