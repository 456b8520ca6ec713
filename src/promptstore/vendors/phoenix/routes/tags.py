"""Tags: each names one version of its prompt."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from promptstore.vendors.phoenix.names import TAG, gid
from promptstore.vendors.phoenix.routes.catalogue import Catalogues
from promptstore.vendors.phoenix.routes.writing import a_name, set_tag
from promptstore.vendors.serving import Answer, Asked, Endpoint, Refused


class TagRoutes:
    """The endpoints of a version's tags."""

    def __init__(self, catalogues: Catalogues) -> None:
        self._catalogues = catalogues
        self._twin = catalogues.twin

    def endpoints(self) -> Sequence[Endpoint]:
        path = "/v1/prompt_versions/{version}/tags"
        return (
            Endpoint("GET", path, self.list),
            Endpoint("POST", path, self.set, writes=True),
            Endpoint("DELETE", f"{path}/{{tag}}", self.delete, writes=True),
        )

    def list(self, asked: Asked) -> Answer:
        catalogue = self._catalogues.now()
        entry, version = catalogue.version(asked.params["version"])
        names = [tag for tag, placed in sorted(catalogue.tags(entry).items()) if placed.id == version.id]
        data = [{"name": tag, "description": None, "id": _id(entry.name, tag)} for tag in names]
        return Answer(200, {"data": data, "next_cursor": None})

    def set(self, asked: Asked) -> Answer:
        """Create or move a tag."""
        body = asked.json()
        name = a_name(body.get("name") if isinstance(body, dict) else None, "name")
        set_tag(self._catalogues, asked.params["version"], name)
        return Answer(204)

    def delete(self, asked: Asked) -> Answer:
        """The tag of that version's prompt, at whichever of its versions it stands."""
        catalogue = self._catalogues.now()
        entry, _ = catalogue.version(asked.params["version"])
        tag = a_name(asked.params["tag"], "tag_name")
        if tag not in catalogue.tags(entry):
            raise Refused(404, "Not Found")
        self._twin.untag(entry.slug, tag)
        return Answer(204)


def _id(name: str, tag: str) -> str:
    digest = hashlib.sha256(f"{name}\0{tag}".encode()).digest()
    return gid(TAG, int.from_bytes(digest[:5], "big"))
