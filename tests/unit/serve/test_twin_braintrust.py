"""Braintrust's endpoints over a store, asked as an application would, and by our own client."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from twins import GREETING, KEY, AppTransport, copy_store

from promptstore.errors import RemoteMissing
from promptstore.serve.app import build_app
from promptstore.serve.guards import Access
from promptstore.store.store import Store
from promptstore.vendors.base import Connection, Publication, Workspace
from promptstore.vendors.braintrust import VENDOR
from promptstore.vendors.braintrust.xacts import order, short

URL = "http://localhost"


def transport(store: Store) -> AppTransport:
    return AppTransport(build_app(store, [VENDOR], Access(KEY)))


@pytest.fixture
def twin(store: Store) -> httpx.Client:
    return httpx.Client(transport=transport(store), base_url=URL, headers={"Authorization": f"Bearer {KEY}"})


@pytest.fixture
def workspace(store: Store) -> Workspace:
    opened: Workspace = VENDOR.connect(Connection(URL, KEY, "any", transport=transport(store)))
    return opened


@pytest.fixture(scope="module")
def shared(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A twin that nobody writes to."""
    with copy_store(template, tmp_path_factory.mktemp("braintrust") / "store") as opened:
        headers = {"Authorization": f"Bearer {KEY}"}
        yield httpx.Client(transport=transport(opened), base_url=URL, headers=headers)


def listed(twin: httpx.Client, **query: Any) -> list[dict[str, Any]]:
    answer = twin.get("/v1/prompt", params={"project_name": "any", **query})
    assert answer.status_code == 200, answer.text
    objects: list[dict[str, Any]] = answer.json()["objects"]
    return objects


def one(twin: httpx.Client, slug: str, **query: Any) -> dict[str, Any]:
    (found,) = listed(twin, slug=slug, **query)
    return found


def body(slug: str, text: str = "Hi {{x}}", **more: Any) -> dict[str, Any]:
    data = {"prompt": {"type": "chat", "messages": [{"role": "user", "content": text}]}}
    return {"project_id": "p", "name": slug, "slug": slug, "prompt_data": data, **more}


def put(twin: httpx.Client, slug: str, text: str = "Hi {{x}}", **more: Any) -> dict[str, Any]:
    answer = twin.put("/v1/prompt", json=body(slug, text, **more))
    assert answer.status_code == 200, answer.text
    made: dict[str, Any] = answer.json()
    return made


def text_of(found: dict[str, Any]) -> str:
    text: str = found["prompt_data"]["prompt"]["messages"][0]["content"]
    return text


# Reading


def test_login_leads_back_to_this_server(shared: httpx.Client) -> None:
    (org,) = shared.post("/api/apikey/login").json()["org_info"]
    assert org["api_url"] == URL
    assert org["id"]
    assert org["name"]


def test_a_wrong_key_is_refused_in_words(shared: httpx.Client) -> None:
    answer = shared.post("/api/apikey/login", headers={"Authorization": "Bearer wrong"})
    assert (answer.status_code, answer.json()) == (401, "Invalid API key.")


def test_a_prompt_has_every_key_with_nulls_written_out(shared: httpx.Client) -> None:
    found = one(shared, GREETING)
    optional = {"description", "created", "prompt_data", "tags", "metadata", "function_type"}
    assert set(found) >= {"id", "_xact_id", "project_id", "log_id", "org_id", "name", "slug", *optional}
    assert (found["slug"], found["tags"], found["description"], found["log_id"]) == (
        GREETING,
        ["cx", "short"],
        None,
        "p",
    )
    assert text_of(found) == "Hello {{{ name }}}"


def test_what_is_no_prompt_is_left_out(shared: httpx.Client) -> None:
    assert {found["slug"] for found in listed(shared)} == {GREETING, "bee", "foreign"}


def test_the_listing_is_paged_by_ids_and_filtered(shared: httpx.Client) -> None:
    every = [found["id"] for found in listed(shared)]
    first = [found["id"] for found in listed(shared, limit=1)]
    rest = [found["id"] for found in listed(shared, limit=9, starting_after=first[0])]
    assert first + rest == every
    assert listed(shared, starting_after=every[-1]) == []
    assert [found["id"] for found in listed(shared, ending_before=every[1])] == every[:1]
    assert [found["id"] for found in listed(shared, ids=",".join(every))] == every
    assert [found["id"] for found in listed(shared, ids=every[:1])] == every[:1]
    assert [found["slug"] for found in listed(shared, prompt_name="The Bee")] == ["bee"]
    assert listed(shared, slug="gone") == []


def test_absence_is_a_400_in_the_vendors_words(shared: httpx.Client) -> None:
    answer = shared.get("/v1/prompt/nope")
    assert answer.status_code == 400
    assert "does not exist" in answer.json()
    assert shared.get(f"/v1/prompt/{one(shared, GREETING)['id']}", params={"version": "5"}).status_code == 400
    assert shared.get("/v1/prompt", params={"starting_after": "nope"}).status_code == 400
    assert shared.get("/v1/prompt", params={"limit": "x"}).status_code == 400


