"""The one question of Braintrust's query language that its SDKs ask about prompts: a prompt's audit log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from promptstore.vendors.braintrust.routes.catalogue import Catalogue, Catalogues, Entry, Version
from promptstore.vendors.braintrust.routes.checks import body_object
from promptstore.vendors.serving import Answer, Asked, Endpoint, Refused
from promptstore.vendors.values import Wire

_FRESH: Wire = {"schema": {"type": "array", "items": {"type": "object"}}, "cursor": None, "realtime_state": {}}


class HistoryRoutes:
    """The endpoint of the query language."""

    def __init__(self, catalogues: Catalogues) -> None:
        self._catalogues = catalogues

    def endpoints(self) -> Sequence[Endpoint]:
        return (Endpoint("POST", "/btql", self.ask),)

    def ask(self, asked: Asked) -> Answer:
        """Every version of the prompt, the newest first; no rows for a prompt that is not there."""
        prompt = _prompt_asked(body_object(asked).get("query"))
        catalogue = self._catalogues.now()
        found = [entry for entry in catalogue.entries if entry.id == prompt]
        rows = [_row(catalogue, entry, version) for entry in found for version in reversed(entry.versions)]
        return Answer(200, {"data": rows, **_FRESH, "freshness_state": {}})


def _row(catalogue: Catalogue, entry: Entry, version: Version) -> Wire:
    """A row without the version's content where Braintrust could not hold that."""
    audit = {"audit_data": {"action": "upsert"}}
    try:
        return {**catalogue.answer(entry, version), **audit}
    except Refused:
        return {"id": entry.id, "_xact_id": version.xact, **audit}


def _prompt_asked(query: Any) -> str:
    """The prompt's id in ``from: project_prompts(...) filter: id = ...``."""
    source, wanted = _at(query, "from", "name", "name"), _at(query, "filter", "right", "value")
    by = _at(query, "filter", "left", "name")
    known = source == ["project_prompts"] and by == ["id"] and _at(query, "filter", "op") == "eq"
    if not known or not isinstance(wanted, str):
        raise Refused(400, "this server only answers the history of one prompt: project_prompts with a filter on id")
    return wanted


def _at(value: Any, *path: str) -> Any:
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value
