"""Basalt's API over the git store, for the local twin (Basalt API reference).

What the real server leaves open is settled like this: versions are the store's numbers, or where the store is linked to
Basalt, Basalt's own; without version and tag a get gives ``production``, and the newest version with a warning where
there is none; an unknown version or tag is a 404, never another version; a publish that names neither tags the newest
version; ``latest`` cannot be moved; the store has no features, so ``featureSlug`` narrows nothing. Slugs may hold
slashes, encoded or not.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from promptstore.errors import UsageError
from promptstore.vendors.basalt.routes import answers
from promptstore.vendors.basalt.routes.catalogue import LATEST, PRODUCTION, Catalogues
from promptstore.vendors.serving import Answer, Asked, Endpoint, Face, Refused, Twin
from promptstore.vendors.values import Wire

_DESCRIBE = "/describe"


def face(twin: Twin) -> Face:
    """Basalt's endpoints."""
    return Face(PromptRoutes(Catalogues(twin)).endpoints(), _refusal, _keys)


class PromptRoutes:
    """The endpoints of prompts; there are no others."""

    def __init__(self, catalogues: Catalogues) -> None:
        self._catalogues = catalogues
        self._twin = catalogues.twin

    def endpoints(self) -> tuple[Endpoint, ...]:
        return (
            Endpoint("GET", "/prompts", self.listed),
            Endpoint("GET", f"/prompts/{{slug:path}}{_DESCRIBE}", self.described),
            Endpoint("GET", "/prompts/{slug:path}", self.got),
            Endpoint("POST", "/prompts/{slug:path}/publish", self.publish, writes=True),
        )

    def listed(self, asked: Asked) -> Answer:
        del asked
        catalogue = self._catalogues.now()
        return Answer(200, {"prompts": [answers.listed(catalogue, entry) for entry in catalogue.served]})

    def got(self, asked: Asked) -> Answer:
        return self._one(asked, asked.params["slug"], answers.got)

    def described(self, asked: Asked) -> Answer:
        """What a prompt is; where there is none of that slug, the prompt whose slug ends in ``/describe``."""
        whole = asked.params["slug"] + _DESCRIBE
        entries = self._catalogues.now().entries
        if asked.params["slug"] not in {name for entry in entries for name in (entry.key, entry.slug)} and any(
            whole in {entry.key, entry.slug} for entry in entries
        ):
            return self._one(asked, whole, answers.got)
        return self._one(asked, asked.params["slug"], answers.described)

    def _one(self, asked: Asked, key: str, shown: Any) -> Answer:
        catalogue = self._catalogues.now()
        entry = catalogue.find(key)
        version, tag, warning = asked.first("version"), asked.first("tag"), {}
        if version is None and tag is None:
            tag = PRODUCTION if PRODUCTION in catalogue.tags(entry) else LATEST
            warning = {} if tag == PRODUCTION else {"warning": "There is no production version; this is the latest one"}
        edition, told = catalogue.chosen(entry, version, tag)
        return Answer(200, {**warning, "prompt": shown(catalogue, entry, edition, told)})

    def publish(self, asked: Asked) -> Answer:
        """Create or move a tag."""
        body = asked.json()
        if not isinstance(body, dict):
            raise Refused(400, "the body must be an object")
        new = _text(body, "newTag")
        if not new:
            raise Refused(400, "newTag is required")
        catalogue = self._catalogues.now()
        entry = catalogue.find(asked.params["slug"])
        version, tag = _text(body, "version"), _text(body, "tag")
        edition, _ = catalogue.chosen(entry, version, tag or (None if version else LATEST))
        try:
            self._twin.tag(edition, new)
        except UsageError as problem:
            raise Refused(400, f"the tag {new!r} cannot be kept in this store: {problem.message}") from None
        return Answer(201, answers.deployed(entry, new))


def _text(body: Wire, key: str) -> str | None:
    value = body.get(key)
    if value is not None and not isinstance(value, str):
        raise Refused(400, f"{key} must be a string")
    return value or None


def _refusal(status: int, message: Any) -> Wire:
    del status
    return {"error": str(message)}


def _keys(asked: Asked) -> Iterable[str]:
    scheme, _, key = asked.headers.get("authorization", "").partition(" ")
    return [key.strip()] if scheme.lower() == "bearer" else []