def test_any_project_is_this_store(shared: httpx.Client) -> None:
    (found,) = shared.get("/v1/project", params={"project_name": "whatever"}).json()["objects"]
    made = shared.post("/v1/project", json={"name": "other"}).json()
    assert (found["name"], made["name"], found["id"]) == ("whatever", "other", made["id"])
    registered = shared.post("/api/project/register", json={"project_name": "third"}).json()
    assert (registered["project"]["id"], registered["found_existing"]) == (made["id"], True)
    assert shared.post("/api/project/get", json={"id": made["id"]}).json()[0]["id"] == made["id"]
    assert shared.get(f"/v1/project/{made['id']}").json()["id"] == made["id"]


# Writing


def test_a_put_makes_a_version_each_time_and_keeps_the_id(twin: httpx.Client, store: Store) -> None:
    first = put(twin, "New/One", "one")
    second = put(twin, "New/One", "two", description="d", tags=["t"], function_type="llm")
    third = put(twin, "New/One", "two", description="d", tags=["t"], function_type="llm")
    assert first["id"] == second["id"] == third["id"]
    versions = [made["_xact_id"] for made in (first, second, third)]
    assert sorted({*versions}, key=order) == versions
    assert one(twin, "New/One") == third
    for version in (versions[0], short(versions[0])):
        assert one(twin, "New/One", version=version) == first
        assert twin.get(f"/v1/prompt/{first['id']}", params={"version": version}).json() == first
    assert store.get("new/one").version == 3
    assert text_of(one(twin, GREETING)) == "Hello {{{ name }}}"


def test_a_post_answers_what_is_there_unmodified(twin: httpx.Client) -> None:
    made = put(twin, "x", "one")
    assert twin.post("/v1/prompt", json=body("x", "two")).json() == made
    assert text_of(twin.post("/v1/prompt", json=body("y", "two")).json()) == "two"


def test_a_patch_merges_and_renames(twin: httpx.Client) -> None:
    made = put(twin, "x", "one", tags=["t"])
    change = {"slug": "y", "prompt_data": {"options": {"model": "m"}}, "description": None}
    patched = twin.patch(f"/v1/prompt/{made['id']}", json=change).json()
    assert (patched["id"], patched["slug"], patched["tags"], text_of(patched)) == (made["id"], "y", ["t"], "one")
    assert patched["prompt_data"]["options"] == {"model": "m"}
    assert listed(twin, slug="y")[0]["_xact_id"] == patched["_xact_id"]
    put(twin, "z")
    assert twin.patch(f"/v1/prompt/{made['id']}", json={"slug": "z"}).status_code == 400


def test_a_deleted_prompt_leaves_a_stone_and_comes_back_as_another(twin: httpx.Client) -> None:
    made = put(twin, "x", "one")
    stone = twin.delete(f"/v1/prompt/{made['id']}").json()
    assert stone["_object_delete"] is True
    assert "name" not in stone
    assert listed(twin, slug="x") == []
    assert twin.get(f"/v1/prompt/{made['id']}").status_code == 400
    assert twin.delete(f"/v1/prompt/{made['id']}").status_code == 400
    assert put(twin, "x", "two")["id"] != made["id"]


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        {},
        body(""),
        {**body("a"), "name": None},
        {**body("a"), "project_id": None},
        {**body("a"), "prompt_data": {"prompt": {"type": "chat", "messages": [{"role": "critic"}]}}},
        {**body("a"), "tags": ["x", 5]},
        {**body("a"), "environment_slugs": 5},
    ],
)
def test_a_bad_write_is_a_400_and_changes_nothing(twin: httpx.Client, store: Store, wrong: Any) -> None:
    tip = store.refs.read(store.branch)
    assert twin.put("/v1/prompt", json=wrong).status_code == 400
    assert store.refs.read(store.branch) == tip


def test_everything_of_prompt_data_comes_back(twin: httpx.Client) -> None:
    data = {
        "prompt": {"type": "chat", "messages": [{"role": "model", "content": "x"}], "tools": "[ ]"},
        "options": {"model": "gpt-4o", "params": {"top_p": 1, "new": None}, "position": "p"},
        "parser": {"type": "llm_classifier", "use_cot": False, "choice": ["a"]},
        "tool_functions": [{"type": "function", "id": "f", "version": "1"}],
        "template_format": "nunjucks",
        "mcp": {"m": {"type": "id", "id": "i", "enabled_tools": None}},
        "origin": {"prompt_id": "1"},
    }
    assert put(twin, "x", prompt_data=data, metadata={"k": None})["prompt_data"] == data
    assert one(twin, "x")["metadata"] == {"k": None}


# Environments


