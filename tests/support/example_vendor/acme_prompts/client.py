"""An Acme workspace over its API."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from acme_prompts.lens import LENS
from promptstore.errors import AuthError, BadResponse, RemoteMissing, RemoteRejected, WriteInDoubt
from promptstore.vendors.base import Connection, Document, Publication, Receipt, RemoteHead, RemoteVersion, TagListing
from promptstore.vendors.http import Http


def connect(connection: Connection) -> AcmeWorkspace:
    key = (connection.key or "").strip()
    if not key:
        raise AuthError("Acme needs a key", hint="set ACME_API_KEY, or run: promptstore remote login")
    headers = {"Authorization": f"Bearer {key}", "Cache-Control": "no-cache"}
    transport, timing = connection.transport, connection.timing
    http = Http("Acme", connection.base_url, headers=headers, secret=key, transport=transport, timing=timing)
    return AcmeWorkspace(http)


class AcmeWorkspace:
    """See ``promptstore.vendors.base.Workspace``."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def close(self) -> None:
        self._http.close()

    def identity(self) -> str:
        return ""

    def list(self) -> Sequence[RemoteHead]:
        notes = _field(self._http.get("/notes"), "notes", list)
        return [RemoteHead(*_facts(note), stamp=str(note["revision"])) for note in notes]

    def read(self, prompt_id: str, version: str | None = None) -> RemoteVersion:
        note = self._http.get(f"/notes/{_number(prompt_id)}", {"revision": _number(version)} if version else None)
        found, title, _, revision = _facts(note)
        if found != prompt_id or version not in (None, revision):
            raise BadResponse(f"Acme answered revision {revision} of note {found} for {version} of {prompt_id}")
        _field(note, "text", str)
        return RemoteVersion(found, title, revision, LENS.normalise(note), stamp=revision)

    def versions(self, prompt_id: str, head: str, after: str | None = None) -> Sequence[str]:
        return [str(number) for number in range(int(after or 0) + 1, int(head) + 1)]

    def tags(self, names: Collection[str], sweep: Sequence[str]) -> TagListing:
        return TagListing()

    def find(self, slug: str, document: Document) -> RemoteHead | None:
        return next((head for head in self.list() if head.name == document["title"]), None)

    def publish(self, publication: Publication) -> Receipt:
        if publication.id is None:
            return _receipt(self._http.send("POST", "/notes", publication.document))
        there = self.read(publication.id).name
        if there != publication.document["title"]:
            raise RemoteRejected(f"Acme calls it {there!r}, and cannot rename", status=409, hint="keep its title")
        return _receipt(self._http.send("PUT", f"/notes/{_number(publication.id)}", publication.document))

    def set_tag(self, prompt_id: str, tag: str, version: str) -> None:
        raise RemoteRejected("Acme has no tags", status=405, hint="leave tags out of this remote: tags = []")

    def delete_tag(self, prompt_id: str, tag: str) -> None:
        raise RemoteRejected("Acme has no tags", status=405, hint="leave tags out of this remote: tags = []")

    def delete(self, prompt_id: str) -> None:
        try:
            self._http.send("DELETE", f"/notes/{_number(prompt_id)}")
        except RemoteMissing:
            return  # it is gone


def _receipt(answer: Any) -> Receipt:
    """What a write made. An answer that cannot be understood proves neither that it was done nor that it was not."""
    try:
        made, _, _, revision = _facts(answer)
    except BadResponse as problem:
        raise WriteInDoubt(f"nobody knows whether Acme did the write: {problem.message}") from problem
    return Receipt(made, revision)


def _facts(note: Any) -> tuple[str, str, str, str]:
    """Id, title, folder and revision."""
    return str(_field(note, "id", int)), _field(note, "title", str), "", str(_field(note, "revision", int))


def _field(value: Any, key: str, kind: type) -> Any:
    found = value.get(key) if isinstance(value, dict) else None
    if not isinstance(found, kind):
        raise BadResponse(f"Acme's answer makes no sense: {key!r} is missing")
    return found


def _number(text: str) -> int:
    """An id or revision as Acme's number; nothing else may come into a path."""
    if not (text.isascii() and text.isdigit()):
        raise BadResponse(f"{text!r} is no id or revision of Acme")
    return int(text)
