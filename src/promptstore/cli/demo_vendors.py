"""The vendors of ``promptstore demo``: local twins with a store each, and what a colleague does in their pages."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from promptstore.errors import PromptStoreError
from promptstore.serve.server import embedded
from promptstore.store.store import Store
from promptstore.store.writing import TextChange, commit_texts

NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Trusts nobody. The twins speak plain HTTP, and reading every certificate of the machine takes long."""

PROJECT = "support-bot"
VENDOR_CONFIG = '[store]\nprompts = "prompts"\nbranch = "main"\n'


@dataclass(frozen=True)
class Page:
    """One vendor's workspace, and the store that the twin serves it from."""

    store: Store
    key: str
    client: httpx.Client

    @property
    def url(self) -> str:
        return str(self.client.base_url).rstrip("/")

    def ask(self, method: str, path: str, body: Any = None, **params: str) -> Any:
        """As the page itself would: by the vendor's API."""
        headers = {"X-API-KEY": self.key, "Authorization": f"Bearer {self.key}"}
        answer = self.client.request(method, path, json=body, params=params or None, headers=headers)
        answer.raise_for_status()
        return answer.json()


class PromptLayerPage(Page):
    def publish(self, name: str, text: str, label: str | None = None) -> None:
        message = {"role": "system", "content": [{"type": "text", "text": text}], "template_format": "jinja2"}
        body = {
            "prompt_template": {"prompt_name": name},
            "prompt_version": {
                "prompt_template": {"type": "chat", "messages": [message]},
                "commit_message": "Edited in the page",
            },
            "release_labels": [label] if label else None,
        }
        self.ask("POST", "/rest/prompt-templates", body)

    def label(self, name: str, label: str, version: int) -> None:
        body = {"name": label, "prompt_version_number": version}
        self.ask("POST", f"/prompts/{self._id(name)}/label", body)

    def text(self, name: str) -> str:
        answer = self.ask("GET", f"/prompt-templates/{self._id(name)}", resolve_snippets="false")
        return str(answer["prompt_template"]["messages"][0]["content"][0]["text"])

    def _id(self, name: str) -> int:
        listing = self.ask("GET", "/prompt-templates", per_page="100")
        return next(int(item["id"]) for item in listing["items"] if item["prompt_name"] == name)


class BraintrustPage(Page):
    def text(self, slug: str, **which: str) -> str:
        """The newest text, or the one in an ``environment``."""
        return str(self._prompt(slug, **which)["prompt_data"]["prompt"]["messages"][0]["content"])

    def _prompt(self, slug: str, **which: str) -> dict[str, Any]:
        return dict(self.ask("GET", "/v1/prompt", slug=slug, project_name=PROJECT, **which)["objects"][0])


class BasaltPage(Page):
    def save(self, slug: str, text: str) -> None:
        """Basalt's prompts are edited on its page only: here, in the store behind it. ``text`` is a prompt file."""
        change = TextChange(slug, text.encode(), self.store.user(), f"Edit {slug}\n")
        commit_texts(self.store, [change], "edited in the page")

    def text(self, slug: str, **which: str) -> str:
        return str(self.ask("GET", f"/prompts/{slug}", **(which or {"tag": "latest"}))["prompt"]["systemText"])


@contextmanager
def served(folder: str, page: type[Page]) -> Iterator[Any]:
    """A workspace served from this process; see `make_vendors`."""
    with (
        Store.open(folder) as store,
        embedded(store) as running,
        httpx.Client(base_url=running.url, timeout=10, verify=NO_TLS) as client,
    ):
        yield page(store, running.key, client)


def make_vendors(folders: Sequence[str]) -> None:
    """Empty workspaces. One is made, and the others are copies, which cost less."""
    _make_vendor(folders[0])
    for folder in folders[1:]:
        shutil.copytree(folders[0], folder)


def _make_vendor(folder: str) -> None:
    """The store behind a twin. Its branch is not checked out, so that its writes touch no work tree."""
    os.makedirs(folder)
    git(folder, "init", "-q", "-b", "main")
    identify(folder, "A colleague")
    with open(os.path.join(folder, ".promptstore.toml"), "w", encoding="utf-8") as file:
        file.write(VENDOR_CONFIG)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "The vendor's side")
    git(folder, "checkout", "-q", "--detach")


def identify(folder: str, name: str) -> None:
    git(folder, "config", "user.name", name)
    git(folder, "config", "user.email", f"{name.rpartition(' ')[2].lower()}@example.com")
    git(folder, "config", "commit.gpgsign", "false")


def git(folder: str, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PromptStoreError(
            f"git {arguments[0]} failed: {done.stderr.strip()}", hint="is git set up on this machine?"
        )
    return done.stdout
