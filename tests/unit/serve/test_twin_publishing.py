"""Publishing through the twin: each publish is a version, and a commit that a person would be glad to read."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest
from repos import chat, commit, git
from twins import GREETING, client, message, names, publication

from promptstore.errors import RefMoved, StoreBusy
from promptstore.serve import twin as twin_module
from promptstore.store.store import Store

PATH = "/rest/prompt-templates"


def published(twin: httpx.Client, body: dict[str, Any]) -> dict[str, Any]:
    answer = twin.post(PATH, json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def raw(twin: httpx.Client, key: int | str, **query: Any) -> dict[str, Any]:
    answer = twin.get(f"/prompt-templates/{key}", params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def file_of(store: Store, slug: str) -> str:
    return git(Path(store.root), "show", f"main:prompts/{slug}.yaml")


def test_a_publish_appends_a_version_and_gives_it_back(twin: httpx.Client, store: Store) -> None:
    metadata = {"model": {"provider": "openai", "name": "gpt-4o", "parameters": {"n": 1.0}}, "team": "cx"}
    made = published(twin, publication("support/new", "Hi {a}", commit_message="Say hi", metadata=metadata))
    assert (made["version_number"], made["commit_message"], made["metadata"]) == (1, "Say hi", metadata)
    assert (made["release_labels"], made["external_ids"]) == (None, [])
    read = raw(twin, made["id"])
    for key in ("prompt_name", "prompt_template", "metadata", "commit_message", "tags"):
        assert read[key] == made[key]
    assert "name:" not in file_of(store, "support/new").split("model:")[0]
    assert git(Path(store.root), "log", "-1", "--format=%an %s", "main") == "Ann Say hi"


def test_a_publish_touches_only_what_it_changes(twin: httpx.Client, store: Store) -> None:
    body = raw(twin, GREETING)
    body["prompt_template"]["messages"][0]["content"][0]["text"] = "Good day {{ name }}"
    sent = {
        "prompt_template": {"prompt_name": GREETING, "tags": body["tags"]},
        "prompt_version": {"prompt_template": body["prompt_template"]},
    }
    before = file_of(store, GREETING)
    assert published(twin, sent)["version_number"] == 2
    assert file_of(store, GREETING) == before.replace("Hello", "Good day")


def test_the_same_again_is_one_more_version(twin: httpx.Client, store: Store) -> None:
    first = published(twin, publication("x"))
    ids = [first["prompt_version_id"]]
    for number in (2, 3, 4):
        again = published(twin, publication("x"))
        assert again["version_number"] == number
        assert {**again, "version_number": 1, "prompt_version_id": ids[0]} == first
        ids.append(again["prompt_version_id"])
    assert len(set(ids)) == 4
    digests = {store.get("x", version=number).digest for number in (1, 2, 3, 4)}
    assert len(digests) == 1


def test_the_mark_of_a_repeat_never_changes_a_text() -> None:
    for text in (b"content: a\n", b"\xef\xbb\xbfcontent: a\r\n", b"content: |+\n  a\n\n", b""):
        marked = twin_module._marked(text)
        assert marked != text
        assert twin_module._MARK.sub(rb"\1", marked) == text


def test_the_publishers_mark_comes_back_and_never_stands_in_the_file(twin: httpx.Client, store: Store) -> None:
    marks = [{"promptstore": {"intent": f"i-{number}"}, "k": "v"} for number in (1, 2)]
    for metadata in marks:
        assert published(twin, publication("x", metadata=metadata))["metadata"] == metadata
    assert [raw(twin, "x", version=number)["metadata"] for number in (1, 2)] == marks
    assert "intent" not in file_of(store, "x")


@pytest.mark.parametrize("said", [None, "plain", "  spaced  ", "two\nlines", "é" * 72, "Published-Through-Twin: {}"])
def test_a_commit_message_comes_back_as_it_was(twin: httpx.Client, said: str | None) -> None:
    published(twin, publication("x", commit_message=said))
    assert raw(twin, "x")["commit_message"] == said


def test_new_names_become_slugs(twin: httpx.Client, store: Store) -> None:
    folder = twin.post("/api/public/v2/folders", json={"name": "Deep Down"}).json()["folder"]["id"]
    for name, folder_id in [
        ("Tell me: more!", None),
        ("tell me more", None),
        ("../../etc/passwd", None),
        ("Inner", folder),
    ]:
        body = publication(name)
        body["prompt_template"]["folder_id"] = folder_id
        assert published(twin, body)["prompt_name"] == name
        assert raw(twin, name.replace("/", "%2F"))["prompt_name"] == name
    made = set(store.prompts_at(store.tip)) - {GREETING, "bee", "broken", "foreign"}
    assert made == {"tell-me-more", "tell-me-more-2", "etc/passwd", "deep-down/inner"}


def test_names_differ_by_case(twin: httpx.Client) -> None:
    assert published(twin, publication("Mix"))["id"] != published(twin, publication("mix"))["id"]
    assert published(twin, publication("Mix"))["version_number"] == 2


def test_keywords_are_replaced_where_they_are_sent(twin: httpx.Client) -> None:
    assert published(twin, publication(GREETING))["tags"] == ["cx", "short"]
    body = publication(GREETING)
    body["prompt_template"]["tags"] = ["new"]
    assert published(twin, body)["tags"] == ["new"]


def test_release_labels_move_to_the_new_version(twin: httpx.Client, store: Store) -> None:
    for _ in range(2):
        made = published(twin, {**publication("x"), "release_labels": ["prod", "a/b ü"]})
    assert made["release_labels"] == ["prod", "a/b ü"]
    assert store.tags("x") == {"prod": 2, "a/b ü": 2}


def test_both_sdk_habits_are_understood(twin: httpx.Client) -> None:
    """The SDKs put every field into both objects."""
    flat = {
        "prompt_name": "x",
        "tags": ["t"],
        "prompt_template": {"type": "completion", "content": [{"type": "text", "text": "{a}"}]},
        "commit_message": "m",
    }
    made = published(twin, {"prompt_template": flat, "prompt_version": flat, "release_labels": None})
    assert made["prompt_template"]["template_format"] == "f-string"
    assert made["prompt_template"]["input_variables"] == ["a"]


def test_a_template_without_a_type_is_told_as_recorded(twin: httpx.Client) -> None:
    body = publication("x")
    del body["prompt_version"]["prompt_template"]["type"]
    answer = twin.post(PATH, json=body)
    assert answer.status_code == 400
    assert answer.json() == {
        "message": [
            {
                "loc": ["prompt_version", "prompt_template"],
                "msg": "Unable to extract tag using discriminator 'type'",
                "type": "union_tag_not_found",
            }
        ],
        "success": False,
    }


def chat_of(*messages: Any) -> dict[str, Any]:
    return {"prompt_template": {"type": "chat", "messages": list(messages)}}


@pytest.mark.parametrize(
    ("entry", "version", "status"),
    [
        ({}, {}, 422),
        ({"prompt_name": ""}, {}, 422),
        ({"prompt_name": 7}, {}, 422),
        ({"prompt_name": "n" * 513}, {}, 422),
        ({"prompt_name": ".."}, {}, 422),
        ({"prompt_name": "x", "tags": "t"}, {}, 422),
        ({"prompt_name": "x", "folder_id": 99}, {}, 404),
        ({"prompt_name": "x"}, {"commit_message": "m" * 73}, 422),
        ({"prompt_name": "x"}, {"commit_message": 1}, 422),
        ({"prompt_name": "x"}, {"metadata": []}, 422),
        ({"prompt_name": "x"}, {"prompt_template": None}, 422),
        ({"prompt_name": "x"}, {"prompt_template": {"type": "poem"}}, 400),
        ({"prompt_name": "x"}, {"prompt_template": {"type": "chat"}}, 400),
        ({"prompt_name": "x"}, {"prompt_template": {"type": "completion"}}, 400),
        ({"prompt_name": "x"}, chat_of(message("x", "wizard")), 400),
        ({"prompt_name": "x"}, chat_of({"role": "user", "content": [{"type": "text"}]}), 400),
        ({"prompt_name": "x"}, chat_of({**message("x"), "template_format": "mustache"}), 400),
        ({"prompt_name": "x"}, chat_of("hello"), 400),
        ({"prompt_name": "x"}, chat_of(message("half \ud800 of it")), 400),
        ({"prompt_name": "broken"}, {}, 409),
    ],
)
def test_a_bad_publish_changes_nothing(
    untouched: httpx.Client, entry: dict[str, Any], version: dict[str, Any], status: int
) -> None:
    body = {"prompt_template": entry, "prompt_version": {**publication("x")["prompt_version"], **version}}
    answer = untouched.post(PATH, content=json.dumps(body))
    assert answer.status_code == status, answer.text
    told = answer.json()
    assert told.get("detail") or told["success"] is False
    assert untouched.get("/prompt-templates").json()["total"] == 2


def test_the_length_of_a_message_is_told_as_a_failed_validation(untouched: httpx.Client) -> None:
    answer = untouched.post(PATH, json=publication("x", commit_message="m" * 73))
    assert answer.json()["detail"][0]["loc"] == ["body", "prompt_version", "commit_message"]


# With people and other programs in the same repository


def test_the_checked_out_file_follows(twin: httpx.Client, store: Store) -> None:
    git(Path(store.root), "checkout", "-q", "main")
    published(twin, publication(GREETING, "Followed"))
    assert "Followed" in (Path(store.root) / "prompts" / f"{GREETING}.yaml").read_text()
    assert git(Path(store.root), "status", "--porcelain") == ""


def test_uncommitted_edits_are_not_published_over(twin: httpx.Client, store: Store) -> None:
    git(Path(store.root), "checkout", "-q", "main")
    file = Path(store.root) / "prompts" / f"{GREETING}.yaml"
    file.write_text(chat("half done"))
    answer = twin.post(PATH, json=publication(GREETING))
    assert (answer.status_code, answer.json()["success"]) == (409, False)
    assert store.root not in answer.text
    assert "half done" in file.read_text()
    assert published(twin, publication("other"))["version_number"] == 1


def test_a_commit_by_hand_is_a_version_at_once(twin: httpx.Client, store: Store) -> None:
    git(Path(store.root), "checkout", "-q", "main")
    commit(Path(store.root), {GREETING: chat("By hand")}, "Say it by hand\n\nAt length.")
    found = raw(twin, GREETING)
    assert (found["version"], found["commit_message"]) == (2, "Say it by hand")


def test_a_lost_race_for_the_branch_is_run_again(
    twin: httpx.Client, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = iter([True, True, False])
    real = twin_module.commit_texts

    def racing(*arguments: Any) -> Any:
        if next(lost):
            raise RefMoved("main was moved")
        return real(*arguments)

    monkeypatch.setattr(twin_module, "commit_texts", racing)
    assert published(twin, publication("x"))["version_number"] == 1


def test_a_busy_repository_asks_to_come_again(
    twin: httpx.Client, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: Any) -> Any:
        raise StoreBusy("a rebase is in progress in /home/ann")

    monkeypatch.setattr(twin_module, "commit_texts", busy)
    answer = twin.post(PATH, json=publication("x"))
    assert answer.status_code == 503
    assert "/home/ann" not in answer.text


def test_publishes_at_the_same_time_all_count(store: Store) -> None:
    twins = [client(store) for _ in range(2)]
    answers: list[int] = []

    def work(twin: httpx.Client, name: str) -> None:
        answers.extend(published(twin, publication(name, name))["version_number"] for _ in range(3))

    threads = [threading.Thread(target=work, args=(twins[0], name)) for name in ("x", "x", "y")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [1, 1, 2, 2, 3, 3, 4, 5, 6]


# Patches


def patched(twin: httpx.Client, **body: Any) -> dict[str, Any]:
    answer = twin.patch(f"{PATH}/bee", json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_patch_changes_only_what_it_says(twin: httpx.Client) -> None:
    before = raw(twin, "bee")
    made = patched(
        twin,
        messages={"0": message("Hum {how}")},
        model_parameters={"n": 2},
        commit_message="c",
        release_labels=["prod"],
    )
    assert (made["version_number"], made["commit_message"], made["release_labels"]) == (2, "c", ["prod"])
    assert made["metadata"]["model"]["parameters"] == {"temperature": 0, "n": 2}
    assert made["prompt_template"]["messages"][0]["content"][0]["text"] == "Hum {how}"
    assert made["prompt_template"]["messages"][1] == before["prompt_template"]["messages"][1]


def test_a_patch_can_start_from_an_older_version(twin: httpx.Client) -> None:
    patched(twin, messages=[message("gone")])
    made = patched(twin, version=1, response_format={"type": "json_object"}, tool_choice="auto")
    assert len(made["prompt_template"]["messages"]) == 2
    assert made["metadata"]["model"]["parameters"]["response_format"] == {"type": "json_object"}
    assert made["prompt_template"]["tool_choice"] == "auto"
    assert "response_format" not in patched(twin, response_format=None)["metadata"]["model"]["parameters"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"version": 1, "label": "x"}, 400),
        ({"messages": {"7": message("x")}}, 400),
        ({"content": []}, 400),
        ({"response_format": "json_object", "model_parameters": {"response_format": "text"}}, 400),
        ({"messages": 3}, 422),
        ({"version": 9}, 404),
        ({"label": "gone"}, 404),
    ],
)
def test_a_patch_that_makes_no_sense_is_refused(untouched: httpx.Client, body: dict[str, Any], status: int) -> None:
    answer = untouched.patch(f"{PATH}/bee", json=body)
    assert answer.status_code == status, answer.text


# Deletion


def entities(*numbers: int, **more: Any) -> dict[str, Any]:
    return {"entities": [{"id": number, "type": "PROMPT"} for number in numbers], **more}


FOLDER_ENTITIES = "/api/public/v2/folders/entities"


def test_a_deletion_is_soft_and_a_publish_brings_the_prompt_back(twin: httpx.Client, store: Store) -> None:
    first = published(twin, publication("x", "same"))
    assert twin.request("DELETE", FOLDER_ENTITIES, json=entities(first["id"])).json() == {"moved_count": 1}
    assert twin.get("/prompt-templates/x").status_code == 404
    assert twin.get(f"/prompt-templates/{first['id']}").status_code == 404
    assert "x" not in names(twin.get("/prompt-templates").json()["items"])
    gone = twin.get("/prompt-templates", params={"status": "deleted"}).json()["items"]
    assert [(item["id"], item["prompt_name"], item["version"]) for item in gone] == [(first["id"], "x", 1)]
    assert "x" in names(twin.get("/prompt-templates", params={"status": "all"}).json()["items"])
    again = published(twin, publication("x", "same"))
    assert (again["id"], again["version_number"]) == (first["id"], 2)
    assert raw(twin, "x", version=1)["prompt_template"] == raw(twin, "x")["prompt_template"]


def test_what_is_not_there_cannot_be_deleted(untouched: httpx.Client) -> None:
    assert untouched.request("DELETE", FOLDER_ENTITIES, json=entities(7)).status_code == 404
    assert untouched.request("DELETE", FOLDER_ENTITIES, json={}).status_code == 400
