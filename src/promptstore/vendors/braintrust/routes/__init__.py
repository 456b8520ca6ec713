"""Braintrust's API over the git store, for the local twin (Braintrust API reference, its SDKs, recorded answers).

Versions are transaction ids: Braintrust's own where the store is linked to it, else made of the commits' times. What
the real server leaves open is settled like this: every project name is this store; an unknown version or
environment is an empty list, or 400 for a single read; a version counts exactly; an environment need not be made
before it is pointed with; a prompt created under a deleted one's slug is another prompt.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from promptstore.vendors.braintrust.routes import accounts
from promptstore.vendors.braintrust.routes.catalogue import Catalogues
from promptstore.vendors.braintrust.routes.environments import EnvironmentRoutes
from promptstore.vendors.braintrust.routes.history import HistoryRoutes
from promptstore.vendors.braintrust.routes.prompts import PromptRoutes
from promptstore.vendors.serving import Asked, Face, Twin

_SCHEME = "bearer "


def face(twin: Twin) -> Face:
    """Braintrust's endpoints."""
    catalogues = Catalogues(twin)
    endpoints = (
        *accounts.endpoints(),
        *PromptRoutes(catalogues).endpoints(),
        *EnvironmentRoutes(catalogues).endpoints(),
        *HistoryRoutes(catalogues).endpoints(),
    )
    return Face(endpoints, _refusal, _keys)


def _refusal(status: int, message: Any) -> Any:
    """Braintrust's errors are plain words."""
    del status
    return message


def _keys(asked: Asked) -> Iterable[str]:
    given = asked.headers.get("authorization", "")
    return [given[len(_SCHEME) :].strip()] if given.lower().startswith(_SCHEME) else []
