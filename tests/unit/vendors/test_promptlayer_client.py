"""The PromptLayer client against PromptLayer in memory."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from promptlayer_server import KEY, FakePromptLayer, refusal

from promptstore.errors import (
    AuthError,
    BadResponse,
    RemoteMissing,
    RemoteRejected,
    RemoteUnreachable,
    WriteInDoubt,
)
from promptstore.vendors.base import Connection, Publication, Workspace
from promptstore.vendors.http import Timing
from promptstore.vendors.promptlayer import VENDOR
from promptstore.vendors.promptlayer.publishing import commit_message
from promptstore.vendors.promptlayer.wire import folder_path


@pytest.fixture
def server() -> FakePromptLayer:
    return FakePromptLayer()


@pytest.fixture
def workspace(server: FakePromptLayer) -> Workspace:
    return opened(server)


def opened(server: FakePromptLayer, key: str | None = KEY) -> Workspace:
    timing = Timing(sleep=lambda _: None, random=lambda: 0.5, monotonic=lambda: 0.0, now=lambda: 0.0)
    return VENDOR.connect(Connection("https://api.promptlayer.com", key, transport=server.transport, timing=timing))


def document(name: str = "support/greeting", text: str = "Hi {name}") -> dict[str, Any]:
    message = {"role": "user", "template_format": "f-string", "content": [{"type": "text", "text": text}]}
    return {"prompt_name": name, "prompt_template": {"type": "chat", "messages": [message]}}


def publication(prompt_id: str | None = None, **changes: Any) -> Publication:
    known = {"slug": "support/greeting", "document": document(), "message": "Say hi", "intent": "i-1"}
    return Publication(id=prompt_id, **{**known, **changes})


# Reading


def test_a_listing_has_every_page(server: FakePromptLayer, workspace: Workspace) -> None:
    top = server._make_folder({"name": "support", "parent_id": None}).json()["folder"]["id"]
    inner = server._make_folder({"name": "v1.2", "parent_id": top}).json()["folder"]["id"]
    server.separator = "."
    for name in "abcde":
        server.add(name, "one", "two", folder=inner)
    heads = workspace.list()
    assert [head.name for head in heads] == list("abcde")
    assert {(head.folder, head.version) for head in heads} == {("support/v1.2", "2")}
    asked = [request.url.params for request in server.requests]
    assert [(one["page"], one["sort_by"], one["sort_order"]) for one in asked] == [(n, "id", "asc") for n in "123"]


def test_the_stamp_changes_with_a_version_a_name_or_the_keyword_tags(
    server: FakePromptLayer, workspace: Workspace
) -> None:
    number = server.add("a")
    stamps = [workspace.list()[0].stamp, workspace.list()[0].stamp]
    for change in ({"name": "b"}, {"tags": ["x"]}, {"versions": server.prompts[number]["versions"] * 2}):
        server.prompts[number].update(change)
        stamps.append(workspace.list()[0].stamp)
        assert workspace.read(str(number)).stamp == stamps[-1]
    assert stamps[0] == stamps[1]
    assert len(set(stamps)) == 4


@pytest.mark.parametrize(
    ("item", "path"),
    [
        ({}, ""),
        ({"full_folder_path": None, "parent_folder_name": None}, ""),
        ({"full_folder_path": "A", "parent_folder_name": "A"}, "A"),
        ({"full_folder_path": "v1.2", "parent_folder_name": "v1.2"}, "v1.2"),
        ({"full_folder_path": "A.B", "parent_folder_name": "B"}, "A/B"),
        ({"full_folder_path": "/A/B", "parent_folder_name": "B"}, "A/B"),
        ({"full_folder_path": "A > B > C.D", "parent_folder_name": "C.D"}, "A/B/C.D"),
        ({"full_folder_path": "A.B"}, "A/B"),
        ({"full_folder_path": ["A", "B"]}, "A/B"),
        ({"parent_folder_name": "B"}, "B"),
    ],
)
def test_a_folder_path_is_read_by_whatever_separator(item: dict[str, Any], path: str) -> None:
    assert folder_path(item) == path


def item(number: int, version: int = 1) -> dict[str, Any]:
    return {"id": number, "prompt_name": f"p{number}", "version": version}


def page(*items: dict[str, Any], more: bool = False, **extra: Any) -> httpx.Response:
    return httpx.Response(200, json={"items": list(items), "has_next": more, **extra})


def test_an_item_shown_on_two_pages_counts_once_in_its_newest_state(
    server: FakePromptLayer, workspace: Workspace
) -> None:
    server.fail(page(item(1), item(2), more=True, total=3), page(item(2, 5), item(3), total=4))
    assert [(head.id, head.version) for head in workspace.list()] == [("1", "1"), ("2", "5"), ("3", "1")]


@pytest.mark.parametrize(
    "pages",
    [
        [page(item(1), more=True)] * 2,
        [page(more=True)],
        [page(item(1), total=7)],
        [httpx.Response(200, json=[item(1)])],
        [httpx.Response(200, json={"items": [item(1)]})],
        [page({"id": "1", "prompt_name": "a", "version": 1})],
        [page({"id": 1, "prompt_name": "", "version": 1})],
        [page({"id": True, "prompt_name": "a", "version": 1})],
        [page({"id": 1, "prompt_name": "a"})],
        [httpx.Response(200, text="<html><h1>Sign in</h1></html>", headers={"content-type": "text/html"})],
        [httpx.Response(200, content=b'{"items": [{"id": 1, "prompt_na')],
        [httpx.Response(302, headers={"location": "https://elsewhere"})],
    ],
)
def test_a_listing_is_whole_or_an_error(
    server: FakePromptLayer, workspace: Workspace, pages: list[httpx.Response]
) -> None:
    server.fail(*pages)
    with pytest.raises(BadResponse):
        workspace.list()


def test_a_listing_that_never_ends_is_an_error(server: FakePromptLayer, workspace: Workspace) -> None:
    server.fail(*(page(item(number), more=True) for number in range(1, 1002)))
    with pytest.raises(BadResponse, match="more than 1000 pages"):
        workspace.list()


def test_a_read_is_fresh_and_leaves_snippets_alone(server: FakePromptLayer, workspace: Workspace) -> None:
    number = server.add("support/greeting", "old", "Hi {name}")
    server.prompts[number]["versions"][1].update(
        metadata={"promptstore": {"intent": "i-1"}}, commit_message="Say hi", llm_kwargs={"x": 1}
    )
    found = workspace.read(str(number))
    assert found.document == document()
    assert (found.version, found.message, found.intent) == ("2", "Say hi", "i-1")
    assert found.created is not None
    assert found.created.isoformat() == "2026-01-02T03:04:05+00:00"
    request = server.requests[-1]
    assert request.headers["Cache-Control"] == "no-cache"
    assert dict(request.url.params) == {"resolve_snippets": "false"}
    assert workspace.read(str(number), "1").version == "1"


def test_a_version_that_is_not_there_is_missing(server: FakePromptLayer, workspace: Workspace) -> None:
    number = server.add("a")
    with pytest.raises(RemoteMissing):
        workspace.read(str(number), "9")


@pytest.mark.parametrize("odd", [{"version": 3}, {"id": 99}, {"prompt_template": {"type": "chat", "messages": 1}}])
def test_an_answer_to_another_question_is_refused(server: FakePromptLayer, workspace: Workspace, odd: Any) -> None:
    number = server.add("a", "one", "two")
    good = server._raw(number, httpx.QueryParams({"version": "1"})).json()
    server.fail(httpx.Response(200, json={**good, **odd}))
    with pytest.raises(BadResponse):
        workspace.read(str(number), "1")


def test_a_name_never_comes_into_a_path(workspace: Workspace) -> None:
    with pytest.raises(BadResponse):
        workspace.read("../labels")


def test_versions_are_counted(workspace: Workspace) -> None:
    assert list(workspace.versions("1", "4", "2")) == ["3", "4"]
    assert list(workspace.versions("1", "2")) == ["1", "2"]


def test_the_workspace_is_known_by_its_id(server: FakePromptLayer, workspace: Workspace) -> None:
    number = server.add("a")
    assert workspace.identity() == ""
    asked = len(server.requests)
    workspace.read(str(number))
    assert workspace.identity() == "12"
    assert len(server.requests) == asked + 1


def test_a_wrong_key_is_told_without_the_key(server: FakePromptLayer) -> None:
    server.fail(refusal(401, "Invalid key pl_wrong_key_999 of jo@example.com"))
    with pytest.raises(AuthError) as caught:
        opened(server, " pl_wrong_key_999\n").list()
    assert "pl_wrong" not in str(caught.value)
    assert "jo@" not in str(caught.value)


@pytest.mark.parametrize("key", [None, " ", "a\nb", "ключ"])
def test_a_key_that_cannot_be_one_is_not_sent(server: FakePromptLayer, key: str | None) -> None:
    with pytest.raises(AuthError):
        opened(server, key)
    assert not server.requests


# Finding the name


def test_a_name_is_found_in_every_state_and_exactly(server: FakePromptLayer, workspace: Workspace) -> None:
    server.add("support/greeting-2")
    server.add("Support/Greeting")
    number = server.add("support/greeting", deleted=True)
    found = workspace.find("support/greeting", document())
    assert found is not None
    assert found.id == str(number)
    assert workspace.find("x", document("greeting")) is None


def test_a_name_that_might_be_a_pattern_is_looked_for_unfiltered(server: FakePromptLayer, workspace: Workspace) -> None:
    server.add("odd\\name%")
    assert workspace.find("x", document("odd\\name%")) is not None
    assert "name" not in server.requests[-1].url.params


# Publishing


def test_a_new_prompt_goes_into_its_folder(server: FakePromptLayer, workspace: Workspace) -> None:
    receipt = workspace.publish(publication(slug="support/mail/greeting"))
    assert receipt.version == "1"
    assert list(server.folders.values()) == [("support", None), ("mail", next(iter(server.folders)))]
    sent = server.body()
    assert sent["prompt_template"] == {"prompt_name": "support/greeting", "tags": [], "folder_id": max(server.folders)}
    assert sent["prompt_version"]["metadata"] == {"promptstore": {"intent": "i-1"}}
    assert sent["prompt_version"]["commit_message"] == "Say hi"
    template = sent["prompt_version"]["prompt_template"]
    assert template["input_variables"] == template["messages"][0]["input_variables"] == ["name"]
    assert workspace.read(receipt.id).document == document()
    assert workspace.read(receipt.id).intent == "i-1"


def test_a_folder_is_used_in_the_spelling_it_has(server: FakePromptLayer, workspace: Workspace) -> None:
    server._make_folder({"name": "Support", "parent_id": None})
    workspace.publish(publication())
    assert len(server.folders) == 1


@pytest.mark.parametrize("answer", [refusal(400, "exists"), httpx.ReadTimeout(""), httpx.Response(502, text="oops")])
def test_a_folder_that_somebody_made_first_is_used(server: FakePromptLayer, workspace: Workspace, answer: Any) -> None:
    def somebody(request: httpx.Request) -> Any:
        if request.method != "POST" or not request.url.path.endswith("/folders"):
            return None
        server._make_folder({"name": "support", "parent_id": None})
        return answer

    server.faults.append(somebody)
    workspace.publish(publication())
    assert server.body()["prompt_template"]["folder_id"] == next(iter(server.folders))


def test_a_folder_in_doubt_leaves_no_prompt_in_doubt(server: FakePromptLayer, workspace: Workspace) -> None:
    server.faults.append(lambda request: httpx.ReadTimeout("") if request.method == "POST" else None)
    with pytest.raises(RemoteUnreachable):
        workspace.publish(publication())
    assert server.writes() == ["POST /api/public/v2/folders"]


def test_a_folder_of_that_name_elsewhere_is_another(server: FakePromptLayer, workspace: Workspace) -> None:
    top = server._make_folder({"name": "other", "parent_id": None}).json()["folder"]["id"]
    inner = server._make_folder({"name": "support", "parent_id": top}).json()["folder"]["id"]
    listing = [{"id": inner, "name": "support", "type": "FOLDER", "folder_id": top}]
    server.fail(httpx.Response(200, json={"entities": listing}), when="/entities")
    workspace.publish(publication())
    assert server.body()["prompt_template"]["folder_id"] not in {top, inner}


def test_without_folders_everything_is_at_the_root(server: FakePromptLayer, workspace: Workspace) -> None:
    server.fail(refusal(404, "Not found"), when="/folders/")
    workspace.publish(publication())
    assert "folder_id" not in server.body()["prompt_template"]


def test_a_new_version_leaves_the_prompt_where_it_is(server: FakePromptLayer, workspace: Workspace) -> None:
    number = server.add("support/greeting")
    receipt = workspace.publish(publication(str(number)))
    assert (receipt.id, receipt.version) == (str(number), "2")
    assert "folder_id" not in server.body()["prompt_template"]


def test_another_name_never_makes_a_second_prompt(server: FakePromptLayer, workspace: Workspace) -> None:
    number = server.add("renamed there")
    with pytest.raises(RemoteRejected, match="renamed there"):
        workspace.publish(publication(str(number)))
    assert not server.writes()


def test_an_old_server_does_not_tell_the_version(server: FakePromptLayer, workspace: Workspace) -> None:
    server.fail(httpx.Response(200, json={"id": 5}), when="/rest/")
    assert workspace.publish(publication(slug="a")) == type(workspace.publish(publication(slug="a")))("5", None)


@pytest.mark.parametrize(
    "answer",
    [
        httpx.ReadTimeout("slow"),
        httpx.ReadError("reset"),
        httpx.RemoteProtocolError("disconnected"),
        httpx.WriteError("broken pipe"),
        refusal(500, "oops"),
        httpx.Response(502, text="<html>bad gateway"),
        httpx.Response(303, headers={"location": "/done"}),
        httpx.Response(201, content=b'{"id": 1, "pro'),
        httpx.Response(201, text="<html>"),
        httpx.Response(201),
        httpx.Response(200, json={"success": False, "message": "no"}),
        httpx.Response(201, json={"id": 99, "version_number": 1}),
    ],
)
def test_a_publish_without_a_whole_answer_is_in_doubt_and_never_repeated(
    server: FakePromptLayer, workspace: Workspace, answer: Any
) -> None:
    number = server.add("support/greeting")
    server.after_write = answer
    with pytest.raises(WriteInDoubt):
        workspace.publish(publication(str(number)))
    assert server.writes() == ["POST /rest/prompt-templates"]
    assert len(server.prompts[number]["versions"]) == 2


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.ConnectError("refused"), RemoteUnreachable),
        (httpx.ConnectTimeout(""), RemoteUnreachable),
        (httpx.ProxyError("407"), RemoteUnreachable),
        (refusal(429, "slow down", **{"retry-after": "7"}), RemoteUnreachable),
        (refusal(401, "no"), AuthError),
        (refusal(403, "no"), AuthError),
        (refusal(404, "no"), RemoteMissing),
        (refusal(422, [{"loc": ["prompt_version", "metadata"], "msg": "bad", "type": "x"}]), RemoteRejected),
        (httpx.Response(422, json={"detail": [{"loc": ["body"], "msg": "bad"}]}), RemoteRejected),
        (httpx.Response(308, headers={"location": "https://x"}), BadResponse),
    ],
)
def test_a_publish_that_was_refused_was_not_done(
    server: FakePromptLayer, workspace: Workspace, answer: Any, error: type[Exception]
) -> None:
    server.fail(answer, when="/rest/")
    with pytest.raises(error):
        workspace.publish(publication(slug="a"))
    assert not server.prompts


@pytest.mark.parametrize(
    ("message", "sent"),
    [
        ("", ""),
        ("Short\n\nand a body", "Short"),
        ("word " * 20, "word " * 13 + "word…"),
        ("x" * 80, "x" * 71 + "…"),
        ("y" * 72, "y" * 72),
    ],
)
def test_a_commit_message_is_cut_at_a_word(message: str, sent: str) -> None:
    assert commit_message(message) == sent
    assert len(sent) <= 72


# Labels


def test_labels_are_asked_by_name_and_swept_by_prompt(server: FakePromptLayer, workspace: Workspace) -> None:
    one, two = (server.add(name, "1", "2", "3") for name in "ab")
    server.labels = {51: (one, "production", 2), 52: (two, "production", 3), 53: (two, "beta", 1)}
    listing = workspace.tags(["production", "staging"], [str(two), "99"])
    assert listing.tags == {str(one): {"production": "2"}, str(two): {"production": "3", "beta": "1"}}
    assert listing.names == {"production", "staging"}
    assert listing.swept == {str(two)}
    assert not listing.knows("99", "beta")


def test_a_label_that_the_server_does_not_know_stays_unknown(server: FakePromptLayer, workspace: Workspace) -> None:
    server.fail(refusal(404, "no such label"))
    assert workspace.tags(["odd"], []).names == frozenset()


def test_a_label_is_made_moved_left_alone_and_taken_away(server: FakePromptLayer, workspace: Workspace) -> None:
    number = server.add("a", "1", "2")
    for version in ("1", "2", "2"):
        workspace.set_tag(str(number), "production", version)
    assert list(server.labels.values()) == [(number, "production", 2)]
    assert [write.split("/")[0] for write in server.writes()] == ["POST ", "PATCH "]
    workspace.delete_tag(str(number), "production")
    workspace.delete_tag(str(number), "production")
    assert not server.labels
    assert len(server.writes()) == 3


def test_a_protected_label_is_a_clear_refusal(server: FakePromptLayer, workspace: Workspace) -> None:
    number = server.add("a", "1", "2")
    server.labels = {51: (number, "production", 1)}
    server.protected = {"production", "other"}
    for call in (
        lambda: workspace.set_tag(str(number), "production", "2"),
        lambda: workspace.set_tag(str(number), "other", "2"),
        lambda: workspace.delete_tag(str(number), "production"),
    ):
        with pytest.raises(RemoteRejected, match="protected"):
            call()


# Archiving


@pytest.mark.parametrize(("snippet", "kind"), [(False, "PROMPT"), (True, "SNIPPET")])
def test_a_prompt_is_archived(server: FakePromptLayer, workspace: Workspace, snippet: bool, kind: str) -> None:
    number = server.add("a", snippet=snippet)
    workspace.delete(str(number))
    assert server.body()["entities"] == [{"id": number, "type": kind}]
    assert not workspace.list()


def test_what_is_archived_already_is_left_alone(server: FakePromptLayer, workspace: Workspace) -> None:
    number = server.add("a", deleted=True)
    workspace.delete(str(number))
    assert not server.writes()


def test_a_deletion_that_does_not_take_is_told(server: FakePromptLayer, workspace: Workspace) -> None:
    number = server.add("a")
    server.fail(httpx.Response(200, json={"moved_count": 0}), when="/entities")
    with pytest.raises(RemoteRejected):
        workspace.delete(str(number))
