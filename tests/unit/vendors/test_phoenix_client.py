"""The Phoenix client against Phoenix in memory."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from phoenix_server import FakePhoenix, written

from promptstore.errors import (
    AuthError,
    BadResponse,
    PromptStoreError,
    RemoteMissing,
    RemoteRejected,
    RemoteUnreachable,
    WriteInDoubt,
)
from promptstore.vendors.base import Connection, Publication, Workspace
from promptstore.vendors.http import Timing
from promptstore.vendors.phoenix import VENDOR
from promptstore.vendors.phoenix.names import VERSION, gid, number_in, version_order


@pytest.fixture(params=[True, False], ids=["graphql", "rest"])
def server(request: pytest.FixtureRequest) -> FakePhoenix:
    return FakePhoenix(graphql=request.param)


@pytest.fixture
def workspace(server: FakePhoenix) -> Workspace:
    return opened(server)


def opened(server: FakePhoenix, key: str | None = None) -> Workspace:
    timing = Timing(sleep=lambda _: None, random=lambda: 0.5, monotonic=lambda: 0.0, now=lambda: 0.0)
    link = Connection("http://localhost:6006", key, None, transport=server.transport, timing=timing)
    workspace: Workspace = VENDOR.connect(link)
    return workspace


def document(name: str = "greeting", text: str = "Hi {{name}}", **more: Any) -> dict[str, Any]:
    return VENDOR.lens.normalise({"name": name, "version": written(text), **more})


def publication(prompt_id: str | None = None, **changes: Any) -> Publication:
    known = {"slug": "greeting", "document": document(), "message": "Say hi", "intent": "i-1"}
    return Publication(id=prompt_id, **{**known, **changes})


def in_graphql(server: FakePhoenix) -> FakePhoenix:
    if not server.graphql:
        pytest.skip("only GraphQL tells this")
    return server


# Ids


def test_ids_are_those_of_relay_and_ordered_by_their_numbers() -> None:
    assert gid(VERSION, 1) == "UHJvbXB0VmVyc2lvbjox"
    assert [number_in(gid(VERSION, n), VERSION) for n in (1, 10, 999)] == [1, 10, 999]
    assert sorted([gid(VERSION, n) for n in (10, 9, 100)], key=version_order) == [gid(VERSION, n) for n in (9, 10, 100)]
    assert [number_in(text, VERSION) for text in (gid("Prompt", 1), "", "x", "UHJvbXB0", "é")] == [None] * 5


# Reading


def test_a_listing_has_every_page_and_the_path_that_a_name_was_made_of(
    server: FakePhoenix, workspace: Workspace
) -> None:
    for name in ("a", "b", "support--triage", "d", "e"):
        server.add(name, "one", "two")
    heads = {head.name: head for head in workspace.list()}
    assert sorted(heads) == ["a", "b", "d", "e", "support--triage"]
    assert heads["support--triage"].path == "support/triage"
    assert all(head.version == server.versions(name)[-1] for name, head in heads.items())


def test_the_stamp_of_a_listing_is_that_of_a_read(server: FakePhoenix, workspace: Workspace) -> None:
    server.add("a", "one", description="What it is for.", metadata={"n": 1})
    (head,) = workspace.list()
    assert workspace.read("a").stamp == workspace.read("a", head.version).stamp == head.stamp
    server.named("a")["description"] = "Something else."
    assert opened(server).list()[0].stamp != head.stamp


def test_a_read_has_the_text_the_message_and_the_intent(server: FakePhoenix, workspace: Workspace) -> None:
    more = {"description": "Said so", "metadata": {"promptstore": {"intent": "i-7"}, "own": 1}}
    server.add("a", "one", description=" What. ")
    server.named("a")["versions"][0].update(more)
    found = workspace.read("a")
    assert (found.message, found.intent) == ("Said so", "i-7")
    assert found.document["description"] == "What."
    assert found.document["version"]["metadata"] == {"own": 1}


def test_dates_and_authors_come_from_graphql(server: FakePhoenix, workspace: Workspace) -> None:
    in_graphql(server).add("a", "one", "two")
    first, last = (workspace.read("a", version) for version in server.versions("a"))
    assert [read.created and read.created.second for read in (first, last)] == [1, 2]
    assert first.author == "ann@x.org"


def test_a_listing_in_graphql_takes_the_same_few_requests_for_any_number_of_prompts(
    server: FakePhoenix, workspace: Workspace
) -> None:
    for name in "abcdef":
        in_graphql(server).add(name)
    workspace.list()
    workspace.tags(["production"], [])
    assert {request.url.path for request in server.requests} == {"/v1/prompts", "/graphql"}


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, json={"data": None, "errors": [{"message": "Cannot query field 'prompts'"}]}),
        httpx.Response(200, html="<html>"),
        httpx.Response(403, text="no"),
        httpx.Response(200, json={"data": {"prompts": {"edges": [{"node": {"name": "a"}}], "pageInfo": {}}}}),
    ],
)
def test_where_graphql_makes_no_sense_the_documented_way_is_taken(answer: httpx.Response) -> None:
    server = FakePhoenix()
    server.add("a", "one", "two")
    server.fail(answer, when="/graphql")
    (head,) = opened(server).list()
    assert head.version == server.versions("a")[-1]


def test_the_version_of_another_prompt_is_missing(server: FakePhoenix, workspace: Workspace) -> None:
    server.add("a")
    other = server.add("b")[0]
    for version in (other, gid(VERSION, 99), "nonsense", "../latest"):
        with pytest.raises(RemoteMissing):
            workspace.read("a", version)
    with pytest.raises(RemoteMissing):
        workspace.read("nobody")


def test_versions_go_from_after_one_up_to_another(server: FakePhoenix, workspace: Workspace) -> None:
    made = server.add("a", "one", "two", "three", "four", "five")
    assert list(workspace.versions("a", made[-1])) == made
    assert list(workspace.versions("a", made[3], after=made[0])) == made[1:4]


def test_what_a_look_at_the_newest_told_is_only_enough_where_nothing_lies_between(
    server: FakePhoenix, workspace: Workspace
) -> None:
    made = server.add("a", "one", "two", "three")
    workspace.read("a")
    server.requests.clear()
    assert list(workspace.versions("a", made[2], after=made[1])) == [made[2]]
    assert server.requests == []
    workspace.read("a")
    assert list(workspace.versions("a", made[2], after=made[0])) == made[1:]
    workspace.read("a")
    made = server.add("a", "four")
    assert list(workspace.versions("a", made[3], after=made[1])) == made[2:]


def test_a_name_that_could_act_as_a_path_never_gets_into_a_url(server: FakePhoenix, workspace: Workspace) -> None:
    for name in ("../x", "a/b", "A", "", "a?b", "-"):
        with pytest.raises(BadResponse):
            workspace.read(name)
    assert server.requests == []


def test_a_listing_without_an_end_is_an_error(server: FakePhoenix, workspace: Workspace) -> None:
    item = {"id": gid("Prompt", 1), "name": "a", "description": None, "metadata": {}}
    page = {"data": [item], "next_cursor": gid("Prompt", 1)}
    server.fail(*[httpx.Response(200, json=page)] * 3, when="/v1/prompts")
    with pytest.raises(BadResponse, match="no end"):
        workspace.list()


@pytest.mark.parametrize(("key", "sent"), [(None, None), ("", None), (" k-1 ", "Bearer k-1")])
def test_a_key_is_only_sent_where_there_is_one(key: str | None, sent: str | None) -> None:
    server = FakePhoenix()
    opened(server, key).list()
    assert server.requests[0].headers.get("authorization") == sent


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(401, text="Unauthorized"), AuthError),
        (httpx.Response(200, html="<html>a login page</html>"), BadResponse),
        (httpx.Response(200, json={"data": [{"id": "x"}]}), BadResponse),
        (httpx.Response(200, json={"data": 5}), BadResponse),
        (httpx.ConnectError("refused"), RemoteUnreachable),
    ],
)
def test_a_failure_is_never_an_empty_listing(answer: Any, error: type[PromptStoreError]) -> None:
    server = FakePhoenix()
    server.add("a")
    server.fail(*[answer] * 4)
    with pytest.raises(error):
        opened(server).list()


# Writing


def test_a_first_publish_makes_the_prompt_with_all_it_says(server: FakePhoenix, workspace: Workspace) -> None:
    wanted = document(description="What it is for.", metadata={"team": "cx"})
    assert workspace.find("greeting", wanted) is None
    receipt = workspace.publish(publication(document=wanted))
    found = workspace.read(receipt.id, receipt.version)
    assert found.document == wanted
    assert (found.message, found.intent) == ("Say hi", "i-1")
    assert server.writes() == ["POST /v1/prompts"]
    assert server.body()["version"]["template"]["messages"] == [{"role": "user", "content": "Hi {{name}}"}]


def test_a_later_publish_is_a_version_and_says_the_rest_before(server: FakePhoenix, workspace: Workspace) -> None:
    server.add("greeting", description="Old.", metadata={"old": True})
    workspace.list()
    for text in ("one", "two"):
        workspace.publish(publication("greeting", document=document(text=text, description="New.")))
    assert server.writes() == [
        "PATCH /v1/prompts/greeting",
        "POST /v1/prompts/greeting/versions",
        "POST /v1/prompts/greeting/versions",
    ]
    found = opened(server).read("greeting").document
    assert (found["description"], found.get("metadata")) == ("New.", None)
    workspace.publish(publication("greeting", document=document(text="three")))
    assert opened(server).read("greeting").document.get("description") is None


def test_a_description_that_changed_since_the_listing_is_not_overwritten(
    server: FakePhoenix, workspace: Workspace
) -> None:
    server.add("greeting", description="Old.")
    workspace.list()
    server.named("greeting")["description"] = "Theirs."
    with pytest.raises(RemoteRejected, match="meanwhile"):
        workspace.publish(publication("greeting", document=document(description="Ours.")))
    assert server.writes() == []


def test_a_patch_without_an_answer_is_looked_up_and_never_leaves_a_version_in_doubt(
    server: FakePhoenix, workspace: Workspace
) -> None:
    server.add("greeting", "one")
    wanted = document(text="two", description="New.")
    server.after_write = httpx.ReadTimeout("lost")
    workspace.publish(publication("greeting", document=wanted))
    assert len(server.versions("greeting")) == 2
    server.faults.append(lambda request: httpx.ReadTimeout("lost") if request.method == "PATCH" else None)
    with pytest.raises(RemoteUnreachable, match="no version was sent"):
        workspace.publish(publication("greeting", document=document(text="three", description="Newer.")))
    assert len(server.versions("greeting")) == 2


def test_a_version_without_an_answer_is_in_doubt(server: FakePhoenix, workspace: Workspace) -> None:
    server.after_write = httpx.ReadTimeout("lost")
    with pytest.raises(WriteInDoubt):
        workspace.publish(publication())
    assert workspace.find("greeting", document()) is not None
    server.after_write = httpx.Response(200, json={"data": {"id": "odd"}})
    with pytest.raises(WriteInDoubt):
        workspace.publish(publication("greeting"))


def test_a_prompt_is_never_published_under_another_name(server: FakePhoenix, workspace: Workspace) -> None:
    server.add("other")
    with pytest.raises(RemoteRejected, match="named 'other'") as caught:
        workspace.publish(publication("other"))
    assert caught.value.hint
    assert server.writes() == []


def test_a_string_template_is_not_sent(server: FakePhoenix, workspace: Workspace) -> None:
    wanted = document()
    wanted["version"]["template"] = {"type": "string", "template": "x"}
    with pytest.raises(RemoteRejected, match="chat prompts only"):
        workspace.publish(publication(document=wanted))
    assert server.writes() == []


# Tags


def test_tags_are_known_by_name_and_by_prompt(server: FakePhoenix, workspace: Workspace) -> None:
    first, second = server.add("a", "one", "two")
    server.add("b")
    server.named("a")["tags"] = {"production": {"version": first, "description": None}}
    workspace.list()
    listing = workspace.tags(["production", "No Name"], ["b"])
    assert listing.tags.get("a") == {"production": first}
    assert listing.knows("b", "production")
    assert listing.knows("a", "No Name")
    assert workspace.tags([], ["a"]).tags["a"] == {"production": first}
    assert not workspace.tags([], ["nobody"]).knows("nobody", "production")
    workspace.set_tag("a", "production", second)
    assert workspace.tags(["production"], []).tags["a"] == {"production": second}


def test_a_moved_tag_keeps_what_was_said_of_it_and_is_not_sent_twice(server: FakePhoenix, workspace: Workspace) -> None:
    first, second = server.add("a", "one", "two")
    server.named("a")["tags"] = {"production": {"version": first, "description": "the live one"}}
    for _ in range(2):
        workspace.set_tag("a", "production", second)
    assert server.named("a")["tags"] == {"production": {"version": second, "description": "the live one"}}
    assert len(server.writes()) == 1


def test_a_tag_that_phoenix_cannot_hold_is_refused_here(server: FakePhoenix, workspace: Workspace) -> None:
    (version,) = server.add("a")
    with pytest.raises(RemoteRejected, match="cannot hold") as caught:
        workspace.set_tag("a", "Prod Tag", version)
    assert caught.value.hint
    workspace.delete_tag("a", "Prod Tag")
    assert server.writes() == []


def test_a_tag_that_did_not_move_or_stayed_is_told(server: FakePhoenix, workspace: Workspace) -> None:
    first, second = server.add("a", "one", "two")
    server.named("a")["tags"] = {"production": {"version": first, "description": None}}
    for call in (lambda: workspace.set_tag("a", "production", second), lambda: workspace.delete_tag("a", "production")):
        server.faults.append(lambda request: httpx.Response(204) if request.method != "GET" else None)
        with pytest.raises(RemoteRejected, match="took the request"):
            call()


def test_a_tag_and_a_prompt_are_taken_away_also_twice(server: FakePhoenix, workspace: Workspace) -> None:
    (version,) = server.add("a")
    workspace.set_tag("a", "production", version)
    for _ in range(2):
        workspace.delete_tag("a", "production")
    assert server.named("a")["tags"] == {}
    for _ in range(2):
        workspace.delete("a")
    assert server.prompts == []


def test_tags_of_prompts_that_vanish_while_they_are_asked_stay_unknown() -> None:
    server = FakePhoenix(graphql=False)
    server.add("a")
    server.add("b")
    workspace = opened(server)
    workspace.list()
    server.prompts.pop()
    assert not workspace.tags(["production"], []).knows("b", "production")
