"""A team with git and Phoenix: edits on both sides, tags, conflicts, deletions."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
from proxy import FaultyProxy
from real_phoenix import PhoenixClient, Team
from repos import git

from promptstore.cli.phoenix_server import PhoenixServer

pytestmark = pytest.mark.real
Make = Callable[..., Team]


def test_what_the_client_made_is_imported_and_what_is_committed_is_published(team: Make, client: PhoenixClient) -> None:
    one = team()
    name = f"{one.prefix}--greeting"
    version = client.run(
        one.url,
        """about = {"prompt_description": "Greets.", "prompt_metadata": {"team": "cx"}}
result = create(name, "Hello {{name}}", **about)
client.prompts.tags.create(prompt_version_id=result, name="production", description="the live one")""",
        name=name,
    )
    one.sync()
    found = one.run("get", f"{one.prefix}/greeting@production")["prompt"]
    assert found["messages"][0]["content"] == "Hello {{name}}"
    assert (found["description"], found["metadata"]) == ("Greets.", {"team": "cx"})
    assert git(one.root, "log", "-1", "--format=%s", "phoenix/main", "--", "prompts")
    one.write("greeting", "Hello {{name}}!")
    one.sync()
    told = client.run(
        one.url,
        """there = client.prompts.get(prompt_identifier=name)
live = client.prompts.get(prompt_identifier=name, tag="production")
result = [text_of(there, name="Ann"), text_of(live, name="Ann"), live.id]""",
        name=name,
    )
    assert told == ["Hello Ann!", "Hello Ann", version]


def test_a_version_says_what_its_commit_said_and_has_a_date(team: Make) -> None:
    one = team()
    one.write_all({"dated": "one"}, message="Say one\n\nBecause of two.")
    one.sync()
    item = httpx.get(f"{one.url}/v1/prompts/{one.prefix}--dated/latest").json()["data"]
    assert item["description"] == "Say one"
    assert item["metadata"]["promptstore"]["intent"]
    seen = git(one.root, "log", "-1", "--format=%ad", "--date=format:%Y", "phoenix/main")
    assert int(seen) > 2000


def test_tags_move_and_go_both_ways_and_keep_what_is_said_of_them(team: Make, client: PhoenixClient) -> None:
    one = team()
    one.write("tagged", "one")
    one.run("tag", f"{one.prefix}/tagged", "production")
    one.sync()
    one.write("tagged", "two")
    one.sync()
    code = """client.prompts.tags.create(prompt_version_id=ids[-1], name="production", description="moved by hand")
