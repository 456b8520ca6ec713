"""Listing and reading templates: the list, the raw read, and the POST by which the SDKs get a prompt."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from promptstore.errors import NotFound, UsageError
from promptstore.vendors.base import Document
from promptstore.vendors.promptlayer.routes import answers
from promptstore.vendors.promptlayer.routes.catalogue import Catalogue, Catalogues, Entry
from promptstore.vendors.promptlayer.routes.checks import (
    an_object,
    body_object,
    choice,
    flag,
    many,
    moment,
    optional_number,
    optional_text,
)
from promptstore.vendors.promptlayer.routes.folders import Folders
from promptstore.vendors.promptlayer.routes.rendering import (
    llm_kwargs,
    missing_variables,
    overridden,
    rendered,
)
from promptstore.vendors.promptlayer.routes.snippets import Snippets
from promptstore.vendors.serving import Answer, Asked, Edition, Endpoint, Refused, Stamp
from promptstore.vendors.values import Wire

PER_PAGE = 30
MOST_PER_PAGE = 1000

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class ReadingRoutes:
    """The endpoints that change nothing."""

    def __init__(self, catalogues: Catalogues, folders: Folders) -> None:
        self._catalogues = catalogues
        self._folders = folders
        self._lens = catalogues.twin.vendor.lens

    def endpoints(self) -> Sequence[Endpoint]:
        return (
            Endpoint("GET", "/prompt-templates", self.listed),
            Endpoint("GET", "/prompt-templates/{key:path}", self.raw),
            Endpoint("POST", "/prompt-templates/{key:path}", self.got),
        )

    # --- the list

    def listed(self, asked: Asked) -> Answer:
        catalogue = self._catalogues.now()
        number = optional_number(asked.first("page"), "query", "page") or 1
        size = min(optional_number(asked.first("per_page"), "query", "per_page") or PER_PAGE, MOST_PER_PAGE)
        lines = [_Line(entry, edition) for entry, edition in self._chosen(catalogue, asked)]
        _stamp(catalogue, lines)
        kept = [line for line in lines if _in_time(line, asked)]
        page = answers.page(_in_order(kept, asked), number, size)
        items = [self._item(catalogue, line) for line in page["items"]]
        return Answer(200, {**page, "items": items})

    def _chosen(self, catalogue: Catalogue, asked: Asked) -> list[tuple[Entry, Edition]]:
        """The prompts that the filters leave, each at the version to show."""
        name = (asked.first("name") or "").lower()
        keywords = set(many(asked, "tags"))
        label = asked.first("label")
        labelled = catalogue.view.all_tags() if label else {}
        found = []
        if asked.first("external_source") or asked.first("external_id"):
            return []  # the twin keeps no external ids, so nothing is mapped
        for entry in catalogue.served(choice(asked, "status", ("active", "deleted", "all"))):
            edition = labelled.get(entry.slug, {}).get(label) if label else catalogue.view.newest(entry.slug)
            if edition is None or name not in entry.name.lower():
                continue
            if keywords and not keywords <= _keywords(catalogue, entry, edition):
                continue
            found.append((entry, edition))
        return found

    def _item(self, catalogue: Catalogue, line: _Line) -> Wire:
        shown = answers.described(catalogue, line.entry, line.edition, line.stamp)
        return answers.listed(shown, line.edition, self._folders.place(catalogue, line.entry))

    # --- one template

    def raw(self, asked: Asked) -> Answer:
        """One version as it is kept; nothing is rendered."""
        catalogue = self._catalogues.now()
        entry = catalogue.find(asked.params["key"])
        version = optional_number(asked.first("version"), "query", "version")
        label = asked.first("label")
        if version is not None and label is not None:
            raise Refused(400, "version and label are mutually exclusive")
        edition = edition_at(catalogue, entry, version, label)
        stamp = catalogue.view.stamps([edition])[0]
        shown = answers.described(catalogue, entry, edition, stamp)
        snippets = self._snippets(catalogue)
        if flag(asked, "resolve_snippets", True):
            shown["prompt_template"] = snippets.filled(shown["prompt_template"])
        kwargs: Wire = {}
        if flag(asked, "include_llm_kwargs", False):
            document = {**catalogue.document(entry, edition), "prompt_template": shown["prompt_template"]}
            kwargs = {"llm_kwargs": llm_kwargs(self._lens, document, entry.slug, None)}
        return Answer(200, answers.raw(shown, edition, stamp, snippets=_used(snippets), **kwargs))

    def got(self, asked: Asked) -> Answer:
        """One version, rendered where variables are given. The label wins where version and label are."""
        body = body_object(asked)
        catalogue = self._catalogues.now()
        entry = catalogue.find(asked.params["key"])
        version = optional_number(body.get("version"), "body", "version")
        label = optional_text(body.get("label"), "label")
        edition = edition_at(catalogue, entry, None if label else version, label or None)
        shown = answers.described(catalogue, entry, edition, catalogue.view.stamps([edition])[0])
        snippets = self._snippets(catalogue)
        template = snippets.filled(shown["prompt_template"])
        document = {**catalogue.document(entry, edition), "prompt_template": template}
        more = self._rendered(body, document, entry)
        warning = _warning(more.pop("missing"), snippets)
        return Answer(200, answers.got({**shown, **more}, edition, snippets=_used(snippets), warning=warning))

    def _rendered(self, body: Mapping[str, Any], document: Document, entry: Entry) -> Wire:
        """Without variables the template stays as it is; the provider's call then has them empty, unless the caller
        says that it renders by itself."""
        variables = _optional_object(body, "input_variables")
        template = document["prompt_template"]
        wanted = overridden(
            document,
            optional_text(body.get("provider"), "provider"),
            optional_text(body.get("model"), "model"),
            _optional_object(body, "model_parameter_overrides") or {},
        )
        skip = body.get("skip_input_variable_rendering") is True
        plain = skip or not variables
        return {
            "prompt_template": template if plain else rendered(template, variables or {}),
            "llm_kwargs": llm_kwargs(self._lens, wanted, entry.slug, None if skip else (variables or {})),
            "missing": [] if plain else missing_variables(template, variables or {}),
        }

    def _snippets(self, catalogue: Catalogue) -> Snippets:
        return Snippets(lambda name, kind, which: snippet(catalogue, name, kind, which))


class _Line:
    """One prompt of a listing, with the times it is sorted and filtered by."""

    def __init__(self, entry: Entry, edition: Edition) -> None:
        self.entry = entry
        self.edition = edition
        self.stamp = Stamp()
        self.created = Stamp()
        self.updated = Stamp()


def _stamp(catalogue: Catalogue, lines: Sequence[_Line]) -> None:
    """Look all commits up in one go."""
    view = catalogue.view
    first = [next(iter(view.editions(line.entry.slug)), line.edition) for line in lines]
    newest = [view.newest(line.entry.slug) for line in lines]
    stamps = view.stamps([*(line.edition for line in lines), *first, *newest])
    for place, line in enumerate(lines):
        line.stamp, line.created, line.updated = stamps[place :: len(lines)]


def _in_time(line: _Line, asked: Asked) -> bool:
    created, updated = line.created.when or _LONG_AGO, line.updated.when or _LONG_AGO
    author = asked.first("created_by_email")
    return (
        _between(created, moment(asked, "created_after"), moment(asked, "created_before"))
        and _between(updated, moment(asked, "updated_after"), moment(asked, "updated_before"))
        and (author is None or line.created.email == author)
    )


def _between(when: datetime, after: datetime | None, before: datetime | None) -> bool:
    return (after is None or when >= after) and (before is None or when <= before)


_ORDERS: Mapping[str, Callable[[_Line], Any]] = {
    "created_at": lambda line: line.created.when or _LONG_AGO,
    "updated_at": lambda line: line.updated.when or _LONG_AGO,
    "name": lambda line: line.entry.name,
    "id": lambda line: line.entry.id,
}


def _in_order(lines: Sequence[_Line], asked: Asked) -> list[_Line]:
    by = _ORDERS[choice(asked, "sort_by", tuple(_ORDERS))]
    descending = choice(asked, "sort_order", ("desc", "asc")) == "desc"
    return sorted(lines, key=lambda line: (by(line), line.entry.id), reverse=descending)


def _keywords(catalogue: Catalogue, entry: Entry, edition: Edition) -> set[str]:
    return set(catalogue.document(entry, edition).get("tags", []))


def edition_at(catalogue: Catalogue, entry: Entry, version: int | None, label: str | None) -> Edition:
    """The edition by number or label, the newest without. Raises Refused (404)."""
    if label is not None:
        found = catalogue.view.tags(entry.slug).get(label)
        if found is None:
            raise Refused(404, f"Release label '{label}' not found for this prompt template")
        return found
    if version is None:
        return catalogue.view.newest(entry.slug)
    try:
        return catalogue.view.numbered(entry.slug, version)
    except NotFound:
        raise Refused(404, f"Version {version} not found for this prompt template") from None


def snippet(catalogue: Catalogue, name: str, kind: str | None, which: str | None) -> Wire | None:
    """The completion template that a snippet's tag means, or None."""
    entry = catalogue.named(name)
    if entry is None or entry.problem is not None:
        return None
    try:
        if kind == "label":
            edition = edition_at(catalogue, entry, None, which)
        else:
            edition = edition_at(catalogue, entry, int(which) if which and which.isdecimal() else None, None)
        template: Wire = catalogue.document(entry, edition)["prompt_template"]
    except (Refused, UsageError):
        return None
    return template if template.get("type") == "completion" else None


def _used(snippets: Snippets) -> list[Wire]:
    return [
        {
            "prompt_name": name,
            "version": int(which) if kind == "version_number" and which and which.isdecimal() else None,
            "label": which if kind == "label" else None,
        }
        for name, kind, which in snippets.used
    ]


def _optional_object(body: Mapping[str, Any], key: str) -> Mapping[str, Any] | None:
    value = body.get(key)
    return None if value is None else an_object(value, key)


def _warning(missing: Sequence[str], snippets: Snippets) -> str | None:
    found = []
    if missing:
        found.append(f"Some input variables are missing: ({', '.join(f'`{name}`' for name in missing)})")
    if snippets.missing:
        found.append(f"Some snippets are missing: ({', '.join(f'`{name}`' for name in snippets.missing)})")
    return "; ".join(found) or None
