"""A lens made of four functions over plain data: what every vendor's lens does around them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from promptstore.vendors.namespace import Namespace
from promptstore.vendors.spelling import holds
from promptstore.vendors.values import Data, Wire

if TYPE_CHECKING:
    from promptstore.model.prompt_file import PromptFile
    from promptstore.vendors.base import Document


@dataclass(frozen=True, slots=True)
class DocumentLens:
    """A vendor's lens; see ``promptstore.vendors.base.Lens`` for the laws."""

    namespace: Namespace
    normal: Callable[[Mapping[str, Any]], Wire]
    """The normal form of whatever the vendor sends or takes."""
    check: Callable[[Wire], None]
    """Raises BadResponse where a normal form is no document."""
    project_data: Callable[[Data, str], Wire]
    """``(prompt, slug) -> document``; raises NotRepresentable."""
    lift_data: Callable[[Wire, str, Data | None], Data]
    """``(document, slug, old) -> prompt``; only asked where ``old`` says something else."""
    key_field: str
    """The field of a document by which the vendor tells prompts apart."""

    def normalise(self, raw: Mapping[str, Any]) -> Document:
        """The normal form of an answer, a list's item, a request's body, or a document."""
        return self.normal(raw)

    def project(self, prompt: PromptFile, slug: str) -> Document:
        """The prompt as a document. Raises NotRepresentable."""
        return self.project_data(dict(prompt.data()), slug)

    def lift(self, document: Document, slug: str, old: PromptFile | None) -> PromptFile:
        """The document as a prompt file; ``old`` itself where it still says the same. Raises BadResponse."""
        normal = self.normal(document)
        self.check(normal)
        data = None if old is None else dict(old.data())
        if old is not None and data is not None and holds(lambda: self.project_data(data, slug), normal):
            return old
        return self.namespace.prompt_file(self.lift_data(normal, slug, data))

    def key(self, document: Document) -> str:
        """The name by which the vendor tells this prompt from others."""
        key: str = document[self.key_field]
        return key
