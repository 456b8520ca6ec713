"""Braintrust in memory, with the quirks its documents and recordings show, and faults on demand."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

import httpx

from promptstore.vendors.braintrust.xacts import decimal, minted

Answer = httpx.Response | Exception
KEY = "sk-secret-key-0123456789"
ORG = "org-1"
_START = 1_760_000_000
_KEYS = ("description", "prompt_data", "tags", "metadata", "function_type")


class FakeBraintrust:
    """Give ``transport`` to a client. Each request is answered by the first of ``faults`` that wants to, just once."""

    def __init__(self) -> None:
        self.projects: dict[str, str] = {}
        self.rows: list[dict[str, Any]] = []
        self.environments: set[str] = {"production", "staging"}
        self.pointers: dict[tuple[str, str], str] = {}
        self.plan_has_environments = True
        self.requests: list[httpx.Request] = []
        self.faults: list[Callable[[httpx.Request], Answer | None]] = []
        self.after_write: Answer | None = None
        self.per_page = 2
        self.obeys_slug = True
        self.log_page = 1000
        self._next = 0

    @property
    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self._handle)

    def writes(self) -> list[str]:
        asked = [one for one in self.requests if one.method != "GET" and one.url.path != "/btql"]
        return [f"{one.method} {one.url.path}" for one in asked]

    def body(self, place: int = -1) -> Any:
        return json.loads([one for one in self.requests if one.method in {"PUT", "PATCH", "POST"}][place].content)

    def fail(self, *answers: Answer, when: str = "") -> None:
        """Answer the next requests whose path holds ``when`` with these."""
        for answer in answers:
            self.faults.append(lambda request, answer=answer: answer if when in request.url.path else None)

    def add(self, slug: str, *texts: str, project: str = "bots", **extra: Any) -> str:
        """A prompt with a version a text; gives its id."""
        made = {}
        for text in texts or ("Hello {{name}}",):
            made = self._put({"project_id": self.project(project), "slug": slug, **written(text, slug), **extra})
        return str(made["id"])

    def project(self, name: str) -> str:
        return self.projects.setdefault(name, str(uuid.uuid5(uuid.NAMESPACE_URL, name)))

    def versions(self, prompt: str) -> list[str]:
        return [row["_xact_id"] for row in self.rows if row["id"] == prompt]

    # --- answering

    def _handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        for fault in self.faults:
            answer = fault(request)
            if answer is not None:
                self.faults.remove(fault)
                return _given(answer)
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            return refusal(401, "Invalid authorization token")
        answer = self._route(request)
        if request.method != "GET" and self.after_write is not None:
            return _given(self.after_write)
        return answer

    def _route(self, request: httpx.Request) -> httpx.Response:
        method, steps = request.method, request.url.path.strip("/").split("/")
        body = json.loads(request.content) if request.content else {}
        query = request.url.params
        match (method, *steps):
            case ("GET", "v1", "project"):
                found = [_project(name, key) for name, key in self.projects.items() if name == query["project_name"]]
                return httpx.Response(200, json={"objects": found})
            case ("POST", "v1", "project"):
                return httpx.Response(200, json=_project(body["name"], self.project(body["name"])))
            case ("GET", "v1", "prompt"):
                return self._list(query)
            case ("GET", "v1", "prompt", prompt):
                return self._get(prompt, query.get("version"))
            case ("PUT", "v1", "prompt"):
                return httpx.Response(200, json=self._put(body))
            case ("PATCH", "v1", "prompt", prompt):
                return httpx.Response(200, json=self._row({**self._head(prompt), **body}, "merge"))
            case ("DELETE", "v1", "prompt", prompt):
                return self._delete(prompt)
            case ("POST", "btql"):
                return self._log(body["query"])
        return self._environment(method, steps, body)

    def _environment(self, method: str, steps: list[str], body: Any) -> httpx.Response:
        if not self.plan_has_environments:
            return refusal(403, "Environments are not part of your plan")
        match (method, *steps):
            case ("GET", "environment"):
                return httpx.Response(200, json={"objects": [{"id": e, "slug": e} for e in sorted(self.environments)]})
            case ("GET", "environment-object", "prompt", prompt):
                found = [_pointer(key, at) for key, at in self.pointers.items() if key[0] == prompt]
                return httpx.Response(200, json={"objects": found}) if self._is(prompt) else _missing(prompt)
            case ("PUT", "environment-object", "prompt", prompt, name):
                if name not in self.environments:
                    return refusal(400, f"Environment {name} does not exist")
                self.pointers[prompt, name] = body["object_version"]
                return httpx.Response(200, json=_pointer((prompt, name), body["object_version"]))
            case ("DELETE", "environment-object", "prompt", prompt, name):
                return httpx.Response(200, json=_pointer((prompt, name), self.pointers.pop((prompt, name))))
        return refusal(400, "Not found")

    def _is(self, prompt: str) -> bool:
        return any(row["id"] == prompt and not row.get("_object_delete") for row in self.rows)

    def _head(self, prompt: str) -> dict[str, Any]:
        return [row for row in self.rows if row["id"] == prompt][-1]

    def _heads(self) -> list[dict[str, Any]]:
        """The newest write first."""
        newest = {row["id"]: row for row in self.rows}
        there = [row for row in newest.values() if not row.get("_object_delete")]
        return sorted(there, key=lambda row: int(row["_xact_id"]), reverse=True)

    def _list(self, query: httpx.QueryParams) -> httpx.Response:
        found = [row for row in self._heads() if row["project_id"] == query["project_id"]]
        asked = query.get("slug") if self.obeys_slug else None
        found = [row for row in found if asked in (None, row["slug"])]
        if "starting_after" in query:
            place = [row["id"] for row in found].index(query["starting_after"])
            found = found[place + 1 :]
        shown = found[: min(int(query["limit"]), self.per_page)]
        return httpx.Response(200, json={"objects": [_answered(row) for row in shown]})

    def _get(self, prompt: str, version: str | None) -> httpx.Response:
        until = int(decimal(version) or 0) if version else 1 << 64
        rows = [row for row in self.rows if row["id"] == prompt and int(row["_xact_id"]) <= until]
        if not rows or rows[-1].get("_object_delete"):
            return _missing(prompt)
        return httpx.Response(200, json=_answered(rows[-1]))

    def _put(self, body: dict[str, Any]) -> dict[str, Any]:
        same = [row for row in self._heads() if (row["project_id"], row["slug"]) == (body["project_id"], body["slug"])]
        prompt = same[0]["id"] if same else str(uuid.uuid5(uuid.NAMESPACE_URL, f"{body['slug']} {len(self.rows)}"))
        return self._row({**body, "id": prompt}, "upsert")

    def _row(self, row: dict[str, Any], action: str) -> dict[str, Any]:
        self._next += 1
        version = minted(_START + self._next // 2, self._next)
        created = "2025-10-09T08:53:20.918Z"
        made = {**row, "_xact_id": version, "created": created, "log_id": "p", "org_id": ORG}
        self.rows.append({**made, "action": action})
        return made

    def _delete(self, prompt: str) -> httpx.Response:
        if not self._is(prompt) or self._head(prompt).get("_object_delete"):
            return _missing(prompt, "delete")
        head = self._head(prompt)
        stone = {key: head[key] for key in ("project_id", "slug", "id")}
        return httpx.Response(200, json=self._row({**stone, "_object_delete": True}, "delete"))

    def _log(self, query: dict[str, Any]) -> httpx.Response:
        wanted = query["filter"]["right"]["value"]
        rows = [row for row in reversed(self.rows) if row["id"] == wanted]
        start = int(query.get("cursor", 0))
        shown = rows[start : start + self.log_page]
        data = [{"id": wanted, "_xact_id": r["_xact_id"], "audit_data": {"action": r["action"]}} for r in shown]
        more = str(start + self.log_page) if start + self.log_page < len(rows) else None
        return httpx.Response(200, json={"data": data, "schema": {}, "cursor": more})


def written(text: str, name: str) -> dict[str, Any]:
    block = {"type": "chat", "messages": [{"role": "user", "content": text}]}
    return {"name": name, "prompt_data": {"prompt": block, "options": {"model": "gpt-4o"}}}


def refusal(status: int, message: str, **headers: str) -> httpx.Response:
    told = f"{message} [user_email=ann@example.com] [user_org=x] [timestamp=1] [request_id=r]"
    return httpx.Response(status, text=told, headers=headers)


def _missing(prompt: str, what: str = "read") -> httpx.Response:
    return refusal(400, f"Missing {what} access to prompt id {prompt}, or the prompt does not exist")


def _answered(row: dict[str, Any]) -> dict[str, Any]:
    shown = {key: value for key, value in row.items() if key != "action"}
    return {**dict.fromkeys(_KEYS), **shown, "function_data": {"type": "prompt"}}


def _pointer(key: tuple[str, str], version: str) -> dict[str, Any]:
    return {"object_type": "prompt", "object_id": key[0], "environment_slug": key[1], "object_version": version}


def _project(name: str, key: str) -> dict[str, Any]:
    return {"id": key, "org_id": ORG, "name": name, "deleted_at": None}


def _given(answer: Answer) -> httpx.Response:
    if isinstance(answer, Exception):
        raise answer
    return answer
