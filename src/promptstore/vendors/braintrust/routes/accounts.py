"""Login, organisation and projects: one organisation, and every project name is this store."""

from __future__ import annotations

from collections.abc import Sequence

from promptstore.vendors.braintrust.routes.catalogue import ORG, ORG_NAME, PROJECT
from promptstore.vendors.braintrust.routes.checks import a_text, body_object
from promptstore.vendors.serving import Answer, Asked, Endpoint
from promptstore.vendors.values import Wire

_UNNAMED = "promptstore"


def endpoints() -> Sequence[Endpoint]:
    return (
        Endpoint("POST", "/api/apikey/login", login),
        Endpoint("POST", "/api/project/register", register),
        Endpoint("POST", "/api/project/get", find),
        Endpoint("GET", "/v1", hello),
        Endpoint("GET", "/v1/project", listed),
        Endpoint("POST", "/v1/project", created),
        Endpoint("GET", "/v1/project/{id}", read),
    )


def login(asked: Asked) -> Answer:
    """Where the API is: at the host that was asked. The SDKs ask for this first, of the host that they call the app."""
    url = f"{asked.headers.get('x-forwarded-proto', 'http')}://{asked.headers.get('host', 'localhost')}"
    org = {"id": ORG, "name": ORG_NAME, "api_url": url, "proxy_url": url, "realtime_url": url}
    return Answer(200, {"org_info": [{**org, "is_universal_api": True, "git_metadata": None}]})


def hello(asked: Asked) -> Answer:
    del asked
    return Answer(200, "Hello, World!")


def register(asked: Asked) -> Answer:
    name = body_object(asked).get("project_name")
    return Answer(200, {"project": _project(name if isinstance(name, str) else _UNNAMED), "found_existing": True})


def find(asked: Asked) -> Answer:
    name = body_object(asked).get("name")
    return Answer(200, [_project(name if isinstance(name, str) else _UNNAMED)])


def listed(asked: Asked) -> Answer:
    """One project, of the name that was asked for; the page after it is empty."""
    paged = asked.first("starting_after") or asked.first("ending_before")
    return Answer(200, {"objects": [] if paged else [_project(asked.first("project_name") or _UNNAMED)]})


def created(asked: Asked) -> Answer:
    return Answer(200, _project(a_text(body_object(asked), "name")))


def read(asked: Asked) -> Answer:
    return Answer(200, {**_project(_UNNAMED), "id": asked.params["id"]})


def _project(name: str) -> Wire:
    nothing = dict.fromkeys(["description", "created", "deleted_at", "user_id", "settings"])
    return {"id": PROJECT, "org_id": ORG, "name": name, **nothing}
