"""PromptLayer's API over the git store, for the local twin (PromptLayer API reference, and recorded answers).

What the real server leaves open is settled like this: an exact name wins over a slug, a slug over an id; a publish
under a deleted prompt's name brings that prompt back; ``folder_id`` of a publish counts for a new prompt only; a label
that is created although it exists moves; items of a listing keep their snippets unresolved; external ids are taken and
not kept; logged requests are taken and thrown away.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from promptstore.vendors.promptlayer.routes.catalogue import Catalogues
from promptstore.vendors.promptlayer.routes.checks import refusal
from promptstore.vendors.promptlayer.routes.folders import FolderRoutes, Folders
from promptstore.vendors.promptlayer.routes.labels import LabelRoutes
from promptstore.vendors.promptlayer.routes.publishing import PublishingRoutes
from promptstore.vendors.promptlayer.routes.reading import ReadingRoutes
from promptstore.vendors.serving import Answer, Asked, Endpoint, Face, Refused, Twin

_LOGGING = (
    "/track-request",
    "/log-request",
    "/create-group",
    "/track-group",
    "/spans-bulk",
    "/rest/track-prompt",
    "/rest/track-score",
    "/rest/track-metadata",
)


def face(twin: Twin) -> Face:
    """PromptLayer's endpoints."""
    catalogues = Catalogues(twin)
    folders = Folders()
    endpoints = (
        *LabelRoutes(catalogues).endpoints(),
        *ReadingRoutes(catalogues, folders).endpoints(),
        *PublishingRoutes(catalogues, folders).endpoints(),
        *FolderRoutes(catalogues, folders).endpoints(),
        *_logging(),
    )
    return Face(endpoints, refusal, _keys, {"Connection": "close"})


def _logging() -> Sequence[Endpoint]:
    return [Endpoint("POST", path, _logged) for path in _LOGGING]


def _logged(asked: Asked) -> Answer:
    """Taken and thrown away: the twin keeps prompts, not requests."""
    del asked
    return Answer(200, {"success": True, "id": 1, "request_id": 1, "prompt_blueprint": None, "message": "not kept"})


def _keys(asked: Asked) -> Iterable[str]:
    """The header; without one, the ``api_key`` that the older calls put into the body."""
    header = asked.headers.get("x-api-key")
    if header is not None:
        return [header]
    try:
        body = asked.json()
    except Refused:
        return []
    key = body.get("api_key") if isinstance(body, dict) else None
    return [key] if isinstance(key, str) else []
