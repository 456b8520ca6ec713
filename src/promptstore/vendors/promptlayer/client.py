"""A PromptLayer workspace over its API. Paths hold ids only: no name can be lost or mistaken in a URL."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from promptstore.errors import (
    AuthError,
    BadResponse,
    RemoteMissing,
    RemoteRejected,
    WriteInDoubt,
)
from promptstore.model.digest import digest_of
from promptstore.vendors.base import Connection, Document, Publication, Receipt, RemoteHead, RemoteVersion, TagListing
from promptstore.vendors.http import Http
from promptstore.vendors.promptlayer import wire
from promptstore.vendors.promptlayer.folders import Folders
from promptstore.vendors.promptlayer.lens.normal import normalise
from promptstore.vendors.promptlayer.publishing import publish_body

if TYPE_CHECKING:
    import builtins

PER_PAGE = 100
MAX_PAGES = 1000

_SAFE_FILTER = re.compile(r"[\w./-]+( [\w./-]+)*")


def connect(connection: Connection) -> PromptLayerWorkspace:
    """Open the workspace that the key belongs to. Raises AuthError where there is no usable key."""
    key = (connection.key or "").strip()
    if not key:
        raise AuthError("PromptLayer needs a key", hint="set PROMPTLAYER_API_KEY, or run: promptstore remote login")
    # Raw reads come from a cache at the server unless this header forbids it.
    headers = {"X-API-KEY": key, "Cache-Control": "no-cache"}
    transport, timing = connection.transport, connection.timing
    http = Http("PromptLayer", connection.base_url, headers=headers, secret=key, transport=transport, timing=timing)
    return PromptLayerWorkspace(http)


class PromptLayerWorkspace:
    """See ``promptstore.vendors.base.Workspace``."""

    def __init__(self, http: Http) -> None:
        self._http = http
        self._folders = Folders(http)
        self._names: dict[int, str] = {}
        self._snippets: dict[int, bool] = {}
        self._workspace = ""

    def close(self) -> None:
        self._http.close()

    def identity(self) -> str:
        """The workspace's id as the last raw read told it; empty while nothing was read."""
        return self._workspace

    def list(self) -> Sequence[RemoteHead]:
        return [_head(item) for item in self._items({})]

    def read(self, prompt_id: str, version: str | None = None) -> RemoteVersion:
        found = self._read(_number(prompt_id), None if version is None else _number(version))
        return RemoteVersion(
            id=str(found.id),
            name=found.name,
            version=str(found.version),
            document=found.document,
            created=found.created,
            message=found.message,
            intent=found.intent,
            stamp=_stamp(found.version, found.document),
        )

    def versions(self, prompt_id: str, head: str, after: str | None = None) -> Sequence[str]:  # noqa: ARG002 - the protocol's
        """Every number up to ``head``: PromptLayer lists no versions, a missing one shows when it is read."""
        start = 1 if after is None else _number(after) + 1
        return [str(number) for number in range(start, _number(head) + 1)]

    def tags(self, names: Collection[str], sweep: Sequence[str]) -> TagListing:
        """A label that the server says it does not know, or a swept prompt that is gone, stays unknown."""
        tags: dict[str, dict[str, str]] = {}
        known: set[str] = set()
        swept: set[str] = set()
        for name in names:
            for prompt_id, version in self._labelled(name, known):
                tags.setdefault(prompt_id, {})[name] = version
        for prompt_id in sweep:
            for name, version in self._swept(prompt_id, swept):
                tags.setdefault(prompt_id, {})[name] = version
        return TagListing(tags, frozenset(known), frozenset(swept))

    def find(self, slug: str, document: Document) -> RemoteHead | None:  # noqa: ARG002 - the protocol's
        """The prompt of that very name, archived ones included."""
        name: str = document["prompt_name"]
        # The server's filter matches parts in any case; an odd name might be a pattern to it, so it is not filtered.
        narrow = {"name": name} if _SAFE_FILTER.fullmatch(name) else {}
        found = [item for item in self._items({**narrow, "status": "all"}) if item.name == name]
        return _head(found[0]) if found else None

    def publish(self, publication: Publication) -> Receipt:
        if publication.id is not None:
            self._check_name(_number(publication.id), publication.document["prompt_name"])
        levels = publication.slug.split("/")[:-1] if publication.id is None else []
        folder = self._folders.ensure(levels)
        body = publish_body(publication.document, publication.message, publication.intent, folder)
        try:
            answer = self._http.send("POST", "/rest/prompt-templates", body)
        except RemoteRejected:
            self._folders.forget()
            raise
        return _receipt(answer, publication.id)

    def _check_name(self, prompt_id: int, name: str) -> None:
        """A publish goes by name: under a new name it would make a second prompt."""
        if prompt_id not in self._names:
            self._read(prompt_id)
        there = self._names[prompt_id]
        if there != name:
            message = f"the prompt is named {there!r} at PromptLayer, and would be published as {name!r}"
            raise RemoteRejected(message, status=409, hint="PromptLayer cannot rename by its API: rename it there")

    def set_tag(self, prompt_id: str, tag: str, version: str) -> None:
        """Create or move a label, and make sure that it took."""
        prompt, number = _number(prompt_id), _number(version)
        label = self._label(prompt, tag)
        if label is not None and label.version == number:
            return
        if label is None:
            self._http.send("POST", f"/prompts/{prompt}/label", {"prompt_version_number": number, "name": tag})
        else:
            self._http.send("PATCH", f"/prompt-labels/{label.id}", {"prompt_version_number": number})
        after = self._label(prompt, tag)
        if after is None or after.version != number:
            raise _protected(tag, "moved")

    def delete_tag(self, prompt_id: str, tag: str) -> None:
        prompt = _number(prompt_id)
        label = self._label(prompt, tag)
        if label is None:
            return
        self._http.send("DELETE", f"/prompt-labels/{label.id}")
        if self._label(prompt, tag) is not None:
            raise _protected(tag, "taken away")

    def delete(self, prompt_id: str) -> None:
        """Archive the prompt; it stays readable in PromptLayer's own archive."""
        number = _number(prompt_id)
        if number not in self._snippets and number not in {item.id for item in self._items({})}:
            return
        kind = "SNIPPET" if self._snippets.get(number) else "PROMPT"
        body = {"entities": [{"id": number, "type": kind}], "cascade": False}
        with suppress(RemoteMissing):  # gone already, which the listing has to prove
            self._http.send("DELETE", "/api/public/v2/folders/entities", body)
        if number in {item.id for item in self._items({})}:
            raise RemoteRejected("PromptLayer did not archive the prompt", status=409, hint="archive it there")

    def _read(self, prompt_id: int, version: int | None = None) -> wire.Read:
        params: dict[str, Any] = {"resolve_snippets": "false", **({} if version is None else {"version": version})}
        found = wire.read(self._http.get(f"/prompt-templates/{prompt_id}", params))
        if found.id != prompt_id or version not in (None, found.version):
            asked = f"version {version or 'newest'} of prompt {prompt_id}"
            raise BadResponse(f"PromptLayer answered version {found.version} of prompt {found.id} for {asked}")
        self._names[found.id] = found.name
        self._workspace = found.workspace or self._workspace
        return found

    def _page(self, number: int, filters: Mapping[str, Any]) -> wire.Page:
        order = {"page": number, "per_page": PER_PAGE, "sort_by": "id", "sort_order": "asc"}
        return wire.page(self._http.get("/prompt-templates", {**order, **filters}))

    def _items(self, filters: Mapping[str, Any]) -> builtins.list[wire.Item]:
        """All items of a listing, one an id (the newer where a page shift shows it twice); all or an error."""
        found: dict[int, wire.Item] = {}
        for page in self._pages(filters):
            fresh = [item for item in page.items if item.id not in found]
            if page.has_next and not fresh:
                raise BadResponse("PromptLayer's listing has no end: a page that says there is more brings nothing new")
            found.update({item.id: item for item in page.items if item.version >= _version(found.get(item.id))})
        self._names.update({item.id: item.name for item in found.values()})
        self._snippets.update({item.id: item.snippet or False for item in found.values()})
        return list(found.values())

    def _pages(self, filters: Mapping[str, Any]) -> Iterator[wire.Page]:
        received, totals = 0, set()
        for number in range(1, MAX_PAGES + 1):
            page = self._page(number, filters)
            received += len(page.items)
            totals.add(page.total)
            yield page
            if not page.has_next:
                return _check_complete(received, totals)
        raise BadResponse(f"PromptLayer's listing has more than {MAX_PAGES} pages")

    def _labelled(self, name: str, known: set[str]) -> Iterator[tuple[str, str]]:
        try:
            items = self._items({"label": name})
        except RemoteMissing:
            return
        known.add(name)
        yield from ((str(item.id), str(item.version)) for item in items)

    def _swept(self, prompt_id: str, swept: set[str]) -> Iterator[tuple[str, str]]:
        try:
            labels = self._labels(_number(prompt_id))
        except RemoteMissing:
            return
        swept.add(prompt_id)
        yield from ((label.name, str(label.version)) for label in labels)

    def _labels(self, prompt_id: int) -> tuple[wire.Label, ...]:
        return wire.labels(self._http.get(f"/prompt-templates/{prompt_id}/labels"))

    def _label(self, prompt_id: int, name: str) -> wire.Label | None:
        return next((label for label in self._labels(prompt_id) if label.name == name), None)


