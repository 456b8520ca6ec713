"""One repository between three vendors, each a local twin over HTTP with a store of its own, and their own pages."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from repos import git, make_store

from promptstore.cli.run import run
from promptstore.serve.server import embedded
from promptstore.store.history import system_identity
from promptstore.store.store import Store
from promptstore.store.writing import TextChange, commit_texts

KEY = "k"
PROJECT = "support"
TWIN = '[store]\nbranch = "main"\n'
EXTRA = {"braintrust": f'project = "{PROJECT}"\n'}
READS = frozenset({"GET", "HEAD"})


@dataclass
class Twin:
    """One vendor: its store, where it is served, and every request it got, as ``POST /path``."""

    vendor: str
    store: Store
    url: str
    asked: list[str]
    environments: set[str] | None = None
    """Those that Braintrust's organisation has; None takes any."""

    @property
    def writes(self) -> list[str]:
        """The requests that are not reads; a query of Braintrust's history is one."""
        return [one for one in self.asked if one.split()[0] not in READS and not one.endswith("/btql")]

    def request(self, method: str, path: str, body: Any = None, **params: str) -> Any:
        headers = {"X-API-KEY": KEY} if self.vendor == "promptlayer" else {"Authorization": f"Bearer {KEY}"}
        answer = httpx.request(method, f"{self.url}{path}", json=body, params=params or None, headers=headers)
        assert answer.status_code < 300, answer.text
        return answer.json()


class PromptLayerPage(Twin):
    """What a person does in PromptLayer."""

    def save(self, name: str, *texts: str, label: str | None = None, fmt: str = "jinja2", **version: Any) -> int:
        """A new version of a chat prompt, its texts a system message and then a user's; returns its number."""
        messages = [
            {"role": role, "content": [{"type": "text", "text": text}], "template_format": fmt}
            for role, text in zip(("system", "user"), texts, strict=False)
        ]
        return self.save_template(name, {"type": "chat", "messages": messages}, label, **version)

    def save_template(self, name: str, template: Mapping[str, Any], label: str | None = None, **version: Any) -> int:
        body = {
            "prompt_template": {"prompt_name": name},
            "prompt_version": {"prompt_template": dict(template), **version},
            "release_labels": [label] if label else None,
        }
        made = self.request("POST", "/rest/prompt-templates", body)
        return int(self.read(str(made["id"]))["version"])

    def label(self, name: str, label: str, version: int) -> None:
        """Put a label on a version; one that is there already is moved."""
        body = {"name": label, "prompt_version_number": version}
        self.request("POST", f"/prompts/{self.id_of(name)}/label", body)

    def id_of(self, name: str) -> str:
        items = self.request("GET", "/prompt-templates", per_page="100")["items"]
        return next(str(item["id"]) for item in items if item["prompt_name"] == name)

    def read(self, name_or_id: str, **params: str) -> Any:
        return self.request("GET", f"/prompt-templates/{name_or_id}", resolve_snippets="false", **params)

    def texts(self, name: str) -> list[str]:
        messages = self.read(self.id_of(name))["prompt_template"]["messages"]
        return [message["content"][0]["text"] for message in messages]


class BraintrustPage(Twin):
    """What a person does in Braintrust."""

    def prompt(self, slug: str, **params: str) -> dict[str, Any]:
        found = self.request("GET", "/v1/prompt", slug=slug, project_name=PROJECT, **params)["objects"]
        return dict(found[0])

    def prompts(self) -> list[str]:
        return sorted(one["slug"] for one in self.request("GET", "/v1/prompt", project_name=PROJECT)["objects"])

    def texts(self, slug: str) -> list[Any]:
        return [message["content"] for message in self.prompt(slug)["prompt_data"]["prompt"]["messages"]]

    def replace(self, slug: str, old: str, new: str) -> str:
        """Edit the texts of a prompt; returns the new version."""
        prompt = self.prompt(slug)
        changed = json.loads(json.dumps(prompt["prompt_data"]).replace(old, new))
        assert changed != prompt["prompt_data"]
        body = {key: prompt[key] for key in ("project_id", "name", "slug")} | {"prompt_data": changed}
        return str(self.request("PUT", "/v1/prompt", body)["_xact_id"])

    def make_environment(self, name: str) -> None:
        self.request("POST", "/environment", {"name": name, "slug": name})

    def point(self, slug: str, environment: str, version: str) -> None:
        path = f"/environment-object/prompt/{self.prompt(slug)['id']}/{environment}"
        self.request("PUT", path, {"object_version": version})

    def pointer(self, slug: str, environment: str) -> str:
        path = f"/environment-object/prompt/{self.prompt(slug)['id']}/{environment}"
        return str(self.request("GET", path)["object_version"])

    def at(self, slug: str, environment: str) -> list[Any]:
        """The texts that an environment names."""
        found = self.prompt(slug, version=self.pointer(slug, environment))
        return [message["content"] for message in found["prompt_data"]["prompt"]["messages"]]


