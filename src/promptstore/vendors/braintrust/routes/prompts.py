"""Prompts: list, read, create, replace, patch, delete; and the same under their other name, functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from promptstore.vendors.braintrust.routes.catalogue import ORG, PROJECT, Catalogue, Catalogues, Entry, absent
from promptstore.vendors.braintrust.routes.checks import a_document, a_text, body_object, objects
from promptstore.vendors.serving import Answer, Asked, Endpoint, Refused, View
from promptstore.vendors.values import Wire

_PATCHED = ("name", "slug", "description", "prompt_data", "tags")


class PromptRoutes:
    """The endpoints of prompts."""

    def __init__(self, catalogues: Catalogues) -> None:
        self._catalogues = catalogues
        self._twin = catalogues.twin

    def endpoints(self) -> Sequence[Endpoint]:
        return (
            Endpoint("GET", "/v1/prompt", self.list),
            Endpoint("GET", "/v1/function", self.list),
            Endpoint("POST", "/v1/prompt", self.create, writes=True),
            Endpoint("PUT", "/v1/prompt", self.replace, writes=True),
            Endpoint("GET", "/v1/prompt/{id}", self.read),
            Endpoint("GET", "/v1/function/{id}", self.read),
            Endpoint("PATCH", "/v1/prompt/{id}", self.patch, writes=True),
            Endpoint("DELETE", "/v1/prompt/{id}", self.delete, writes=True),
            Endpoint("POST", "/insert-functions", self.insert, writes=True),
        )

    # --- reading

    def list(self, asked: Asked) -> Answer:
        """The page that was asked for, the newest write first. What a version or environment is not there for is left
        out; an environment must be asked of one prompt."""
        catalogue = self._catalogues.now()
        version, environment = asked.first("version"), asked.first("environment")
        page = _page([entry for entry in catalogue.entries if _wanted(entry, asked)], asked)
        if environment is not None and version is None and len(page) > 1:
            raise Refused(400, "environment must narrow the list to one prompt: give slug and project too")
        found = [(entry, catalogue.at(entry, version, environment)) for entry in page]
        shown = [catalogue.answer(entry, version) for entry, version in found if version is not None]
        return Answer(200, {"objects": shown})

    def read(self, asked: Asked) -> Answer:
        catalogue = self._catalogues.now()
        entry = catalogue.with_id(asked.params["id"])
        version = catalogue.at(entry, asked.first("version"), asked.first("environment"))
        if version is None:
            raise Refused(400, f"prompt {entry.id} has no such version or environment")
        return Answer(200, catalogue.answer(entry, version))

    # --- writing

    def create(self, asked: Asked) -> Answer:
        """An existing prompt is answered as it is."""
        body = body_object(asked)
        there = self._catalogues.now().with_key(a_text(body, "slug"))
        if there is not None:
            return self._shown(there)
        return self.replace(asked)

    def replace(self, asked: Asked) -> Answer:
        """A version of the prompt of that slug, which is made where there is none; always makes a version."""
        body = body_object(asked)
        a_text(body, "project_id")
        return self._shown(self._put(body, _names(body.get("environment_slugs"))))

    def _put(self, body: Mapping[str, Any], environments: Iterable[str] = ()) -> Entry:
        document = a_document(body)
        edition = self._twin.publish(
            lambda view: _slug_for(view, document["slug"]), document, f"Publish {document['name']}"
        )
        for environment in environments:
            self._twin.tag(edition, environment)
        return self._entry_of(edition.slug)

    def _entry_of(self, slug: str) -> Entry:
        for entry in self._catalogues.now().entries:
            if entry.slug == slug:
                return entry
        raise Refused(400, f"'{slug}' cannot be served as a Braintrust prompt")

    def _shown(self, entry: Entry) -> Answer:
        return Answer(200, self._catalogues.now().answer(entry, entry.head))

    def patch(self, asked: Asked) -> Answer:
        """Objects are merged deeply; nothing can be taken away, so nulls say nothing."""
        body = body_object(asked)
        catalogue = self._catalogues.now()
        entry = catalogue.with_id(asked.params["id"])
        fresh = {key: body[key] for key in _PATCHED if body.get(key) is not None}
        document = a_document(_merged(catalogue.document(entry, entry.head), fresh))
        other = catalogue.with_key(document["slug"])
        if other is not None and other.id != entry.id:
            raise Refused(400, f"another prompt has the slug {document['slug']}")
        self._twin.publish(lambda _: entry.slug, document, f"Change {document['name']}")
        return self._shown(self._entry_of(entry.slug))

    def delete(self, asked: Asked) -> Answer:
        """Answers the stone that stays: no name and no content."""
        prompt = asked.params["id"]
        try:
            entry = self._catalogues.now().with_id(prompt)
        except Refused:
            raise absent("prompt", prompt, "delete") from None
        self._twin.remove([entry.slug], f"Delete {entry.name}")
        stone = {"log_id": "p", "project_id": PROJECT, "org_id": ORG, "slug": entry.key, "id": entry.id}
        xact = str(int(entry.head.xact) + 1)
        return Answer(200, {**stone, "created": None, "_object_delete": True, "_xact_id": xact})

    def insert(self, asked: Asked) -> Answer:
        """What `braintrust push` sends: prompts among functions, replaced, ignored or refused where they exist."""
        functions = objects(body_object(asked).get("functions"), "functions")
        made: list[Wire] = []
        ignored = 0
        self._check_insertable(functions)
        for function in functions:
            there = self._catalogues.now().with_key(a_text(function, "slug"))
            keep = there is not None and function.get("if_exists") == "ignore"
            environments = [a_text(one, "slug") for one in objects(function.get("environments") or [], "environments")]
            entry = there if keep and there is not None else self._put(function, environments)
            ignored += keep
            found = {"id": entry.id, "slug": entry.key, "project_id": PROJECT, "found_existing": there is not None}
            made.append({**found, "xact": entry.head.xact})
        xact = max((one.pop("xact") for one in made), key=int, default=None)
        return Answer(200, {"xact_id": xact, "functions": made, "ignored_count": ignored})

    def _check_insertable(self, functions: Iterable[Mapping[str, Any]]) -> None:
        """All or nothing."""
        catalogue = self._catalogues.now()
        for function in functions:
            data = function.get("function_data")
            if not isinstance(data, Mapping) or data.get("type") != "prompt":
                raise Refused(400, "this server keeps prompts only: function_data.type must be prompt")
            slug = a_text(function, "slug")
            a_document(function)
            if function.get("if_exists") in (None, "error") and catalogue.with_key(slug) is not None:
                raise Refused(400, f"a function with the slug {slug} exists already")


def _slug_for(view: View, key: str) -> str:
    """The prompt of that slug at Braintrust, else a new one: a deleted prompt stays deleted, as there."""
    there = Catalogue(view).with_key(key)
    return there.slug if there is not None else view.fresh(key, "")


def _names(value: Any) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise Refused(400, "expected a list of texts at environment_slugs")
    return value


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> Wire:
    merged = dict(below)
    for key, value in above.items():
        inner = merged.get(key)
        both = isinstance(value, Mapping) and isinstance(inner, Mapping)
        if value is not None:
            merged[key] = _merged(inner, value) if both and inner is not None else value
    return merged


def _wanted(entry: Entry, asked: Asked) -> bool:
    ids = {one for given in asked.query.get("ids", ()) for one in given.split(",")}
    return (
        asked.first("slug") in (None, entry.key, entry.slug)
        and asked.first("prompt_name") in (None, entry.name)
        and (not ids or entry.id in ids)
    )


def _page(entries: Sequence[Entry], asked: Asked) -> Sequence[Entry]:
    after, before = asked.first("starting_after"), asked.first("ending_before")
    if after is not None:
        entries = entries[_place(entries, after) + 1 :]
    size = _limit(asked.first("limit"), len(entries))
    if before is not None:
        entries = entries[: _place(entries, before)]
        return entries[max(0, len(entries) - size) :]
    return entries[:size]


def _place(entries: Sequence[Entry], prompt: str) -> int:
    for place, entry in enumerate(entries):
        if entry.id == prompt:
            return place
    raise Refused(400, f"the cursor {prompt} is no prompt of this list")


def _limit(text: str | None, default: int) -> int:
    if text is None:
        return default
    if not (text.isascii() and text.isdigit()):
        raise Refused(400, "limit must be a whole number from 0")
    return int(text[:9])
