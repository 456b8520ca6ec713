"""Folders: the directories of slugs, and the empty ones that somebody made since the twin started."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from promptstore.model.slug import slugify
from promptstore.vendors.promptlayer.routes.answers import WORKSPACE, moment
from promptstore.vendors.promptlayer.routes.catalogue import Catalogue, Catalogues, Entry
from promptstore.vendors.promptlayer.routes.checks import (
    a_number,
    a_text,
    an_object,
    body_object,
    flag,
    many,
    optional_number,
)
from promptstore.vendors.promptlayer.routes.ids import distinct_ids
from promptstore.vendors.serving import Answer, Asked, Endpoint, Refused
from promptstore.vendors.values import Wire

Path = tuple[str, ...]

_ROOT = "/api/public/v2/folders"
_MOST = 255
_PROMPTS = ("PROMPT", "SNIPPET")


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder. ``path`` are slug segments, ``names`` what PromptLayer's users call them."""

    id: int
    path: Path
    names: Path


class Folders:
    """The folders that there are, by path and id."""

    def __init__(self) -> None:
        self._made: dict[Path, str] = {}
        self._lock = threading.Lock()

    def all(self, catalogue: Catalogue) -> Mapping[Path, Folder]:
        with self._lock:
            made = dict(self._made)
        paths = {*made, *(folder_of(entry) for entry in catalogue.served("active"))}
        every = sorted({path[:depth] for path in paths for depth in range(1, len(path) + 1)})
        ids = distinct_ids(("folder", *path) for path in every)
        return {path: Folder(ids[("folder", *path)], path, _names(path, made)) for path in every}

    def by_id(self, catalogue: Catalogue, number: int | None) -> Path:
        """The path of that id; None is the root. Raises Refused (404)."""
        if number is None:
            return ()
        for folder in self.all(catalogue).values():
            if folder.id == number:
                return folder.path
        raise Refused(404, "Folder not found")

    def place(self, catalogue: Catalogue, entry: Entry) -> tuple[int | None, list[str]]:
        """The id and the names of the folder that holds a prompt."""
        folder = self.all(catalogue).get(folder_of(entry))
        return (folder.id, list(folder.names)) if folder else (None, [])

    def make(self, catalogue: Catalogue, parent: Path, name: str) -> Folder:
        path = (*parent, slugify(name.replace("/", "-")))
        if path in self.all(catalogue):
            raise Refused(400, "A folder with this name already exists in this location")
        with self._lock:
            self._made[path] = name
        return self.all(catalogue)[path]

    def forget(self, path: Path) -> None:
        with self._lock:
            self._made = {known: name for known, name in self._made.items() if known[: len(path)] != path}


def folder_of(entry: Entry) -> Path:
    return tuple(entry.slug.split("/")[:-1])


def _names(path: Path, made: Mapping[Path, str]) -> Path:
    return tuple(made.get(path[: depth + 1], segment) for depth, segment in enumerate(path))


