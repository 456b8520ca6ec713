"""Daemons in processes of their own, against a twin that is served from this one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from repos import chat, git, make_store

from promptstore.serve import app as twin_app
from promptstore.serve.server import Running, embedded
from promptstore.store.store import Store

KEY = "pl_daemon-tests-0123456789"
SECRET = "webhook-secret-0123456789"
PATIENCE = 60.0
"""Long enough for any machine; nothing is judged by how long it takes."""

CONFIG = """\
[store]
branch = "main"

[remotes.acme]
vendor = "promptlayer"
base_url = "{url}"

[daemon]
poll = "{poll}"
{more}
"""


def eventually(check: Callable[[], object], what: str = "it", patience: float = PATIENCE) -> Any:
    """The first truthy answer of ``check``."""
    until = time.monotonic() + patience
    while time.monotonic() < until:
        found = check()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what} never came true")


@dataclass
class Page:
    """The vendor: what its users see, and what reaches its server."""

    server: Running
    requests: list[tuple[str, str]] = field(default_factory=list)
    """(method, path) of each request."""
    delay: float = 0.0
    """Seconds by which answers to writes are late."""
    down: bool = False

    @property
    def headers(self) -> dict[str, str]:
        return {"X-API-KEY": KEY}

    def edit(self, name: str, text: str) -> None:
        message = {"role": "system", "content": [{"type": "text", "text": text}], "template_format": "jinja2"}
        body = {
            "prompt_template": {"prompt_name": name},
            "prompt_version": {"prompt_template": {"type": "chat", "messages": [message]}},
        }
        answer = httpx.post(f"{self.server.url}/rest/prompt-templates", json=body, headers=self._ours())
        assert answer.status_code == 201, answer.text

    def text(self, name: str) -> str | None:
        answer = httpx.get(f"{self.server.url}/prompt-templates/{name}", headers=self._ours(), timeout=30)
        if answer.status_code != 200:
            return None
        return str(answer.json()["prompt_template"]["messages"][0]["content"][0]["text"])

    def version(self, name: str) -> int:
        answer = httpx.get(f"{self.server.url}/prompt-templates/{name}", headers=self._ours(), timeout=30)
        return int(answer.json()["version"]) if answer.status_code == 200 else 0

    def writes(self) -> list[tuple[str, str]]:
        return [call for call in self.requests if call[0] != "GET"]

    def _ours(self) -> dict[str, str]:
        return {**self.headers, "X-Test": "1"}


@contextmanager
def serving(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    """A page that counts what reaches it, answers late or not at all."""
    page = Page(Running("", KEY))
    build = twin_app.build_app

    def watched(*arguments: Any) -> Any:
        inner = build(*arguments)

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await _watched(page, inner, scope, receive, send)

        return app

    monkeypatch.setattr(twin_app, "build_app", watched)
    make_store(folder, '[store]\nbranch = "main"\n').close()
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "Empty")
    git(folder, "checkout", "-q", "--detach")
    with Store.open(folder) as store, embedded(store, key=KEY) as running:
        page.server = running
        yield page


async def _watched(page: Page, inner: Any, scope: Any, receive: Any, send: Any) -> None:
    import asyncio

    ours = any(name == b"x-test" for name, _ in scope.get("headers", []))
    if scope["type"] != "http" or ours:
        await inner(scope, receive, send)
        return
    page.requests.append((scope["method"], scope["path"]))
    if page.down:
        await send({"type": "http.response.start", "status": 503, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})
        return
    if scope["method"] == "GET":
        await inner(scope, receive, send)
        return
    told: list[Any] = []

    async def keep(message: Any) -> None:
        told.append(message)

    await inner(scope, receive, keep)
    await asyncio.sleep(page.delay)
    for message in told:
        await send(message)


def make_hub(
    root: Path, page: Page, *, poll: str = "1s", more: str = "", prompts: dict[str, str] | None = None
) -> Path:
    """A store that is linked to the page."""
    config = CONFIG.format(url=page.server.url, poll=poll, more=more)
    make_store(root, config, prompts or {"a": chat("one")}).close()
    return root


@dataclass
class Daemon:
    """A daemon in front, in a process of its own."""

    root: Path
    process: subprocess.Popen[bytes]

    @property
    def told(self) -> dict[str, Any]:
        return dict(json.loads((self.root / ".git" / "promptstore" / "daemon.json").read_text()))

    @property
    def log(self) -> str:
        file = self.root / ".git" / "promptstore" / "daemon.log"
        return file.read_text() if file.exists() else ""

    def state(self, remote: str = "acme") -> str:
        return str(self.told["remotes"][remote]["state"])

    def tell(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.tell(number)
        return self.process.wait(PATIENCE)


def environment() -> dict[str, str]:
    return {**os.environ, "PROMPTLAYER_API_KEY": KEY, "PROMPTSTORE_WEBHOOK_SECRET": SECRET}


def launch(root: Path, *options: str) -> Daemon:
    """Start a daemon and wait until it watches."""
    with (root.parent / f"{root.name}.err").open("ab") as err:
        process = subprocess.Popen(
            [sys.executable, "-m", "promptstore", *options, "-C", str(root), "daemon", "run", "--json"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=err,
            env=environment(),
        )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, (root.parent / f"{root.name}.err").read_text()
    assert json.loads(line)["running"] is True, line
    return Daemon(root, process)


@contextmanager
def running(root: Path, *options: str) -> Iterator[Daemon]:
    """A daemon for as long as the block lasts."""
    daemon = launch(root, *options)
    try:
        yield daemon
    finally:
        daemon.process.kill()
        daemon.process.wait(PATIENCE)
        assert daemon.process.stdout is not None
        daemon.process.stdout.close()
