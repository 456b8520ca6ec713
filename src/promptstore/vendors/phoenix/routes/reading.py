"""Reading: prompts, their versions, and the server's own version."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from promptstore.vendors.phoenix.names import PROMPT, VERSION, gid, number_in, version_order
from promptstore.vendors.phoenix.routes.catalogue import Catalogues, Entry, Version
from promptstore.vendors.serving import Answer, Asked, Endpoint, Refused

T = TypeVar("T")


class ReadingRoutes:
    """The endpoints that change nothing."""

    def __init__(self, catalogues: Catalogues, server_version: str) -> None:
        self._catalogues = catalogues
        self._server_version = server_version

    def endpoints(self) -> Sequence[Endpoint]:
        return (
            Endpoint("GET", "/arize_phoenix_version", self.server_version),
            Endpoint("GET", "/v1/prompts", self.prompts),
            Endpoint("GET", "/v1/prompts/{prompt}/versions", self.versions),
            Endpoint("GET", "/v1/prompts/{prompt}/latest", self.latest),
            Endpoint("GET", "/v1/prompts/{prompt}/tags/{tag}", self.tagged),
            Endpoint("GET", "/v1/prompt_versions/{version}", self.version),
        )

    def server_version(self, asked: Asked) -> Answer:
        del asked
        return Answer(200, self._server_version, text=True)

    def prompts(self, asked: Asked) -> Answer:
        entries = self._catalogues.now().entries
        found, cursor = page(entries, [entry.number for entry in entries], asked, PROMPT)
        return Answer(200, {"data": [entry.says() for entry in found], "next_cursor": cursor})

    def versions(self, asked: Asked) -> Answer:
        """No versions for a prompt that is not there."""
        catalogue = self._catalogues.now()
        entry = catalogue.find(asked.params["prompt"])
        if entry is None:
            return Answer(200, {"data": [], "next_cursor": None})
        newest_first = entry.versions[::-1]
        numbers = [version_order(version.id) for version in newest_first]
        found, cursor = page(newest_first, numbers, asked, VERSION)
        return Answer(200, {"data": [catalogue.answer(entry, one) for one in found], "next_cursor": cursor})

    def latest(self, asked: Asked) -> Answer:
        return self._shown(self._entry(asked), None)

    def tagged(self, asked: Asked) -> Answer:
        entry = self._entry(asked)
        version = self._catalogues.now().tags(entry).get(asked.params["tag"])
        if version is None:
            raise Refused(404, "Not Found")
        return self._shown(entry, version)

    def version(self, asked: Asked) -> Answer:
        return self._shown(*self._catalogues.now().version(asked.params["version"]))

    def _entry(self, asked: Asked) -> Entry:
        entry = self._catalogues.now().find(asked.params["prompt"])
        if entry is None:
            raise Refused(404, "Not Found")
        return entry

    def _shown(self, entry: Entry, version: Version | None) -> Answer:
        return Answer(200, {"data": self._catalogues.now().answer(entry, version or entry.versions[-1])})


def page(items: Sequence[T], numbers: Sequence[int], asked: Asked, kind: str) -> tuple[Sequence[T], str | None]:
    """The page that was asked for of what is ordered by falling numbers, and the cursor of the next one."""
    start = _start(asked.first("cursor"), kind)
    first = next((place for place, number in enumerate(numbers) if start is None or number <= start), len(items))
    end = first + _limit(asked.first("limit"))
    return items[first:end], gid(kind, numbers[end]) if end < len(items) else None


def _start(cursor: str | None, kind: str) -> int | None:
    number = None if cursor is None else number_in(cursor, kind)
    if cursor is not None and number is None:
        raise Refused(422, f"Invalid cursor format: {cursor}")
    return number


def _limit(text: str | None) -> int:
    if text is None:
        return 100
    if not (text.isascii() and text.isdigit() and int(text[:9])):
        raise Refused(422, _invalid("limit", "Input should be greater than 0"))
    return int(text[:9])


def _invalid(name: str, told: str) -> Any:
    return [{"type": "greater_than", "loc": ["query", name], "msg": told}]
