"""What PromptLayer's endpoints answer about an edition, key by key as recorded."""

from __future__ import annotations

from typing import Any

from promptstore.vendors.promptlayer.publishing import commit_message
from promptstore.vendors.promptlayer.routes.catalogue import Catalogue, Entry
from promptstore.vendors.promptlayer.routes.refill import metadata_answer, refilled
from promptstore.vendors.serving import Edition, Stamp
from promptstore.vendors.values import Wire

WORKSPACE = 1
"""The twin is one workspace."""

MESSAGE_NOTE = "commit_message"
METADATA_NOTE = "metadata"


def described(catalogue: Catalogue, entry: Entry, edition: Edition, stamp: Stamp) -> Wire:
    """What every answer says of a version."""
    document = catalogue.document(entry, edition)
    notes = stamp.notes.get(METADATA_NOTE)
    metadata = {**document.get("metadata", {}), **(notes if isinstance(notes, dict) else {})}
    return {
        "id": entry.id,
        "prompt_name": entry.name,
        "tags": list(document.get("tags", [])),
        "prompt_template": refilled(document["prompt_template"]),
        "commit_message": message_of(stamp),
        "metadata": metadata_answer(metadata),
    }


def message_of(stamp: Stamp) -> str | None:
    """The commit message as the publisher gave it, else the commit's first line cut to PromptLayer's length."""
    if MESSAGE_NOTE in stamp.notes:
        noted = stamp.notes[MESSAGE_NOTE]
        return noted if isinstance(noted, str) else None
    return commit_message(stamp.message) or None


def moment(stamp: Stamp) -> str | None:
    return stamp.when.isoformat() if stamp.when else None


def listed(described: Wire, edition: Edition, folder: tuple[int | None, list[str]]) -> Wire:
    """One line of a listing."""
    folder_id, path = folder
    return {
        **described,
        "version": edition.number,
        "folder_id": folder_id,
        "parent_folder_name": path[-1] if path else None,
        "full_folder_path": "/".join(path) or None,
        "is_snippet": False,
        "llm_kwargs": None,
        "external_ids": [],
    }


def raw(described: Wire, edition: Edition, stamp: Stamp, **more: Any) -> Wire:
    """The answer of a raw read."""
    return {
        "success": True,
        **described,
        "version": edition.number,
        "workspace_id": WORKSPACE,
        "created_at": moment(stamp),
        "llm_kwargs": None,
        **more,
    }


def got(described: Wire, edition: Edition, **more: Any) -> Wire:
    """The answer of the POST by which the SDKs get a prompt."""
    return {
        **described,
        "version": edition.number,
        "workspace_id": WORKSPACE,
        "provider_base_url": None,
        **more,
    }


def published(described: Wire, edition: Edition, version_id: int, labels: list[str] | None) -> Wire:
    return {
        **described,
        "release_labels": labels,
        "prompt_version_id": version_id,
        "version_number": edition.number,
        "external_ids": [],
    }


def page(items: list[Any], number: int, size: int) -> Wire:
    """A page of a listing. ``items`` are all of them; the numbers of missing neighbours are null."""
    pages = -(-len(items) // size)
    before, after = number > 1, number < pages
    return {
        "items": items[(number - 1) * size : number * size],
        "has_prev": before,
        "has_next": after,
        "prev_num": number - 1 if before else None,
        "next_num": number + 1 if after else None,
        "page": number,
        "pages": pages,
        "per_page": size,
        "total": len(items),
    }
