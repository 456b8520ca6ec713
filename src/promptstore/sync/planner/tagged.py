"""Older texts that tags name: which of them a vendor is to get before the newest."""

from __future__ import annotations

from functools import partial

from promptstore.sync.planner.projections import Projections
from promptstore.sync.policy import Policy
from promptstore.sync.trees import BaseEntry, LocalEntry, Trees
from promptstore.vendors.base import Vendor


class TaggedTexts:
    """Finds, for each prompt of one remote, the texts that are published only because a tag names them."""

    def __init__(self, trees: Trees, vendor: Vendor, policy: Policy, projections: Projections) -> None:
        self._trees = trees
        self._vendor = vendor
        self._policy = policy
        self._projections = projections

    def before(self, slug: str, local: LocalEntry, base: BaseEntry | None) -> list[str]:
        """Texts newer than the vendor has (or of any age, to republish) and older than the newest, in order.

        Each is sent once, and none that says what the newest says: that one will bear the tag. Where the agreed text
        came beside the branch's own line (a merge) it has no number, and nobody knows which ones are newer.
        """
        if not self._vendor.capabilities.tags:
            return []
        numbers = self._trees.numbers.get(slug, {})
        newest = numbers.get(local.blob, 0)
        agreed = numbers.get(base.blob) or numbers.get(base.link.proof, newest) if base else 0
        floor = 0 if self._policy.republish else agreed
        places = [place for tag, place in local.tags.items() if self._policy.covers_tag(tag)]
        tagged = {place.version: place.blob for place in places if place.version is not None}
        wanted: dict[str, str] = {}
        for number in sorted(number for number in tagged if floor < number < newest):
            digest = self._unpublished(slug, tagged[number], base, local)
            if digest is not None:
                wanted.setdefault(digest, tagged[number])
        wanted.pop(self._projections.digest(slug, local.blob), None)
        return list(wanted.values())

    def _unpublished(self, slug: str, blob: str, base: BaseEntry | None, local: LocalEntry) -> str | None:
        """The digest of a text in the vendor's space, where it can be published and is not there yet."""
        digest = self._projections.sent(slug, blob)
        if digest is None or self._renames(slug, blob, local):
            return None
        if base is None:
            return digest
        sent_as = partial(self._projections.sent, slug)
        there = base.link.version_of(blob, self._vendor.version_key, digest, sent_as=sent_as)
        return digest if there is None else None

    def _renames(self, slug: str, blob: str, local: LocalEntry) -> bool:
        """Whether a text bears a name that the prompt neither has at the vendor nor is about to get: nobody wants it
        renamed for a moment, and another may have that name by now."""
        seen = self._trees.seen.get(slug)
        names = {self._projections.name(slug, local.blob), seen.name if seen else None}
        return self._projections.name(slug, blob) not in names
