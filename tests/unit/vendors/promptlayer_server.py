"""PromptLayer in memory, with the quirks its documents and recordings show, and faults on demand."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx

Answer = httpx.Response | Exception
KEY = "pl_secret_key_0123456789"


class FakePromptLayer:
    """Give ``transport`` to a client. Each request is answered by the first of ``faults`` that wants to, just once."""

    def __init__(self) -> None:
        self.prompts: dict[int, dict[str, Any]] = {}
        self.folders: dict[int, tuple[str, int | None]] = {}
        self.labels: dict[int, tuple[int, str, int]] = {}
        self.protected: set[str] = set()
        self.requests: list[httpx.Request] = []
        self.faults: list[Callable[[httpx.Request], Answer | None]] = []
        self.after_write: Answer | None = None
        self.per_page = 2
        self.separator = "/"
        self._next = 1

    @property
    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self._handle)

    def writes(self) -> list[str]:
        return [f"{one.method} {one.url.path}" for one in self.requests if one.method != "GET"]

    def body(self, place: int = -1) -> Any:
        return json.loads([one for one in self.requests if one.method != "GET"][place].content)

    def fail(self, *answers: Answer, when: str = "") -> None:
        """Answer the next requests whose path holds ``when`` with these."""
        for answer in answers:
            self.faults.append(lambda request, answer=answer: answer if when in request.url.path else None)

    def add(self, name: str, *texts: str, folder: int | None = None, **extra: Any) -> int:
        number = self._number()
        versions = [_template(text) for text in texts or ("Hello {name}",)]
        self.prompts[number] = {"name": name, "folder": folder, "tags": [], "versions": versions, **extra}
        return number

    def _number(self) -> int:
        self._next += 1
        return self._next - 1

    def _handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        for fault in self.faults:
            answer = fault(request)
            if answer is not None:
                self.faults.remove(fault)
                return _given(answer)
        if request.headers.get("X-API-KEY") != KEY:
            return refusal(401, "Invalid API key.")
        answer = self._route(request)
        if request.method != "GET" and self.after_write is not None:
            return _given(self.after_write)
        return answer

    def _route(self, request: httpx.Request) -> httpx.Response:  # noqa: C901 - one case a route
        method, steps = request.method, request.url.path.strip("/").split("/")
        body = json.loads(request.content) if request.content else {}
        query = request.url.params
        match (method, *steps):
            case ("GET", "prompt-templates"):
                return self._list(query)
            case ("GET", "prompt-templates", number):
                return self._raw(int(number), query)
            case ("GET", "prompt-templates", number, "labels"):
                return self._labels(int(number))
            case ("POST", "rest", "prompt-templates"):
                return self._publish(body)
            case ("POST", "prompts", number, "label"):
                return self._label(self._number(), int(number), body["name"], body["prompt_version_number"])
            case ("PATCH", "prompt-labels", number):
                return self._label(int(number), *self.labels[int(number)][:2], body["prompt_version_number"])
            case ("DELETE", "prompt-labels", number):
                if self.labels[int(number)][1] not in self.protected:
                    del self.labels[int(number)]
                return httpx.Response(204)
            case ("GET", "api", "public", "v2", "folders", "entities"):
                return self._entities(query)
            case ("POST", "api", "public", "v2", "folders"):
                return self._make_folder(body)
            case ("DELETE", "api", "public", "v2", "folders", "entities"):
                for entity in body["entities"]:
                    self.prompts[entity["id"]]["deleted"] = True
                return httpx.Response(200, json={"moved_count": len(body["entities"])})
        return refusal(404, "Not found")

    def _list(self, query: httpx.QueryParams) -> httpx.Response:
        found = [self._item(number, query.get("label")) for number in sorted(self.prompts)]
        items = [
            item for item in found if item is not None and query.get("name", "").lower() in item["prompt_name"].lower()
        ]
        if query.get("status") != "all":
            items = [item for item in items if not self.prompts[item["id"]].get("deleted")]
        size, page = min(int(query["per_page"]), self.per_page), int(query["page"])
        shown = items[(page - 1) * size : page * size]
        more = page * size < len(items)
        answer = {"items": shown, "has_next": more, "next_num": page + 1 if more else None, "page": page}
        return httpx.Response(200, json={**answer, "total": len(items), "pages": -(-len(items) // size)})

    def _item(self, number: int, label: str | None) -> dict[str, Any] | None:
        prompt = self.prompts[number]
        version = len(prompt["versions"])
        if label is not None:
            held = [at for of, name, at in self.labels.values() if (of, name) == (number, label)]
            if not held:
                return None
            version = held[0]
        path = self._path(prompt["folder"])
        return {
            **self._answer(number, version),
            "folder_id": prompt["folder"],
            "parent_folder_name": path[-1] if path else None,
            "full_folder_path": self.separator.join(path) or None,
            "is_snippet": prompt.get("snippet", False),
        }

    def _path(self, folder: int | None) -> list[str]:
        if folder is None:
            return []
        name, parent = self.folders[folder]
        return [*self._path(parent), name]

    def _answer(self, number: int, version: int) -> dict[str, Any]:
        prompt = self.prompts[number]
        made = prompt["versions"][version - 1]
        answer = {"id": number, "prompt_name": prompt["name"], "tags": prompt["tags"], "version": version}
        return {**answer, "commit_message": None, "metadata": None, **made}

    def _raw(self, number: int, query: httpx.QueryParams) -> httpx.Response:
        versions = self.prompts.get(number, {}).get("versions", [])
        version = int(query.get("version", len(versions)))
        if not 1 <= version <= len(versions):
            return refusal(404, "Prompt template not found")
        beside = {"success": True, "workspace_id": 12, "snippets": [], "created_at": "2026-01-02T03:04:05"}
        return httpx.Response(200, json={**self._answer(number, version), **beside})

    def _publish(self, body: dict[str, Any]) -> httpx.Response:
        entry, version = body["prompt_template"], body["prompt_version"]
        known = [number for number, prompt in self.prompts.items() if prompt["name"] == entry["prompt_name"]]
        number = known[0] if known else self.add(entry["prompt_name"], folder=entry.get("folder_id"))
        prompt = self.prompts[number]
        prompt["versions"] = (prompt["versions"] if known else []) + [version]
        prompt["tags"] = entry["tags"]
        made = self._answer(number, len(prompt["versions"]))
        return httpx.Response(201, json={**made, "version_number": made.pop("version")})

    def _labels(self, number: int) -> httpx.Response:
        if number not in self.prompts:
            return refusal(404, "Not found")
        labels = [
            {"release_label_id": key, "release_label": name, "prompt_version_number": at, "prompt_version_id": 9}
            for key, (of, name, at) in self.labels.items()
            if of == number
        ]
        return httpx.Response(200, json={"release_labels": labels})

    def _label(self, key: int, number: int, name: str, version: int) -> httpx.Response:
        if name not in self.protected:
            self.labels[key] = (number, name, version)
        return httpx.Response(200, json={"id": key, "name": name, "prompt_id": number})

    def _entities(self, query: httpx.QueryParams) -> httpx.Response:
        parent = int(query["folder_id"]) if "folder_id" in query else None
        entities = [
            {"id": key, "name": name, "type": "FOLDER", "folder_id": above, "path": []}
            for key, (name, above) in self.folders.items()
            if above == parent
        ]
        return httpx.Response(200, json={"entities": entities})

    def _make_folder(self, body: dict[str, Any]) -> httpx.Response:
        place = (body["name"], body["parent_id"])
        if place in self.folders.values():
            return refusal(400, "A folder with this name already exists")
        key = self._number()
        self.folders[key] = place
        return httpx.Response(
            201, json={"success": True, "folder": {"id": key, "name": place[0], "parent_id": place[1]}}
        )


def refusal(status: int, message: Any, **headers: str) -> httpx.Response:
    return httpx.Response(status, json={"success": False, "message": message}, headers=headers)


def _given(answer: Answer) -> httpx.Response:
    if isinstance(answer, Exception):
        raise answer
    return answer


def _template(text: str) -> dict[str, Any]:
    message = {
        "role": "user",
        "content": [{"type": "text", "text": text}],
        "template_format": "f-string",
        "input_variables": [],
        "name": None,
        "dataset_examples": [],
        "raw_request_display_role": "",
    }
    return {"prompt_template": {"type": "chat", "messages": [message], "tools": None, "functions": None}}
