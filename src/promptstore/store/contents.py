"""What blobs say: prompt files parsed once, kept by blob id in memory and in the cache."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from promptstore.errors import GitError, InvalidPrompt
from promptstore.store.cache import Cache
from promptstore.store.git.objects import Objects
from promptstore.store.quick import TEXT

if TYPE_CHECKING:
    from promptstore.model.prompt_file import PromptFile

_KIND = "prompt-1"  # raise the number when the model changes: older facts are then never read
_MEMORY = 20_000


@dataclass(frozen=True, slots=True)
class Facts:
    """What a valid prompt blob says, without building the model: its digest and its plain data."""

    digest: str
    data: Mapping[str, Any]

    @property
    def name(self) -> str | None:
        return self.data.get("name")


class Contents:
    """Prompt files by blob id."""

    def __init__(self, objects: Objects, cache: Cache) -> None:
        self._objects = objects
        self._cache = cache
        self._facts: dict[str, Facts] = {}
        self._prompts: dict[str, PromptFile] = {}

    def text(self, blob: str, path: str) -> bytes:
        """The bytes of a valid prompt file. Raises InvalidPrompt for a broken one."""
        known = self._cache.get(TEXT, blob)
        if known is not None:
            return known
        self.facts(blob, path)
        text = self._objects.blob(blob)
        self._cache.put(TEXT, blob, text)
        return text

    def raw(self, blob: str) -> bytes:
        """The bytes of a blob, valid or not."""
        return self._objects.blob(blob)

    def facts(self, blob: str, path: str) -> Facts:
        """Digest and data of one blob. Raises InvalidPrompt, with ``path`` as its place."""
        found, broken = self.facts_of({path: blob})
        if broken:
            raise broken[path]
        return found[path]

    def facts_of(self, blobs: Mapping[str, str]) -> tuple[dict[str, Facts], dict[str, InvalidPrompt]]:
        """Facts of many blobs by path, and the errors of those that are broken."""
        self._load({blob for blob in blobs.values() if blob not in self._facts})
        fresh = {path: blob for path, blob in blobs.items() if blob not in self._facts}
        broken = self._parse(fresh)
        return {path: self._facts[blob] for path, blob in blobs.items() if path not in broken}, broken

    def prompt(self, blob: str, path: str) -> PromptFile:
        """The prompt that a blob says. Raises InvalidPrompt."""
        prompt = self._prompts.get(blob)
        if prompt is None:
            from promptstore.model.prompt_file import PromptFile

            prompt = PromptFile.model_validate(self.facts(blob, path).data)
            _bound(self._prompts)
            self._prompts[blob] = prompt
        return prompt

    def known(self, blobs: Iterable[str], place: str) -> dict[str, PromptFile]:
        """The prompts of many blobs; those that are broken or missing are left out. ``place`` names them in errors."""
        wanted = {f"{place}/{blob[:12]}": blob for blob in blobs}
        try:
            _, broken = self.facts_of(wanted)
        except GitError:  # one that is missing fails all
            wanted = {path: blob for path, blob in wanted.items() if self._objects.read(blob) is not None}
            _, broken = self.facts_of(wanted)
        return {blob: self.prompt(blob, path) for path, blob in wanted.items() if path not in broken}

    def _load(self, blobs: Iterable[str]) -> None:
        known = self._cache.get_many(_KIND, list(blobs))
        _bound(self._facts)
        for blob, value in known.items():
            row = json.loads(value)
            self._facts[blob] = Facts(row["digest"], row["data"])

    def _parse(self, blobs: Mapping[str, str]) -> dict[str, InvalidPrompt]:
        broken = {}
        rows = []
        for (path, blob), text in zip(blobs.items(), self._objects.blobs(list(blobs.values())), strict=True):
            try:
                self._facts[blob] = facts = parse(text, path)
            except InvalidPrompt as error:
                broken[path] = error
            else:
                rows.append((blob, json.dumps({"digest": facts.digest, "data": facts.data}).encode()))
        self._cache.put_many(_KIND, rows)
        return broken


def parse(text: bytes, path: str) -> Facts:
    """The facts of a prompt file's bytes. Raises InvalidPrompt."""
    from promptstore.model.digest import prompt_digest
    from promptstore.model.reading import parse_prompt

    prompt = parse_prompt(text, path)
    return Facts(prompt_digest(prompt), prompt.data())


def _bound(memory: dict[str, Any]) -> None:
    """Keep a long-lived process from growing without end."""
    if len(memory) > _MEMORY:
        memory.clear()