class BasaltPage(Twin):
    """What a person does in Basalt, whose prompts are edited on its page only: here, in the store behind it."""

    def save(self, slug: str, text: str) -> None:
        """A new version: ``text`` is the file of the store."""
        change = TextChange(slug, text.encode(), system_identity(self.store.clock()), f"Edit {slug}\n")
        commit_texts(self.store, [change], "edited in the page")

    def replace(self, slug: str, old: str, new: str) -> None:
        text = self.store.contents.raw(self.store.prompts_at(self.store.tip)[slug]).decode()
        assert old in text
        self.save(slug, text.replace(old, new))

    def get(self, slug: str, **which: str) -> dict[str, Any]:
        return dict(self.request("GET", f"/prompts/{slug}", **(which or {"tag": "latest"}))["prompt"])

    def tag(self, slug: str, tag: str, version: str) -> None:
        self.request("POST", f"/prompts/{slug}/publish", {"newTag": tag, "version": version})


PAGES: Mapping[str, type[Twin]] = {
    "promptlayer": PromptLayerPage,
    "braintrust": BraintrustPage,
    "basalt": BasaltPage,
}


@dataclass
class Hub:
    """The repository in the middle, and the twins around it."""

    root: Path
    store: Store
    twins: dict[str, Twin] = field(default_factory=dict)

    def command(self, capfd: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
        capfd.readouterr()
        code = run(["-C", str(self.root), *arguments, "--json"])
        return code, json.loads(capfd.readouterr().out)

    def sync(self, capfd: pytest.CaptureFixture[str], *options: str) -> dict[str, Any]:
        """One run; nothing may go wrong in it."""
        _, document = self.command(capfd, "sync", *options)
        assert "error" not in document, document["error"]
        assert document["errors"] == []
        return document

    def settle(self, capfd: pytest.CaptureFixture[str], *options: str) -> list[str]:
        """One run that leaves nothing, and one more that neither does nor sends anything; what the first did."""
        document = self.sync(capfd, *options)
        assert (document["held"], document["conflicts"]) == ([], [])
        self.quiet(capfd, *options)
        return done(document)

    def quiet(self, capfd: pytest.CaptureFixture[str], *options: str) -> dict[str, Any]:
        """A run that neither does nor sends anything; what it leaves."""
        before = {name: list(twin.writes) for name, twin in self.twins.items()}
        document = self.sync(capfd, *options)
        assert done(document) == []
        assert {name: twin.writes for name, twin in self.twins.items()} == before
        return document


def done(document: Mapping[str, Any]) -> list[str]:
    """What a run did, as ``remote kind slug[:tag]``."""
    return [
        f"{action['remote']} {action['kind']} {action['slug']}" + (f":{action['tag']}" if action["tag"] else "")
        for action in document["actions"]
    ]


@contextmanager
def serve(folder: Path, vendor: str) -> Iterator[Twin]:
    """An empty workspace of one vendor."""
    make_store(folder, TWIN)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "Empty")
    git(folder, "checkout", "-q", "--detach")
    with ExitStack() as stack:
        store = stack.enter_context(Store.open(folder))
        with watched() as asked:
            running = stack.enter_context(embedded(store, key=KEY))
        twin = PAGES[vendor](vendor, store, running.url, [])
        asked.tell(twin)
        yield twin


class Watch:
    """Sees every request to an application, and answers as Braintrust does for an environment that is not there."""

    def __init__(self, build: Any) -> None:
        self._build = build
        self._twin: Twin | None = None

    def tell(self, twin: Twin) -> None:
        self._twin = twin

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        inner = self._build(*arguments, **options)

        async def application(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "http" and self._twin is not None:
                self._twin.asked.append(f"{scope['method']} {scope['path']}")
                if self._lacks_environment(scope):
                    await _refuse(send, "Environment not found")
                    return
            await inner(scope, receive, send)

        return application

    def _lacks_environment(self, scope: Any) -> bool:
        known = self._twin.environments if self._twin else None
        path = str(scope["path"])
        pointing = scope["method"] == "PUT" and "/environment-object/" in path
        return known is not None and pointing and path.rpartition("/")[2] not in known


async def _refuse(send: Any, words: str) -> None:
    headers = [(b"content-type", b"text/plain")]
    await send({"type": "http.response.start", "status": 400, "headers": headers})
    await send({"type": "http.response.body", "body": words.encode()})


@contextmanager
def watched() -> Iterator[Watch]:
    """What watches the application that is built in the block."""
    from promptstore.serve import app as module

    with pytest.MonkeyPatch.context() as patch:
        watch = Watch(module.build_app)
        patch.setattr(module, "build_app", watch)
        yield watch


@contextmanager
def hub(folder: Path, *vendors: str) -> Iterator[Hub]:
    """A repository connected to empty workspaces of these vendors."""
    with ExitStack() as stack:
        twins = {vendor: stack.enter_context(serve(folder / vendor, vendor)) for vendor in vendors}
        environment = stack.enter_context(pytest.MonkeyPatch.context())
        for vendor in vendors:
            environment.setenv(f"{vendor.upper()}_API_KEY", KEY)
        root = folder / "hub"
        store = stack.enter_context(make_store(root, config_of(twins), {}))
        yield Hub(root, store, twins)


def config_of(twins: Mapping[str, Twin]) -> str:
    remotes = [
        f'[remotes.{name}]\nvendor = "{twin.vendor}"\nbase_url = "{twin.url}"\n' + EXTRA.get(twin.vendor, "")
        for name, twin in twins.items()
    ]
    return "\n".join([TWIN, *remotes])