def _head(item: wire.Item) -> RemoteHead:
    return RemoteHead(
        str(item.id), item.name, item.folder, str(item.version), _stamp(item.version, normalise(item.raw))
    )


def _stamp(version: int, document: Document) -> str:
    """A listing's items may have their snippets filled in, so the template is not looked at: versions never change."""
    return digest_of([version, {**document, "prompt_template": None}])


def _version(item: wire.Item | None) -> int:
    return item.version if item else 0


def _check_complete(received: int, totals: set[int | None]) -> None:
    """Fewer items than the server counted, while its count stood still: a part of the list, taken for all of it."""
    total = totals.pop() if len(totals) == 1 else None
    if total is not None and received < total:
        raise BadResponse(f"PromptLayer's listing is not complete: {received} prompts of {total}")


def _receipt(answer: Any, prompt_id: str | None) -> Receipt:
    try:
        made, version = wire.published(answer)
    except BadResponse as problem:
        raise WriteInDoubt(f"nobody knows whether PromptLayer made the version: {problem.message}") from problem
    if prompt_id is not None and str(made) != prompt_id:
        raise WriteInDoubt(f"PromptLayer says that it wrote to prompt {made} instead of {prompt_id}")
    return Receipt(str(made), None if version is None else str(version))


def _protected(tag: str, done: str) -> RemoteRejected:
    message = f"PromptLayer took the request, but the label {tag!r} was not {done}: it is probably protected"
    return RemoteRejected(message, status=409, hint="approve the change in PromptLayer, or lift the protection there")


def _number(text: str) -> int:
    """An id or version of ours as PromptLayer's number; nothing else may come into a path."""
    if not re.fullmatch(r"[1-9][0-9]{0,17}", text):
        raise BadResponse(f"{text!r} is no id or version of PromptLayer")
    return int(text)
