"""Vendors in memory: what they keep, what people do in their pages, and the workspace that an engine opens there.

``PromptLayer`` numbers versions and keeps an intent id with each; ``Braintrust`` has transaction ids, and only what a
version says can tell whose it is. Both give more back than they were sent.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

from wire import Wire

from promptstore.errors import RemoteMissing, RemoteRejected
from promptstore.model.digest import digest_of
from promptstore.vendors import braintrust, promptlayer
from promptstore.vendors.base import Document, Publication, Receipt, RemoteHead, RemoteVersion, TagListing, Vendor

LAG = 35.0
"""Seconds for which a vendor may still show what was before."""
LATE = 50
"""Seconds after which a slow write has arrived. With `LAG` it is less than the settle window: what arrives, or shows,
later still is not promised to be found."""
PAGE = 2


@dataclass
class Saved:
    """One version as the vendor keeps it."""

    version: str
    document: Document
    time: float
    intent: str | None
    message: str
    by: str
    """The intent of the engine that made it; empty where a person did."""


@dataclass
class Kept:
    """One prompt as the vendor keeps it."""

    id: str
    name: str
    folder: str
    versions: list[Saved] = field(default_factory=list)
    labels: dict[str, str] = field(default_factory=dict)
    deleted: bool = False

    @property
    def head(self) -> Saved:
        return self.versions[-1]


class Cloud:
    """One vendor's workspace, shared by everybody."""

    vendor: Vendor
    name_key: str
    names: tuple[str, ...]
    """The keys of a document that name the prompt."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.prompts: dict[str, Kept] = {}
        self.writes: list[str] = []
        self.seen: dict[tuple[str, str], Document] = {}
        """Newest versions of linked prompts that an engine was shown in this run, after a listing told of them."""
        self.linked: frozenset[str] = frozenset()
        """Ids of the prompts that the engine was linked with when the run began."""
        self.kept: dict[tuple[str, str], Document] = {}
        """Those shown in runs that did."""
        self.pending: list[tuple[float, Callable[[], Any]]] = []
        self.duplicates: list[str] = []
        """Intents that made more than one version."""
        self.intents: set[str] = set()
        """Those of all publishes that arrived."""
        self.hidden: list[Document] = []
        """Versions that an old answer kept from the last look before their prompt was archived."""
        self._count = 0
        self.on_delete: Callable[[Kept], None] = lambda _: None

    # --- what there is

    def live(self) -> list[Kept]:
        return [kept for kept in self.prompts.values() if not kept.deleted]

    def by_name(self, name: str) -> Kept | None:
        return next((kept for kept in self.live() if kept.name == name), None)

    def shown(self, kept: Kept) -> Document:
        """The newest version as its page shows it."""
        return self.vendor.lens.normalise(self.raw(kept, kept.head))

    def state(self) -> Any:
        """Everything, as plain data."""
        return [
            [kept.id, kept.name, kept.deleted, sorted(kept.labels.items())]
            + [[saved.version, saved.document, saved.time, saved.intent, saved.message] for saved in kept.versions]
            for kept in self.prompts.values()
        ]

    # --- what people do in its page

    def save(self, name: str, document: Document, folder: str = "") -> Kept:
        """A new version of the prompt of this name, or a new prompt."""
        kept = self.by_name(name) or self._create(name, folder)
        copied = kept.head.intent if kept.versions and self.vendor.capabilities.intent else None
        self._append(kept, self.vendor.lens.normalise(document), copied, "edited in the page")
        return kept

    def rename(self, kept: Kept, name: str) -> None:
        kept.name = name

    # --- writes, by whomever

    def _create(self, name: str, folder: str) -> Kept:
        self._count += 1
        kept = Kept(self._id(self._count), name, folder)
        self.prompts[kept.id] = kept
        return kept

    def _append(self, kept: Kept, document: Document, intent: str | None, message: str, by: str = "") -> Saved:
        self._count += 1
        made = Saved(self._version(kept), copy.deepcopy(document), self.clock(), intent, message, by)
        kept.versions.append(made)
        return made

    def publish(self, publication: Publication) -> Receipt:
        kept = self._target(publication)
        if publication.intent in self.intents:
            self.duplicates.append(publication.intent)
        self.intents.add(publication.intent)
        kept.name = publication.document[self.name_key]
        marked = publication.intent if self.vendor.capabilities.intent else None
        made = self._append(kept, publication.document, marked, publication.message, by=publication.intent)
        return Receipt(kept.id, made.version)

    def _target(self, publication: Publication) -> Kept:
        raise NotImplementedError

    def _id(self, count: int) -> str:
        raise NotImplementedError

    def _version(self, kept: Kept) -> str:
        raise NotImplementedError

    def raw(self, kept: Kept, saved: Saved) -> Mapping[str, Any]:
        """What the vendor answers: refilled."""
        raise NotImplementedError

    def find(self, document: Document) -> Kept | None:
        raise NotImplementedError

    # --- time

    def settle(self) -> None:
        """Let the slow writes arrive whose time has come."""
        due = [write for time, write in self.pending if time <= self.clock()]
        self.pending = [row for row in self.pending if row[0] > self.clock()]
        for write in due:
            try:
                write()
            except (RemoteRejected, RemoteMissing):
                continue  # nobody is there any more to be told


class PromptLayer(Cloud):
    vendor = promptlayer.VENDOR
    name_key = "prompt_name"
    names = ("prompt_name",)

    def _target(self, publication: Publication) -> Kept:
        name = publication.document["prompt_name"]
        there = self.by_name(name)
        if publication.id is not None:
            known = self.prompts[publication.id]
            if known.deleted or known.name != name:
                raise RemoteRejected(f"the prompt is named {known.name!r}", status=409)
            return known
        return there or self._create(name, publication.slug.rpartition("/")[0])

    def _id(self, count: int) -> str:
        return str(count)

    def _version(self, kept: Kept) -> str:
        return str(len(kept.versions) + 1)

    def raw(self, kept: Kept, saved: Saved) -> Mapping[str, Any]:
        template = saved.document["prompt_template"]
        messages = [
            {"name": None, "input_variables": [], "raw_request_display_role": "", "dataset_examples": [], **message}
            for message in template["messages"]
        ]
        filled = {"functions": None, "tools": None, "tool_choice": None, **template, "messages": messages}
        return {"metadata": None, **saved.document, "prompt_name": kept.name, "prompt_template": filled}

    def find(self, document: Document) -> Kept | None:
        return next((kept for kept in self.prompts.values() if kept.name == document["prompt_name"]), None)


class Braintrust(Cloud):
    vendor = braintrust.VENDOR
    name_key = "slug"
    names = ("name", "slug")

    def _target(self, publication: Publication) -> Kept:
        slug = publication.document["slug"]
        there = self.by_name(slug)
        if publication.id is None:
            return there or self._create(slug, "")
        known = self.prompts[publication.id]
        if known.deleted:
            raise RemoteMissing("no such prompt", status=404)
        if there is not None and there is not known:
            raise RemoteRejected(f"the slug {slug!r} belongs to another prompt", status=409)
        return known

    def rename(self, kept: Kept, name: str) -> None:
        """A slug is part of the version: a PATCH makes a new one."""
        kept.name = name
        self._append(kept, {**kept.head.document, "slug": name}, None, "renamed in the page")

    def _id(self, count: int) -> str:
        return f"00000000-0000-4000-8000-{count:012}"

    def _version(self, kept: Kept) -> str:
        return str(1_000_195_000_000_000_000 + self._count)

    def raw(self, kept: Kept, saved: Saved) -> Mapping[str, Any]:
        data = {"parser": None, "tool_functions": None, **saved.document["prompt_data"]}
        return {"description": None, "tags": None, "function_type": None, **saved.document, "prompt_data": data}

    def find(self, document: Document) -> Kept | None:
        return self.by_name(document["slug"])


class Desk:
    """Implements ``Workspace``: one engine's view of a cloud, over a wire."""

    def __init__(self, cloud: Cloud, wire: Wire) -> None:
        self._cloud = cloud
        self._wire = wire
        self._listed: set[str] = set()
        self._unshown: tuple[str, list[Saved]] = "", []
        """What the last answer about a prompt did not show of it."""

    def identity(self) -> str:
        return type(self._cloud).__name__

    def list(self) -> Sequence[RemoteHead]:
        """Page by page, as the clients do; one that fails leaves nothing."""
        found: list[RemoteHead] = []
        while True:
            page = self._wire.read("list", partial(self._page, len(found)))
            found += page
            if len(page) < PAGE:
                self._listed = {head.id for head in found}
                return list({head.id: head for head in found}.values())

    def _page(self, start: int, stale: bool) -> list[RemoteHead]:
        heads = [self._head(kept, saved) for kept in self._cloud.live() if (saved := self._shown(kept, stale))]
        return heads[start : start + PAGE]

    def _head(self, kept: Kept, saved: Saved) -> RemoteHead:
        return RemoteHead(kept.id, kept.name, kept.folder, saved.version, _stamp(kept, saved))

    def _shown(self, kept: Kept, stale: bool) -> Saved | None:
        """The newest version, or what was the newest a while ago."""
        if not stale:
            return kept.head
        known = [saved for saved in kept.versions if saved.time <= self._cloud.clock() - LAG]
        return known[-1] if known else None

    def read(self, prompt_id: str, version: str | None = None) -> RemoteVersion:
        return self._wire.read("read", lambda stale: self._read(prompt_id, version, stale))

    def _read(self, prompt_id: str, version: str | None, stale: bool) -> RemoteVersion:
        kept = self._cloud.prompts.get(prompt_id)
        if kept is None or kept.deleted:
            raise RemoteMissing("no such prompt", status=404)
        if version is None:
            saved = self._shown(kept, stale) or kept.head
            self._unshown = prompt_id, kept.versions[kept.versions.index(saved) + 1 :]
        else:
            found = next((saved for saved in kept.versions if saved.version == version), None)
            if found is None:
                raise RemoteMissing("no such version", status=404)
            saved = found
        return self._told(kept, saved)

    def _told(self, kept: Kept, saved: Saved) -> RemoteVersion:
        document = self._cloud.vendor.lens.normalise(self._cloud.raw(kept, saved))
        if kept.id in self._cloud.linked & self._listed and saved is kept.head:  # not to prove that it is there at all
            self._cloud.seen[kept.id, saved.version] = document
        created = datetime.fromtimestamp(saved.time, UTC)
        return RemoteVersion(
            kept.id,
            kept.name,
            saved.version,
            document,
            created,
            "dana@vendor.example",
            saved.message,
            saved.intent,
            _stamp(kept, saved),
        )

    def versions(self, prompt_id: str, head: str, after: str | None = None) -> Sequence[str]:
        order = self._cloud.vendor.version_key
        known = self._wire.read("versions", lambda _: [v.version for v in self._cloud.prompts[prompt_id].versions])
        return [v for v in known if order(v) <= order(head) and (after is None or order(v) > order(after))]

    def tags(self, names: Collection[str], sweep: Sequence[str]) -> TagListing:
        return self._wire.read("tags", lambda _: self._tags(names, sweep))

    def _tags(self, names: Collection[str], sweep: Sequence[str]) -> TagListing:
        found: dict[str, dict[str, str]] = {}
        for kept in self._cloud.live():
            told = {tag: v for tag, v in sorted(kept.labels.items()) if tag in names or kept.id in sweep}
            if told:
                found[kept.id] = told
        live = {kept.id for kept in self._cloud.live()}
        return TagListing(found, frozenset(names), frozenset(swept for swept in sweep if swept in live))

    def find(self, slug: str, document: Document) -> RemoteHead | None:
        kept = self._wire.read("find", lambda _: self._cloud.find(document))
        return self._head(kept, kept.head) if kept else None

    def publish(self, publication: Publication) -> Receipt:
        self._cloud.writes.append("publish")
        copied = copy.deepcopy(publication)
        return self._wire.write("publish", lambda: self._cloud.publish(copied))

    def set_tag(self, prompt_id: str, tag: str, version: str) -> None:
        self._cloud.writes.append("set_tag")
        self._wire.write("set_tag", lambda: self._set_tag(prompt_id, tag, version))

    def _set_tag(self, prompt_id: str, tag: str, version: str) -> None:
        kept = self._cloud.prompts[prompt_id]
        if kept.deleted or version not in {saved.version for saved in kept.versions}:
            raise RemoteRejected("no such version", status=400)
        kept.labels[tag] = version

    def delete_tag(self, prompt_id: str, tag: str) -> None:
        self._cloud.writes.append("delete_tag")
        self._wire.write("delete_tag", lambda: self._cloud.prompts[prompt_id].labels.pop(tag, None))

    def delete(self, prompt_id: str) -> None:
        self._cloud.writes.append("delete")
        looked_at, unshown = self._unshown
        self._wire.write("delete", lambda: self._delete(prompt_id, unshown if looked_at == prompt_id else []))

    def _delete(self, prompt_id: str, unshown: Sequence[Saved]) -> None:
        kept = self._cloud.prompts[prompt_id]
        if not kept.deleted:
            self._cloud.on_delete(kept)
            self._cloud.hidden += [saved.document for saved in unshown]
        kept.deleted = True

    def close(self) -> None:
        pass


def _stamp(kept: Kept, saved: Saved) -> str:
    return digest_of([saved.version, kept.name, saved.document.get("tags")])[:16]


def as_text(document: Document) -> str:
    return json.dumps(document, sort_keys=True)
