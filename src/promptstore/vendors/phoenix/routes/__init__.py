"""Phoenix's API of prompts over the git store, for the local twin (Phoenix's OpenAPI, and how its server answers).

What the store settles in its own way: numbers in ids are made of names, and are large; a change of a prompt's
description or metadata is a commit, but no version; tags have no descriptions, versions no authors. There is no
GraphQL.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from promptstore.vendors.phoenix.routes.catalogue import Catalogues
from promptstore.vendors.phoenix.routes.reading import ReadingRoutes
from promptstore.vendors.phoenix.routes.tags import TagRoutes
from promptstore.vendors.phoenix.routes.writing import WritingRoutes
from promptstore.vendors.serving import Asked, Face, Twin
from promptstore.vendors.values import Wire

SERVER_VERSION = "20.26.1"
"""The version of Phoenix that the twin stands in for."""


def face(twin: Twin) -> Face:
    """Phoenix's endpoints."""
    catalogues = Catalogues(twin)
    parts = (ReadingRoutes(catalogues, SERVER_VERSION), WritingRoutes(catalogues), TagRoutes(catalogues))
    endpoints = tuple(endpoint for part in parts for endpoint in part.endpoints())
    return Face(endpoints, _refusal, _keys, {"x-phoenix-server-version": SERVER_VERSION})


def _refusal(status: int, message: Any) -> Wire:
    del status
    return {"detail": message}


def _keys(asked: Asked) -> Iterable[str]:
    """The client sends one header, people with curl the other."""
    scheme, _, key = asked.headers.get("authorization", "").partition(" ")
    return [*([key.strip()] if scheme.lower() == "bearer" else []), asked.headers.get("api_key", "")]
