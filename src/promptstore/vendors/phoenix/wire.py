"""Phoenix's answers as typed values. Raises BadResponse naming what was expected where.

Unknown keys, and absent keys that only newer servers send, are tolerated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from promptstore.vendors.phoenix.lens.checks import EXPECT
from promptstore.vendors.phoenix.lens.normal import INTENT_KEY
from promptstore.vendors.phoenix.names import PROMPT, VERSION, number_in
from promptstore.vendors.values import Wire


@dataclass(frozen=True, slots=True)
class Prompt:
    """What belongs to a prompt and not to one of its versions. ``number`` is the one in its id."""

    number: int
    name: str
    description: str | None
    metadata: Wire

    def says(self) -> Wire:
        """Its part of a document."""
        return {"name": self.name, "description": self.description, "metadata": self.metadata}


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a listing; ``cursor`` is None at its end."""

    items: tuple[Wire, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class Born:
    """When a version was made, and by whom; Phoenix tells it through GraphQL alone."""

    when: datetime | None = None
    author: str | None = None


@dataclass(frozen=True, slots=True)
class Glance:
    """What GraphQL tells of one prompt: its newest version, and where its tags stand."""

    version: str
    born: Born
    tags: Mapping[str, str] = field(default_factory=dict)


def page(answer: Any) -> Page:
    """A page of any listing."""
    body = EXPECT.an_object(answer, "the page")
    cursor = body.get("next_cursor")
    return Page(tuple(EXPECT.objects(body.get("data"), "data")), None if cursor is None else str(cursor))


def data(answer: Any) -> Wire:
    """The one object of an answer."""
    return EXPECT.an_object(EXPECT.an_object(answer, "the answer").get("data"), "data")


def prompt(item: Wire) -> Prompt:
    """One object of ``GET /v1/prompts``, and the answer of a PATCH."""
    description = item.get("description")
    return Prompt(
        _number(item.get("id"), PROMPT),
        EXPECT.a_name(item.get("name"), "name"),
        None if description is None else EXPECT.a_text(description, "description"),
        EXPECT.an_object(item.get("metadata") or {}, "metadata"),
    )


def _number(value: Any, kind: str) -> int:
    found = number_in(EXPECT.a_name(value, "id"), kind)
    if found is None:
        raise EXPECT.wrong("id", f"the id of a {kind}", value)
    return found


def version_id(item: Wire) -> str:
    """The id of a version."""
    _number(item.get("id"), VERSION)
    found: str = item["id"]
    return found


def message(item: Wire) -> str:
    """The description of a version: what its author said about it."""
    text = item.get("description")
    return text if isinstance(text, str) else ""


def intent(item: Wire) -> str | None:
    """The intent id that one of our publishes left in a version's metadata."""
    metadata = item.get("metadata")
    own = metadata.get(INTENT_KEY) if isinstance(metadata, dict) else None
    found = own.get("intent") if isinstance(own, dict) else None
    return found if isinstance(found, str) else None


def tags(items: tuple[Wire, ...]) -> dict[str, str | None]:
    """Tag -> description, of one version."""
    return {EXPECT.a_name(item.get("name"), "name"): item.get("description") for item in items}


# GraphQL


def answered(answer: Any) -> Wire:
    """The data of a GraphQL answer. Raises BadResponse with its first error."""
    body = EXPECT.an_object(answer, "the answer")
    errors = body.get("errors")
    if errors:
        first = errors[0] if isinstance(errors, list) else errors
        told = first.get("message") if isinstance(first, dict) else first
        raise EXPECT.senseless(f"GraphQL says {str(told)[:200]!r}")
    return EXPECT.an_object(body.get("data"), "data")


def glances(answer: Any) -> tuple[dict[str, Glance], str | None]:
    """Name -> glance, and where the next page begins."""
    found = EXPECT.an_object(answered(answer).get("prompts"), "prompts")
    nodes = [EXPECT.an_object(edge.get("node"), "node") for edge in EXPECT.objects(found.get("edges"), "edges")]
    after = EXPECT.an_object(found.get("pageInfo"), "pageInfo")
    cursor = after.get("endCursor") if after.get("hasNextPage") else None
    return {EXPECT.a_name(node.get("name"), "name"): _glance(node) for node in nodes}, cursor


def _glance(node: Wire) -> Glance:
    newest = EXPECT.an_object(node.get("version"), "version")
    placed = EXPECT.objects(node.get("versionTags"), "versionTags")
    return Glance(
        version_id(newest),
        born(newest),
        {EXPECT.a_name(tag.get("name"), "name"): EXPECT.a_name(tag.get("promptVersionId"), "tag") for tag in placed},
    )


def born(node: Wire) -> Born:
    """When and by whom, of a version's node."""
    user = node.get("user")
    names = [user.get("username"), user.get("email")] if isinstance(user, dict) else []
    return Born(_moment(node.get("createdAt")), next((name for name in names if isinstance(name, str) and name), None))


def _moment(value: Any) -> datetime | None:
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(EXPECT.a_text(value, "createdAt"))
    except ValueError:
        raise EXPECT.wrong("createdAt", "a time", value) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
