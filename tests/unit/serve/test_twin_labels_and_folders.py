"""Release labels are tags, folders are directories."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from repos import git
from twins import GREETING, client, names, publication

from promptstore.store.store import Store
from promptstore.store.tagging import tag_history

FOLDERS = "/api/public/v2/folders"


def id_of(twin: httpx.Client, name: str) -> int:
    found: int = twin.post(f"/prompt-templates/{name}").json()["id"]
    return found


def labels(twin: httpx.Client, name: str = GREETING) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = twin.get(f"/prompt-templates/{name}/labels").json()["release_labels"]
    return found


def test_a_label_is_made_moved_and_taken_away(twin: httpx.Client, store: Store) -> None:
    number = id_of(twin, GREETING)
    twin.post("/rest/prompt-templates", json=publication(GREETING))
    made = twin.post(f"/prompts/{number}/label", json={"prompt_version_number": 1, "name": "prod"}).json()
    assert (made["name"], made["prompt_id"]) == ("prod", number)
    assert [(one["release_label"], one["prompt_version_number"]) for one in labels(twin)] == [("prod", 1)]
    assert labels(twin)[0]["release_label_id"] == made["id"]
    moved = twin.patch(f"/prompt-labels/{made['id']}", json={"prompt_version_number": 2}).json()
    assert moved["id"] == made["id"]
    assert store.tags(GREETING) == {"prod": 2}
    gone = twin.delete(f"/prompt-labels/{made['id']}")
    assert (gone.status_code, gone.content) == (204, b"")
    assert (labels(twin), store.tags(GREETING)) == ([], {})
    assert [(move.old, move.new) for move in reversed(tag_history(store))] == [(None, 1), (1, 2), (2, None)]


def test_a_label_that_stands_moves_when_it_is_made_again(twin: httpx.Client) -> None:
    number = id_of(twin, GREETING)
    second = twin.post("/rest/prompt-templates", json=publication(GREETING)).json()
    twin.post(f"/prompts/{number}/label", json={"prompt_version_number": 1, "name": "prod"})
    by_id = {"prompt_version_id": second["prompt_version_id"], "name": "prod"}
    assert twin.post(f"/prompts/{number}/label", json=by_id).json()["prompt_version_id"] == second["prompt_version_id"]
    assert [(one["release_label"], one["prompt_version_number"]) for one in labels(twin)] == [("prod", 2)]


def test_labels_of_two_prompts_are_two(twin: httpx.Client, store: Store) -> None:
    ids = set()
    for name in (GREETING, "bee"):
        body = {"prompt_version_number": 1, "name": "prod"}
        ids.add(twin.post(f"/prompts/{id_of(twin, name)}/label", json=body).json()["id"])
    assert len(ids) == 2
    twin.delete(f"/prompt-labels/{labels(twin, 'bee')[0]['release_label_id']}")
    assert (store.tags(GREETING), store.tags("bee")) == ({"prod": 1}, {})


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/prompts/1/label", {"prompt_version_number": 1, "name": "x"}, 404),
        ("POST", "/prompts/x/label", {"prompt_version_number": 1, "name": "x"}, 422),
        ("POST", "/prompts/{id}/label", {"prompt_version_number": 9, "name": "x"}, 404),
        ("POST", "/prompts/{id}/label", {"prompt_version_id": 9, "name": "x"}, 404),
        ("POST", "/prompts/{id}/label", {"name": "x"}, 400),
        ("POST", "/prompts/{id}/label", {"prompt_version_number": 1}, 422),
        ("POST", "/prompts/{id}/label", {"prompt_version_number": 1, "name": "7"}, 400),
        ("POST", "/prompts/{id}/label", {"prompt_version_number": 1, "name": "latest"}, 400),
        ("PATCH", "/prompt-labels/1", {"prompt_version_number": 1}, 404),
        ("DELETE", "/prompt-labels/1", {}, 404),
        ("GET", "/prompt-templates/nope/labels", {}, 404),
    ],
)
def test_a_label_that_makes_no_sense_is_refused(
    untouched: httpx.Client, method: str, path: str, body: dict[str, Any], status: int
) -> None:
    answer = untouched.request(method, path.replace("{id}", str(id_of(untouched, GREETING))), json=body)
    assert answer.status_code == status, answer.text


def folder(twin: httpx.Client, name: str, parent: int | None = None) -> int:
    answer = twin.post(FOLDERS, json={"name": name, "parent_id": parent})
    assert answer.status_code == 201, answer.text
    found: int = answer.json()["folder"]["id"]
    return found


def listed(twin: httpx.Client, **query: Any) -> set[tuple[str, str]]:
    entities = twin.get(f"{FOLDERS}/entities", params=query).json()["entities"]
    return {(entity["type"], entity["name"]) for entity in entities}


def test_folders_are_the_directories_of_slugs(untouched: httpx.Client) -> None:
    assert listed(untouched) == {("FOLDER", "support"), ("PROMPT", "The Bee")}
    support = untouched.get(f"{FOLDERS}/resolve-id", params={"path": "support"}).json()["id"]
    assert listed(untouched, folder_id=support) == {("PROMPT", GREETING)}
    assert listed(untouched, flatten="true", filter_type=["PROMPT", "SNIPPET"]) == {
        ("PROMPT", GREETING),
        ("PROMPT", "The Bee"),
    }
    assert listed(untouched, flatten="true", search_query="GREET") == {("PROMPT", GREETING)}
    inside = untouched.get(f"{FOLDERS}/entities", params={"folder_id": support, "include_metadata": "true"})
    assert inside.json()["entities"][0]["metadata"]["latest_version_number"] == 1
    assert inside.json()["entities"][0]["path"] == ["support"]


def test_an_empty_folder_is_remembered(twin: httpx.Client) -> None:
    outer = folder(twin, "My Folder")
    inner = folder(twin, "v1.2", outer)
    assert listed(twin, folder_id=outer) == {("FOLDER", "v1.2")}
    assert twin.get(f"{FOLDERS}/resolve-id", params={"path": "My Folder.v1.2"}).json() == {"id": inner}
    again = twin.post(FOLDERS, json={"name": "My Folder"})
    assert (again.status_code, again.json()["success"]) == (400, False)
    body = publication("inside")
    body["prompt_template"]["folder_id"] = inner
    twin.post("/rest/prompt-templates", json=body)
    item = twin.get("/prompt-templates", params={"name": "inside"}).json()["items"][0]
    assert (item["folder_id"], item["parent_folder_name"]) == (inner, "v1.2")
    assert item["full_folder_path"] == "My Folder/v1.2"


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", FOLDERS, {"name": ""}, 422),
        ("POST", FOLDERS, {"name": "x", "parent_id": 5}, 404),
        ("GET", f"{FOLDERS}/resolve-id?path=gone", None, 404),
        ("GET", f"{FOLDERS}/resolve-id", None, 400),
        ("GET", f"{FOLDERS}/entities?folder_id=5", None, 404),
        ("POST", f"{FOLDERS}/entities", {"entities": [{"id": 5, "type": "PROMPT"}], "folder_id": None}, 404),
        ("POST", f"{FOLDERS}/entities", {"entities": [{"id": 5, "type": "FOLDER"}]}, 400),
    ],
)
def test_a_folder_that_makes_no_sense_is_refused(
    untouched: httpx.Client, method: str, path: str, body: Any, status: int
) -> None:
    assert untouched.request(method, path, json=body).status_code == status


@pytest.mark.parametrize("name", [GREETING, "bee"])
def test_a_moved_prompt_keeps_id_name_versions_and_labels(twin: httpx.Client, store: Store, name: str) -> None:
    number = id_of(twin, name)
    called = twin.get(f"/prompt-templates/{number}").json()["prompt_name"]
    twin.post(f"/prompts/{number}/label", json={"prompt_version_number": 1, "name": "prod"})
    body = {"entities": [{"id": number, "type": "PROMPT"}], "folder_id": folder(twin, "elsewhere")}
    assert twin.post(f"{FOLDERS}/entities", json=body).json() == {"moved_count": 1}
    moved = twin.get(f"/prompt-templates/{number}").json()
    assert moved["prompt_name"] == called
    assert f"elsewhere/{name.rpartition('/')[2]}" in store.prompts_at(store.tip)
    labelled = twin.post(f"/prompt-templates/{number}", json={"label": "prod"}).json()
    assert (labelled["version"], labelled["prompt_name"]) == (1, called)
    assert names(twin.get("/prompt-templates", params={"status": "deleted"}).json()["items"]) == []


def test_a_new_prompt_under_the_old_name_is_another(twin: httpx.Client) -> None:
    number = id_of(twin, "bee")
    body = {"entities": [{"id": number, "type": "PROMPT"}], "folder_id": folder(twin, "elsewhere")}
    twin.post(f"{FOLDERS}/entities", json=body)
    made = twin.post("/rest/prompt-templates", json=publication("Bee")).json()
    assert (made["id"] != number, made["version_number"]) == (True, 1)
    assert id_of(twin, "The Bee") == number


def test_a_full_folder_goes_only_with_all_it_holds(twin: httpx.Client, store: Store) -> None:
    support = twin.get(f"{FOLDERS}/resolve-id", params={"path": "support"}).json()["id"]
    body: dict[str, Any] = {"entities": [{"id": support, "type": "FOLDER"}]}
    assert twin.request("DELETE", f"{FOLDERS}/entities", json=body).status_code == 400
    assert twin.request("DELETE", f"{FOLDERS}/entities", json={**body, "cascade": True}).status_code == 200
    assert GREETING not in store.prompts_at(store.tip)
    assert listed(twin) == {("PROMPT", "The Bee")}


def test_ids_are_the_same_in_every_clone(store: Store, tmp_path: Path) -> None:
    twin = client(store)
    twin.post("/rest/prompt-templates", json={**publication("x"), "release_labels": ["prod"]})
    git(tmp_path, "clone", "-q", store.root, "clone")
    git(tmp_path / "clone", "checkout", "-q", "main")
    git(tmp_path / "clone", "fetch", "-q", "origin", "refs/prompts/*:refs/prompts/*")
    with Store.open(tmp_path / "clone") as other:
        assert labels(client(other), "x") == labels(twin, "x")
        assert id_of(client(other), "x") == id_of(twin, "x")
