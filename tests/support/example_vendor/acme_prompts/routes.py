"""Acme's API over the git store, for the local twin."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import Any

from acme_prompts.lens import LENS
from promptstore.errors import InvalidPrompt, NotRepresentable
from promptstore.vendors.serving import Answer, Asked, Edition, Endpoint, Face, Refused, Twin, View


def face(twin: Twin) -> Face:
    notes = Notes(twin)
    endpoints = (
        Endpoint("GET", "/notes", notes.listed),
        Endpoint("POST", "/notes", notes.create, writes=True),
        Endpoint("GET", "/notes/{id}", notes.read),
        Endpoint("PUT", "/notes/{id}", notes.replace, writes=True),
        Endpoint("DELETE", "/notes/{id}", notes.delete, writes=True),
    )
    return Face(endpoints, lambda status, message: {"error": message}, _keys)


class Notes:
    """The endpoints."""

    def __init__(self, twin: Twin) -> None:
        self._twin = twin

    def listed(self, asked: Asked) -> Answer:
        return Answer(200, {"notes": list(_notes(self._twin.view()).values())})

    def read(self, asked: Asked) -> Answer:
        view = self._twin.view()
        slug, revision = _slug(view, asked), asked.first("revision")
        edition = view.numbered(slug, int(revision)) if revision else view.newest(slug)
        return Answer(200, _note(view, edition))

    def create(self, asked: Asked) -> Answer:
        document = LENS.normalise(asked.json())
        if any(note["title"] == document["title"] for note in _notes(self._twin.view()).values()):
            raise Refused(409, "there is a note of that title")
        edition = self._twin.publish(lambda view: view.fresh(document["title"], ""), document, "Acme: create")
        return Answer(201, _note(self._twin.view(), edition))

    def replace(self, asked: Asked) -> Answer:
        edition = self._twin.publish(lambda view: _slug(view, asked), LENS.normalise(asked.json()), "Acme: replace")
        return Answer(200, _note(self._twin.view(), edition))

    def delete(self, asked: Asked) -> Answer:
        self._twin.remove([_slug(self._twin.view(), asked)], "Acme: delete")
        return Answer(204)


def _notes(view: View) -> dict[str, dict[str, Any]]:
    """The notes by slug; what Acme cannot hold is no note."""
    found = {}
    for slug in view.active:
        try:
            found[slug] = _note(view, view.newest(slug))
        except (InvalidPrompt, NotRepresentable):
            continue
    return found


def _note(view: View, edition: Edition) -> dict[str, Any]:
    return {"id": _id(view, edition.slug), "revision": edition.number, **view.document(edition)}


def _id(view: View, slug: str) -> int:
    """The id that the vendor gave a linked prompt, else one that stays the same when the prompt moves."""
    return int(view.remote_id(slug) or zlib.crc32(view.origin(slug).encode()))


def _slug(view: View, asked: Asked) -> str:
    for slug in view.active:
        if str(_id(view, slug)) == asked.params["id"]:
            return slug
    raise Refused(404, "there is no such note")


def _keys(asked: Asked) -> Iterable[str]:
    return [asked.headers.get("authorization", "").removeprefix("Bearer ")]
