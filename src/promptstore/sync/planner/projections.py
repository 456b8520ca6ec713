"""Texts as one vendor would say them: what the planner compares."""

from __future__ import annotations

from typing import TYPE_CHECKING

from promptstore.errors import InvalidPrompt, NotRepresentable
from promptstore.model.digest import digest_of
from promptstore.sync.trees import RemoteEntry, Trees
from promptstore.vendors.base import Document, Vendor

if TYPE_CHECKING:
    from promptstore.model.prompt_file import PromptFile


class Projections:
    """The texts of one remote's trees through its lens, each projected once. Texts are named by their blobs."""

    def __init__(self, trees: Trees, vendor: Vendor) -> None:
        self._trees = trees
        self._lens = vendor.lens
        self._known: dict[tuple[str, str], Document | NotRepresentable] = {}
        self._digests: dict[tuple[str, str], str] = {}

    def prompt(self, blob: str) -> PromptFile:
        """Raises InvalidPrompt for a text that is not at hand."""
        known = self._trees.prompts.get(blob)
        if known is None:
            raise InvalidPrompt(f"its text {blob[:10]} cannot be read", hint="run `promptstore doctor`")
        return known

    def document(self, slug: str, blob: str) -> Document | NotRepresentable:
        """What the vendor would be sent, or why it cannot be. Raises InvalidPrompt."""
        key = (slug, blob)
        if key not in self._known:
            try:
                self._known[key] = self._lens.project(self.prompt(blob), self._trees.called(slug))
            except NotRepresentable as error:
                self._known[key] = error
        return self._known[key]

    def digest(self, slug: str, blob: str) -> str:
        """The digest of that document. Raises NotRepresentable, InvalidPrompt."""
        key = (slug, blob)
        if key not in self._digests:
            document = self.document(slug, blob)
            if isinstance(document, NotRepresentable):
                raise document
            self._digests[key] = digest_of(document)
        return self._digests[key]

    def sent(self, slug: str, blob: str | None) -> str | None:
        """The same where the text is at hand and can be sent."""
        if blob is None or blob not in self._trees.prompts:
            return None
        return None if isinstance(self.document(slug, blob), NotRepresentable) else self.digest(slug, blob)

    def name(self, slug: str, blob: str) -> str | None:
        """The name that a text would have at the vendor, where it can be sent."""
        document = self.document(slug, blob)
        return None if isinstance(document, NotRepresentable) else self._lens.key(document)

    def lifted(self, slug: str, seen: RemoteEntry, onto: str) -> PromptFile:
        """The vendor's text as a prompt file, onto a text of ours."""
        return self._lens.lift(seen.document, self._trees.called(slug), self.prompt(onto))
