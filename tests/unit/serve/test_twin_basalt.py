"""Basalt's endpoints of the local twin, and our own client over them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from repos import chat, make_store
from twins import CONFIG, KEY, AppTransport

from promptstore.errors import AuthError, RemoteMissing, RemoteRejected
from promptstore.serve.app import build_app
from promptstore.serve.guards import Access
from promptstore.store.store import Store
from promptstore.vendors.basalt import VENDOR
from promptstore.vendors.base import Connection, Workspace
from promptstore.vendors.registry import vendors

FULL = """\
name: The Summarizer
description: Sums up
model: {provider: open-ai, name: gpt-4o, parameters: {maxLength: 100, topP: 1.0, jsonObject: null}}
messages:
  - {role: system, content: "Be {{ mood }}.\\n"}
  - {role: user, content: "Sum up {{ ticket }}\\r\\n{{ mood }}"}
vendors: {basalt: {slug: Sum-Up, model: {client: azure, zeta: [1]}}}
"""
PROMPTS = {
    "support/summarizer": FULL,
    "greeting": chat("Hello {{ name }}"),
    "team/describe": "messages:\n  - {role: user, content: What a name}\n",
    "broken": "messages: [\n",
    "foreign": "messages:\n  - {role: assistant, content: Hi}\n",
}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store that nobody writes to."""
    with make_store(tmp_path_factory.mktemp("basalt") / "store", CONFIG, PROMPTS) as store:
        yield store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with make_store(tmp_path / "store", CONFIG, PROMPTS) as opened:
        yield opened


def transport(store: Store, read_only: bool = False) -> AppTransport:
    return AppTransport(build_app(store, vendors().values(), Access(KEY, read_only)))


def client(store: Store, base: str = "http://localhost", key: str = KEY, read_only: bool = False) -> httpx.Client:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    return httpx.Client(transport=transport(store, read_only), base_url=base, headers=headers)


def workspace(store: Store, base: str = "http://localhost/basalt", key: str = KEY) -> Workspace:
    return VENDOR.connect(Connection(base, key, transport=transport(store)))


def edit(store: Store, slug: str, text: str) -> None:
    from repos import commit

    commit(Path(store.root), {slug: text})


def error(answer: httpx.Response, status: int) -> str:
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/json")
    assert set(answer.json()) == {"error"}
    return str(answer.json()["error"])


@pytest.mark.parametrize("base", ["http://localhost", "http://localhost/basalt", "http://localhost//"])
def test_the_list_holds_what_basalt_can(shared: Store, base: str) -> None:
    found = client(shared, base).get("/prompts", params={"featureSlug": "any"}).json()["prompts"]
    assert [item["slug"] for item in found] == ["Sum-Up", "greeting", "team/describe"]
    assert found[0] == {
        "slug": "Sum-Up",
        "name": "The Summarizer",
        "status": "draft",
        "description": "Sums up",
        "availableVersions": ["1"],
        "availableTags": ["latest"],
    }


def test_a_get_says_all_that_any_sdk_insists_on(shared: Store) -> None:
    found = client(shared).get("/prompts/greeting", params={"tag": "latest"}).json()
    assert found == {
        "prompt": {
            "slug": "greeting",
            "text": "",
            "systemText": "Hello {{ name }}",
            "version": "1",
            "tag": "latest",
            "model": {
                "provider": "",
                "client": "",
                "model": "",
                "version": "latest",
                "parameters": {"temperature": 0, "maxLength": 0, "responseFormat": "text"},
            },
        }
    }


@pytest.mark.parametrize("key", ["Sum-Up", "support/summarizer", "support%2Fsummarizer"])
def test_what_the_prompt_says_is_served_as_it_is(shared: Store, key: str) -> None:
    text = client(shared).get(f"/prompts/{key}", params={"version": "1"}).text
    assert '"text":"Sum up {{ ticket }}\\r\\n{{ mood }}"' in text
    assert '"systemText":"Be {{ mood }}.\\n"' in text
    assert '"maxLength":100,"responseFormat":"text","topP":1.0,"jsonObject":null}' in text
    assert '"client":"azure"' in text
    assert '"zeta":[1]' in text


def test_without_version_and_tag_production_is_meant(store: Store) -> None:
    twin = client(store)
    assert twin.get("/prompts/greeting").json()["warning"]
    twin.post("/prompts/greeting/publish", json={"newTag": "production", "version": "1"})
    edit(store, "greeting", chat("two"))
    found = twin.get("/prompts/greeting").json()
    assert "warning" not in found
    assert (found["prompt"]["version"], found["prompt"]["tag"]) == ("1", "production")
    assert twin.get("/prompts/greeting?tag=latest").json()["prompt"]["version"] == "2"
    assert twin.get("/prompts/greeting?version=latest").json()["prompt"]["version"] == "2"
    assert twin.get("/prompts/greeting?version=1&tag=latest").json()["prompt"]["systemText"] == "Hello {{ name }}"
    assert [item["status"] for item in twin.get("/prompts").json()["prompts"]] == ["draft", "live", "draft"]


@pytest.mark.parametrize("query", ["version=9", "tag=nope", "version=1.0.0", "version=9&tag=latest"])
def test_what_is_not_there_is_never_replaced_by_something_else(shared: Store, query: str) -> None:
    assert "No prompt found" in error(client(shared).get(f"/prompts/greeting?{query}"), 404)
    assert "No prompt found" in error(client(shared).get(f"/prompts/greeting/describe?{query}"), 404)


