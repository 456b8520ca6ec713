"""PromptLayer's folders: the ids of a path's levels, made where they are missing."""

from __future__ import annotations

from collections.abc import Sequence

from promptstore.errors import RemoteMissing, RemoteRejected, RemoteUnreachable, WriteInDoubt
from promptstore.model.slug import slugify
from promptstore.vendors.http import Http
from promptstore.vendors.promptlayer import wire
from promptstore.vendors.promptlayer.lens.checks import EXPECT

_PATH = "/api/public/v2/folders"
_NOT_OFFERED = frozenset({404, 405})


class Folders:
    """The folders of one workspace, found level by level and remembered."""

    def __init__(self, http: Http) -> None:
        self._http = http
        self._known: dict[tuple[str, ...], int] = {}

    def forget(self) -> None:
        """Look everything up anew: somebody may have removed a folder."""
        self._known.clear()

    def ensure(self, levels: Sequence[str]) -> int | None:
        """The id of the folder at this path, made where it is missing; None is the root.

        A server without folders (they are younger than the prompts) has everything at the root.
        """
        try:
            return self._ensure(tuple(levels))
        except RemoteRejected as problem:
            if problem.status in _NOT_OFFERED and not self._known:
                return None
            raise

    def _ensure(self, levels: tuple[str, ...]) -> int | None:
        if not levels:
            return None
        if levels not in self._known:
            parent = self._ensure(levels[:-1])
            found = self._find(parent, levels[-1])
            self._known[levels] = self._create(parent, levels) if found is None else found
        return self._known[levels]

    def _find(self, parent: int | None, name: str) -> int | None:
        """The folder of that name; else the first that an import would have called so."""
        params = {"filter_type": "FOLDER", **({} if parent is None else {"folder_id": parent})}
        listed = wire.folders(self._http.get(f"{_PATH}/entities", params))
        children = sorted((folder for folder in listed if folder.parent == parent), key=lambda folder: folder.id)
        exact = [folder.id for folder in children if folder.name == name]
        alike = [folder.id for folder in children if slugify(folder.name) == name]
        return next(iter(exact + alike), None)

    def _create(self, parent: int | None, levels: tuple[str, ...]) -> int:
        try:
            return wire.new_folder(self._http.send("POST", _PATH, {"name": levels[-1], "parent_id": parent})).id
        except RemoteMissing:
            raise
        except (RemoteRejected, WriteInDoubt) as problem:
            found = self._find(parent, levels[-1]) or self._resolve(levels)
            if found is not None:
                return found  # somebody was faster, or the answer got lost
            if isinstance(problem, RemoteRejected):
                raise
            # Making a folder twice is harmless, and the prompt itself was not sent.
            message = f"PromptLayer did not say whether it made the folder {'/'.join(levels)}"
            raise RemoteUnreachable(message, hint="try again; the prompt was not sent") from problem

    def _resolve(self, levels: tuple[str, ...]) -> int | None:
        """The id by path, which the server writes with dots and without an escape."""
        if any("." in level for level in levels):
            return None
        try:
            answer = self._http.get(f"{_PATH}/resolve-id", {"path": ".".join(levels)})
        except RemoteRejected:
            return None
        return EXPECT.a_number(EXPECT.an_object(answer, "the answer").get("id"), "id")
