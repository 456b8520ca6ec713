"""Where cases run: one vendor's workspace, names of its own in it, and a record of all that was made."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from promptstore.errors import PromptStoreError, RemoteRejected, WriteInDoubt
from promptstore.model.digest import digest_of
from promptstore.vendors.base import Document, Publication, RemoteHead, Vendor, Workspace
from promptstore.vendors.conformance.samples import prompt
from promptstore.vendors.conformance.verdicts import NotApplicable, expect

if TYPE_CHECKING:
    from promptstore.model.prompt_file import PromptFile
    from promptstore.vendors.conformance.recorder import Recorder

Elsewhere = Callable[[str, "PromptFile"], None]
"""Writes a version of the prompt of that slug past the API, as a person does in the vendor's own page."""


@dataclass(frozen=True, slots=True)
class Made:
    """One version that a case made."""

    slug: str
    id: str
    version: str
    document: Document
    intent: str = ""


@dataclass
class Ground:
    """Everything that a case may touch. ``connect`` opens the same workspace with another key (None: without one)."""

    vendor: Vendor
    connect: Callable[[str | None], Workspace]
    workspace: Workspace
    recorder: Recorder
    base_url: str
    prefix: str
    tag: str = "promptstore-probe"
    elsewhere: Elsewhere | None = None
    made: dict[str, str] = field(default_factory=dict)
    """Slug -> id of each prompt that was made here and not deleted since."""
    _subject: str = ""

    def slug(self, name: str) -> str:
        """A slug that nobody else has."""
        return f"{self.prefix}-{name}"

    def prompt(self, text: str, **more: Any) -> PromptFile:
        return prompt(self.vendor.capabilities, text, **more)

    def project(self, file: PromptFile, slug: str) -> Document:
        return self.vendor.lens.project(file, slug)

    # --- making

    def put(self, slug: str, file: PromptFile) -> Made:
        """One more version of our prompt of that slug. Raises NotApplicable where nothing here can write."""
        document = self.project(file, slug)
        if self.vendor.capabilities.write:
            return self.publish(slug, document)
        if self.elsewhere is None:
            raise NotApplicable(f"{self.vendor.title} has no API to write prompts, so there is none of our own")
        self.elsewhere(slug, file)
        head = self.workspace.find(slug, document)
        expect(head is not None, f"the prompt {slug!r} was written, but `find` says that its name is free")
        assert head is not None
        return Made(slug, head.id, head.version, document)

    def publish(self, slug: str, document: Document) -> Made:
        """A publish as the engine does it; remembered before it is known whether it went well."""
        intent = uuid.uuid4().hex
        known = self.made.get(slug)
        try:
            receipt = self.workspace.publish(Publication(known, slug, document, "promptstore probe", intent))
        except WriteInDoubt:
            self._remember(slug, document)
            raise
        self.made[slug] = receipt.id
        return Made(slug, receipt.id, receipt.version or self.workspace.read(receipt.id).version, document, intent)

    def _remember(self, slug: str, document: Document) -> None:
        head = self.workspace.find(slug, document)
        if head is not None:
            self.made[slug] = head.id

    # --- looking

    def says(self, found: Document, meant: Document) -> bool:
        """Whether what is read is what was written. Where a person wrote it in the vendor's own page, which asks for
        more than a prompt file says, there may be more."""
        return same(found, meant) if self.vendor.capabilities.write else _holds(found, meant)

    def head(self, prompt_id: str) -> RemoteHead | None:
        """The prompt's line in a fresh listing."""
        return next((head for head in self.workspace.list() if head.id == prompt_id), None)

    def subject(self) -> RemoteHead:
        """A prompt to look at: one of ours, else any. Raises NotApplicable where there is none."""
        ours = self._of_ours()
        heads = self.workspace.list()
        chosen = next((head for head in heads if ours in (None, head.id)), None)
        expect(chosen is not None or ours is None, "a prompt that was just written is not in the listing")
        if chosen is None:
            raise NotApplicable("the workspace holds no prompt to look at")
        return chosen

    def _of_ours(self) -> str | None:
        """The id of a prompt of ours with a history; None where none can be made."""
        if not self._subject:
            try:
                made = [self.put(self.slug("subject"), self.prompt(text)) for text in ("one", "two", "three")]
            except NotApplicable:
                return None
            self._subject = made[-1].id
        return self._subject

    def stranger(self, prompt_id: str) -> str:
        """An id of the same form that no prompt of the workspace has."""
        taken = {head.id for head in self.workspace.list()}
        return next(found for found in _like(prompt_id) if found not in taken)

    # --- cleaning up

    def forget(self, slug: str) -> None:
        """The prompt was deleted by the case itself."""
        self.made.pop(slug, None)

    def clean(self) -> Mapping[str, str]:
        """Delete all that was made; what is left, with the reason: slug -> why."""
        left = {slug: self._deleted(prompt_id) for slug, prompt_id in self.made.items()}
        there = self._still_there() if self.made else {}
        self.made = {slug: prompt_id for slug, prompt_id in self.made.items() if left[slug] or prompt_id in there}
        return {slug: left[slug] or there[prompt_id] for slug, prompt_id in self.made.items()}

    def _still_there(self) -> Mapping[str, str]:
        """Of the prompts made here, those that are not proven gone: id -> why."""
        try:
            listed = {head.id for head in self.workspace.list()}
        except PromptStoreError as problem:
            return dict.fromkeys(self.made.values(), f"the listing that would prove it failed: {problem.message}")
        return dict.fromkeys(listed & {*self.made.values()}, "it is still in the listing")

    def _deleted(self, prompt_id: str) -> str:
        """Empty once the prompt is gone, else why it is not."""
        if not self.vendor.capabilities.delete:
            return f"{self.vendor.title} has no API to delete prompts"
        try:
            self.workspace.delete(prompt_id)
        except PromptStoreError as problem:
            return problem.message
        return ""


def _like(prompt_id: str) -> list[str]:
    """Ids of the same form: a number far away, else one with another last letter or digit."""
    if prompt_id.isdigit():
        return [f"{nines}{prompt_id}" for nines in ("9999", "99998", "99997")]
    found = re.search(r"[0-9A-Za-z](?=[^0-9A-Za-z]*$)", prompt_id)
    place = found.start() if found else len(prompt_id)
    return [f"{prompt_id[:place]}{letter}{prompt_id[place + 1 :]}" for letter in "0123456789abcdefghijk"]


def same(one: Document, other: Document) -> bool:
    """Whether two documents say the same."""
    return digest_of(one) == digest_of(other)


def _holds(found: Any, meant: Any) -> bool:
    """Whether every value of ``meant`` stands in ``found`` at its place."""
    if isinstance(meant, dict) and isinstance(found, dict):
        return all(key in found and _holds(found[key], value) for key, value in meant.items())
    return digest_of(found) == digest_of(meant)


def refused(problem: RemoteRejected) -> bool:
    """Whether a refusal tells what to do instead."""
    return bool(problem.message and problem.hint)