@pytest.mark.parametrize("path", ["/prompts/gone", "/prompts/", "/prompts/gone/describe", "/prompts/Greeting"])
def test_an_unknown_prompt_is_a_404(shared: Store, path: str) -> None:
    error(client(shared).get(path), 404)


@pytest.mark.parametrize("slug", ["broken", "foreign"])
def test_what_basalt_could_not_hold_is_refused_with_the_reason(shared: Store, slug: str) -> None:
    assert "cannot be served as a Basalt prompt" in error(client(shared).get(f"/prompts/{slug}?tag=latest"), 400)


def test_describe(shared: Store) -> None:
    found = client(shared).get("/prompts/Sum-Up/describe", params={"version": "1"}).json()["prompt"]
    assert [(one["label"], one["type"]) for one in found.pop("variables")] == [("mood", "string"), ("ticket", "string")]
    assert (found["slug"], found["version"], found["tag"]) == ("Sum-Up", "1", "latest")
    assert (found["availableVersions"], found["availableTags"]) == (["1"], ["latest"])


@pytest.mark.parametrize("path", ["team/describe", "team%2Fdescribe"])
def test_a_slug_may_end_like_an_operation(shared: Store, path: str) -> None:
    twin = client(shared)
    assert twin.get(f"/prompts/{path}?tag=latest").json()["prompt"]["text"] == "What a name"
    assert twin.get(f"/prompts/{path}/describe?tag=latest").json()["prompt"]["variables"] == []


def publish(store: Store, body: Any, slug: str = "greeting", **options: Any) -> httpx.Response:
    return client(store, **options).post(f"/prompts/{slug}/publish", json=body)


def test_a_publish_creates_and_moves_a_tag(store: Store) -> None:
    edit(store, "greeting", chat("two"))
    answers = [
        publish(store, {"newTag": "production", "version": "1"}),
        publish(store, {"newTag": "staging"}),
        publish(store, {"newTag": "production", "tag": "staging"}),
    ]
    assert [answer.status_code for answer in answers] == [201] * 3
    made = answers[0].json()["deploymentTag"]
    assert (str(uuid.UUID(made["id"])), made["label"]) == (made["id"], "production")
    assert answers[2].json() == answers[0].json()
    assert [store.get("greeting", tag=tag).version for tag in ("production", "staging")] == [2, 2]
    publish(store, {"newTag": "production", "version": "1", "tag": "staging"})
    assert store.get("greeting", tag="production").version == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ([], 400),
        ({"newTag": ""}, 400),
        ({"newTag": 5}, 400),
        ({"newTag": "x", "version": 1}, 400),
        ({"newTag": "latest"}, 400),
        ({"newTag": "7"}, 400),
        ({"newTag": "x", "version": "9"}, 404),
        ({"newTag": "x", "tag": "nope"}, 404),
    ],
)
def test_a_bad_publish_is_refused(store: Store, body: Any, status: int) -> None:
    assert error(publish(store, body), status)
    assert client(store).get("/prompts").json()["prompts"][1]["availableTags"] == ["latest"]


def test_keys_and_the_read_only_twin(shared: Store) -> None:
    error(client(shared, key="wrong").get("/prompts"), 401)
    error(publish(shared, {"newTag": "x"}, read_only=True), 403)
    error(publish(shared, {"newTag": "x"}, slug="gone"), 404)


# Our own client


def test_our_client_reads_what_the_twin_serves(store: Store) -> None:
    edit(store, "support/summarizer", FULL.replace("Sum up", "Shorten"))
    opened = workspace(store)
    heads = {head.id: head for head in opened.list()}
    assert {key: head.version for key, head in heads.items()} == {"Sum-Up": "2", "greeting": "1", "team/describe": "1"}
    assert opened.versions("Sum-Up", "2") == ["1", "2"]
    found = opened.read("Sum-Up", "2")
    assert found.stamp == heads["Sum-Up"].stamp
    own = VENDOR.lens.project(store.get("support/summarizer").file, "support/summarizer")
    assert {**found.document, "model": 0} == {**own, "model": 0}
    assert opened.read("team/describe", "1").document["text"] == "What a name"
    with pytest.raises(RemoteMissing):
        opened.read("gone")
    with pytest.raises(AuthError):
        workspace(store, key="wrong").list()


def test_our_client_moves_tags_at_the_twin(store: Store) -> None:
    edit(store, "greeting", chat("two"))
    opened = workspace(store)
    opened.set_tag("greeting", "production", "1")
    opened.set_tag("greeting", "release 1/2", "2")
    opened.list()
    expected = {"greeting": {"production": "1", "release 1/2": "2"}}
    assert opened.tags(["production", "release 1/2"], []).tags == opened.tags([], ["greeting"]).tags == expected
    opened.set_tag("greeting", "production", "2")
    assert store.get("greeting", tag="production").version == 2
    with pytest.raises(RemoteRejected):
        opened.set_tag("greeting", "production", "9")


def test_a_tagged_text_that_never_came_to_the_branch_can_be_read(store: Store) -> None:
    """A tag may name a version that is on no branch; it goes by its content then."""
    from repos import git

    root = Path(store.root)
    git(root, "checkout", "-q", "-b", "side")
    commit = edit_on_side(root)
    git(root, "checkout", "-q", "main")
    git(root, "update-ref", "refs/prompts/greeting/-/odd", commit)
    opened = workspace(store)
    opened.list()
    version = opened.tags(["odd"], []).tags["greeting"]["odd"]
    assert version not in {"", "0", "1"}
    assert opened.read("greeting", version).document["systemText"] == "aside"


def edit_on_side(root: Path) -> str:
    from repos import commit

    return commit(root, {"greeting": chat("aside")})
