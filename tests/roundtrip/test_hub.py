"""One repository between two vendors: an edit or a tag at one arrives in git and at the other in the same run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from repos import git, make_store

from promptstore.cli.run import run
from promptstore.serve.server import Running, embedded
from promptstore.store.store import Store

TWIN = '[store]\nbranch = "main"\n'
CONFIG = """\
[store]
branch = "main"

[remotes.promptlayer]
vendor = "promptlayer"
base_url = "{promptlayer}"

[remotes.braintrust]
vendor = "braintrust"
project = "support"
base_url = "{braintrust}"
"""


def serve_twin(folder: Path) -> Iterator[Running]:
    make_store(folder, TWIN)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "Empty")
    git(folder, "checkout", "-q", "--detach")
    with Store.open(folder) as store, embedded(store, key="k") as running:
        yield running


@pytest.fixture
def promptlayer(tmp_path: Path) -> Iterator[Running]:
    yield from serve_twin(tmp_path / "promptlayer")


@pytest.fixture
def braintrust(tmp_path: Path) -> Iterator[Running]:
    yield from serve_twin(tmp_path / "braintrust")


@pytest.fixture
def hub(tmp_path: Path, promptlayer: Running, braintrust: Running, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("PROMPTLAYER_API_KEY", "k")
    monkeypatch.setenv("BRAINTRUST_API_KEY", "k")
    return make_store(tmp_path / "hub", CONFIG.format(promptlayer=promptlayer.url, braintrust=braintrust.url), {})


def sync(hub: Store, capfd: pytest.CaptureFixture[str]) -> list[str]:
    """One run; what it did, and that nothing went wrong."""
    capfd.readouterr()
    code = run(["-C", hub.root, "sync", "--json"])
    document = json.loads(capfd.readouterr().out)
    assert (code, document["errors"], document["held"], document["conflicts"]) == (0, [], [], [])
    return [f"{action['remote']} {action['kind']} {action['slug']}" for action in document["actions"]]


def publish(server: Running, name: str, text: str) -> None:
    """Save a version in PromptLayer's page."""
    message = {"role": "system", "content": [{"type": "text", "text": text}], "template_format": "jinja2"}
    body = {
        "prompt_template": {"prompt_name": name},
        "prompt_version": {"prompt_template": {"type": "chat", "messages": [message]}},
    }
    answer = httpx.post(f"{server.url}/rest/prompt-templates", json=body, headers={"X-API-KEY": server.key})
    assert answer.status_code == 201


def at_braintrust(server: Running, slug: str) -> dict[str, object]:
    headers = {"Authorization": f"Bearer {server.key}"}
    found = httpx.get(f"{server.url}/v1/prompt", params={"slug": slug, "project_name": "support"}, headers=headers)
    return dict(found.json()["objects"][0])


def test_edits_go_round_in_one_run(
    hub: Store, promptlayer: Running, braintrust: Running, capfd: pytest.CaptureFixture[str]
) -> None:
    publish(promptlayer, "greeting", "Say hello to {{ name }}.")
    done = sync(hub, capfd)
    assert done == ["promptlayer create-local greeting", "braintrust create-remote greeting"]
    prompt = at_braintrust(braintrust, "greeting")
    assert "{{" in json.dumps(prompt["prompt_data"])
    assert sync(hub, capfd) == []
    publish(promptlayer, "greeting", "Say a warm hello to {{ name }}.")
    assert sync(hub, capfd) == ["promptlayer update-local greeting", "braintrust update-remote greeting"]
    assert "warm" in json.dumps(at_braintrust(braintrust, "greeting"))
    assert sync(hub, capfd) == []
    prompt = at_braintrust(braintrust, "greeting")
    changed = json.loads(json.dumps(prompt["prompt_data"]).replace("warm", "short"))
    body = {key: prompt[key] for key in ("project_id", "name", "slug")} | {"prompt_data": changed}
    headers = {"Authorization": f"Bearer {braintrust.key}"}
    assert httpx.put(f"{braintrust.url}/v1/prompt", json=body, headers=headers).status_code == 200
    assert sync(hub, capfd) == ["braintrust update-local greeting", "promptlayer update-remote greeting"]
    assert hub.get("greeting").render(name="Ann")[0]["content"] == "Say a short hello to Ann."
    assert sync(hub, capfd) == []
