"""A Braintrust project over its API. Prompts are linked by id; the slug is only the name under which a write finds one.

Where the vendor's documents are silent: a slug is sent as it is, ``/`` included; a version that is answered by an older
one does not exist; every field is sent with a write.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from promptstore.errors import AuthError, BadResponse, ConfigError, RemoteMissing, RemoteRejected, WriteInDoubt
from promptstore.model.digest import digest_of
from promptstore.vendors.base import Connection, Document, Publication, Receipt, RemoteHead, RemoteVersion, TagListing
from promptstore.vendors.braintrust import wire
from promptstore.vendors.braintrust.calls import Calls
from promptstore.vendors.braintrust.environments import Environments
from promptstore.vendors.braintrust.listing import PER_PAGE, all_items
from promptstore.vendors.braintrust.publishing import publish_body
from promptstore.vendors.braintrust.xacts import decimal, order
from promptstore.vendors.http import Http

if TYPE_CHECKING:
    import builtins

MAX_LOG_PAGES = 1000


def connect(connection: Connection) -> BraintrustWorkspace:
    """Open the project of that name. Raises AuthError without a usable key, ConfigError without a project."""
    key = (connection.key or "").strip()
    if not key:
        raise AuthError("Braintrust needs a key", hint="set BRAINTRUST_API_KEY, or run: promptstore remote login")
    if not connection.project:
        raise ConfigError("Braintrust keeps prompts in projects", hint='name one: project = "..."')
    headers = {"Authorization": f"Bearer {key}", "Cache-Control": "no-cache"}
    transport, timing = connection.transport, connection.timing
    http = Http("Braintrust", connection.base_url, headers=headers, secret=key, transport=transport, timing=timing)
    return BraintrustWorkspace(Calls(http, timing), connection.project)


class BraintrustWorkspace:
    """See ``promptstore.vendors.base.Workspace``."""

    def __init__(self, calls: Calls, project: str) -> None:
        self._calls = calls
        self._name = project
        self._project: str | None = None
        self._ids: builtins.list[str] = []
        self._environments = Environments(calls)

    def close(self) -> None:
        self._calls.close()

    def identity(self) -> str:
        """The project's id; empty while it is not there."""
        return self._found_project() or ""

    def list(self) -> Sequence[RemoteHead]:
        """Every prompt of the project; none while the project is not there."""
        project = self._find_project()
        heads = [_head(item) for item in all_items(self._calls, {"project_id": project})] if project else []
        self._ids = [head.id for head in heads]
        self._environments.forget()
        return heads

    def read(self, prompt_id: str, version: str | None = None) -> RemoteVersion:
        found = self._read(prompt_id, version)
        if found.document is None:
            raise RemoteMissing(f"Braintrust says that the prompt {prompt_id} is deleted", status=404)
        return RemoteVersion(
            id=found.id,
            name=found.slug,
            version=found.version,
            document=found.document,
            created=found.created,
            stamp=found.version,
        )

    def _read(self, prompt_id: str, version: str | None) -> wire.Read:
        wanted = None if version is None else _version(version)
        try:
            answer = self._calls.get(f"/v1/prompt/{_id(prompt_id)}", {"version": wanted} if wanted else None)
        except RemoteMissing as problem:
            raise self._proven(problem) from problem
        found = wire.read(answer)
        if found.id != prompt_id:
            raise BadResponse(f"Braintrust answered the prompt {found.id} for {prompt_id}")
        if wanted not in (None, found.version):
            message = f"Braintrust has no version {wanted} of the prompt {prompt_id}: it answers {found.version}"
            raise RemoteMissing(message, status=404)
        return found

    def _proven(self, problem: RemoteMissing) -> RemoteMissing | RemoteRejected:
        """Braintrust has the same words for what is gone and what the key may not see: while the key still opens the
        project, it is gone."""
        if self._find_project() is not None:
            return problem
        return RemoteRejected(
            problem.message, status=problem.status, hint=f"is the project {self._name!r} still there?"
        )

    def versions(self, prompt_id: str, head: str, after: str | None = None) -> Sequence[str]:
        """The versions in the prompt's audit log."""
        start, end = (order(after) if after else -1), order(head)
        logged = {*self._logged(_id(prompt_id)), head}
        return sorted((version for version in logged if start < order(version) <= end), key=order)

    def _logged(self, prompt_id: str) -> set[str]:
        found: set[str] = set()
        cursor: str | None = None
        for _ in range(MAX_LOG_PAGES):
            question = _history(self._needed_project(), prompt_id, cursor)
            page = wire.rows(self._calls.ask("/btql", question))
            fresh = set(page.versions) - found
            found |= fresh
            if page.cursor is None or page.cursor == cursor or (page.versions and not fresh):
                return found
            cursor = page.cursor
        raise BadResponse(f"Braintrust's audit log of the prompt {prompt_id} has no end")

    def tags(self, names: Collection[str], sweep: Sequence[str]) -> TagListing:
        """Environments can only be asked of a prompt: names are asked of every prompt that the last listing showed."""
        wanted = [*dict.fromkeys([*(self._ids if names else ()), *sweep])]
        found = self._environments.of([_id(prompt) for prompt in wanted])
        if found is None:
            return TagListing()
        gone = bool(names) and any(prompt not in found for prompt in self._ids)
        swept = frozenset(found) if names else frozenset(prompt for prompt in sweep if prompt in found)
        return TagListing(found, frozenset() if gone else frozenset(names), swept)

    def find(self, slug: str, document: Document) -> RemoteHead | None:  # noqa: ARG002 - the protocol's
        """The prompt of that very slug."""
        project = self._find_project()
        found = self._by_slug(project, document["slug"]) if project else None
        return _head(found) if found else None

    def _by_slug(self, project: str, slug: str) -> wire.Item | None:
        narrow = {"project_id": project, "slug": slug, "limit": PER_PAGE}
        found = wire.items(self._calls.get("/v1/prompt", narrow))
        if any(item.slug != slug for item in found):
            # The filter was not obeyed, and then one page proves nothing.
            found = tuple(all_items(self._calls, {"project_id": project}))
        return next((item for item in found if item.slug == slug), None)

    def publish(self, publication: Publication) -> Receipt:
        """A PUT of the whole state. It goes by slug: a prompt that is to have another one gets that first, by id."""
        document, prompt_id = publication.document, publication.id
        project = self._made_project()
        if prompt_id is not None:
            renamed = self._renamed(project, prompt_id, document)
            if renamed is not None:
                return renamed
        answer = self._calls.send("PUT", "/v1/prompt", publish_body(document, project))
        return _receipt(answer, prompt_id)

    def _renamed(self, project: str, prompt_id: str, document: Document) -> Receipt | None:
        """The receipt where the rename alone made the prompt what it is to be."""
        there = self._read(prompt_id, None)
        slug = document["slug"]
        if there.slug == slug:
            return None
        other = self._by_slug(project, slug)
        if other is not None:
            message = f"the slug {slug!r} belongs to another prompt at Braintrust"
            raise RemoteRejected(message, status=409, hint="give the prompt another slug")
        body = {"name": document["name"], "slug": slug}
        receipt = _receipt(self._calls.send("PATCH", f"/v1/prompt/{_id(prompt_id)}", body), prompt_id)
        alone = there.document is not None and digest_of({**there.document, **body}) == digest_of(document)
        return receipt if alone else None

    def set_tag(self, prompt_id: str, tag: str, version: str) -> None:
        """Point an environment at a version that is there: Braintrust itself would take any number."""
        self._environments.point(prompt_id, tag, self.read(prompt_id, version).version)

    def delete_tag(self, prompt_id: str, tag: str) -> None:
        self._environments.take_away(_id(prompt_id), tag)

    def delete(self, prompt_id: str) -> None:
        """Delete the prompt; its versions stay in Braintrust's log."""
        try:
            self._calls.send("DELETE", f"/v1/prompt/{_id(prompt_id)}")
        except RemoteMissing as problem:
            proven = self._proven(problem)
            if proven is not problem:
                raise proven from problem

    # --- the project

    def _found_project(self) -> str | None:
        return self._project or self._find_project()

    def _find_project(self) -> str | None:
        """The project of that name as it is now; None where there is none that the key may see."""
        found = wire.projects(
            self._calls.get("/v1/project", {"project_name": self._name, "limit": PER_PAGE}), self._name
        )
        if len(found) > 1:
            raise ConfigError(f"the key opens {len(found)} projects named {self._name!r}", hint="rename one of them")
        self._project = found[0] if found else None
        return self._project

    def _needed_project(self) -> str:
        project = self._found_project()
        if project is None:
            raise RemoteMissing(f"Braintrust has no project {self._name!r}", status=404)
        return project

    def _made_project(self) -> str:
        """The project, made where it is missing."""
        project = self._found_project()
        if project is None:
            project = self._project = wire.project(self._calls.send("POST", "/v1/project", {"name": self._name}))
        return project


