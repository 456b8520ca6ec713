"""The web application: every vendor's face at ``/`` and at ``/<vendor>``, behind one set of guards."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from typing import Any
from urllib.parse import parse_qs, unquote

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from promptstore.errors import (
    BadResponse,
    ConflictError,
    InvalidPrompt,
    NotFound,
    NotRepresentable,
    PromptStoreError,
    StoreBusy,
    UsageError,
)
from promptstore.serve.guards import Access, bounded_body
from promptstore.serve.twin import StoreTwin
from promptstore.store.store import Store
from promptstore.vendors.base import Vendor
from promptstore.vendors.serving import Answer, Asked, Endpoint, Face, Refused, Twin

_LOG = logging.getLogger("promptstore.serve")

_STATUS: Sequence[tuple[type[PromptStoreError], int]] = (
    (NotFound, 404),
    (ConflictError, 409),
    (BadResponse, 400),
    (UsageError, 400),
    (NotRepresentable, 422),
    (InvalidPrompt, 422),
)


def build_app(store: Store, vendors: Iterable[Vendor], access: Access) -> ASGIApp:
    """The application over one store."""
    lock = threading.RLock()
    faces = {}
    for vendor in vendors:
        made = face_of(vendor, StoreTwin(store, vendor, lock))
        if made is not None:
            faces[vendor.name] = made
    mounts: list[BaseRoute] = [Mount(f"/{name}", routes=_routes(face, access, lock)) for name, face in faces.items()]
    plain = [route for face in faces.values() for route in _routes(face, access, lock)]
    app = Starlette(routes=[*mounts, *plain], exception_handlers={HTTPException: _unrouted(faces)})
    app.router.redirect_slashes = False
    return RawPaths(HostGuard(app, access))


def face_of(vendor: Vendor, twin: Twin) -> Face | None:
    """The vendor's face over the store; None where the vendor has none."""
    if vendor.routes is None:
        return None
    make: Callable[[Twin], Face] = import_module(vendor.routes).face
    return make(twin)


class RawPaths:
    """Routes match on the path as it was sent, so that a name's ``%2F`` and ``/`` stay what they are; each part is
    decoded once, when it is read. Slashes in front are one: a base URL that ends in ``/`` sends two."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            raw = scope.get("raw_path") or scope["path"].encode()
            scope = {**scope, "path": "/" + raw.decode("latin-1").lstrip("/")}
        await self._app(scope, receive, send)


class HostGuard:
    """Refuses requests that were not meant for this server."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = Request(scope).headers
            try:
                self._access.check_host(headers.get("host"), headers.get("origin"))
            except Refused as problem:
                await _json(problem.status, _plain_refusal(problem.message))(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _routes(face: Face, access: Access, lock: threading.RLock) -> list[Route]:
    return [
        Route(endpoint.path, _handler(face, endpoint, access, lock), methods=[endpoint.method])
        for endpoint in face.endpoints
    ]


def _handler(face: Face, endpoint: Endpoint, access: Access, lock: threading.RLock) -> Callable[[Request], Any]:
    async def handle(request: Request) -> Response:
        try:
            body = await bounded_body(request.stream(), request.headers.get("content-length"))
        except Refused as problem:
            return _refusal(face, problem)
        except ClientDisconnect:
            return Response(status_code=400)
        return await run_in_threadpool(_answered, face, endpoint, access, lock, _asked(request, body))

    return handle


def _asked(request: Request, body: bytes) -> Asked:
    params = {name: unquote(value) for name, value in request.path_params.items()}
    query = parse_qs(request.url.query, keep_blank_values=True)
    return Asked(params, query, dict(request.headers), body)


def _answered(face: Face, endpoint: Endpoint, access: Access, lock: threading.RLock, asked: Asked) -> Response:
    one_at_a_time: AbstractContextManager[Any] = lock if endpoint.writes else nullcontext()
    try:
        access.check(face, endpoint, asked)
        with one_at_a_time:
            answer = endpoint.handle(asked)
    except Refused as problem:
        return _refusal(face, problem)
    except PromptStoreError as error:
        return _refusal(face, _explained(error, endpoint))
    except Exception:  # noqa: BLE001 - one request must not end the server, nor show its insides
        _LOG.exception("%s %s failed", endpoint.method, endpoint.path)
        return _refusal(face, Refused(500, "something went wrong in the local server; its log says what"))
    return _response(face, answer)


def _explained(error: PromptStoreError, endpoint: Endpoint) -> Refused:
    """The error for the client: in words where they are about its request, without them where they are about us."""
    for kind, status in _STATUS:
        if isinstance(error, kind):
            return Refused(status, error.message)
    _LOG.error("%s %s failed: %s", endpoint.method, endpoint.path, error)
    if isinstance(error, StoreBusy):
        return Refused(503, "the store is busy with something else; try again")
    return Refused(500, "the store could not do that; the local server's log says why")


def _refusal(face: Face, problem: Refused) -> Response:
    body = face.refusal(problem.status, problem.message) if problem.body is None else problem.body
    return _response(face, Answer(problem.status, body))


def _response(face: Face, answer: Answer) -> Response:
    if answer.body is None:
        return Response(status_code=answer.status, headers=dict(face.headers))
    if answer.text:
        return Response(answer.body, answer.status, dict(face.headers), "text/plain")
    return _json(answer.status, answer.body, face.headers)


def _json(status: int, body: Any, headers: Mapping[str, str] | None = None) -> Response:
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False) + "\n"
    return Response(text.encode("utf-8", "replace"), status, dict(headers or {}), "application/json")


def _plain_refusal(message: str) -> dict[str, Any]:
    """The body of an error that belongs to no vendor: the key that any of their SDKs looks for."""
    return {"success": False, "message": message, "error": message}


def _unrouted(faces: Mapping[str, Face]) -> Callable[[Request, Exception], Response]:
    """What no route takes: 404 and 405, in the shape of the vendor whose prefix the path has."""

    def answer(request: Request, problem: Exception) -> Response:
        status = problem.status_code if isinstance(problem, HTTPException) else 500
        message = "Not found" if status == 404 else "Method not allowed"
        face = faces.get(request.scope["path"].split("/")[1])
        return _refusal(face, Refused(status, message)) if face else _json(status, _plain_refusal(message))

    return answer
