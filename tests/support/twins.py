"""Stores to serve from, and a client of the application without a network."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import httpx
from repos import chat, git, make_store

from promptstore.serve.app import build_app
from promptstore.serve.guards import Access
from promptstore.store.store import Store
from promptstore.sync.agreement import Agreed, Agreements
from promptstore.sync.trees import KnownVersion, Link
from promptstore.vendors.registry import vendors

CONFIG = '[store]\nprompts = "prompts"\nbranch = "main"\n'
KEY = "pl_test"
GREETING = "support/greeting"

PROMPTS = {
    GREETING: "# said to everyone\n" + chat("Hello {{ name }}", "tags: [cx, short]\n"),
    "bee": "name: The Bee\nmodel: {provider: openai, name: gpt-4o, parameters: {temperature: 0}}\n"
    "template_format: f-string\nmessages:\n"
    "  - {role: user, content: 'Buzz {how}'}\n  - {role: user, content: as is, template_format: none}\n",
    "broken": "messages: [\n",
    "foreign": "template_format: mustache\nmessages:\n  - {role: user, content: '{{#if}}{{/if}}'}\n",
}


def make_template(where: Path) -> Path:
    """A store whose synced branch is not checked out, to be copied: of few files, as copies cost by the file."""
    make_store(where, CONFIG, PROMPTS).close()
    git(where, "checkout", "-q", "--detach")
    git(where, "gc", "-q")
    shutil.rmtree(where / ".git" / "hooks")
    return where


def copy_store(template: Path, where: Path) -> Store:
    shutil.copytree(template, where)
    return Store.open(where)


class AppTransport(httpx.BaseTransport):
    """Hands requests to an ASGI application in this process."""

    def __init__(self, app: Any) -> None:
        self._inner = httpx.ASGITransport(app, raise_app_exceptions=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return asyncio.run(self._handle(request))

    async def _handle(self, request: httpx.Request) -> httpx.Response:
        stream = httpx.ByteStream(request.read())
        sent = httpx.Request(request.method, request.url, headers=request.headers, stream=stream)
        answer = await self._inner.handle_async_request(sent)
        return httpx.Response(answer.status_code, headers=answer.headers, content=await answer.aread())


def client(store: Store, *, key: str | None = KEY, read_only: bool = False, host: str = "127.0.0.1") -> httpx.Client:
    app = build_app(store, vendors().values(), Access(key, read_only, host))
    headers = {"X-API-KEY": key} if key else {}
    return httpx.Client(transport=AppTransport(app), base_url="http://localhost", headers=headers)


def message(text: str, role: str = "user") -> dict[str, Any]:
    return {"role": role, "content": [{"type": "text", "text": text}], "template_format": "f-string"}


def publication(name: str, *texts: str, **version: Any) -> dict[str, Any]:
    """The body of a publish."""
    template = {"type": "chat", "messages": [message(text) for text in texts or ("Hi {x}",)]}
    return {"prompt_template": {"prompt_name": name}, "prompt_version": {"prompt_template": template, **version}}


def names(items: Iterable[dict[str, Any]]) -> list[str]:
    return [item["prompt_name"] for item in items]


def link(store: Store, remote: str, slug: str, prompt: str, versions: Mapping[str, str], **more: Any) -> None:
    """Agree with a remote that the slug is that prompt; ``versions`` are the vendor's, with our text of each."""
    known = {version: KnownVersion(blob, "") for version, blob in versions.items()}
    found = Link(prompt, slug, [*versions][-1], "", known, **{"called": slug, **more})
    agreements = Agreements(remote, store.refs, store.objects, store.commits)
    agreements.write(agreements.read(), {slug: Agreed([*versions.values()][-1], found)}, store.user())