def _head(item: wire.Item) -> RemoteHead:
    return RemoteHead(item.id, item.slug, "", item.version, stamp=item.version)


def _receipt(answer: Any, prompt_id: str | None) -> Receipt:
    try:
        made = wire.written(answer)
    except BadResponse as problem:
        raise WriteInDoubt(f"nobody knows whether Braintrust made the version: {problem.message}") from problem
    if prompt_id is not None and made.id != prompt_id:
        raise WriteInDoubt(f"Braintrust says that it wrote to the prompt {made.id} instead of {prompt_id}")
    return Receipt(made.id, made.version)


def _history(project: str, prompt_id: str, cursor: str | None) -> dict[str, Any]:
    """The question by which Braintrust's own SDKs list a prompt's versions."""
    source = {
        "op": "function",
        "name": {"op": "ident", "name": ["project_prompts"]},
        "args": [{"op": "literal", "value": project}],
    }
    of_prompt = {
        "op": "eq",
        "left": {"op": "ident", "name": ["id"]},
        "right": {"op": "literal", "value": prompt_id},
    }
    query = {"from": source, "select": [{"op": "star"}], "filter": of_prompt, **({"cursor": cursor} if cursor else {})}
    return {"query": query, "audit_log": True, "use_columnstore": False, "brainstore_realtime": True}


def _id(text: str) -> str:
    """An id of ours as a path's part; nothing else may come into a path."""
    if not re.fullmatch(r"[0-9A-Za-z_-]{1,64}", text):
        raise BadResponse(f"{text!r} is no id of Braintrust")
    return text


def _version(text: str) -> str:
    found = decimal(text)
    if found is None:
        raise BadResponse(f"{text!r} is no version of Braintrust")
    return found
