"""Environments: the store's tags. Any name may be pointed with; one that was only made is remembered while serving."""

from __future__ import annotations

from collections.abc import Sequence

from promptstore.vendors.braintrust.routes.catalogue import ORG, Catalogues, Entry, Version, stable_id
from promptstore.vendors.braintrust.routes.checks import a_text, body_object
from promptstore.vendors.serving import Answer, Asked, Endpoint, Refused
from promptstore.vendors.values import Wire

_OBJECT = "/environment-object/prompt/{id}"


class EnvironmentRoutes:
    """The endpoints of environments and of what points where."""

    def __init__(self, catalogues: Catalogues) -> None:
        self._catalogues = catalogues
        self._twin = catalogues.twin
        self._made: dict[str, str] = {}

    def endpoints(self) -> Sequence[Endpoint]:
        return (
            Endpoint("GET", "/environment", self.list),
            Endpoint("POST", "/environment", self.make, writes=True),
            Endpoint("GET", _OBJECT, self.pointers),
            Endpoint("POST", _OBJECT, self.associate, writes=True),
            Endpoint("GET", _OBJECT + "/{environment}", self.pointer),
            Endpoint("PUT", _OBJECT + "/{environment}", self.point, writes=True),
            Endpoint("DELETE", _OBJECT + "/{environment}", self.take_away, writes=True),
        )

    def _names(self) -> dict[str, str]:
        tags = {tag for tags in self._catalogues.now().view.all_tags().values() for tag in tags}
        return {**{tag: tag for tag in sorted(tags)}, **self._made}

    def list(self, asked: Asked) -> Answer:
        wanted = asked.first("name")
        names = self._names().items()
        return Answer(200, {"objects": [_environment(slug, name) for slug, name in names if wanted in (None, name)]})

    def make(self, asked: Asked) -> Answer:
        body = body_object(asked)
        slug, name = a_text(body, "slug"), a_text(body, "name")
        if slug in self._names():
            raise Refused(400, f"an environment with the slug {slug} exists already")
        self._made[slug] = name
        return Answer(200, _environment(slug, name))

    def pointers(self, asked: Asked) -> Answer:
        catalogue = self._catalogues.now()
        entry = catalogue.with_id(asked.params["id"])
        found = catalogue.pointers(entry).items()
        return Answer(200, {"objects": [_pointer(entry, name, version) for name, version in sorted(found)]})

    def pointer(self, asked: Asked) -> Answer:
        entry, name = self._asked(asked)
        return Answer(200, _pointer(entry, name, self._there(entry, name)))

    def associate(self, asked: Asked) -> Answer:
        """Like a PUT, for a pointer that is not there yet."""
        body = body_object(asked)
        catalogue = self._catalogues.now()
        entry, name = catalogue.with_id(asked.params["id"]), a_text(body, "environment_slug")
        if name in catalogue.pointers(entry):
            raise Refused(400, f"prompt {entry.id} is in the environment {name} already")
        return self._point(entry, name, a_text(body, "object_version"))

    def point(self, asked: Asked) -> Answer:
        return self._point(*self._asked(asked), a_text(body_object(asked), "object_version"))

    def _point(self, entry: Entry, name: str, wanted: str) -> Answer:
        """Unlike Braintrust, which takes any number, this server only points at what is there."""
        version = self._catalogues.now().at(entry, wanted, None)
        if version is None:
            raise Refused(400, f"prompt {entry.id} has no version {wanted}")
        self._twin.tag(version.edition, name)
        return Answer(200, _pointer(entry, name, version))

    def take_away(self, asked: Asked) -> Answer:
        entry, name = self._asked(asked)
        version = self._there(entry, name)
        self._twin.untag(entry.slug, name)
        return Answer(200, _pointer(entry, name, version))

    def _asked(self, asked: Asked) -> tuple[Entry, str]:
        return self._catalogues.now().with_id(asked.params["id"]), asked.params["environment"]

    def _there(self, entry: Entry, name: str) -> Version:
        version = self._catalogues.now().pointers(entry).get(name)
        if version is None:
            raise Refused(400, f"prompt {entry.id} is not in the environment {name}")
        return version


def _environment(slug: str, name: str) -> Wire:
    known = {"id": stable_id("environment", slug), "org_id": ORG, "name": name, "slug": slug}
    return {**known, **dict.fromkeys(["description", "created", "deleted_at"])}


def _pointer(entry: Entry, name: str, version: Version) -> Wire:
    return {
        "id": stable_id("pointer", entry.id, name),
        "object_type": "prompt",
        "object_id": entry.id,
        "object_version": version.xact,
        "environment_slug": name,
        "environment_id": stable_id("environment", name),
        "created": None,
    }
