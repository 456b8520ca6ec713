"""Listing and reading templates as PromptLayer answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from repos import chat, commit, git
from twins import GREETING, message, names, publication

from promptstore.store.store import Store
from promptstore.vendors.promptlayer.routes.rendering import rendered


def fetched(twin: httpx.Client, key: str, **body: Any) -> dict[str, Any]:
    answer = twin.post(f"/prompt-templates/{key}", json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def texts(template: dict[str, Any]) -> list[str]:
    return [part["text"] for block in template["messages"] for part in block["content"]]


# The list


def test_a_listing_has_what_promptlayer_can_hold(untouched: httpx.Client) -> None:
    page = untouched.get("/prompt-templates").json()
    items = page.pop("items")
    assert sorted(names(items)) == ["The Bee", GREETING]
    assert page == {
        "has_prev": False,
        "has_next": False,
        "prev_num": None,
        "next_num": None,
        "page": 1,
        "pages": 1,
        "per_page": 30,
        "total": 2,
    }
    greeting = next(item for item in items if item["prompt_name"] == GREETING)
    assert (greeting["parent_folder_name"], greeting["full_folder_path"]) == ("support", "support")
    assert (greeting["version"], greeting["tags"], greeting["commit_message"]) == (1, ["cx", "short"], "Start")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("sort_by=name&sort_order=asc", ["The Bee", GREETING]),
        ("sort_by=name&sort_order=desc", [GREETING, "The Bee"]),
        ("name=BEE", ["The Bee"]),
        ("name=&label=", ["The Bee", GREETING]),
        ("tags=cx&tags=short", [GREETING]),
        ("tags=cx&tags=long", []),
        ("label=production", []),
        ("status=deleted", []),
        ("external_source=git&external_id=x", []),
        ("created_by_email=ann@example.com", ["The Bee", GREETING]),
        ("created_by_email=bob@example.com", []),
        ("created_after=2999-01-01", []),
        ("updated_before=2999-01-01T00:00:00Z&is_snippet=false", ["The Bee", GREETING]),
        ("page=7", []),
    ],
)
def test_a_listing_can_be_narrowed(untouched: httpx.Client, query: str, expected: list[str]) -> None:
    order = "" if "sort_by" in query else "sort_by=name&sort_order=asc&"
    answer = untouched.get(f"/prompt-templates?{order}{query}")
    assert names(answer.json()["items"]) == expected


@pytest.mark.parametrize(
    "query", ["page=0", "per_page=x", "status=gone", "sort_by=age", "sort_order=up", "created_after=soon", "page=-1"]
)
def test_a_query_that_makes_no_sense_is_a_422(untouched: httpx.Client, query: str) -> None:
    answer = untouched.get(f"/prompt-templates?{query}")
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["query", query.split("=", maxsplit=1)[0]]


def test_pages_follow_each_other(untouched: httpx.Client) -> None:
    first = untouched.get("/prompt-templates?per_page=1&sort_by=id&sort_order=asc").json()
    second = untouched.get("/prompt-templates?per_page=1&sort_by=id&sort_order=asc&page=2").json()
    assert (first["has_next"], first["next_num"], first["pages"], first["total"]) == (True, 2, 2, 2)
    assert (second["has_next"], second["next_num"], second["prev_num"]) == (False, None, 1)
    assert first["items"][0]["id"] < second["items"][0]["id"]


def test_the_newest_come_first_and_a_label_shows_its_version(twin: httpx.Client, store: Store) -> None:
    commit_on_main(store, {"later": chat("x")}, when="2090-01-01T00:00:00Z")
    twin.post("/rest/prompt-templates", json={**publication(GREETING), "release_labels": ["staging"]})
    twin.post("/rest/prompt-templates", json=publication(GREETING, "newer"))
    items = twin.get("/prompt-templates").json()["items"]
    assert names(items)[0] == "later"
    assert {item["prompt_name"]: item["version"] for item in items}[GREETING] == 3
    labelled = twin.get("/prompt-templates?label=staging").json()["items"]
    assert [(item["prompt_name"], item["version"]) for item in labelled] == [(GREETING, 2)]


def commit_on_main(store: Store, prompts: dict[str, str | None], when: str) -> None:
    where = Path(store.root)
    git(where, "checkout", "-q", "main")
    commit(where, prompts)
    git(where, "commit", "-q", "--amend", "--no-edit", f"--date={when}")
    git(where, "checkout", "-q", "--detach")


# One template


def test_a_raw_read_is_the_version_as_kept(untouched: httpx.Client) -> None:
    found = untouched.get("/prompt-templates/The%20Bee").json()
    assert found["success"] is True
    assert (found["version"], found["workspace_id"], found["snippets"], found["llm_kwargs"]) == (1, 1, [], None)
    assert found["created_at"].startswith("20")
    assert found["metadata"] == {"model": {"provider": "openai", "name": "gpt-4o", "parameters": {"temperature": 0}}}
    template = found["prompt_template"]
    first, second = template.pop("messages")
    assert template == {
        "type": "chat",
        "functions": None,
        "tools": None,
        "function_call": None,
        "tool_choice": None,
        "input_variables": ["how"],
        "dataset_examples": [],
    }
    assert first == {
        "role": "user",
        "content": [{"type": "text", "text": "Buzz {how}"}],
        "input_variables": ["how"],
        "template_format": "f-string",
        "raw_request_display_role": "",
        "dataset_examples": [],
        "name": None,
    }
    assert second["content"][0]["text"] == "as is"


@pytest.mark.parametrize("key", [GREETING, "support%2Fgreeting", "support%2fgreeting"])
def test_a_name_with_a_slash_is_found_however_it_is_sent(untouched: httpx.Client, key: str) -> None:
    assert untouched.get(f"/prompt-templates/{key}").json()["prompt_name"] == GREETING
    assert fetched(untouched, key)["prompt_name"] == GREETING
    assert untouched.get(f"/prompt-templates/{key}/labels").json() == {"release_labels": []}


def test_names_are_decoded_exactly_once(twin: httpx.Client) -> None:
    for name in ("a%2Fb", "ü / #?&%", "x/labels", "100%"):
        assert twin.post("/rest/prompt-templates", json=publication(name)).status_code == 201
    for path, name in [
        ("a%252Fb", "a%2Fb"),
        ("%C3%BC%20%2F%20%23%3F%26%25", "ü / #?&%"),
        ("x%2Flabels", "x/labels"),
        ("100%25", "100%"),
    ]:
        assert fetched(twin, path)["prompt_name"] == name


def test_a_name_wins_over_a_slug_and_both_over_an_id(twin: httpx.Client) -> None:
    bee = fetched(twin, "bee")
    assert fetched(twin, str(bee["id"]))["prompt_name"] == "The Bee"
    twin.post("/rest/prompt-templates", json=publication("bee"))
    assert fetched(twin, "bee")["prompt_name"] == "bee"
    twin.post("/rest/prompt-templates", json=publication(str(bee["id"])))
    assert fetched(twin, str(bee["id"]))["prompt_name"] == str(bee["id"])


@pytest.mark.parametrize(
    "body", [b"", b"null", b"{}", b'{"api_key": "other", "unknown": 1, "version": null, "label": ""}']
)
def test_a_get_needs_no_body(untouched: httpx.Client, body: bytes) -> None:
    answer = untouched.post(f"/prompt-templates/{GREETING}", content=body)
    assert (answer.status_code, answer.json()["version"]) == (200, 1)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("nope", 404),
        ("12345", 404),
        ("", 404),
        (f"{GREETING}?version=7", 404),
        (f"{GREETING}?label=nope", 404),
        (f"{GREETING}?version=0", 422),
        (f"{GREETING}?version=one", 422),
        (f"{GREETING}?version=1&label=x", 400),
        (f"{GREETING}?resolve_snippets=perhaps", 422),
        ("broken", 422),
        ("foreign", 422),
        ("%2e%2e%2f%2e%2e%2f.promptstore", 404),
    ],
)
def test_what_cannot_be_read_is_told(untouched: httpx.Client, path: str, status: int) -> None:
    answer = untouched.get(f"/prompt-templates/{path}")
    assert answer.status_code == status
    assert "success" in answer.json() or "detail" in answer.json()


def test_one_broken_prompt_hides_no_other(untouched: httpx.Client) -> None:
    assert "mustache" in untouched.get("/prompt-templates/foreign").json()["message"]
    assert untouched.get("/prompt-templates").json()["total"] == 2


def test_the_label_wins_over_the_version(twin: httpx.Client) -> None:
    twin.post("/rest/prompt-templates", json={**publication(GREETING), "release_labels": ["prod"]})
    assert fetched(twin, GREETING, version=1, label="prod")["version"] == 2
    assert fetched(twin, GREETING, version=1)["version"] == 1
    assert twin.post(f"/prompt-templates/{GREETING}", json={"label": "x"}).status_code == 404


# Rendering


def test_variables_are_filled_in_by_each_messages_format(untouched: httpx.Client) -> None:
    found = fetched(untouched, "bee", input_variables={"how": "loud"})
    assert texts(found["prompt_template"])[0] == "Buzz loud"
    assert found["llm_kwargs"]["messages"][0] == {"role": "user", "content": "Buzz loud"}
    assert (found["llm_kwargs"]["model"], found["llm_kwargs"]["temperature"]) == ("gpt-4o", 0)
    assert found["warning"] is None


def test_without_variables_the_template_stays_and_the_call_has_them_empty(untouched: httpx.Client) -> None:
    found = fetched(untouched, "bee")
    assert texts(found["prompt_template"])[0] == "Buzz {how}"
    assert found["llm_kwargs"]["messages"][0]["content"] == "Buzz "
    skipped = fetched(untouched, "bee", skip_input_variable_rendering=True, input_variables={"how": "x"})
    assert texts(skipped["prompt_template"])[0] == "Buzz {how}"
    assert skipped["llm_kwargs"]["messages"][0]["content"] == "Buzz {how}"


def test_missing_variables_are_empty_and_told(untouched: httpx.Client) -> None:
    found = fetched(untouched, "bee", input_variables={"other": 1})
    assert texts(found["prompt_template"])[0] == "Buzz "
    assert found["warning"] == "Some input variables are missing: (`how`)"


def test_the_model_can_be_another_for_one_call(untouched: httpx.Client) -> None:
    found = fetched(untouched, "bee", provider="anthropic", model="claude", model_parameter_overrides={"max_tokens": 9})
    assert (found["llm_kwargs"]["model"], found["llm_kwargs"]["max_tokens"]) == ("claude", 9)
    assert found["metadata"]["model"]["name"] == "gpt-4o"
    assert fetched(untouched, "bee", provider="mistral", model="m")["llm_kwargs"] is None
    assert fetched(untouched, GREETING)["llm_kwargs"] is None


@pytest.mark.parametrize(
    ("fmt", "text", "expected"),
    [
        ("f-string", "{a} {{b}}", "1 {b}"),
        ("f-string", "{a.b}", "{a.b}"),
        ("f-string", '{"json": 1}', '{"json": 1}'),
        ("f-string", "{none}", ""),
        ("jinja2", "{{ a }}{{ gone.deep }}", "1"),
        ("jinja2", "{% if %}", "{% if %}"),
        ("jinja2", "x\n", "x"),
    ],
)
def test_rendering_never_fails(fmt: str, text: str, expected: str) -> None:
    block = {**message(text), "template_format": fmt}
    assert texts(rendered({"type": "chat", "messages": [block]}, {"a": 1, "none": None})) == [expected]


# Snippets


def snippet(name: str, text: str) -> dict[str, Any]:
    template = {"type": "completion", "content": [{"type": "text", "text": text}], "template_format": "f-string"}
    return {"prompt_template": {"prompt_name": name}, "prompt_version": {"prompt_template": template}}


def test_snippets_are_filled_in_when_read(twin: httpx.Client) -> None:
    for body in (snippet("tone", "kind"), snippet("tone", "rude"), snippet("manner", "be @@@tone@@@")):
        assert twin.post("/rest/prompt-templates", json=body).status_code == 201
    text = "@@@manner@@@, not @@@tone@version_number:1@@@"
    assert twin.post("/rest/prompt-templates", json=publication("all", text)).status_code == 201
    kept = twin.get("/prompt-templates/all?resolve_snippets=false").json()
    assert (texts(kept["prompt_template"]), kept["snippets"]) == ([text], [])
    read = twin.get("/prompt-templates/all").json()
    assert texts(read["prompt_template"]) == ["be rude, not kind"]
    assert {"prompt_name": "tone", "version": 1, "label": None} in read["snippets"]
    assert texts(fetched(twin, "all")["prompt_template"]) == ["be rude, not kind"]


def test_a_missing_snippet_is_refused_on_publish(twin: httpx.Client) -> None:
    answer = twin.post("/rest/prompt-templates", json=publication("x", "@@@gone@@@"))
    assert answer.status_code == 422
    assert "gone" in answer.json()["message"]


def test_a_snippet_that_holds_itself_ends(twin: httpx.Client) -> None:
    twin.post("/rest/prompt-templates", json=snippet("loop", "x"))
    twin.post("/rest/prompt-templates", json=snippet("loop", "@@@loop@@@@@@loop@@@"))
    assert twin.post("/prompt-templates/loop").json()["warning"].startswith("Some snippets are missing")
