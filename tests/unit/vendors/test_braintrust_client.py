"""The Braintrust client against Braintrust in memory."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from braintrust_server import KEY, FakeBraintrust, refusal

from promptstore.errors import (
    AuthError,
    BadResponse,
    ConfigError,
    PromptStoreError,
    RemoteMissing,
    RemoteRejected,
    RemoteUnreachable,
    WriteInDoubt,
)
from promptstore.vendors.base import Connection, Publication, Workspace
from promptstore.vendors.braintrust import VENDOR
from promptstore.vendors.braintrust.xacts import decimal, minted, order, short
from promptstore.vendors.http import Timing


@pytest.fixture
def server() -> FakeBraintrust:
    fake = FakeBraintrust()
    fake.project("bots")
    return fake


@pytest.fixture
def workspace(server: FakeBraintrust) -> Workspace:
    return opened(server)


def opened(server: FakeBraintrust, key: str | None = KEY, project: str | None = "bots") -> Workspace:
    timing = Timing(sleep=lambda _: None, random=lambda: 0.5, monotonic=lambda: 0.0, now=lambda: 0.0)
    link = Connection("https://api.braintrust.dev", key, project, transport=server.transport, timing=timing)
    workspace: Workspace = VENDOR.connect(link)
    return workspace


def document(slug: str = "support/greeting", text: str = "Hi {{name}}", **more: Any) -> dict[str, Any]:
    block = {"type": "chat", "messages": [{"role": "user", "content": text}]}
    data = {"prompt": block, "options": {"model": "gpt-4o"}, "template_format": "mustache"}
    return {"name": slug, "slug": slug, "prompt_data": data, **more}


def publication(prompt_id: str | None = None, **changes: Any) -> Publication:
    known = {"slug": "support/greeting", "document": document(), "message": "Say hi", "intent": "i-1"}
    return Publication(id=prompt_id, **{**known, **changes})


# Versions


def test_both_forms_of_a_version_are_one_as_the_vendors_own_example_has_it() -> None:
    assert decimal("81cd05ee665fdfb3") == decimal("1000192656880881099") == "1000192656880881099"
    assert short("1000192656880881099") == "81cd05ee665fdfb3"
    assert decimal("v3") is None


def test_minted_ids_are_ordered_as_numbers_and_survive_the_short_form() -> None:
    made = [minted(1_760_000_000, counter) for counter in (1, 9, 10, 70_000)] + [minted(1_760_000_009, 1)]
    assert sorted(made, key=order) == made
    assert [decimal(short(one)) for one in made] == made


# Reading


def test_a_listing_has_every_page_of_its_own_project(server: FakeBraintrust, workspace: Workspace) -> None:
    for slug in "abcde":
        server.add(slug, "one", "two")
    server.add("elsewhere", project="other")
    heads = workspace.list()
    assert sorted(head.name for head in heads) == list("abcde")
    assert {head.folder for head in heads} == {""}
    assert all(head.version == server.versions(head.id)[-1] for head in heads)


def test_a_write_between_two_pages_hides_no_prompt(server: FakeBraintrust, workspace: Workspace) -> None:
    for slug in "abcd":
        server.add(slug)
    pages = []

    def edit(request: httpx.Request) -> None:
        if request.url.path == "/v1/prompt":
            pages.append(request)
            if len(pages) == 2:
                server.add("a", "moved to the front")

    server.faults.append(edit)
    assert sorted(head.name for head in workspace.list()) == list("abcd")


def test_a_page_that_repeats_is_an_error(server: FakeBraintrust, workspace: Workspace) -> None:
    item = {"id": "p1", "slug": "a", "_xact_id": "1"}
    server.fail(*[httpx.Response(200, json={"objects": [item]})] * 2, when="/v1/prompt")
    with pytest.raises(BadResponse, match="no end"):
        workspace.list()


def test_a_project_that_is_not_there_is_empty_and_nothing_is_made(server: FakeBraintrust) -> None:
    workspace = opened(server, project="new")
    assert list(workspace.list()) == []
    assert workspace.identity() == ""
    assert workspace.find("a", document("a")) is None
    assert server.writes() == []


def test_the_identity_is_the_projects_id(server: FakeBraintrust, workspace: Workspace) -> None:
    assert workspace.identity() == server.projects["bots"]


def test_two_projects_of_one_name_are_refused(server: FakeBraintrust, workspace: Workspace) -> None:
    twice = [{"id": key, "name": "bots"} for key in "ab"]
    server.fail(httpx.Response(200, json={"objects": twice}))
    with pytest.raises(ConfigError, match="2 projects"):
        workspace.list()


def test_a_version_is_read_in_normal_form(server: FakeBraintrust, workspace: Workspace) -> None:
    prompt = server.add("a", "one", "two", tags=None, description=None, function_type="llm")
    first, second = server.versions(prompt)
    newest = workspace.read(prompt)
    assert (newest.id, newest.name, newest.version, newest.stamp) == (prompt, "a", second, second)
    assert newest.document == document("a", "two", function_type="llm")
    assert newest.created is not None
    for form in (first, short(first)):
        old = workspace.read(prompt, form)
        assert (old.version, old.document) == (first, document("a", "one", function_type="llm"))


def test_a_version_that_is_answered_by_an_older_one_is_missing(server: FakeBraintrust, workspace: Workspace) -> None:
    prompt = server.add("a", "one")
    with pytest.raises(RemoteMissing):
        workspace.read(prompt, str(int(server.versions(prompt)[0]) + 1))


@pytest.mark.parametrize("status", [400, 403])
def test_absence_is_told_in_words(server: FakeBraintrust, workspace: Workspace, status: int) -> None:
    words = "Missing read access to prompt id p1, or the prompt does not exist"
    server.fail(refusal(status, words))
    with pytest.raises(RemoteMissing) as caught:
        workspace.read("p1")
    assert "ann@" not in str(caught.value)


def test_absence_proves_nothing_once_the_project_cannot_be_seen(server: FakeBraintrust, workspace: Workspace) -> None:
    server.projects.clear()
    with pytest.raises(RemoteRejected) as caught:
        workspace.read("p1")
    assert not isinstance(caught.value, RemoteMissing)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (refusal(400, "Invalid uuid"), RemoteRejected),
        (refusal(401, "Invalid authorization token"), AuthError),
        (refusal(403, "Forbidden"), AuthError),
        (httpx.Response(200, text="<html>"), BadResponse),
        (httpx.Response(200, json={"id": "other", "slug": "a", "_xact_id": "1", "name": "a"}), BadResponse),
    ],
)
def test_no_other_failure_is_an_absence(
    server: FakeBraintrust, workspace: Workspace, answer: httpx.Response, error: type[Exception]
) -> None:
    server.fail(answer)
    with pytest.raises(error) as caught:
        workspace.read("p1")
    assert not isinstance(caught.value, RemoteMissing)
    assert KEY not in str(caught.value)
    assert "ann@" not in str(caught.value)


def test_versions_come_from_the_audit_log(server: FakeBraintrust, workspace: Workspace) -> None:
    prompt = server.add("a", *"12345")
    every = server.versions(prompt)
    assert list(workspace.versions(prompt, every[-1])) == every
    assert list(workspace.versions(prompt, every[-1], every[1])) == every[2:]
    assert list(workspace.versions(prompt, every[3], short(every[1]))) == every[2:4]
    server.log_page = 2
    assert list(workspace.versions(prompt, every[-1])) == every


def test_a_deletion_in_the_log_is_no_version(server: FakeBraintrust, workspace: Workspace) -> None:
    prompt = server.add("a", "one")
    workspace.delete(prompt)
    made = server.versions(prompt)
    assert list(workspace.versions(prompt, made[0])) == made[:1]
    with pytest.raises(RemoteMissing):
        workspace.read(prompt)


def test_the_log_is_asked_again_as_any_read(server: FakeBraintrust, workspace: Workspace) -> None:
    prompt = server.add("a", "one")
    head = server.versions(prompt)[0]
    server.fail(httpx.Response(503), httpx.ReadTimeout("slow"), when="/btql")
    assert list(workspace.versions(prompt, head)) == [head]
    server.fail(*[httpx.Response(500)] * 4, when="/btql")
    with pytest.raises(RemoteUnreachable):
        workspace.versions(prompt, head)


# Writing


def test_the_first_publish_makes_the_project_and_the_prompt(server: FakeBraintrust) -> None:
    workspace = opened(server, project="new")
    receipt = workspace.publish(publication())
    assert server.writes() == ["POST /v1/project", "PUT /v1/prompt"]
    assert server.body() == {
        **document(),
        "project_id": server.projects["new"],
        "description": None,
        "tags": None,
        "function_type": None,
    }
    assert receipt.version == server.versions(receipt.id)[-1]
    assert workspace.read(receipt.id).document == document()
    found = workspace.find("support/greeting", document())
    assert found is not None
    assert (found.id, found.name) == (receipt.id, "support/greeting")


def test_a_publish_replaces_the_whole_state(server: FakeBraintrust, workspace: Workspace) -> None:
    prompt = server.add("support/greeting", "old", tags=["x"], description="gone", function_type="llm")
    assert workspace.publish(publication(prompt)).id == prompt
    assert workspace.read(prompt).document == document()
    assert server.writes() == ["PUT /v1/prompt"]


def test_metadata_goes_only_where_there_is_some(server: FakeBraintrust, workspace: Workspace) -> None:
    workspace.publish(publication(document=document(metadata={"k": None})))
    assert server.body()["metadata"] == {"k": None}
    workspace.publish(publication())
    assert "metadata" not in server.body()


def test_a_functions_message_always_has_its_content(server: FakeBraintrust, workspace: Workspace) -> None:
    changed = document()
    changed["prompt_data"]["prompt"]["messages"] = [{"role": "function", "name": "f"}, {"role": "assistant"}]
    receipt = workspace.publish(publication(document=changed))
    sent = server.body()["prompt_data"]["prompt"]["messages"]
    assert sent == [{"role": "function", "name": "f", "content": None}, {"role": "assistant"}]
    assert workspace.read(receipt.id).document == changed


def test_a_renamed_slug_stays_the_same_prompt(server: FakeBraintrust, workspace: Workspace) -> None:
    prompt = server.add("old", "Hi {{name}}")
    workspace.publish(publication(prompt))
    assert server.writes() == [f"PATCH /v1/prompt/{prompt}"]
    assert workspace.read(prompt).name == "support/greeting"
    workspace.publish(publication(prompt, document=document("newer", "Other")))
    assert server.writes()[1:] == [f"PATCH /v1/prompt/{prompt}", "PUT /v1/prompt"]
    assert (workspace.read(prompt).document, len(workspace.list())) == (document("newer", "Other"), 1)


def test_a_slug_is_only_proven_free_by_a_list_of_all(server: FakeBraintrust, workspace: Workspace) -> None:
    """Where the server does not obey the filter, the first page of everything is no proof."""
    there = server.add("support/greeting")
    for number in range(101):
        server.add(f"p{number}")
    server.obeys_slug = False
    found = workspace.find("support/greeting", document())
    assert found is not None
    assert found.id == there
    assert workspace.find("free", document("free")) is None


def test_errors_show_no_persons_address(server: FakeBraintrust, workspace: Workspace) -> None:
    for failure in (refusal(400, "bad"), refusal(403, "no"), refusal(401, "no"), refusal(500, "oops")):
        for attempt in (lambda: workspace.publish(publication()), lambda: workspace.read("p1")):
            server.fail(failure, when="/v1/prompt")
            with pytest.raises(PromptStoreError) as raised:
                attempt()
            assert "ann@example.com" not in f"{raised.value} {raised.value.hint} {raised.value.__cause__}"


def test_no_prompt_is_renamed_onto_another(server: FakeBraintrust, workspace: Workspace) -> None:
    prompt = server.add("old")
    server.add("support/greeting")
    with pytest.raises(RemoteRejected, match="another prompt"):
        workspace.publish(publication(prompt))
    assert server.writes() == []


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (refusal(400, "bad"), RemoteRejected),
        (refusal(401, "no"), AuthError),
        (refusal(429, "slow down"), RemoteUnreachable),
        (httpx.ConnectError("refused"), RemoteUnreachable),
        (httpx.Response(500, text="oops"), WriteInDoubt),
        (httpx.ReadTimeout("slow"), WriteInDoubt),
        (httpx.Response(200, text="{"), WriteInDoubt),
        (httpx.Response(200, json={"id": "p"}), WriteInDoubt),
    ],
)
def test_a_write_is_sent_once_and_its_outcome_named(
    server: FakeBraintrust, workspace: Workspace, answer: Any, error: type[Exception]
) -> None:
    workspace.list()
    server.after_write = answer
    with pytest.raises(error) as caught:
        workspace.publish(publication())
    assert server.writes() == ["PUT /v1/prompt"]
    assert "ann@" not in str(caught.value)


def test_a_write_to_another_prompt_is_in_doubt(server: FakeBraintrust, workspace: Workspace) -> None:
    prompt = server.add("support/greeting")
    server.after_write = httpx.Response(200, json={"id": "other", "slug": "s", "_xact_id": "5"})
    with pytest.raises(WriteInDoubt, match="instead of"):
        workspace.publish(publication(prompt))


def test_a_deleted_prompt_stays_deleted(server: FakeBraintrust, workspace: Workspace) -> None:
    prompt = server.add("a")
    workspace.delete(prompt)
    workspace.delete(prompt)
    assert list(workspace.list()) == []


# Tags


def test_environments_are_tags(server: FakeBraintrust, workspace: Workspace) -> None:
    one, two = server.add("a", "1", "2"), server.add("b")
    first, second = server.versions(one)
    workspace.list()
    workspace.set_tag(one, "production", short(first))
    workspace.set_tag(one, "production", first)
    assert server.writes() == [f"PUT /environment-object/prompt/{one}/production"]
    assert server.body() == {"object_version": first}
    server.pointers[one, "staging"] = short(second)
    listing = workspace.tags(["production", "dev"], [])
    assert listing.tags == {one: {"production": first, "staging": second}, two: {}}
    assert listing.knows(two, "production")
    assert workspace.tags([], [one]).swept == {one}
    workspace.delete_tag(one, "production")
    workspace.delete_tag(one, "production")
    assert workspace.tags(["production"], []).tags[one] == {"staging": second}
    assert len(server.writes()) == 2


def test_a_tag_is_never_set_to_a_version_that_is_not_there(server: FakeBraintrust, workspace: Workspace) -> None:
    prompt = server.add("a")
    with pytest.raises(RemoteMissing):
        workspace.set_tag(prompt, "production", "1000192656880881099")
    assert server.writes() == []


def test_each_prompts_pointers_are_read_once_a_listing(server: FakeBraintrust, workspace: Workspace) -> None:
    for slug in "abc":
        server.add(slug)
    workspace.list()
    before = len(server.requests)
    for name in ("production", "staging"):
        workspace.tags([name], [])
    assert len(server.requests) - before == 1 + 3


def test_without_any_environment_all_is_known_by_one_question(server: FakeBraintrust, workspace: Workspace) -> None:
    server.environments.clear()
    prompt = server.add("a")
    workspace.list()
    before = len(server.requests)
    assert workspace.tags(["production"], [prompt]).knows(prompt, "production")
    assert len(server.requests) - before == 1


def test_a_plan_without_environments_leaves_tags_unknown_and_says_so(
    server: FakeBraintrust, workspace: Workspace
) -> None:
    prompt = server.add("a")
    server.plan_has_environments = False
    heads = workspace.list()
    listing = workspace.tags(["production"], [prompt])
    assert not listing.knows(prompt, "production")
    with pytest.raises(RemoteRejected, match="not part of your plan") as caught:
        workspace.set_tag(prompt, "production", heads[0].version)
    assert caught.value.hint
    assert "ann@" not in str(caught.value)


def test_a_missing_environment_is_told_with_the_vendors_words(server: FakeBraintrust, workspace: Workspace) -> None:
    prompt = server.add("a")
    with pytest.raises(RemoteRejected, match="Environment dev does not exist") as caught:
        workspace.set_tag(prompt, "dev", server.versions(prompt)[0])
    assert "organisation" in caught.value.hint


def test_a_wrong_key_is_no_missing_plan(server: FakeBraintrust, workspace: Workspace) -> None:
    server.add("a")
    workspace.list()
    server.fail(refusal(401, "Invalid authorization token"), when="/environment")
    with pytest.raises(AuthError):
        workspace.tags(["production"], [])


def test_a_prompt_that_is_gone_leaves_names_unknown(server: FakeBraintrust, workspace: Workspace) -> None:
    prompt = server.add("a")
    workspace.list()
    server.rows.clear()
    listing = workspace.tags(["production"], [])
    assert not listing.knows(prompt, "production")


@pytest.mark.parametrize("prompt", ["", "../x", "a/b", "a?b"])
def test_nothing_but_an_id_comes_into_a_path(workspace: Workspace, prompt: str) -> None:
    with pytest.raises(BadResponse):
        workspace.read(prompt)


def test_a_key_and_a_project_are_needed(server: FakeBraintrust) -> None:
    with pytest.raises(AuthError):
        opened(server, key=" ")
    with pytest.raises(ConfigError):
        opened(server, project=None)
