"""Basalt in memory, by its API reference and with the doubts that it leaves, and faults on demand."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import httpx

Answer = httpx.Response | Exception
KEY = "sk-basalt-0123456789abcdef"
MODEL = {
    "provider": "open-ai",
    "client": "open-ai",
    "model": "gpt-4o",
    "version": "latest",
    "parameters": {"temperature": 0.5, "maxLength": 100, "responseFormat": "text", "jsonObject": None},
}


@dataclass
class Kept:
    """One prompt: its versions in the order of their making, each as the ``prompt`` of a get."""

    versions: dict[str, dict[str, Any]] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)


class FakeBasalt:
    """Give ``transport`` to a client. Each request is answered by the first of ``faults`` that wants to, just once."""

    def __init__(self) -> None:
        self.prompts: dict[str | None, Kept] = {}
        self.requests: list[httpx.Request] = []
        self.faults: list[Callable[[httpx.Request], Answer | None]] = []
        self.deaf = False
        """A publish is answered well and does nothing."""
        self.falls_back = False
        """What is not there is answered by the newest version and a warning, as the documents hint."""

    @property
    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self._handle)

    @property
    def asked(self) -> list[str]:
        return [f"{one.method} {one.url.raw_path.decode()}" for one in self.requests]

    def writes(self) -> list[Any]:
        return [json.loads(one.content) for one in self.requests if one.method != "GET"]

    def edit(self, slug: str, text: str, version: str | None = None, tag: str | None = None, **extra: Any) -> str:
        """Save a new version in the vendor's page."""
        kept = self.prompts.setdefault(slug, Kept())
        version = version or f"1.{len(kept.versions)}.0"
        kept.versions[version] = {"text": text, "systemText": "", "slug": slug, "model": MODEL, **extra}
        kept.tags["latest"] = version
        if tag:
            kept.tags[tag] = version
        return version

    def fail(self, *answers: Answer, when: str = "") -> None:
        """Answer the next requests whose path and query hold ``when`` with these."""
        for answer in answers:
            self.faults.append(lambda one, answer=answer: answer if when in one.url.raw_path.decode() else None)

    def _handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        for fault in self.faults:
            answer = fault(request)
            if answer is not None:
                self.faults.remove(fault)
                return given(answer)
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            return refusal(401, "Unauthorized")
        return self._route(request)

    def _route(self, request: httpx.Request) -> httpx.Response:
        steps = [unquote(step) for step in request.url.raw_path.decode().split("?")[0].strip("/").split("/")]
        match (request.method, *steps):
            case ("GET", "prompts"):
                return httpx.Response(200, json={"prompts": [self._row(slug) for slug in self.prompts]})
            case ("GET", "prompts", slug) if slug in self.prompts:
                return self._get(self.prompts[slug], request.url.params)
            case ("POST", "prompts", slug, "publish") if slug in self.prompts:
                return self._publish(self.prompts[slug], json.loads(request.content))
        return refusal(404, "No prompt found for the given slug")

    def _row(self, slug: str | None) -> dict[str, Any]:
        kept = self.prompts[slug]
        return {
            "slug": slug,
            "name": f"The {slug}",
            "status": "live",
            "description": None,
            "availableVersions": list(kept.versions)[::-1],
            "availableTags": list(kept.tags),
        }

    def _get(self, kept: Kept, query: httpx.QueryParams) -> httpx.Response:
        version = query.get("version") or kept.tags.get(query.get("tag", "production"), "")
        if version in kept.versions:
            return got(kept.versions[version], version, query.get("tag", ""))
        if self.falls_back:
            newest = kept.tags["latest"]
            return got(kept.versions[newest], newest, warning="no prompt found with the given version or tag")
        return refusal(404, "No prompt found for the given slug")

    def _publish(self, kept: Kept, body: dict[str, Any]) -> httpx.Response:
        if body["version"] not in kept.versions:
            return refusal(404, "Prompt or prompt version not found")
        if not self.deaf:
            kept.tags[body["newTag"]] = body["version"]
        return deployed(body["newTag"])


def got(prompt: dict[str, Any], version: str, tag: str = "", **beside: Any) -> httpx.Response:
    return httpx.Response(200, json={**beside, "prompt": {**prompt, "version": version, "tag": tag}})


def deployed(label: str) -> httpx.Response:
    tag = {"id": "123e4567-e89b-12d3-a456-426614174000", "label": label}
    return httpx.Response(201, json={"deploymentTag": tag})


def refusal(status: int, message: str) -> httpx.Response:
    return httpx.Response(status, json={"error": message})


def given(answer: Answer) -> httpx.Response:
    if isinstance(answer, Exception):
        raise answer
    return answer