client.prompts.tags.create(prompt_version_id=ids[0], name="staging")"""
    listing = httpx.get(f"{one.url}/v1/prompts/{one.prefix}--tagged/versions").json()["data"]
    ids = [item["id"] for item in reversed(listing)]
    client.run(one.url, code, ids=ids)
    one.sync()
    assert (one.text("tagged", "@production"), one.text("tagged", "@staging")) == ("two", "one")
    one.run("tag", f"{one.prefix}/tagged@1", "production")
    one.run("untag", f"{one.prefix}/tagged", "staging")
    one.sync()
    first, last = (httpx.get(f"{one.url}/v1/prompt_versions/{ids[place]}/tags").json()["data"] for place in (0, -1))
    assert [(tag["name"], tag["description"]) for tag in first] == [("production", "moved by hand")]
    assert last == []
    httpx.delete(f"{one.url}/v1/prompt_versions/{ids[0]}/tags/production").raise_for_status()
    one.sync()
    assert one.run("tags", f"{one.prefix}/tagged")["tags"] == []


def test_the_same_line_changed_on_both_sides_is_a_conflict(team: Make, client: PhoenixClient) -> None:
    one = team()
    one.write("both", "first line\nsecond line")
    one.sync()
    one.write("both", "ours\nsecond line")
    client.run(one.url, """create(name, "theirs\\nsecond line")""", name=f"{one.prefix}--both")
    one.sync(expect=(3,))
    assert one.text("both") == "ours\nsecond line"
    assert one.versions("both")[-1] == "theirs\nsecond line"
    one.run("resolve", f"{one.prefix}/both", "--ours")
    one.sync()
    assert one.versions("both") == ["first line\nsecond line", "theirs\nsecond line", "ours\nsecond line"]


def test_different_lines_changed_on_both_sides_are_merged(team: Make, client: PhoenixClient) -> None:
    one = team()
    one.write("merged", "first line\nmiddle\nlast line")
    one.sync()
    one.write("merged", "FIRST line\nmiddle\nlast line")
    client.run(one.url, """create(name, "first line\\nmiddle\\nLAST line")""", name=f"{one.prefix}--merged")
    one.sync()
    assert one.text("merged") == one.versions("merged")[-1] == "FIRST line\nmiddle\nLAST line"


def test_description_and_metadata_have_no_versions_and_still_go_both_ways(team: Make, client: PhoenixClient) -> None:
    one = team()
    name = f"{one.prefix}--described"
    one.write("described", "one", "description: Says one.\nmetadata: {team: cx}\n")
    one.sync()
    client.run(one.url, """client.prompts.update(prompt_identifier=name, prompt_metadata={"team": "ml"})""", name=name)
    one.sync()
    found = one.run("get", f"{one.prefix}/described")["prompt"]
    assert (found["description"], found["metadata"]) == ("Says one.", {"team": "ml"})
    one.write("described", "one", "metadata: {team: ml, n: 1.0}\n")
    one.sync()
    there = next(item for item in httpx.get(f"{one.url}/v1/prompts").json()["data"] if item["name"] == name)
    assert (there["description"], there["metadata"]) == (None, {"team": "ml", "n": 1.0})


_PAGE = """mutation($input: CreateChatPromptVersionInput!) { createChatPromptVersion(input: $input) { id } }"""


def test_an_edit_in_phoenixs_own_page_comes_back_as_that_edit_alone(team: Make) -> None:
    one = team()
    one.write("paged", "Hello {{name}}", "# kept\ndescription: Greets.\n")
    one.sync()
    listed = httpx.get(f"{one.url}/v1/prompts").json()["data"]
    prompt = next(item["id"] for item in listed if item["name"] == f"{one.prefix}--paged")
    version = {
        "description": "from the page",
        "templateFormat": "MUSTACHE",
        "template": {"messages": [{"role": "USER", "content": [{"text": {"text": "Hi {{name}}"}}]}]},
        "invocationParameters": {"openai": {}},
        "modelProvider": "OPENAI",
        "modelName": "gpt-4o",
    }
    body = {"query": _PAGE, "variables": {"input": {"promptId": prompt, "promptVersion": version}}}
    answer = httpx.post(f"{one.url}/graphql", json=body).json()
    assert "errors" not in answer, answer
    one.sync()
    diff = git(one.root, "show", "--format=%s", "--unified=0", "HEAD")
    assert diff.splitlines()[0] == "from the page"
    changed = [line for line in diff.splitlines() if line.startswith(("+ ", "- "))]
    assert changed == ["-      Hello {{name}}", "+      Hi {{name}}"]


def test_a_deletion_there_needs_proof_and_one_here_permission(team: Make, client: PhoenixClient) -> None:
    one = team()
    one.write_all({"kept": "one", "there": "two", "here": "three", **{f"more-{n}": "more" for n in range(3)}})
    one.sync()
    client.run(one.url, """client.prompts.delete(prompt_identifier=name)""", name=f"{one.prefix}--there")
    one.sync()
    assert not (one.root / "prompts" / one.prefix / "there.yaml").exists()
    one.write_all({"here": None})
    one.sync(expect=(3,))
    assert one.versions("here") == ["three"]
    one.sync("--allow-delete")
    assert one.versions("here") == []
    assert one.versions("kept") == ["one"]


def test_a_prompt_deleted_and_made_again_under_its_name_is_an_edit(team: Make, client: PhoenixClient) -> None:
    one = team()
    one.write("again", "one")
    one.sync()
    client.run(
        one.url,
        """client.prompts.delete(prompt_identifier=name)
create(name, "anew")""",
        name=f"{one.prefix}--again",
    )
    one.sync()
    assert one.text("again") == "anew"
    one.write("again", "anew and more")
    one.sync()
    assert one.versions("again") == ["anew", "anew and more"]


def test_a_run_after_a_run_sends_nothing(phoenix: PhoenixServer, team: Make) -> None:
    with FaultyProxy(phoenix.url) as proxy:
        one = team(proxy.url)
        one.write_all({"a": "one", "b": "two {{x}}"})
        one.run("tag", f"{one.prefix}/a", "production")
        one.sync()
        proxy.asked.clear()
        assert one.sync() == []
        assert proxy.writes() == []


def test_a_second_clone_gets_everything_from_phoenix_alone(team: Make) -> None:
    one, two = team(), team()
    one.write_all({"a": "one", "deep/b": "two {{x}}"})
    one.run("tag", f"{one.prefix}/a", "production")
    one.sync()
    two.sync()
    assert (two.text("a", "@production"), two.text("deep/b")) == ("one", "two {{x}}")
    assert two.sync() == []


def test_what_phoenix_cannot_hold_is_held_with_a_reason(team: Make) -> None:
    one = team()
    one.write("held", "x", 'vendors: {phoenix: {name: "No Name"}}\n')
    done = one.run("sync", expect=(3,))
    assert [held["slug"] for held in done["held"]] == [f"{one.prefix}/held"]
