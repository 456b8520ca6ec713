"""The real lens, asked once: it is pure, and one world asks it the same again and again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from promptstore.model.prompt_file import PromptFile
from promptstore.vendors.base import Document, Lens


class RememberingLens:
    """Implements ``Lens``. Prompts are known by identity, and kept so that no other takes an identity's place."""

    def __init__(self, lens: Lens) -> None:
        self._lens = lens
        self.forget()

    def forget(self) -> None:
        self._projected: dict[tuple[int, str], Document] = {}
        self._lifted: dict[tuple[str, str, int], PromptFile] = {}
        self._kept: list[PromptFile | None] = []

    def normalise(self, raw: Mapping[str, Any]) -> Document:
        return self._lens.normalise(raw)

    def project(self, prompt: PromptFile, slug: str) -> Document:
        key = (id(prompt), slug)
        if key not in self._projected:
            self._projected[key] = self._lens.project(prompt, slug)
            self._kept.append(prompt)
        return self._projected[key]

    def lift(self, document: Document, slug: str, old: PromptFile | None) -> PromptFile:
        key = (repr(document), slug, id(old))
        if key not in self._lifted:
            self._lifted[key] = self._lens.lift(document, slug, old)
            self._kept.append(old)
        return self._lifted[key]

    def key(self, document: Document) -> str:
        return self._lens.key(document)
