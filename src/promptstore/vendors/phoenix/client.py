"""A Phoenix server over its API (version 20 and later, which makes versions by a prompt's name).

Prompts are known by their names: no call changes those, and the numbers in ids come back after a deletion on SQLite.
A version never changes, its prompt's description and metadata do: they have no versions.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from promptstore.errors import BadResponse, RemoteMissing, RemoteRejected, RemoteUnreachable, WriteInDoubt
from promptstore.model.digest import digest_of
from promptstore.vendors.base import Connection, Document, Publication, Receipt, RemoteHead, RemoteVersion, TagListing
from promptstore.vendors.http import Http
from promptstore.vendors.phoenix import wire
from promptstore.vendors.phoenix.calls import Calls
from promptstore.vendors.phoenix.known import Known
from promptstore.vendors.phoenix.lens.checks import check_document
from promptstore.vendors.phoenix.lens.normal import normalise
from promptstore.vendors.phoenix.names import NAME_RULE, VERSION, is_name, number_in, path_of, version_order
from promptstore.vendors.phoenix.publishing import patch_body, prompt_body, version_body
from promptstore.vendors.values import Wire, same

if TYPE_CHECKING:
    import builtins


def connect(connection: Connection) -> PhoenixWorkspace:
    """Open the server. A key is only sent where there is one: many servers run without."""
    key = (connection.key or "").strip()
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    transport, timing = connection.transport, connection.timing
    http = Http("Phoenix", connection.base_url, headers=headers, secret=key or None, transport=transport, timing=timing)
    return PhoenixWorkspace(Calls(http))


class PhoenixWorkspace:
    """See ``promptstore.vendors.base.Workspace``. A prompt's id is its name, a version's that of Phoenix."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._known = Known(calls)

    def close(self) -> None:
        self._calls.close()

    def identity(self) -> str:
        """Empty: nothing in Phoenix's answers tells the server."""
        return ""

    # --- reads

    def list(self) -> Sequence[RemoteHead]:
        """Every prompt that has a version."""
        prompts = self._known.look()
        heads = ((prompt, self._known.newest(prompt.name)) for prompt in prompts)
        return [self._head(prompt, version) for prompt, version in heads if version is not None]

    def _head(self, prompt: wire.Prompt, version: str) -> RemoteHead:
        stamp = _stamp(prompt, version, self._known.born(version))
        return RemoteHead(prompt.name, prompt.name, "", version, stamp, path_of(prompt.name))

    def read(self, prompt_id: str, version: str | None = None) -> RemoteVersion:
        """A version with what its prompt says now; of the newest both are asked anew."""
        name = _name(prompt_id)
        found = self._known.latest(name) if version is None else self._known.version(name, _version(version))
        prompt = self._known.prompt(name, fresh=version is None)
        if prompt is None:
            raise RemoteMissing(f"Phoenix has no prompt {name!r}", status=404)
        return self._read(prompt, found)

    def _read(self, prompt: wire.Prompt, found: Wire) -> RemoteVersion:
        version = wire.version_id(found)
        document = normalise({**prompt.says(), "version": found})
        check_document(document)
        born = self._known.born(version)
        return RemoteVersion(
            id=prompt.name,
            name=prompt.name,
            version=version,
            document=document,
            created=born.when,
            author=born.author,
            message=wire.message(found),
            intent=wire.intent(found),
            stamp=_stamp(prompt, version, born),
        )

    def versions(self, prompt_id: str, head: str, after: str | None = None) -> Sequence[str]:
        start, end = version_order(_version(after)) if after else 0, version_order(_version(head))
        found: builtins.list[str] = []
        for item in self._known.versions(_name(prompt_id), start, end):
            version = wire.version_id(item)
            if version_order(version) <= start:
                break
            if version_order(version) <= end:
                self._known.keep(version, item)
                found.append(version)
        return found[::-1]

    def find(self, slug: str, document: Document) -> RemoteHead | None:  # noqa: ARG002 - the protocol's
        """The prompt of that very name."""
        try:
            found = self.read(document["name"])
        except RemoteMissing:
            return None
        return RemoteHead(found.id, found.name, "", found.version, found.stamp, path_of(found.name))

    def tags(self, names: Collection[str], sweep: Sequence[str]) -> TagListing:
        """As the last listing told; else each tag is asked of each prompt, and each version for its tags."""
        told = self._known.all_tags()
        if told is not None:
            swept = frozenset(prompt for prompt in sweep if prompt in told)
            return TagListing(told, frozenset(names), frozenset(told) if names else swept)
        return self._asked_tags(names, sweep)

    def _asked_tags(self, names: Collection[str], sweep: Sequence[str]) -> TagListing:
        tags: dict[str, dict[str, str]] = {}
        prompts = self._known.names()
        for tag in filter(is_name, names):
            for prompt in prompts:
                version = self._calls.tagged(prompt, tag)
                if version is not None:
                    tags.setdefault(prompt, {})[tag] = version
        swept = {prompt: placed for prompt in sweep if (placed := self._swept(_name(prompt))) is not None}
        for prompt, placed in swept.items():
            tags[prompt] = {**tags.get(prompt, {}), **placed}
        gone = bool(names) and not {prompt.name for prompt in self._calls.prompts()}.issuperset(prompts)
        return TagListing(tags, frozenset() if gone else frozenset(names), frozenset(swept))

    def _swept(self, name: str) -> dict[str, str] | None:
        """Every tag of a prompt; None where it is gone."""
        found: dict[str, str] = {}
        seen = 0
        try:
            for item in self._calls.versions(name):
                version = wire.version_id(item)
                seen += 1
                found.update(dict.fromkeys(self._calls.tags(version), version))
        except RemoteMissing:
            return None
        return found if seen else None

    # --- writes

    def publish(self, publication: Publication) -> Receipt:
        """One version. What belongs to the prompt itself is set before: after it, nobody could tell what was done."""
        name, version = publication.document["name"], version_body(publication)
        if publication.id is None:
            body = {"prompt": prompt_body(publication.document), "version": version}
            return _receipt(self._calls.send("POST", "/v1/prompts", body), name)
        if name != publication.id:
            message = f"the prompt is named {publication.id!r} at Phoenix, and would be published as {name!r}"
            raise RemoteRejected(message, status=409, hint="Phoenix cannot rename: publish it as a new prompt")
        self._set_prompt(name, publication.document)
        return _receipt(self._calls.send("POST", f"/v1/prompts/{_name(name)}/versions", {"version": version}), name)

    def _set_prompt(self, name: str, document: Document) -> None:
        seen, there = self._known.last(name), self._known.prompt(name, fresh=True)
        if there is None:
            raise RemoteMissing(f"Phoenix has no prompt {name!r}", status=404)
        if _is_said(there, document):
            return
        if seen is not None and seen != there:
            message = "the prompt's description or metadata changed at Phoenix meanwhile"
            raise RemoteRejected(message, status=409, hint="run sync again")
        self._known.remember(self._patched(name, document))

    def _patched(self, name: str, document: Document) -> wire.Prompt:
        """The prompt once it says what the document does; where nobody answers, that is looked up."""
        try:
            return wire.prompt(wire.data(self._calls.send("PATCH", f"/v1/prompts/{_name(name)}", patch_body(document))))
        except (WriteInDoubt, BadResponse) as problem:
            now = self._known.prompt(name, fresh=True)
            if now is not None and _is_said(now, document):
                return now
            message = f"no version was sent: {problem.message}"
            raise RemoteUnreachable(message, hint="run sync again later") from problem

    def set_tag(self, prompt_id: str, tag: str, version: str) -> None:
        """Create or move a tag, with what is said about it, and make sure that it took."""
        name, wanted = _name(prompt_id), _version(version)
        if not is_name(tag):
            message = f"Phoenix cannot hold the tag {tag!r}: tags are made of {NAME_RULE}"
            raise RemoteRejected(
                message, status=422, hint="leave it out of this remote's `tags`, or give it such a name"
            )
        there = self._calls.tagged(name, tag)
        if there == wanted:
            return
        self._calls.version(name, wanted)
        told = self._calls.tags(there).get(tag) if there else None
        body = {"name": tag, **({"description": told} if told else {})}
        self._known.forget_tags()
        self._calls.send("POST", f"/v1/prompt_versions/{wanted}/tags", body)
        if self._calls.tagged(name, tag) != wanted:
            message = f"Phoenix took the request, but the tag {tag!r} did not move"
            raise RemoteRejected(message, status=409, hint="look at the prompt in Phoenix")

    def delete_tag(self, prompt_id: str, tag: str) -> None:
        name = _name(prompt_id)
        there = self._calls.tagged(name, tag) if is_name(tag) else None
        if there is None:
            return
        self._known.forget_tags()
        try:
            self._calls.send("DELETE", f"/v1/prompt_versions/{there}/tags/{tag}")
        except RemoteMissing:
            return
        if self._calls.tagged(name, tag) is not None:
            message = f"Phoenix took the request, but the tag {tag!r} is still there"
            raise RemoteRejected(message, status=409, hint="look at the prompt in Phoenix")

    def delete(self, prompt_id: str) -> None:
        """Delete the prompt with all its versions and tags: Phoenix keeps nothing of it."""
        try:
            self._calls.send("DELETE", f"/v1/prompts/{_name(prompt_id)}")
        except RemoteMissing:
            return


def _is_said(prompt: wire.Prompt, document: Document) -> bool:
    """Whether the prompt says of itself what the document does."""
    there = normalise(prompt.says())
    return all(same(there.get(key), document.get(key)) for key in ("description", "metadata"))


def _stamp(prompt: wire.Prompt, version: str, born: wire.Born) -> str:
    return digest_of([version, str(born.when or ""), prompt.says()])[:16]


def _receipt(answer: Any, name: str) -> Receipt:
    try:
        return Receipt(name, wire.version_id(wire.data(answer)))
    except BadResponse as problem:
        raise WriteInDoubt(f"nobody knows whether Phoenix made the version: {problem.message}") from problem


def _name(text: str) -> str:
    """A name as a path's part; nothing else may come into a path."""
    if not is_name(text):
        raise BadResponse(f"{text[:80]!r} is no name of Phoenix")
    return text


def _version(text: str) -> str:
    if number_in(text, VERSION) is None or not re.fullmatch(r"[0-9A-Za-z+/=]{1,64}", text) or "/" in text:
        raise RemoteMissing(f"{text[:80]!r} is no version of Phoenix", status=404)
    return text
