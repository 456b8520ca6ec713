"""The Basalt client against Basalt in memory."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from basalt_server import KEY, MODEL, FakeBasalt, deployed, got, refusal

from promptstore.errors import (
    AuthError,
    BadResponse,
    RemoteError,
    RemoteMissing,
    RemoteRejected,
    RemoteUnreachable,
    WriteInDoubt,
)
from promptstore.vendors.basalt import VENDOR
from promptstore.vendors.base import Connection, Publication, Workspace
from promptstore.vendors.http import Timing

PROMPT = {"text": "Hi", "slug": "hi", "model": MODEL}


@pytest.fixture
def server() -> FakeBasalt:
    return FakeBasalt()


@pytest.fixture
def workspace(server: FakeBasalt) -> Workspace:
    return opened(server)


def opened(server: FakeBasalt, key: str | None = KEY, base_url: str = "https://api.getbasalt.ai") -> Workspace:
    timing = Timing(sleep=lambda _: None, random=lambda: 0.5, monotonic=lambda: 0.0, now=lambda: 0.0)
    return VENDOR.connect(Connection(base_url, key, transport=server.transport, timing=timing))


def listing(*prompts: dict[str, Any]) -> httpx.Response:
    row = {"name": "n", "status": "live", "availableVersions": ["1"], "availableTags": ["latest"]}
    return httpx.Response(200, json={"prompts": [{**row, **prompt} for prompt in prompts]})


# Listing


def test_a_listing_is_one_request_and_its_newest_version_the_highest(server: FakeBasalt, workspace: Workspace) -> None:
    for version in ("1.2.0", "1.10.0", "1.9.0"):
        server.edit("hi", version, version)
    assert [(head.id, head.name, head.folder, head.version) for head in workspace.list()] == [
        ("hi", "hi", "", "1.10.0")
    ]
    assert workspace.versions("hi", "1.10.0") == ["1.2.0", "1.9.0", "1.10.0"]
    assert workspace.versions("hi", "1.9.0", "1.2.0") == ["1.9.0"]
    assert server.asked == ["GET /prompts"]


def test_a_prompt_without_a_slug_is_left_out(server: FakeBasalt, workspace: Workspace) -> None:
    server.fail(listing({"slug": None}, {"slug": "hi"}))
    assert [head.id for head in workspace.list()] == ["hi"]


def test_the_stamp_changes_with_a_version_and_with_nothing_else(server: FakeBasalt, workspace: Workspace) -> None:
    server.edit("hi", "one")
    stamps = [workspace.list()[0].stamp, workspace.read("hi", "1.0.0").stamp]
    server.prompts["hi"].tags["production"] = "1.0.0"
    stamps.append(workspace.list()[0].stamp)
    assert len(set(stamps)) == 1
    server.edit("hi", "two")
    assert workspace.list()[0].stamp not in stamps


@pytest.mark.parametrize(
    "answer",
    [
        [],
        {},
        {"prompts": {}},
        {"prompts": ["hi"]},
        {"prompts": [{"slug": 7, "availableVersions": [], "availableTags": []}]},
        {"prompts": [{"slug": "hi", "availableVersions": "1", "availableTags": []}]},
        {"prompts": [{"slug": "hi", "availableVersions": [1], "availableTags": []}]},
        {"prompts": [{"slug": "hi", "availableVersions": []}]},
    ],
)
def test_a_listing_that_makes_no_sense_is_refused(server: FakeBasalt, workspace: Workspace, answer: Any) -> None:
    server.fail(httpx.Response(200, json=answer))
    with pytest.raises(BadResponse):
        workspace.list()


ODD = ["", ".", "..", "../x", "a//b", "a?tag=x", "a#b", "a%2Fb", "a\\b", "a\nb", "x" * 300]


@pytest.mark.parametrize("slug", ODD)
def test_an_odd_slug_stops_only_its_own_prompt(server: FakeBasalt, workspace: Workspace, slug: str) -> None:
    server.fail(listing({"slug": slug}, {"slug": "fine"}))
    heads = {head.id: head for head in workspace.list()}
    assert (heads["fine"].version, heads[slug].version) == ("1", "")
    for call in (
        lambda: workspace.read(slug, ""),
        lambda: workspace.read(slug),
        lambda: workspace.set_tag(slug, "t", "1"),
    ):
        with pytest.raises(BadResponse):
            call()
    assert workspace.tags(["x"], [slug, "fine"]).swept == {"fine"}
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "row", [{"availableVersions": ["1\n2"]}, {"availableVersions": [""]}, {"availableTags": ["\0"]}]
)
def test_an_odd_version_or_tag_too(server: FakeBasalt, workspace: Workspace, row: dict[str, Any]) -> None:
    server.fail(listing({"slug": "odd", **row}, {"slug": "fine"}))
    assert [head.version for head in workspace.list()] == ["", "1"]
    with pytest.raises(BadResponse):
        workspace.read("odd", "")


def test_two_prompts_of_one_slug_are_not_guessed_at(server: FakeBasalt, workspace: Workspace) -> None:
    server.fail(listing({"slug": "hi"}, {"slug": "hi"}, {"slug": "fine"}))
    assert [(head.id, head.version) for head in workspace.list()] == [("hi", ""), ("fine", "1")]
    with pytest.raises(BadResponse, match="two prompts"):
        workspace.read("hi", "1")


def test_a_prompt_that_has_no_version_yet_is_silently_nothing_to_read(server: FakeBasalt, workspace: Workspace) -> None:
    server.fail(listing({"slug": "hi", "availableVersions": []}))
    assert [head.version for head in workspace.list()] == [""]
    assert workspace.versions("hi", "", "1") == []
    with pytest.raises(RemoteMissing):
        workspace.read("hi", "")


# Reading


def test_a_version_is_read_by_its_name(server: FakeBasalt, workspace: Workspace) -> None:
    server.edit("hi", "one\r\n", "1.0.0", systemText="s\n", new_key=[1, 1.0])
    found = workspace.read("hi", "1.0.0")
    assert (found.id, found.name, found.version, found.created, found.intent) == ("hi", "hi", "1.0.0", None, None)
    document = {"slug": "hi", "text": "one\r\n", "systemText": "s\n", "model": MODEL, "new_key": [1, 1.0]}
    assert found.document == document
    assert server.asked == ["GET /prompts", "GET /prompts/hi?version=1.0.0"]


def test_the_newest_is_found_by_the_tag_latest_and_read_by_its_name(server: FakeBasalt, workspace: Workspace) -> None:
    server.edit("hi", "one")
    server.edit("hi", "two")
    assert workspace.read("hi").document["text"] == "two"
    assert server.asked == ["GET /prompts", "GET /prompts/hi?tag=latest", "GET /prompts/hi?version=1.1.0"]


@pytest.mark.parametrize(
    ("slug", "path"), [("a b", "a%20b"), ("é", "%C3%A9"), ("a/b", "a%2Fb"), ("a&b=c+d", "a%26b%3Dc%2Bd")]
)
def test_a_slug_is_percent_encoded_whole(server: FakeBasalt, workspace: Workspace, slug: str, path: str) -> None:
    server.edit(slug, "x", "1&2")
    workspace.list()
    assert workspace.read(slug, "1&2").document["slug"] == slug
    workspace.set_tag(slug, "prod uction", "1&2")
    assert server.asked[1] == f"GET /prompts/{path}?version=1%262"
    assert server.asked[3] == f"POST /prompts/{path}/publish"
    assert server.prompts[slug].tags["prod uction"] == "1&2"


def test_a_base_url_may_have_a_path_and_a_slash(server: FakeBasalt) -> None:
    server.fail(listing())
    assert opened(server, base_url="https://basalt.example/api/").list() == []
    assert server.asked == ["GET /api/prompts"]


@pytest.mark.parametrize(
    "answer",
    [
        got({**PROMPT, "slug": "other"}, "1.0.0"),
        got(PROMPT, "1.0.1"),
        got(PROMPT, "1.0.0", warning="this is the production version"),
        got({**PROMPT, "text": None}, "1.0.0"),
        got({**PROMPT, "systemText": 5}, "1.0.0"),
        got({**PROMPT, "model": []}, "1.0.0"),
        httpx.Response(200, json={"prompt": {}}),
        httpx.Response(200, json={"prompt": None}),
        httpx.Response(200, json={"prompt": {**PROMPT, "version": None}}),
        httpx.Response(200, json=[]),
        httpx.Response(200, html="<html>Sign in</html>"),
        httpx.Response(204),
        httpx.Response(302, headers={"location": "https://elsewhere.example"}, json={"prompt": PROMPT}),
        httpx.Response(200, content=b'{"prompt": NaN}'),
    ],
)
def test_an_answer_that_is_not_what_was_asked_is_refused(
    server: FakeBasalt, workspace: Workspace, answer: httpx.Response
) -> None:
    server.edit("hi", "one", "1.0.0")
    workspace.list()
    server.fail(answer)
    with pytest.raises(BadResponse):
        workspace.read("hi", "1.0.0")


def test_a_server_that_falls_back_to_another_version_is_noticed(server: FakeBasalt, workspace: Workspace) -> None:
    server.edit("hi", "one", "1.0.0")
    server.falls_back = True
    with pytest.raises(BadResponse, match="warning"):
        workspace.read("hi", "9.9.9")
    server.fail(got(PROMPT, "1.0.0", warning="ask ann@example.com"))
    with pytest.raises(BadResponse, match="ask <e-mail>"):
        workspace.read("hi", "1.0.0")
    server.falls_back = False
    with pytest.raises(RemoteMissing):
        workspace.read("hi", "9.9.9")


def test_a_latest_below_the_highest_version_is_told(server: FakeBasalt, workspace: Workspace) -> None:
    server.edit("hi", "one", "final")
    server.edit("hi", "two", "draft")
    head = workspace.list()[0]
    with pytest.raises(BadResponse, match="latest version"):
        workspace.read("hi", head.version)
    assert workspace.read("hi", "draft").document["text"] == "two"


def test_a_version_made_since_the_listing_is_no_contradiction(server: FakeBasalt, workspace: Workspace) -> None:
    server.edit("hi", "one")
    server.edit("hi", "two")
    head = workspace.list()[0]
    server.edit("hi", "three")
    assert workspace.read("hi", head.version).document["text"] == "two"


@pytest.mark.parametrize("key", [None, "", "  "])
def test_a_key_is_needed(server: FakeBasalt, key: str | None) -> None:
    with pytest.raises(AuthError, match="needs a key"):
        opened(server, key)


def test_a_wrong_key_is_told_without_telling_it(server: FakeBasalt) -> None:
    with pytest.raises(AuthError) as problem:
        opened(server, "sk-wrong-0123456789").list()
    assert "sk-wrong" not in f"{problem.value} {problem.value.hint}"


def test_a_limit_is_waited_out(server: FakeBasalt, workspace: Workspace) -> None:
    server.fail(refusal(429, "slow down"), refusal(503, "later"))
    assert workspace.list() == []


def test_the_identity_is_not_known(workspace: Workspace) -> None:
    assert workspace.identity() == ""


# Tags


def test_tags_are_asked_one_by_one_where_the_listing_has_them(server: FakeBasalt, workspace: Workspace) -> None:
    server.edit("hi", "one", tag="production")
    server.edit("hi", "two", tag="staging")
    server.edit("bye", "one")
    workspace.list()
    found = workspace.tags(["production", "gone"], [])
    assert found.tags == {"hi": {"production": "1.0.0"}}
    assert (found.names, found.swept) == ({"production", "gone"}, frozenset())
    assert server.asked[1:] == ["GET /prompts/hi?tag=production"]


def test_a_sweep_finds_the_rest_and_never_latest(server: FakeBasalt, workspace: Workspace) -> None:
    server.edit("hi", "one", tag="production")
    server.edit("hi", "two", tag="staging")
    workspace.list()
    workspace.tags(["production"], [])
    found = workspace.tags([], ["hi", "unknown"])
    assert found.tags == {"hi": {"production": "1.0.0", "staging": "1.1.0"}}
    assert found.swept == {"hi"}
    assert server.asked[1:] == ["GET /prompts/hi?tag=production", "GET /prompts/hi?tag=staging"]
    workspace.list()
    workspace.tags(["production"], [])
    assert server.asked[-1] == "GET /prompts/hi?tag=production", "a new listing forgets what was asked before"


@pytest.mark.parametrize(
    "answer", [refusal(404, "no"), got(PROMPT, "1.0.0", warning="fell back"), got({**PROMPT, "slug": "x"}, "1.0.0")]
)
def test_a_tag_without_a_sound_answer_stays_unknown(
    server: FakeBasalt, workspace: Workspace, answer: httpx.Response
) -> None:
    server.edit("hi", "one", tag="production")
    workspace.list()
    server.fail(answer)
    found = workspace.tags(["production"], ["hi"])
    assert (found.tags, found.names, found.swept) == ({}, frozenset(), frozenset())


def test_a_tag_is_moved_with_an_explicit_version_and_read_back(server: FakeBasalt, workspace: Workspace) -> None:
    server.edit("hi", "one")
    server.edit("hi", "two", tag="production")
    workspace.list()
    workspace.tags(["production"], [])
    workspace.set_tag("hi", "production", "1.0.0")
    assert server.writes() == [{"newTag": "production", "version": "1.0.0"}]
    assert server.asked[-1] == "GET /prompts/hi?tag=production"
    assert workspace.tags(["production"], []).tags == {"hi": {"production": "1.0.0"}}
    workspace.set_tag("hi", "production", "1.0.0")
    assert len(server.writes()) == 1


def test_a_new_tag_is_created_even_where_an_unknown_one_falls_back(server: FakeBasalt, workspace: Workspace) -> None:
    server.edit("hi", "one")
    server.falls_back = True
    workspace.set_tag("hi", "production", "1.0.0")
    assert server.prompts["hi"].tags["production"] == "1.0.0"


@pytest.mark.parametrize("answer", [None, deployed("other"), httpx.Response(201, json={}), httpx.Response(201)])
def test_a_move_that_did_not_take_is_in_doubt(
    server: FakeBasalt, workspace: Workspace, answer: httpx.Response | None
) -> None:
    server.edit("hi", "one", tag="production")
    server.edit("hi", "two")
    server.deaf = True
    if answer is not None:
        server.fail(answer, when="/publish")
    with pytest.raises(WriteInDoubt):
        workspace.set_tag("hi", "production", "1.1.0")
    assert len(server.asked) - 1 >= server.asked.index("POST /prompts/hi/publish")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (refusal(404, "Prompt or prompt version not found"), RemoteMissing),
        (refusal(400, "Bad tag"), RemoteRejected),
        (refusal(403, "no"), AuthError),
        (refusal(429, "slow"), RemoteUnreachable),
        (refusal(500, "oh"), WriteInDoubt),
        (httpx.Response(302, headers={"location": "x"}), WriteInDoubt),
        (httpx.Response(201, html="<html>"), WriteInDoubt),
        (httpx.ReadTimeout("slow"), WriteInDoubt),
        (httpx.ConnectError("refused"), RemoteUnreachable),
    ],
)
def test_a_publish_is_sent_once(
    server: FakeBasalt, workspace: Workspace, answer: httpx.Response | Exception, error: type[RemoteError]
) -> None:
    server.edit("hi", "one")
    server.fail(answer, when="/publish")
    with pytest.raises(error):
        workspace.set_tag("hi", "production", "1.0.0")
    assert len(server.writes()) == 1


def test_what_the_api_cannot_do_is_said_plainly(server: FakeBasalt, workspace: Workspace) -> None:
    server.edit("hi", "one")
    calls = {
        "write": lambda: workspace.publish(Publication("hi", "hi", {"slug": "hi"}, "m", "i")),
        "take the tag": lambda: workspace.delete_tag("hi", "production"),
        "delete": lambda: workspace.delete("hi"),
        "latest": lambda: workspace.set_tag("hi", "latest", "1.0.0"),
    }
    for words, call in calls.items():
        with pytest.raises(RemoteRejected, match=words) as problem:
            call()
        assert problem.value.hint
    assert server.requests == []


def test_find_is_by_slug(server: FakeBasalt, workspace: Workspace) -> None:
    server.edit("hi", "one")
    found = workspace.find("x", {"slug": "hi"})
    assert (found.id if found else None, workspace.find("hi", {"slug": "other"})) == ("hi", None)
    workspace.close()
