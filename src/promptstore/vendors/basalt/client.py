"""A Basalt workspace over its API: it lists, reads by explicit version, and moves tags. Content cannot be written.

Basalt answers some questions with something else than was asked (a default version, a warning, another prompt where a
slug is taken for a path), so every answer is compared with the question.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from promptstore.errors import AuthError, BadResponse, RemoteMissing, RemoteRejected, WriteInDoubt
from promptstore.model.digest import digest_of
from promptstore.vendors.basalt import wire
from promptstore.vendors.basalt.versions import version_key
from promptstore.vendors.base import Connection, Document, Publication, Receipt, RemoteHead, RemoteVersion, TagListing
from promptstore.vendors.http import Http

if TYPE_CHECKING:
    pass

LATEST = "latest"
"""The tag that always names the newest version."""


def connect(connection: Connection) -> BasaltWorkspace:
    """Open the workspace that the key belongs to. Raises AuthError where there is no usable key."""
    key = (connection.key or "").strip()
    if not key:
        raise AuthError("Basalt needs a key", hint="set BASALT_API_KEY, or run: promptstore remote login")
    headers = {"Authorization": f"Bearer {key}", "Cache-Control": "no-cache"}
    transport, timing = connection.transport, connection.timing
    return BasaltWorkspace(
        Http("Basalt", connection.base_url, headers=headers, secret=key, transport=transport, timing=timing)
    )


class BasaltWorkspace:
    """See ``promptstore.vendors.base.Workspace``. Ids are slugs; a listing is remembered until the next one."""

    def __init__(self, http: Http) -> None:
        self._http = http
        self._listed: dict[str, wire.Row] | None = None
        self._tagged: dict[tuple[str, str], str | None] = {}

    def close(self) -> None:
        self._http.close()

    def identity(self) -> str:
        """Empty: nothing in Basalt's answers tells the workspace."""
        return ""

    def list(self) -> Sequence[RemoteHead]:
        """One request. The newest version is the highest; that ``latest`` says so too is checked when it is read."""
        self._listed = wire.rows(self._http.get("/prompts"))
        self._tagged = {}
        return [_head(row) for row in self._listed.values()]

    def read(self, prompt_id: str, version: str | None = None) -> RemoteVersion:
        """One version. Raises BadResponse for a prompt that the listing shows but cannot be asked for."""
        row = self._rows().get(prompt_id) or wire.Row(prompt_id)
        if row.problem:
            raise BadResponse(row.problem, hint="rename the prompt in Basalt")
        if version == "":
            raise RemoteMissing(f"Basalt's prompt {prompt_id!r} has no version yet", status=404)
        wanted = version or self._at(prompt_id, LATEST)
        found = self._get(prompt_id, {"version": wanted})
        if found.version != wanted:
            raise BadResponse(f"Basalt answered version {found.version!r} for version {wanted!r} of {prompt_id!r}")
        if version == row.newest and len(row.versions) > 1:
            self._check_newest(prompt_id, wanted)
        return RemoteVersion(prompt_id, prompt_id, wanted, found.document, stamp=_stamp(row))

    def _check_newest(self, slug: str, version: str) -> None:
        """The listing does not say which version is the newest, and their names may be any text."""
        try:
            latest = self._at(slug, LATEST)
        except RemoteMissing:
            return  # nothing that contradicts
        if version_key(latest) < version_key(version):
            message = f"Basalt says that {latest!r} is the latest version of {slug!r}, but {version!r} is above it"
            raise BadResponse(message, hint="name the next version in Basalt so that it counts upwards")

    def versions(self, prompt_id: str, head: str, after: str | None = None) -> Sequence[str]:
        """The listing's versions from ``after`` up to ``head``."""
        row = self._rows().get(prompt_id)
        if row is None or row.problem or not head:
            return []
        upto = [version for version in row.versions if version_key(version) <= version_key(head)]
        return [version for version in upto if after is None or version_key(version) > version_key(after)]

    def tags(self, names: Collection[str], sweep: Sequence[str]) -> TagListing:
        """Where tags stand: one request for each tag of each prompt, as the listing only tells that they exist.

        A name of which one place could not be learned, and a prompt of which one tag could not, stay unknown.
        """
        listed = self._rows()
        usable = {slug: row for slug, row in listed.items() if not row.problem}
        tags: dict[str, dict[str, str]] = {}
        known = {name for name in names if self._place(tags, [(slug, name) for slug in usable if name != LATEST])}
        swept = {
            slug
            for slug in sweep
            if slug in usable and self._place(tags, [(slug, name) for name in sorted(usable[slug].tags)])
        }
        complete = len(usable) == len(listed)
        return TagListing(tags, frozenset(known) if complete else frozenset(), frozenset(swept))

    def _place(self, tags: dict[str, dict[str, str]], asked: Sequence[tuple[str, str]]) -> bool:
        """Put the places of tags into ``tags``; whether all of them could be learned."""
        learned = True
        for slug, name in asked:
            if name not in self._rows()[slug].tags:
                continue
            version = self._tagged_at(slug, name)
            learned = learned and version is not None
            if version is not None:
                tags.setdefault(slug, {})[name] = version
        return learned

    def _tagged_at(self, slug: str, name: str) -> str | None:
        """The version that a tag names, asked once a listing; None where no sound answer is to be had."""
        if (slug, name) not in self._tagged:
            self._tagged[(slug, name)] = self._at_or_none(slug, name)
        return self._tagged[(slug, name)]

    def find(self, slug: str, document: Document) -> RemoteHead | None:  # noqa: ARG002 - the protocol's
        """The prompt of that very slug."""
        return next((head for head in self.list() if head.name == document["slug"]), None)

    def publish(self, publication: Publication) -> Receipt:
        raise _cannot(f"write the text of {publication.slug!r}", "make the edit in Basalt itself")

    def set_tag(self, prompt_id: str, tag: str, version: str) -> None:
        """Create or move a tag, and make sure that it took."""
        if tag == LATEST:
            raise _cannot("move 'latest'", "it always names the newest version")
        path = wire.path_of(prompt_id, "/publish")
        if self._at_or_none(prompt_id, tag) == version:
            return
        self._tagged.pop((prompt_id, tag), None)
        answer = self._http.send("POST", path, {"newTag": tag, "version": version})
        self._check_took(answer, prompt_id, tag, version)

    def _check_took(self, answer: Any, slug: str, tag: str, version: str) -> None:
        doubt = f"Basalt took the request to move the tag {tag!r} of {slug!r}, but"
        hint = "its own cache may lag behind; run it again later"
        try:
            said = wire.published(answer)
        except BadResponse as problem:
            raise WriteInDoubt(f"{doubt} its answer makes no sense: {problem.message}", hint=hint) from problem
        if said != tag:
            raise WriteInDoubt(f"{doubt} says that it moved {said[:40]!r}", hint=hint)
        there = self._at_or_none(slug, tag)
        if there != version:
            shown = "nowhere that it tells of" if there is None else f"at {there!r}"
            raise WriteInDoubt(f"{doubt} the tag stands {shown} instead of at {version!r}", hint=hint)

    def delete_tag(self, prompt_id: str, tag: str) -> None:  # noqa: ARG002 - the protocol's
        raise _cannot(f"take the tag {tag!r} away", "move it to another version")

    def delete(self, prompt_id: str) -> None:
        raise _cannot(f"delete {prompt_id!r}", "delete it in Basalt itself")

    def _rows(self) -> Mapping[str, wire.Row]:
        if self._listed is None:
            self.list()
        return self._listed or {}

    def _at(self, slug: str, tag: str) -> str:
        """The version that a tag names, fresh. Raises RemoteMissing, BadResponse."""
        return self._get(slug, {"tag": tag}).version

    def _at_or_none(self, slug: str, tag: str) -> str | None:
        """The same; None where the tag is not there, or the answer is not about it."""
        try:
            return self._at(slug, tag)
        except (RemoteMissing, BadResponse):
            return None

    def _get(self, slug: str, params: Mapping[str, str]) -> wire.Got:
        found = wire.got(self._http.get(wire.path_of(slug), params))
        if found.slug != slug:
            raise BadResponse(f"Basalt answered prompt {found.slug[:40]!r} for prompt {slug!r}")
        return found


def _head(row: wire.Row) -> RemoteHead:
    return RemoteHead(row.slug, row.slug, "", row.newest, _stamp(row))


def _stamp(row: wire.Row) -> str:
    """Versions never change, so only a new one is news; a problem is told each time."""
    return digest_of([row.problem, list(row.versions)])[:16]


def _cannot(what: str, instead: str) -> RemoteRejected:
    return RemoteRejected(f"Basalt has no API to {what}", status=405, hint=instead)
