"""A vendor in memory: numbered versions that every publish appends to, labels, and faults on demand."""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from promptstore.errors import RemoteMissing, WriteInDoubt
from promptstore.vendors.base import (
    Document,
    Publication,
    Receipt,
    RemoteHead,
    RemoteVersion,
    TagListing,
)
from promptstore.vendors.promptlayer import VENDOR

LENS = VENDOR.lens


@dataclass
class Record:
    """One version as the vendor keeps it."""

    document: Document
    created: datetime
    message: str = ""
    intent: str | None = None


@dataclass
class Kept:
    """One prompt as the vendor keeps it."""

    id: str
    name: str
    folder: str
    versions: list[Record] = field(default_factory=list)
    labels: dict[str, int] = field(default_factory=dict)
    deleted: bool = False


class MemoryWorkspace:
    """Implements ``Workspace``. ``requests`` counts calls by name, ``before``/``after`` inject faults by call name.

    ``chaos`` is asked at every step, as ``"before publish"`` and ``"after publish"``, and may raise whatever it likes.
    """

    def __init__(self) -> None:
        self.chaos: Callable[[str], None] = lambda _: None
        self.workspace_id = ""
        self.prompts: dict[str, Kept] = {}
        self.requests: list[str] = []
        self.before: dict[str, Callable[..., None]] = {}
        self.after: dict[str, Callable[..., None]] = {}
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self._next = 1

    # --- what people do in the vendor's own page

    def edit(self, name: str, text: str, folder: str = "", label: str | None = None, **extra: Any) -> Kept:
        """Save a new version of a one-message chat prompt."""
        template = {
            "type": "chat",
            "messages": [{"role": "system", "content": [{"type": "text", "text": text}], "template_format": "jinja2"}],
        }
        return self.save(name, {"prompt_template": template, **extra}, folder, label)

    def save(self, name: str, body: Mapping[str, Any], folder: str = "", label: str | None = None) -> Kept:
        kept = self.by_name(name)
        if kept is None:
            kept = Kept(str(self._next), name, folder)
            self._next += 1
            self.prompts[kept.id] = kept
        document = LENS.normalise({"prompt_name": name, **copy.deepcopy(dict(body))})
        self._append(kept, Record(document, self._tick(), "edited in the page"))
        if label:
            kept.labels[label] = len(kept.versions)
        return kept

    def label(self, name: str, label: str, version: int | None) -> None:
        """Move a label, or take it away."""
        kept = self.by_name(name)
        assert kept is not None
        if version is None:
            kept.labels.pop(label, None)
        else:
            kept.labels[label] = version

    def archive(self, name: str) -> None:
        kept = self.by_name(name)
        assert kept is not None
        kept.deleted = True

    def by_name(self, name: str) -> Kept | None:
        return next((kept for kept in self.prompts.values() if kept.name == name and not kept.deleted), None)

    def text(self, name: str, version: int | None = None) -> str:
        kept = self.by_name(name)
        assert kept is not None
        record = kept.versions[(version or len(kept.versions)) - 1]
        return str(record.document["prompt_template"]["messages"][0]["content"][0]["text"])

    # --- Workspace

    def identity(self) -> str:
        return self.workspace_id

    def list(self) -> Sequence[RemoteHead]:
        self._call("list")
        return [
            RemoteHead(kept.id, kept.name, kept.folder, str(len(kept.versions)))
            for kept in self.prompts.values()
            if not kept.deleted
        ]

    def read(self, prompt_id: str, version: str | None = None) -> RemoteVersion:
        self._call("read")
        kept = self.prompts.get(prompt_id)
        if kept is None or kept.deleted or (version and int(version) > len(kept.versions)):
            raise RemoteMissing("no such prompt", status=404)
        number = int(version or len(kept.versions))
        record = kept.versions[number - 1]
        return RemoteVersion(
            kept.id,
            kept.name,
            str(number),
            copy.deepcopy(record.document),
            record.created,
            "dana@vendor.example",
            record.message,
            record.intent,
        )

    def versions(self, prompt_id: str, head: str, after: str | None = None) -> Sequence[str]:
        self._call("versions")
        return [str(number) for number in range(int(after or 0) + 1, int(head) + 1)]

    def tags(self, names: Collection[str], sweep: Sequence[str]) -> TagListing:
        self._call("tags")
        self.requests += [f"label:{name}" for name in names] + [f"labels-of:{prompt_id}" for prompt_id in sweep]
        found: dict[str, dict[str, str]] = {}
        for kept in self.prompts.values():
            told = {
                label: str(number)
                for label, number in kept.labels.items()
                if (label in names or kept.id in sweep) and not kept.deleted
            }
            if told:
                found[kept.id] = told
        return TagListing(found, frozenset(names), frozenset(sweep))

    def find(self, slug: str, document: Document) -> RemoteHead | None:
        self._call("find")
        found = [kept for kept in self.prompts.values() if kept.name == document["prompt_name"]]
        return RemoteHead(found[0].id, found[0].name, found[0].folder, str(len(found[0].versions))) if found else None

    def publish(self, publication: Publication) -> Receipt:
        self._call("publish", publication)
        there = self.by_name(publication.document["prompt_name"])
        if publication.id is None and there is not None:
            kept = there  # it goes by name, as PromptLayer does
        elif publication.id is None:
            kept = Kept(str(self._next), publication.document["prompt_name"], publication.slug.rpartition("/")[0])
            self._next += 1
            self.prompts[kept.id] = kept
        else:
            kept = self.prompts[publication.id]
        record = Record(copy.deepcopy(publication.document), self._tick(), publication.message, publication.intent)
        self._append(kept, record)
        receipt = Receipt(kept.id, str(len(kept.versions)))
        self._after("publish", publication)
        return receipt

    def set_tag(self, prompt_id: str, tag: str, version: str) -> None:
        self._call("set_tag")
        self.prompts[prompt_id].labels[tag] = int(version)
        self._after("set_tag")

    def delete_tag(self, prompt_id: str, tag: str) -> None:
        self._call("delete_tag")
        self.prompts[prompt_id].labels.pop(tag, None)
        self._after("delete_tag")

    def delete(self, prompt_id: str) -> None:
        self._call("delete")
        self.prompts[prompt_id].deleted = True
        self._after("delete")

    def close(self) -> None:
        self.requests.append("close")

    # --- pieces

    @property
    def writes(self) -> list[str]:
        return [call for call in self.requests if call in {"publish", "set_tag", "delete_tag", "delete"}]

    def _tick(self) -> datetime:
        self.now += timedelta(minutes=1)
        return self.now

    def _append(self, kept: Kept, record: Record) -> None:
        kept.versions.append(record)

    def _call(self, name: str, *arguments: Any) -> None:
        self.requests.append(name)
        self.chaos(f"before {name}")
        if name in self.before:
            self.before[name](*arguments)

    def _after(self, name: str, *arguments: Any) -> None:
        self.chaos(f"after {name}")
        if name in self.after:
            self.after[name](*arguments)


def lost_reply(*_: Any) -> None:
    raise WriteInDoubt("the connection broke while waiting for the answer")
