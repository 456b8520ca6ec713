"""Braintrust's answers as typed values. Raises BadResponse naming what was expected where.

Unknown keys, and absent keys that only newer servers send, are tolerated.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from promptstore.vendors.braintrust.lens.checks import EXPECT, check_document
from promptstore.vendors.braintrust.lens.normal import normalise
from promptstore.vendors.braintrust.xacts import decimal
from promptstore.vendors.values import Wire

_WRITES = ("upsert", "merge")


@dataclass(frozen=True, slots=True)
class Item:
    """One object of a listing."""

    id: str
    slug: str
    version: str


def objects(answer: Any) -> list[Wire]:
    """What a listing of anything holds."""
    return EXPECT.objects(EXPECT.an_object(answer, "the list").get("objects"), "objects")


def items(answer: Any) -> tuple[Item, ...]:
    """A page of ``GET /v1/prompt``."""
    return tuple(_item(item, f"objects[{place}]") for place, item in enumerate(objects(answer)))


def _item(item: Wire, where: str) -> Item:
    return Item(
        EXPECT.a_name(item.get("id"), f"{where}.id"),
        EXPECT.a_name(item.get("slug"), f"{where}.slug"),
        xact(item.get("_xact_id"), f"{where}._xact_id"),
    )


def xact(value: Any, where: str) -> str:
    """A transaction id in its decimal form."""
    found = decimal(
        str(value) if isinstance(value, int) and not isinstance(value, bool) else EXPECT.a_name(value, where)
    )
    if found is None:
        raise EXPECT.wrong(where, "a transaction id", value)
    return found


@dataclass(frozen=True, slots=True)
class Read:
    """One version of a prompt. ``document`` is None for the stone that a deletion leaves."""

    id: str
    slug: str
    version: str
    created: datetime | None
    document: Wire | None


def read(answer: Any) -> Read:
    """The answer of ``GET /v1/prompt/{id}``, and of a write."""
    raw = EXPECT.an_object(answer, "the prompt")
    item = _item(raw, "the prompt")
    deleted = raw.get("_object_delete") is True
    document = None if deleted else normalise(raw)
    if document is not None:
        check_document(document)
    return Read(item.id, item.slug, item.version, _moment(raw.get("created")), document)


def _moment(value: Any) -> datetime | None:
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(EXPECT.a_name(value, "created"))
    except ValueError:
        raise EXPECT.wrong("created", "a time", value) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def written(answer: Any) -> Item:
    """Id, slug and version in the answer of a write; a write's echo need not hold the rest."""
    return _item(EXPECT.an_object(answer, "the answer"), "the answer")


def projects(answer: Any, name: str) -> list[str]:
    """The ids of the projects of that very name that are there."""
    there = [one for one in objects(answer) if one.get("name") == name and one.get("deleted_at") is None]
    return [EXPECT.a_name(one.get("id"), "id") for one in there]


def project(answer: Any) -> str:
    """The id in the answer of ``POST /v1/project``."""
    return EXPECT.a_name(EXPECT.an_object(answer, "the project").get("id"), "id")


def pointers(answer: Any) -> dict[str, str]:
    """``GET /environment-object/prompt/{id}``: where each environment points."""
    return {
        EXPECT.a_name(one.get("environment_slug"), "environment_slug"): xact(at, "object_version")
        for one in objects(answer)
        for at in [one.get("object_version")]
    }


@dataclass(frozen=True, slots=True)
class Rows:
    """A page of an audit log: the versions that writes made, and where the next page begins."""

    versions: tuple[str, ...]
    cursor: str | None


def rows(answer: Any) -> Rows:
    """The answer of ``POST /btql`` with an audit log."""
    found = EXPECT.an_object(answer, "the rows")
    data = EXPECT.objects(found.get("data"), "data")
    versions = tuple(xact(row.get("_xact_id"), "_xact_id") for row in data if _action(row) in _WRITES)
    cursor = found.get("cursor")
    return Rows(versions, cursor if isinstance(cursor, str) and cursor and data else None)


def _action(row: Wire) -> Any:
    audit = row.get("audit_data")
    return audit.get("action") if isinstance(audit, dict) else None
