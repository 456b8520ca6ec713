"""Writing: a prompt's first and later versions, what belongs to the prompt itself, and its deletion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from promptstore.errors import BadResponse, NotRepresentable, UsageError
from promptstore.vendors.base import Document
from promptstore.vendors.phoenix.lens.checks import check_document, check_sendable
from promptstore.vendors.phoenix.lens.normal import INTENT_KEY, normalise
from promptstore.vendors.phoenix.names import NAME_RULE, is_name, path_of
from promptstore.vendors.phoenix.publishing import TYPES
from promptstore.vendors.phoenix.routes.catalogue import PATCHED, Catalogue, Catalogues, Entry
from promptstore.vendors.serving import Answer, Asked, Endpoint, Refused, View
from promptstore.vendors.values import Wire

_PROMPT_KEYS = ("description", "metadata")


class WritingRoutes:
    """The endpoints that change prompts."""

    def __init__(self, catalogues: Catalogues) -> None:
        self._catalogues = catalogues
        self._twin = catalogues.twin

    def endpoints(self) -> Sequence[Endpoint]:
        return (
            Endpoint("POST", "/v1/prompts", self.create, writes=True),
            Endpoint("POST", "/v1/prompts/{prompt}/versions", self.create_version, writes=True),
            Endpoint("PATCH", "/v1/prompts/{prompt}", self.patch, writes=True),
            Endpoint("DELETE", "/v1/prompts/{prompt}", self.delete, writes=True),
        )

    def create(self, asked: Asked) -> Answer:
        """A prompt with its first version; where the name is there, one more version, and the rest is ignored."""
        body = _object(asked.json(), "body")
        prompt = _object(body.get("prompt"), "prompt")
        name = a_name(prompt.get("name"), "prompt.name")
        there = self._catalogues.now().find(name)
        said = {key: prompt.get(key) for key in _PROMPT_KEYS} if there is None else _said(there)
        return Answer(200, {"data": self._publish(name, said, _object(body.get("version"), "version"))})

    def create_version(self, asked: Asked) -> Answer:
        entry = self._entry(asked)
        body = _object(asked.json(), "body")
        tags = [_object(tag, "tags").get("name") for tag in body.get("tags") or []]
        names = [a_name(tag, "tags.name") for tag in tags]
        answer = self._publish(entry.name, _said(entry), _object(body.get("version"), "version"))
        for tag in names:
            set_tag(self._catalogues, answer["id"], tag)
        return Answer(201, {"data": answer})

    def _publish(self, name: str, said: Mapping[str, Any], version: Wire) -> Wire:
        if version.get("template_type") != TYPES["chat"]:
            raise Refused(422, "Only CHAT template type is supported for prompts")
        document = _document({"name": name, **said, "version": version})
        intent = (version.get("metadata") or {}).get(INTENT_KEY)
        told = version.get("description") or f"Publish {name}"
        notes = {INTENT_KEY: intent} if intent else None
        edition = self._twin.publish(lambda view: _slug_for(view, name), document, told, notes)
        catalogue = self._catalogues.now()
        entry = next((entry for entry in catalogue.entries if entry.slug == edition.slug), None)
        if entry is None:
            raise Refused(422, f"'{edition.slug}' cannot be served as a Phoenix prompt")
        return catalogue.answer(entry, entry.versions[-1])

    def patch(self, asked: Asked) -> Answer:
        """Both fields are replaced as a whole; a description may be null."""
        entry = self._entry(asked)
        body = _object(asked.json(), "body")
        fresh = {key: body[key] for key in _PROMPT_KEYS if key in body}
        if not fresh or ("metadata" in fresh and not isinstance(fresh["metadata"], dict)):
            raise Refused(422, "at least one field must be provided, and metadata must be an object")
        document = _document({**entry.document, **fresh})
        slug, notes = entry.slug, {PATCHED: True}
        self._twin.publish(lambda _: slug, document, f"Describe {entry.name}", notes)
        return Answer(200, {"data": {**self._entry(asked).says()}})

    def delete(self, asked: Asked) -> Answer:
        entry = self._entry(asked)
        self._twin.remove([entry.slug], f"Delete {entry.name}")
        return Answer(204)

    def _entry(self, asked: Asked) -> Entry:
        entry = self._catalogues.now().find(asked.params["prompt"])
        if entry is None:
            raise Refused(404, "Prompt not found")
        return entry


def set_tag(catalogues: Catalogues, version: str, tag: str) -> None:
    """Create or move a tag. Raises Refused."""
    _, found = catalogues.now().version(version)
    try:
        catalogues.twin.tag(found.edition, tag)
    except UsageError as problem:
        raise Refused(422, f"the tag {tag!r} cannot be kept in this store: {problem.message}") from None


def _slug_for(view: View, name: str) -> str:
    """The prompt of that name, else a new one."""
    there = Catalogue(view).find(name)
    return there.slug if there is not None else view.fresh(path_of(name), "")


def _said(entry: Entry) -> Wire:
    return {key: entry.document.get(key) for key in _PROMPT_KEYS}


def _document(raw: Wire) -> Document:
    document = normalise(raw)
    try:
        check_document(document)
        check_sendable(document)
    except (BadResponse, NotRepresentable) as problem:
        raise Refused(422, problem.message) from None
    return document


def _object(value: Any, where: str) -> Wire:
    if not isinstance(value, dict):
        raise Refused(422, [{"type": "dict_type", "loc": ["body", where], "msg": "Input should be a valid dictionary"}])
    return value


def a_name(value: Any, where: str) -> str:
    """A name of a prompt or a tag. Raises Refused (422)."""
    if not isinstance(value, str) or not is_name(value):
        told = {"type": "string_pattern_mismatch", "loc": ["body", where], "msg": f"Names are made of {NAME_RULE}"}
        raise Refused(422, [told])
    return value
