"""Phoenix in memory, as its server was seen to answer, with faults on demand."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import httpx

from promptstore.vendors.phoenix.names import PROMPT, TAG, VERSION, gid, is_name, number_in

Answer = httpx.Response | Exception
Json = dict[str, Any]


def written(text: str = "Hello {{name}}", **more: Any) -> Json:
    """A version as the API takes it."""
    template = {"type": "chat", "messages": [{"role": "user", "content": text}]}
    return {
        "model_provider": "OPENAI",
        "model_name": "gpt-4o",
        "template": template,
        "template_type": "CHAT",
        "template_format": "MUSTACHE",
        "invocation_parameters": {"type": "openai", "openai": {}},
        **more,
    }


class FakePhoenix:
    """Give ``transport`` to a client. Each request is answered by the first of ``faults`` that wants to, just once."""

    def __init__(self, *, graphql: bool = True) -> None:
        self.graphql = graphql
        self.prompts: list[Json] = []
        self.requests: list[httpx.Request] = []
        self.faults: list[Callable[[httpx.Request], Answer | None]] = []
        self.after_write: Answer | None = None
        self._numbers = {PROMPT: 0, VERSION: 0}

    @property
    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self._handle)

    def copy(self) -> FakePhoenix:
        """One more that has the same prompts; nobody has asked it anything yet."""
        other = FakePhoenix(graphql=self.graphql)
        other.prompts = deepcopy(self.prompts)
        other._numbers = dict(self._numbers)
        return other

    # --- what a test sets up and looks at

    def add(self, name: str, *texts: str, **more: Any) -> list[str]:
        """A prompt with a version a text; gives their ids."""
        for text in texts or ("Hello {{name}}",):
            self._publish(name, written(text), more)
        return self.versions(name)

    def named(self, name: str) -> Json:
        return next(one for one in self.prompts if name in (one["name"], one["id"]))

    def versions(self, name: str) -> list[str]:
        return [version["id"] for version in self.named(name)["versions"]]

    def writes(self) -> list[str]:
        return [f"{one.method} {one.url.path}" for one in self.requests if one.method != "GET"]

    def body(self) -> Any:
        return json.loads([one for one in self.requests if one.method != "GET"][-1].content)

    def fail(self, *answers: Answer, when: str = "") -> None:
        """Answer the next requests whose path holds ``when`` with these."""
        for answer in answers:
            self.faults.append(lambda request, answer=answer: answer if when in request.url.path else None)

    # --- the server

    def _handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        for fault in self.faults:
            answer = fault(request)
            if answer is not None:
                self.faults.remove(fault)
                return _given(answer)
        answer = self._answer(request)
        if request.method != "GET" and self.after_write is not None:
            lost, self.after_write = self.after_write, None
            return _given(lost)
        return answer

    def _answer(self, request: httpx.Request) -> httpx.Response:
        for method, pattern, handle in self._routes():
            found = re.fullmatch(pattern, request.url.path)
            if found and method == request.method:
                return handle(request, *found.groups())
        return httpx.Response(200, html="<!DOCTYPE html>")  # its page answers everything else

    def _routes(self) -> list[tuple[str, str, Callable[..., httpx.Response]]]:
        return [
            ("GET", "/graphql", self._graphql),
            ("GET", "/v1/prompts", self._list),
            ("POST", "/v1/prompts", self._create),
            ("GET", "/v1/prompts/([^/]+)/latest", self._latest),
            ("GET", "/v1/prompts/([^/]+)/versions", self._versions),
            ("POST", "/v1/prompts/([^/]+)/versions", self._create_version),
            ("PATCH", "/v1/prompts/([^/]+)", self._patch),
            ("DELETE", "/v1/prompts/([^/]+)", self._delete),
            ("GET", "/v1/prompts/([^/]+)/tags/([^/]+)", self._tagged),
            ("GET", "/v1/prompt_versions/([^/]+)/tags", self._tags),
            ("POST", "/v1/prompt_versions/([^/]+)/tags", self._tag),
            ("DELETE", "/v1/prompt_versions/([^/]+)/tags/([^/]+)", self._untag),
        ]

    def _next(self, kind: str) -> str:
        self._numbers[kind] += 1
        return gid(kind, self._numbers[kind])

    def _publish(self, name: str, version: Json, said: Json) -> Json:
        if name not in {one["name"] for one in self.prompts}:
            known = {"description": None, "metadata": {}, **said}
            self.prompts.append({"id": self._next(PROMPT), "name": name, "versions": [], "tags": {}, **known})
        made = {**version, "id": self._next(VERSION)}
        self.named(name)["versions"].append(made)
        return made

    def _list(self, request: httpx.Request) -> httpx.Response:
        shown = [{key: one[key] for key in ("id", "name", "description", "metadata")} for one in self.prompts]
        return _page(request, [{**one, "source_prompt_id": None} for one in shown], PROMPT)

    def _create(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        name = body["prompt"]["name"]
        if not is_name(name):
            return httpx.Response(422, json={"detail": [{"msg": "String should match pattern"}]})
        said = {key: body["prompt"][key] for key in ("description", "metadata") if key in body["prompt"]}
        return httpx.Response(200, json={"data": self._publish(name, body["version"], said)})

    def _create_version(self, request: httpx.Request, name: str) -> httpx.Response:
        if name not in {one["name"] for one in self.prompts}:
            return httpx.Response(404, text="Prompt not found")
        made = self._publish(name, json.loads(request.content)["version"], {})
        return httpx.Response(201, json={"data": made})

    def _latest(self, _: httpx.Request, name: str) -> httpx.Response:
        found = [one for one in self.prompts if one["name"] == name]
        return httpx.Response(200, json={"data": found[0]["versions"][-1]}) if found else _missing()

    def _versions(self, request: httpx.Request, name: str) -> httpx.Response:
        found = [one for one in self.prompts if one["name"] == name]
        return _page(request, found[0]["versions"] if found else [], VERSION)

    def _patch(self, request: httpx.Request, name: str) -> httpx.Response:
        prompt = self.named(name)
        body = json.loads(request.content)
        if isinstance(body.get("description"), str):
            body["description"] = body["description"].strip()
        prompt.update(body)
        shown = {key: prompt[key] for key in ("id", "name", "description", "metadata")}
        return httpx.Response(200, json={"data": {key: value for key, value in shown.items() if value is not None}})

    def _delete(self, _: httpx.Request, name: str) -> httpx.Response:
        kept = [one for one in self.prompts if one["name"] != name]
        gone, self.prompts = len(kept) < len(self.prompts), kept
        return httpx.Response(204) if gone else _missing()

    def _tagged(self, _: httpx.Request, name: str, tag: str) -> httpx.Response:
        if not is_name(tag):
            return httpx.Response(422, text="Invalid tag name")
        for prompt in self.prompts:
            if prompt["name"] == name and tag in prompt["tags"]:
                version = prompt["tags"][tag]["version"]
                return httpx.Response(200, json={"data": next(v for v in prompt["versions"] if v["id"] == version)})
        return _missing()

    def _of(self, version: str) -> Json | None:
        return next((one for one in self.prompts if version in [v["id"] for v in one["versions"]]), None)

    def _tags(self, request: httpx.Request, version: str) -> httpx.Response:
        prompt = self._of(version)
        if prompt is None:
            return _missing()
        placed = [(tag, one) for tag, one in prompt["tags"].items() if one["version"] == version]
        items = [
            {"id": gid(TAG, place + 1), "name": tag, "description": one["description"]}
            for place, (tag, one) in enumerate(placed)
        ]
        return _page(request, items, TAG)

    def _tag(self, request: httpx.Request, version: str) -> httpx.Response:
        prompt, body = self._of(version), json.loads(request.content)
        if prompt is None:
            return _missing()
        prompt["tags"][body["name"]] = {"version": version, "description": body.get("description")}
        return httpx.Response(204)

    def _untag(self, _: httpx.Request, version: str, tag: str) -> httpx.Response:
        prompt = self._of(version)
        if prompt is None or tag not in prompt["tags"]:
            return _missing()
        del prompt["tags"][tag]
        return httpx.Response(204)

    def _graphql(self, request: httpx.Request) -> httpx.Response:
        if not self.graphql:
            return httpx.Response(404, text="Not Found")
        given = json.loads(request.url.params["variables"])
        if "id" in given:
            return httpx.Response(200, json={"data": {"node": _born(given["id"])}})
        ordered = self.prompts[::-1]
        start = int(given["after"] or 0)
        nodes = [_node(one) for one in ordered[start : start + 2]]
        more = {"hasNextPage": start + 2 < len(ordered), "endCursor": str(start + 2)}
        found = {"edges": [{"node": node} for node in nodes], "pageInfo": more}
        return httpx.Response(200, json={"data": {"prompts": found}})


def _born(version: str) -> Json:
    number = number_in(version, VERSION) or 0
    return {"createdAt": f"2026-01-01T00:00:{number % 60:02}+00:00", "user": {"username": None, "email": "ann@x.org"}}


def _node(prompt: Json) -> Json:
    newest = prompt["versions"][-1]["id"]
    tags = [{"name": tag, "promptVersionId": one["version"]} for tag, one in prompt["tags"].items()]
    return {"name": prompt["name"], "version": {"id": newest, **_born(newest)}, "versionTags": tags}


def _page(request: httpx.Request, oldest_first: list[Json], kind: str) -> httpx.Response:
    """Pages of at most two, whatever was asked for."""
    cursor = request.url.params.get("cursor")
    start = number_in(cursor, kind) if cursor else None
    items = [one for one in oldest_first[::-1] if start is None or (number_in(one["id"], kind) or 0) <= start]
    size = min(2, int(request.url.params.get("limit", 100)))
    after = items[size]["id"] if len(items) > size else None
    return httpx.Response(200, json={"data": items[:size], "next_cursor": after})


def _missing() -> httpx.Response:
    return httpx.Response(404, text="Not Found")


def _given(answer: Answer) -> httpx.Response:
    if isinstance(answer, Exception):
        raise answer
    return answer
