"""The engine pass over a real git store and Braintrust in memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from braintrust_server import KEY, FakeBraintrust
from engines import Rig
from repos import chat, commit, make_store

from promptstore.store.address import parse_address
from promptstore.store.tagging import set_tag
from promptstore.vendors.base import Connection
from promptstore.vendors.braintrust import VENDOR
from promptstore.vendors.http import Timing

CONFIG = """\
[store]
prompts = "prompts"
branch = "main"

[remotes.bt]
vendor = "braintrust"
project = "bots"
"""


class FreshWorkspaces(dict[str, Any]):
    """A new connection each time it is asked for one, as each command makes."""

    def __init__(self, server: FakeBraintrust) -> None:
        super().__init__()
        self.server = server

    def __missing__(self, name: str) -> Any:
        timing = Timing(sleep=lambda _: None, random=lambda: 0.5, monotonic=lambda: 0.0, now=lambda: 0.0)
        link = Connection(VENDOR.base_url, KEY, "bots", transport=self.server.transport, timing=timing)
        return VENDOR.connect(link)


@pytest.fixture
def server() -> FakeBraintrust:
    return FakeBraintrust()


@pytest.fixture
def rig(tmp_path: Path, server: FakeBraintrust) -> Rig:
    return Rig(make_store(tmp_path / "repo", CONFIG, {"a": chat("Hello {{ name }}")}), FreshWorkspaces(server))


def quiet(rig: Rig, server: FakeBraintrust) -> None:
    """One more run does nothing and sends nothing."""
    writes = len(server.writes())
    result = rig.sync()
    assert (list(result.done), list(result.errors), server.writes()[writes:]) == ([], [], [])


def there(server: FakeBraintrust, slug: str) -> dict[str, Any]:
    return next(row for row in reversed(server.rows) if row["slug"] == slug)


def said(row: dict[str, Any]) -> str:
    text: str = row["prompt_data"]["prompt"]["messages"][0]["content"]
    return text


def test_a_first_publish_makes_the_project_and_settles(rig: Rig, server: FakeBraintrust) -> None:
    result = rig.sync()
    assert [(one.kind, one.slug) for one in result.done] == [("create-remote", "a")]
    assert server.writes() == ["POST /v1/project", "PUT /v1/prompt"]
    assert said(there(server, "a")) == "Hello {{{ name }}}"
    quiet(rig, server)


def test_an_import_keeps_slug_name_and_all_that_only_braintrust_has(rig: Rig, server: FakeBraintrust) -> None:
    server.add("Big-Bot", "one {{x}}", "two {{x}}", function_type="llm")
    rig.sync()
    prompt = rig.store.get("big-bot")
    assert (prompt.name, prompt.messages[0].content) == ("Big-Bot", "two {{x}}")
    quiet(rig, server)
    rig.sync(history=True)
    assert rig.store.get("big-bot").messages[0].content == "two {{x}}"
    quiet(rig, server)
    path = rig.root / "prompts" / "big-bot.yaml"
    commit(rig.root, {"big-bot": path.read_text().replace("two", "three")})
    rig.sync()
    row = there(server, "Big-Bot")
    assert (said(row), row["function_type"]) == ("three {{x}}", "llm")
    quiet(rig, server)


def test_edits_on_both_sides_meet(rig: Rig, server: FakeBraintrust) -> None:
    rig.sync()
    row = {key: value for key, value in there(server, "a").items() if key != "action"}
    server._put({**row, "description": "theirs"})
    commit(rig.root, {"a": chat("Hello again {{ name }}")})
    rig.sync()
    rig.sync()
    row = there(server, "a")
    assert (said(row), row["description"]) == ("Hello again {{{ name }}}", "theirs")
    assert rig.store.get("a").description == "theirs"
    assert rig.store.get("a").messages[0].content == "Hello again {{ name }}"
    quiet(rig, server)


def test_tags_go_both_ways(rig: Rig, server: FakeBraintrust) -> None:
    rig.sync()
    set_tag(rig.store, rig.store.locate(parse_address("a@1")), "production")
    rig.sync()
    version = there(server, "a")["_xact_id"]
    prompt = there(server, "a")["id"]
    assert server.pointers == {(prompt, "production"): version}
    quiet(rig, server)
    server.pointers[prompt, "staging"] = version
    rig.sync()
    assert rig.store.get("a", tag="staging").version == 1
    quiet(rig, server)


@pytest.mark.parametrize("plan", [True, False])
def test_a_tag_that_cannot_be_set_leaves_the_contents_in_step(rig: Rig, server: FakeBraintrust, plan: bool) -> None:
    server.plan_has_environments = plan
    server.environments = {"other"}
    rig.sync()
    set_tag(rig.store, rig.store.locate(parse_address("a@1")), "production")
    commit(rig.root, {"a": chat("new {{ name }}")})
    result = rig.sync()
    assert said(there(server, "a")) == "new {{{ name }}}"
    assert server.pointers == {}
    told = [str(error) for error in result.errors] + [one.reason for one in result.plan.held]
    assert any("production" in one or "nvironment" in one for one in told)


def test_a_deletion_is_proven_before_it_comes_here(rig: Rig, server: FakeBraintrust) -> None:
    commit(rig.root, {slug: chat(f"{slug} {{{{ x }}}}") for slug in "bcdefgh"})
    rig.sync()
    server._delete(there(server, "a")["id"])
    rig.sync()
    assert not (rig.root / "prompts" / "a.yaml").exists()
    quiet(rig, server)
