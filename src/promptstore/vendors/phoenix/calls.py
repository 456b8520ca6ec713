"""Phoenix's API, call by call. What it says is documented in its OpenAPI (``/openapi.json`` of a running server).

Listings go from the newest to the oldest, and a cursor is the id of the first item of the next page: nothing is
skipped or shown twice when prompts come and go between two pages, and a cursor can be made for any id.

GraphQL, through which Phoenix's own page speaks, tells in one answer what would take several requests a prompt. It is
no documented API: where it does not answer as expected, everything is asked the documented way.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from promptstore.errors import AuthError, BadResponse, RemoteMissing, RemoteRejected
from promptstore.vendors.http import Http
from promptstore.vendors.phoenix import wire
from promptstore.vendors.phoenix.names import PROMPT, gid
from promptstore.vendors.values import Wire

PER_PAGE = 500
GLANCES = 1000
"""Prompts in a page of GraphQL: the server reads all of them for each page."""
VERSIONS_PER_PAGE = 50
FIRST_PAGE = 20
"""Items of a first page where what is looked for most likely stands on it."""
MAX_PAGES = 1000

_PROMPTS = """query promptstore($first: Int, $after: String) {
  prompts(first: $first, after: $after) {
    edges { node { name version { id createdAt user { username email } } versionTags { name promptVersionId } } }
    pageInfo { hasNextPage endCursor }
  }
}"""
_VERSION = """query promptstore($id: ID!) {
  node(id: $id) { ... on PromptVersion { createdAt user { username email } } }
}"""


class Calls:
    """One server."""

    def __init__(self, http: Http) -> None:
        self._http = http
        self._graphql = True

    def close(self) -> None:
        self._http.close()

    # --- reads

    def prompts(self) -> list[wire.Prompt]:
        """Every prompt."""
        return [wire.prompt(item) for page in self._pages("/v1/prompts", PER_PAGE) for item in page.items]

    def prompt(self, number: int) -> wire.Prompt | None:
        """The prompt of that number: there is no read of one, but a page may begin anywhere."""
        page = wire.page(self._http.get("/v1/prompts", {"cursor": gid(PROMPT, number), "limit": 1}))
        found = wire.prompt(page.items[0]) if page.items else None
        return found if found is not None and found.number == number else None

    def prompt_named(self, name: str) -> wire.Prompt | None:
        """The prompt of that name, most often a new one: those come first."""
        for page in self._pages("/v1/prompts", FIRST_PAGE):
            found = next((item for item in page.items if item.get("name") == name), None)
            if found is not None:
                return wire.prompt(found)
        return None

    def newest(self, name: str) -> wire.Page:
        """The two newest versions: mostly all there is to know. Raises RemoteMissing where there is none."""
        page = wire.page(self._http.get(f"/v1/prompts/{name}/versions", {"limit": 2}))
        if not page.items:
            raise RemoteMissing(f"Phoenix has no prompt {name!r}", status=404)
        return page

    def version(self, name: str, version: str) -> Wire:
        """One version of that very prompt; asked of the prompt, as the read by id alone gives anybody's."""
        page = wire.page(self._http.get(f"/v1/prompts/{name}/versions", {"cursor": version, "limit": 1}))
        if not page.items or wire.version_id(page.items[0]) != version:
            raise RemoteMissing(f"Phoenix has no version {version} of the prompt {name!r}", status=404)
        return page.items[0]

    def versions(self, name: str) -> Iterator[Wire]:
        """Every version, newest first."""
        for page in self._pages(f"/v1/prompts/{name}/versions", VERSIONS_PER_PAGE):
            yield from page.items

    def tagged(self, name: str, tag: str) -> str | None:
        """The version that a tag names; None where there is no such tag, or no such prompt."""
        try:
            return wire.version_id(wire.data(self._http.get(f"/v1/prompts/{name}/tags/{tag}")))
        except RemoteMissing:
            return None

    def tags(self, version: str) -> dict[str, str | None]:
        """Tag -> description, of one version. Raises RemoteMissing."""
        pages = self._pages(f"/v1/prompt_versions/{version}/tags", PER_PAGE)
        return {tag: told for page in pages for tag, told in wire.tags(page.items).items()}

    def _pages(self, path: str, size: int) -> Iterator[wire.Page]:
        cursor: str | None = None
        for _ in range(MAX_PAGES):
            page = wire.page(self._http.get(path, {"limit": size, **({"cursor": cursor} if cursor else {})}))
            yield page
            size = PER_PAGE if size == FIRST_PAGE else size
            if page.cursor is None:
                return
            if page.cursor == cursor:
                raise BadResponse(f"Phoenix's listing has no end: the page at {cursor} leads to itself")
            cursor = page.cursor
        raise BadResponse(f"Phoenix's listing has more than {MAX_PAGES} pages")

    # --- writes

    def send(self, method: str, path: str, body: Any = None) -> Any:
        """A write, sent once."""
        return self._http.send(method, path, body)

    # --- GraphQL

    def glances(self) -> dict[str, wire.Glance]:
        """Name -> what GraphQL tells; empty where it does not answer. It may miss what comes or goes meanwhile."""
        found: dict[str, wire.Glance] = {}
        after: str | None = None
        for _ in range(MAX_PAGES):
            answer = self._asked(_PROMPTS, {"first": GLANCES, "after": after})
            try:
                fresh, cursor = wire.glances(answer)
            except BadResponse:
                self._graphql = False
                return {}
            found.update(fresh)
            if cursor is None or cursor == after:
                return found
            after = cursor
        return found

    def born(self, version: str) -> wire.Born:
        """When a version was made, and by whom; unknown where GraphQL does not answer."""
        try:
            return wire.born(wire.answered(self._asked(_VERSION, {"id": version})).get("node") or {})
        except BadResponse:
            return wire.Born()

    def _asked(self, query: str, variables: Wire) -> Any:
        if not self._graphql:
            return None
        try:
            return self._http.get("/graphql", {"query": query, "variables": json.dumps(variables)})
        except (RemoteRejected, AuthError, BadResponse):
            self._graphql = False
            return None
