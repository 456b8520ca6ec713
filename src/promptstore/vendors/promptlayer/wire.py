"""PromptLayer's answers as typed values. Raises BadResponse naming what was expected where.

Unknown keys, and absent keys that only newer servers send, are tolerated.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from promptstore.vendors.promptlayer.lens.checks import EXPECT, check_document
from promptstore.vendors.promptlayer.lens.normal import INTENT_KEY, normalise
from promptstore.vendors.values import Wire


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a listing."""

    id: int
    name: str
    folder: str
    version: int
    snippet: bool | None
    """None where the server does not tell."""
    raw: Wire


@dataclass(frozen=True, slots=True)
class Page:
    items: tuple[Item, ...]
    has_next: bool
    total: int | None


def page(answer: Any) -> Page:
    """A page of ``GET /prompt-templates``."""
    found = EXPECT.an_object(answer, "the page")
    items = tuple(
        _item(item, f"items[{place}]") for place, item in enumerate(EXPECT.a_list(found.get("items"), "items"))
    )
    if not isinstance(found.get("has_next"), bool):
        raise EXPECT.wrong("has_next", "true or false", found.get("has_next"))
    total = found.get("total")
    return Page(items, found["has_next"], total if type(total) is int else None)


def _item(value: Any, where: str) -> Item:
    item = EXPECT.an_object(value, where)
    snippet = item.get("is_snippet")
    return Item(
        id=EXPECT.a_number(item.get("id"), f"{where}.id"),
        name=EXPECT.a_name(item.get("prompt_name"), f"{where}.prompt_name"),
        folder=folder_path(item),
        version=EXPECT.a_number(item.get("version"), f"{where}.version"),
        snippet=snippet if isinstance(snippet, bool) else None,
        raw=item,
    )


def folder_path(item: Mapping[str, Any]) -> str:
    """The folder of a list item, ``/`` between levels, empty at the root.

    The server joins the levels without escaping, by a separator that is not documented: the last level's own name tells
    where the separator stands.
    """
    full, last = item.get("full_folder_path"), item.get("parent_folder_name")
    if isinstance(full, list):
        return "/".join(level for level in full if isinstance(level, str))
    full, last = full if isinstance(full, str) else "", last if isinstance(last, str) else ""
    if not full or full.strip("/") == last:
        return last
    return "/".join(filter(None, _levels(full, last)))


def _levels(full: str, last: str) -> list[str]:
    above = full.removesuffix(last) if last else ""
    separator = re.search(r"[\s./\\>|:]+$", above)
    if not last or not full.endswith(last) or separator is None:
        return full.split("/" if "/" in full else ".")
    return [*above[: separator.start()].split(separator.group()), last]


@dataclass(frozen=True, slots=True)
class Read:
    """A raw read of one version."""

    id: int
    name: str
    version: int
    workspace: str
    created: datetime | None
    message: str
    intent: str | None
    document: Wire


def read(answer: Any) -> Read:
    """The answer of ``GET /prompt-templates/{id}``."""
    raw = EXPECT.an_object(answer, "the prompt")
    document = normalise(raw)
    check_document(document)
    workspace = raw.get("workspace_id")
    return Read(
        id=EXPECT.a_number(raw.get("id"), "id"),
        name=document["prompt_name"],
        version=EXPECT.a_number(raw.get("version"), "version"),
        workspace=str(workspace) if isinstance(workspace, int | str) else "",
        created=_moment(raw.get("created_at")),
        message=EXPECT.a_text(raw.get("commit_message") or "", "commit_message"),
        intent=_intent(raw.get("metadata")),
        document=document,
    )


def _intent(metadata: Any) -> str | None:
    marker = metadata.get(INTENT_KEY) if isinstance(metadata, dict) else None
    intent = marker.get("intent") if isinstance(marker, dict) else None
    return intent if isinstance(intent, str) else None


def _moment(value: Any) -> datetime | None:
    """A time in ISO 8601 or as mail has it; one without a zone is UTC."""
    if value is None:
        return None
    for reader in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            moment = reader(EXPECT.a_text(value, "created_at"))
        except ValueError:
            continue
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    raise EXPECT.senseless(f"expected a time at created_at, got {value[:40]!r}")


@dataclass(frozen=True, slots=True)
class Label:
    id: int
    name: str
    version: int


def labels(answer: Any) -> tuple[Label, ...]:
    """The answer of ``GET /prompt-templates/{id}/labels``."""
    found = EXPECT.a_list(EXPECT.an_object(answer, "the labels").get("release_labels"), "release_labels")
    return tuple(_label(label, f"release_labels[{place}]") for place, label in enumerate(found))


def _label(value: Any, where: str) -> Label:
    label = EXPECT.an_object(value, where)
    return Label(
        EXPECT.a_number(label.get("release_label_id"), f"{where}.release_label_id"),
        EXPECT.a_name(label.get("release_label"), f"{where}.release_label"),
        EXPECT.a_number(label.get("prompt_version_number"), f"{where}.prompt_version_number"),
    )


@dataclass(frozen=True, slots=True)
class Folder:
    id: int
    name: str
    parent: int | None


def folders(answer: Any) -> tuple[Folder, ...]:
    """The folders in the answer of ``GET /api/public/v2/folders/entities``."""
    entities = EXPECT.a_list(EXPECT.an_object(answer, "the entities").get("entities"), "entities")
    found = [EXPECT.an_object(entity, f"entities[{place}]") for place, entity in enumerate(entities)]
    return tuple(_folder(entity, "a folder") for entity in found if entity.get("type") == "FOLDER")


def new_folder(answer: Any) -> Folder:
    """The answer of ``POST /api/public/v2/folders``."""
    return _folder(EXPECT.an_object(EXPECT.an_object(answer, "the answer").get("folder"), "folder"), "folder")


def _folder(entity: Wire, where: str) -> Folder:
    parent = entity.get("folder_id", entity.get("parent_id"))
    return Folder(
        EXPECT.a_number(entity.get("id"), f"{where}.id"),
        EXPECT.a_text(entity.get("name"), f"{where}.name"),
        None if parent is None else EXPECT.a_number(parent, f"the parent of {where}"),
    )


def published(answer: Any) -> tuple[int, int | None]:
    """Prompt id and version number in the answer of a publish; older servers do not tell the number."""
    made = EXPECT.an_object(answer, "the answer")
    number = made.get("version_number")
    return EXPECT.a_number(made.get("id"), "id"), None if number is None else EXPECT.a_number(number, "version_number")
