"""Vendor documents as prompt files, written onto the text we have so that every untouched byte stays.

Vendors rewrite what they get: they trim texts, leave out what they do not know. What one made of a text of ours is
nobody's edit, and stays there. A newer version of it has that too, so it is read as what it would be had the vendor
kept what it was sent: a three-way merge of what it made of ours, ours, and what it shows now.
"""

from __future__ import annotations

from dataclasses import dataclass

from promptstore.errors import NotRepresentable
from promptstore.merge.formats import merge_in_one_format
from promptstore.merge.rewriting import rewrite
from promptstore.model.digest import digest_of
from promptstore.model.prompt_file import PromptFile
from promptstore.model.templates.translate import Untranslatable
from promptstore.model.yaml.writer import write
from promptstore.store.store import Store
from promptstore.vendors.base import Document, Lens


@dataclass(frozen=True, slots=True)
class Made:
    """A text of ours, by its blob, and what the vendor made of it."""

    blob: str
    document: Document


def text_of(
    store: Store, lens: Lens, document: Document, slug: str, onto: str | None, made: Made | None = None
) -> bytes:
    """The prompt file that says ``document``: ``onto`` (a blob of ours) itself where it already does, else edited.

    What the vendor ``made`` of the text that the document came from is not taken over.
    """
    if onto is None:
        return write(lens.lift(document, slug, None).data()).encode()
    old = store.contents.prompt(onto, store.layout.path(slug))
    new = lens.lift(document, slug, old)
    if made is not None:
        new = as_sent(lens, slug, store.contents.prompt(made.blob, store.layout.path(slug)), made.document, new)
    raw = store.contents.raw(onto)
    return raw if new == old and _says(lens, old, slug, document) else edited(raw, new)


def as_sent(lens: Lens, slug: str, sent: PromptFile, made: Document, now: PromptFile) -> PromptFile:
    """What a vendor says ``now``, with what it ``made`` of the text that it was ``sent`` undone.

    Wherever it says something else now than it made then, somebody has edited it there, and that counts.
    """
    rewritten = lens.lift(made, slug, sent)
    if rewritten == sent:
        return now
    try:
        merged = merge_in_one_format(rewritten, sent, now, side=lambda _: "theirs")
        whole = PromptFile.model_validate(merged.data)
        lens.project(whole, slug)
    except (Untranslatable, NotRepresentable):
        return now
    return whole


def edited(raw: bytes, new: PromptFile) -> bytes:
    """A prompt file's bytes with its meaning changed to ``new``."""
    return rewrite(raw.decode("utf-8"), new.data()).encode("utf-8")


def _says(lens: Lens, prompt: PromptFile, slug: str, document: Document) -> bool:
    return digest_of(lens.project(prompt, slug)) == digest_of(document)
