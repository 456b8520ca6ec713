"""Vendor documents as prompt files, written onto the text we have so that every untouched byte stays."""

from __future__ import annotations

from promptstore.merge.rewriting import rewrite
from promptstore.model.digest import digest_of
from promptstore.model.prompt_file import PromptFile
from promptstore.model.yaml.writer import write
from promptstore.store.store import Store
from promptstore.vendors.base import Document, Lens


def text_of(store: Store, lens: Lens, document: Document, slug: str, onto: str | None) -> bytes:
    """The prompt file that says ``document``: ``onto`` (a blob of ours) itself where it already does, else edited."""
    if onto is None:
        return write(lens.lift(document, slug, None).data()).encode()
    old = store.contents.prompt(onto, store.layout.path(slug))
    new = lens.lift(document, slug, old)
    raw = store.contents.raw(onto)
    return raw if new == old and _says(lens, old, slug, document) else edited(raw, new)


def edited(raw: bytes, new: PromptFile) -> bytes:
    """A prompt file's bytes with its meaning changed to ``new``."""
    return rewrite(raw.decode("utf-8"), new.data()).encode("utf-8")


def _says(lens: Lens, prompt: PromptFile, slug: str, document: Document) -> bool:
    return digest_of(lens.project(prompt, slug)) == digest_of(document)