class FolderRoutes:
    """The endpoints below ``/api/public/v2/folders``."""

    def __init__(self, catalogues: Catalogues, folders: Folders) -> None:
        self._catalogues = catalogues
        self._folders = folders
        self._twin = catalogues.twin

    def endpoints(self) -> Sequence[Endpoint]:
        return (
            Endpoint("POST", _ROOT, self.create, writes=True),
            Endpoint("GET", f"{_ROOT}/resolve-id", self.resolve),
            Endpoint("GET", f"{_ROOT}/entities", self.entities),
            Endpoint("POST", f"{_ROOT}/entities", self.move, writes=True),
            Endpoint("DELETE", f"{_ROOT}/entities", self.delete, writes=True),
        )

    def create(self, asked: Asked) -> Answer:
        body = body_object(asked)
        name = a_text(body.get("name"), "name", most=_MOST)
        catalogue = self._catalogues.now()
        parent_id = optional_number(body.get("parent_id"), "body", "parent_id")
        folder = self._folders.make(catalogue, self._folders.by_id(catalogue, parent_id), name)
        now = datetime.now(UTC).isoformat()
        made = {
            "id": folder.id,
            "name": name,
            "created_at": now,
            "updated_at": now,
            "path": list(folder.names),
            "workspace_id": WORKSPACE,
            "parent_id": parent_id,
            "external_ids": [],
        }
        return Answer(201, {"success": True, "folder": made})

    def resolve(self, asked: Asked) -> Answer:
        """The id by the path that PromptLayer writes with dots, without an escape."""
        wanted = asked.first("path")
        for folder in self._folders.all(self._catalogues.now()).values():
            if wanted is not None and ".".join(folder.names) == wanted:
                return Answer(200, {"id": folder.id})
        raise Refused(404, "Folder not found") if wanted else Refused(400, "path is required")

    def entities(self, asked: Asked) -> Answer:
        catalogue = self._catalogues.now()
        parent = self._folders.by_id(catalogue, optional_number(asked.first("folder_id"), "query", "folder_id"))
        found = [
            *self._subfolders(catalogue),
            *self._prompts(catalogue, flag(asked, "include_metadata", False)),
        ]
        kinds = {kind for text in many(asked, "filter_type") for kind in text.split(",")}
        shown = [
            entity
            for path, entity in found
            if (path[: len(parent)] == parent if flag(asked, "flatten", False) else path == parent)
            and (not kinds or entity["type"] in kinds)
            and (asked.first("search_query") or "").lower() in entity["name"].lower()
        ]
        return Answer(200, {"entities": shown})

    def _subfolders(self, catalogue: Catalogue) -> list[tuple[Path, Wire]]:
        every = self._folders.all(catalogue)
        return [(folder.path[:-1], _folder_entity(folder, every)) for folder in every.values()]

    def _prompts(self, catalogue: Catalogue, with_metadata: bool) -> list[tuple[Path, Wire]]:
        entries = list(catalogue.served("active"))
        newest = [catalogue.view.newest(entry.slug) for entry in entries]
        first = [
            next(iter(catalogue.view.editions(entry.slug)), latest)
            for entry, latest in zip(entries, newest, strict=True)
        ]
        stamps = catalogue.view.stamps([*first, *newest])
        found = []
        for place, (entry, edition) in enumerate(zip(entries, newest, strict=True)):
            folder_id, path = self._folders.place(catalogue, entry)
            entity = {
                "id": entry.id,
                "name": entry.name,
                "type": "PROMPT",
                "created_at": moment(stamps[place]),
                "updated_at": moment(stamps[len(entries) + place]),
                "folder_id": folder_id,
                "path": path,
                "external_ids": [],
            }
            about = {"metadata": {"type": "PROMPT", "latest_version_number": edition.number}} if with_metadata else {}
            found.append((folder_of(entry), {**entity, **about}))
        return found

    def move(self, asked: Asked) -> Answer:
        body = body_object(asked)
        catalogue = self._catalogues.now()
        parent = self._folders.by_id(catalogue, optional_number(body.get("folder_id"), "body", "folder_id"))
        entries = [self._prompt(catalogue, kind, number) for kind, number in _named_entities(body)]
        moved = [(entry, "/".join((*parent, entry.slug.rpartition("/")[2]))) for entry in entries]
        for entry, new in moved:
            self._check_free(catalogue, entry, new)
        for entry, new in moved:
            if entry.slug != new:
                self._twin.move(entry.slug, new, f"Move {entry.slug} to {new}")
        return Answer(200, {"moved_count": len(moved)})

    def _prompt(self, catalogue: Catalogue, kind: str, number: int) -> Entry:
        if kind not in _PROMPTS:
            raise Refused(400, f"the local twin moves prompts only, not {kind}")
        return catalogue.numbered(number)

    def _check_free(self, catalogue: Catalogue, entry: Entry, new: str) -> None:
        if new != entry.slug and new in {*catalogue.view.active, *catalogue.view.deleted}:
            raise Refused(400, f"there is a prompt '{new}' already")

    def delete(self, asked: Asked) -> Answer:
        """Softly: the files go with a commit, and everything they ever said stays in the history."""
        body = body_object(asked)
        catalogue = self._catalogues.now()
        slugs: dict[str, None] = {}
        gone: list[Path] = []
        for kind, number in _named_entities(body):
            if kind == "FOLDER":
                path = self._folders.by_id(catalogue, number)
                slugs |= dict.fromkeys(self._inside(catalogue, path, cascade=body.get("cascade") is True))
                gone.append(path)
            else:
                slugs.setdefault(self._prompt(catalogue, kind, number).slug)
        if slugs:
            self._twin.remove(slugs, f"Delete {', '.join(slugs)}")
        for path in gone:
            self._folders.forget(path)
        return Answer(200, {"moved_count": len(slugs) + len(gone)})

    def _inside(self, catalogue: Catalogue, path: Path, *, cascade: bool) -> list[str]:
        inside = [
            entry.slug for entry in catalogue.entries if not entry.deleted and folder_of(entry)[: len(path)] == path
        ]
        below = [other for other in self._folders.all(catalogue) if other[: len(path)] == path and other != path]
        if (inside or below) and not cascade:
            raise Refused(400, "the folder is not empty")
        return inside


def _folder_entity(folder: Folder, every: Mapping[Path, Folder]) -> Wire:
    parent = every.get(folder.path[:-1])
    return {
        "id": folder.id,
        "name": folder.names[-1],
        "type": "FOLDER",
        "created_at": None,
        "updated_at": None,
        "folder_id": parent.id if parent else None,
        "path": list(folder.names[:-1]),
        "external_ids": [],
    }


def _named_entities(body: Mapping[str, Any]) -> list[tuple[str, int]]:
    entities = body.get("entities")
    if not isinstance(entities, list) or not entities:
        raise Refused(400, "entities is a list of {id, type}")
    found = [an_object(entity, "entities", place) for place, entity in enumerate(entities)]
    return [
        (a_text(one.get("type"), "entities", "type"), a_number(one.get("id"), "body", "entities", "id"))
        for one in found
    ]