def test_environments_are_the_stores_tags(twin: httpx.Client, store: Store) -> None:
    first, second = put(twin, "x", "one"), put(twin, "x", "two")
    place = f"/environment-object/prompt/{first['id']}"
    assert twin.put(f"{place}/prod%2Feu", json={"object_version": short(first["_xact_id"])}).status_code == 200
    assert store.get("x", tag="prod/eu").version == 1
    assert one(twin, "x", environment="prod/eu") == first
    assert twin.get(f"/v1/prompt/{first['id']}", params={"environment": "prod/eu"}).json() == first
    (pointer,) = twin.get(place).json()["objects"]
    assert (pointer["environment_slug"], pointer["object_version"]) == ("prod/eu", first["_xact_id"])
    assert [one["slug"] for one in twin.get("/environment").json()["objects"]] == ["prod/eu"]
    clash = {"environment_slug": "prod/eu", "object_version": second["_xact_id"]}
    assert twin.post(place, json=clash).status_code == 400
    assert twin.post(place, json={**clash, "environment_slug": "dev"}).json()["environment_slug"] == "dev"
    assert twin.get(f"{place}/dev").json()["object_version"] == second["_xact_id"]
    assert twin.delete(f"{place}/dev").status_code == 200
    assert twin.get(f"{place}/dev").status_code == 400
    assert twin.put(f"{place}/dev", json={"object_version": "5"}).status_code == 400


def test_an_environment_must_narrow_a_list_to_one_prompt(twin: httpx.Client) -> None:
    assert twin.get("/v1/prompt", params={"environment": "x"}).status_code == 400
    assert listed(twin, slug=GREETING, environment="x") == []


def test_an_environment_can_be_made_and_only_once(twin: httpx.Client) -> None:
    wanted = {"name": "Development", "slug": "dev"}
    assert twin.post("/environment", json=wanted).json()["slug"] == "dev"
    assert twin.post("/environment", json=wanted).status_code == 400
    assert [one["name"] for one in twin.get("/environment").json()["objects"]] == ["Development"]


def test_a_put_may_set_environments(twin: httpx.Client) -> None:
    made = put(twin, "x", environment_slugs=["dev"])
    assert one(twin, "x", environment="dev") == made


# What the command lines send


def test_functions_can_be_inserted(twin: httpx.Client) -> None:
    function = {
        **body("x"),
        "function_data": {"type": "prompt"},
        "environments": [{"slug": "dev"}],
        "metadata": {"k": 1},
    }
    made = twin.post("/insert-functions", json={"functions": [function]}).json()
    assert (made["functions"][0]["found_existing"], made["ignored_count"]) == (False, 0)
    assert one(twin, "x", environment="dev")["_xact_id"] == made["xact_id"]
    assert one(twin, "x")["metadata"] == {"k": 1}
    for choice, status in ((None, 400), ("error", 400), ("ignore", 200), ("replace", 200)):
        answer = twin.post("/insert-functions", json={"functions": [{**function, "if_exists": choice}]})
        assert answer.status_code == status
    code = {**function, "slug": "y", "function_data": {"type": "code"}}
    assert twin.post("/insert-functions", json={"functions": [code]}).status_code == 400
    assert [one["slug"] for one in twin.get("/v1/function", params={"slug": "x"}).json()["objects"]] == ["x"]


def test_the_query_language_only_knows_a_prompts_history(shared: httpx.Client) -> None:
    assert shared.post("/btql", json={"query": "select * from logs"}).status_code == 400


# Our own client


def test_our_client_works_the_twin(workspace: Workspace, store: Store) -> None:
    def publish(prompt: str | None, text: str, slug: str = "support/new") -> Any:
        data = {**body("x", text)["prompt_data"], "template_format": "mustache"}
        document = {"name": slug, "slug": slug, "prompt_data": data}
        return workspace.publish(Publication(prompt, slug, document, "why", "i"))

    first = publish(None, "one")
    second = publish(first.id, "two")
    found = workspace.find("support/new", {"slug": "support/new"})
    assert found is not None
    assert (found.id, found.version, found.stamp) == (first.id, second.version, workspace.read(first.id).stamp)
    assert list(workspace.versions(first.id, second.version)) == [first.version, second.version]
    assert list(workspace.versions(first.id, second.version, first.version)) == [second.version]
    assert workspace.read(first.id, first.version).document["prompt_data"]["prompt"]["messages"][0]["content"] == "one"
    workspace.list()
    assert workspace.tags(["production"], []).knows(first.id, "production")
    workspace.set_tag(first.id, "production", first.version)
    assert store.get("support/new", tag="production").version == 1
    workspace.list()
    assert workspace.tags(["production"], [first.id]).tags[first.id] == {"production": first.version}
    workspace.delete_tag(first.id, "production")
    renamed = publish(first.id, "two", "elsewhere")
    assert (renamed.id, workspace.read(first.id).name) == (first.id, "elsewhere")
    workspace.delete(first.id)
    assert first.id not in {head.id for head in workspace.list()}
    with pytest.raises(RemoteMissing):
        workspace.read(first.id)
