"""The engine pass over a real git store and Basalt in memory: pulls and tags work fully, local edits are held."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from basalt_server import KEY, MODEL, FakeBasalt, got
from engines import Rig, kinds
from repos import chat, commit, make_store

from promptstore.store.address import parse_address
from promptstore.store.tagging import delete_tag, set_tag
from promptstore.sync.engine import Result
from promptstore.vendors.basalt import VENDOR
from promptstore.vendors.base import Connection
from promptstore.vendors.http import Timing

CONFIG = '[store]\nprompts = "prompts"\nbranch = "main"\n\n[remotes.acme]\nvendor = "basalt"\n'


class FreshWorkspaces(dict[str, Any]):
    """A new connection each time it is asked for one, as each command makes."""

    def __init__(self, server: FakeBasalt) -> None:
        super().__init__()
        self.server = server

    def __missing__(self, name: str) -> Any:
        timing = Timing(sleep=lambda _: None, random=lambda: 0.5, monotonic=lambda: 0.0, now=lambda: 0.0)
        return VENDOR.connect(Connection(VENDOR.base_url, KEY, transport=self.server.transport, timing=timing))


@pytest.fixture
def basalt() -> FakeBasalt:
    return FakeBasalt()


@pytest.fixture
def rig(tmp_path: Path, basalt: FakeBasalt) -> Rig:
    return Rig(make_store(tmp_path / "repo", CONFIG), FreshWorkspaces(basalt))


def held(result: Result) -> list[str]:
    return [f"{one.slug}: {one.reason}" for one in result.plan.held]


def texts(rig: Rig, slug: str, **which: Any) -> list[str]:
    return [message["content"] for message in rig.store.get(slug, **which).render(strict=False)]


def text_of(rig: Rig, slug: str) -> str:
    return (rig.root / "prompts" / f"{slug}.yaml").read_text()


def quiet(rig: Rig, basalt: FakeBasalt) -> list[str]:
    """One more run does nothing and sends nothing; what it asked."""
    before = len(basalt.requests)
    writes = len(basalt.writes())
    result = rig.sync()
    assert (kinds(result.done), result.errors, len(basalt.writes())) == ([], [], writes)
    return basalt.asked[before:]


def test_a_workspace_is_imported_with_its_tags(rig: Rig, basalt: FakeBasalt) -> None:
    basalt.edit("greeting", "Hello {{ name }}\n", tag="production", systemText="Be kind.")
    basalt.edit("greeting", "Hi {{ name }}\n", systemText="Be kind.")
    basalt.edit("Other-One", "x")
    basalt.prompts[None] = basalt.prompts["Other-One"]
    result = rig.sync()
    assert result.errors == []
    assert kinds(result.done) == ["create-local greeting", "create-local other-one", "tag-local greeting"]
    assert texts(rig, "greeting") == ["Be kind.", "Hi "]
    assert texts(rig, "greeting", tag="production") == ["Be kind.", "Hello "]
    assert rig.store.get("greeting").file.data()["messages"][1]["content"] == "Hi {{ name }}\n"  # type: ignore[index,call-overload]
    model = rig.store.get("greeting").model
    assert model is not None
    assert model.parameters == MODEL["parameters"]
    assert rig.store.get("other-one").file.vendors == {
        "basalt": {"slug": "Other-One", "model": {"client": "open-ai", "version": "latest"}}
    }
    assert held(result) == []


def test_an_unchanged_workspace_costs_a_listing_and_a_request_a_tag(rig: Rig, basalt: FakeBasalt) -> None:
    basalt.edit("a", "one", tag="production")
    basalt.edit("a", "two")
    basalt.edit("b", "one")
    rig.sync()
    read = [asked for asked in basalt.asked if "version=" in asked]
    assert sorted(read) == sorted(set(read)), "each version is read once"
    assert quiet(rig, basalt) == ["GET /prompts", "GET /prompts/a?tag=production"]


def test_a_new_version_is_pulled_and_only_it_is_read(rig: Rig, basalt: FakeBasalt) -> None:
    basalt.edit("a", "one")
    rig.sync()
    before = len(basalt.requests)
    basalt.edit("a", "two")
    basalt.edit("a", "three")
    assert kinds(rig.sync().done) == ["update-local a"]
    assert (texts(rig, "a"), rig.store.get("a").version) == (["three"], 3)
    read = [asked for asked in basalt.asked[before:] if "version=" in asked]
    assert sorted(read) == ["GET /prompts/a?version=1.1.0", "GET /prompts/a?version=1.2.0"]
    quiet(rig, basalt)


def test_a_local_edit_is_held_with_a_plain_sentence_and_stays(rig: Rig, basalt: FakeBasalt) -> None:
    basalt.edit("a", "one")
    rig.sync()
    commit(rig.root, {"a": text_of(rig, "a").replace("one", "mine")})
    result = rig.sync()
    assert held(result) == ["a: Basalt has no API to write content, so this edit cannot be published there"]
    assert result.plan.held[0].hint
    assert (kinds(result.done), result.errors, basalt.writes(), texts(rig, "a")) == ([], [], [], ["mine"])
    quiet(rig, basalt)


def test_tags_move_while_an_edit_of_ours_is_held(rig: Rig, basalt: FakeBasalt) -> None:
    basalt.edit("a", "one", tag="production")
    rig.sync()
    basalt.edit("a", "two")
    rig.sync()
    commit(rig.root, {"a": text_of(rig, "a").replace("two", "mine")})
    _tag(rig, "a", "production", 2)
    _tag(rig, "a", "staging", 3)
    result = rig.sync()
    assert kinds(result.done) == ["tag-remote a"]
    assert held(result) == [
        "a: Basalt has no API to write content, so this edit cannot be published there",
        "a: tag 'staging': version 3 is not at Basalt, which has no API to write content",
    ]
    assert all("--republish" not in one.hint for one in result.plan.held)
    assert basalt.prompts["a"].tags["production"] == "1.1.0"
    basalt.prompts["a"].tags["production"] = "1.0.0"
    assert kinds(rig.sync().done) == ["tag-local a"]
    assert rig.store.get("a", tag="production").version == 1
    assert texts(rig, "a") == ["mine"]
    quiet(rig, basalt)


def test_an_edit_there_is_merged_with_a_held_one_here(rig: Rig, basalt: FakeBasalt) -> None:
    basalt.edit("a", "one", systemText="s")
    rig.sync()
    commit(rig.root, {"a": text_of(rig, "a").replace("one", "mine")})
    basalt.edit("a", "one", systemText="theirs")
    result = rig.until_quiet()
    assert texts(rig, "a") == ["theirs", "mine"]
    assert len(held(result)) == 1


def test_what_is_only_ours_is_no_edit(rig: Rig, basalt: FakeBasalt) -> None:
    basalt.edit("a", "one")
    rig.sync()
    commit(rig.root, {"a": "# a comment\ndescription: what for\ntags: [x]\n" + text_of(rig, "a")})
    result = rig.sync()
    assert held(result) == []
    basalt.edit("a", "two")
    rig.sync()
    assert text_of(rig, "a").startswith("# a comment\ndescription: what for\ntags: [x]\n")
    assert texts(rig, "a") == ["two"]


def test_a_tag_moved_here_moves_there_and_the_other_way_round(rig: Rig, basalt: FakeBasalt) -> None:
    basalt.edit("a", "one", tag="production")
    rig.sync()
    basalt.edit("a", "two")
    rig.sync()
    _tag(rig, "a", "production", 2)
    assert kinds(rig.sync().done) == ["tag-remote a"]
    assert basalt.writes() == [{"newTag": "production", "version": "1.1.0"}]
    assert basalt.prompts["a"].tags["production"] == "1.1.0"
    quiet(rig, basalt)
    basalt.prompts["a"].tags["production"] = "1.0.0"
    assert kinds(rig.sync().done) == ["tag-local a"]
    assert rig.store.get("a", tag="production").version == 1
    quiet(rig, basalt)


def test_a_new_tag_is_created_there(rig: Rig, basalt: FakeBasalt) -> None:
    basalt.edit("a", "one")
    rig.sync()
    _tag(rig, "a", "staging", 1)
    assert kinds(rig.sync().done) == ["tag-remote a"]
    assert basalt.prompts["a"].tags["staging"] == "1.0.0"
    quiet(rig, basalt)


def test_a_tag_taken_away_here_is_held(rig: Rig, basalt: FakeBasalt) -> None:
    basalt.edit("a", "one", tag="production")
    rig.sync()
    delete_tag(rig.store, "a", "production", "no more")
    result = rig.sync()
    assert held(result) == ["a: tag 'production': Basalt cannot take a tag away"]
    assert basalt.writes() == []


def test_a_prompt_that_never_was_there_is_out_of_scope(rig: Rig, basalt: FakeBasalt) -> None:
    basalt.edit("a", "one")
    tools = "messages:\n  - {role: assistant, content: x}\n"
    commit(rig.root, {"ours": chat("mine"), "odd": tools, "done": "content: x\n"})
    _tag(rig, "ours", "production", 1)
    result = rig.until_quiet()
    assert (held(result), result.errors, basalt.writes()) == ([], [], [])


def test_a_prompt_on_both_sides_is_linked_where_it_is_the_same(rig: Rig, basalt: FakeBasalt) -> None:
    same = "messages:\n  - role: user\n    content: one\nmodel: {provider: p, name: m, parameters: {}}\n"
    commit(rig.root, {"a": same + "vendors: {basalt: {model: {client: c, version: v}}}\n"})
    model = {"provider": "p", "model": "m", "parameters": {}, "client": "c", "version": "v"}
    basalt.edit("a", "one", model=model)
    assert kinds(rig.sync().done) == ["link a"]
    quiet(rig, basalt)


def test_a_deletion_here_is_held(rig: Rig, basalt: FakeBasalt) -> None:
    basalt.edit("a", "one")
    rig.sync()
    commit(rig.root, {"a": None})
    assert held(rig.sync()) == ["a: deleted here, and Basalt has no API to delete"]


@pytest.mark.parametrize(
    "answer",
    [
        got({"text": "x", "slug": "b", "model": MODEL}, "1.1.0"),
        got({"text": "x", "slug": "a", "model": MODEL}, "1.1.0", warning="fell back"),
        httpx.Response(200, html="<html>"),
    ],
)
def test_a_bad_answer_stops_only_its_own_prompt(rig: Rig, basalt: FakeBasalt, answer: httpx.Response) -> None:
    for slug in ("a", "b"):
        basalt.edit(slug, "one")
    rig.sync()
    for slug in ("a", "b"):
        basalt.edit(slug, "two")
    basalt.fail(answer, when="/prompts/a?version=1.1.0")
    result = rig.sync()
    assert kinds(result.done) == ["update-local b"]
    assert [error.slug for error in result.errors] == ["a"]
    assert texts(rig, "a") == ["one"]
    assert kinds(rig.sync().done) == ["update-local a"]


def test_a_prompt_without_a_slug_or_version_makes_no_noise(rig: Rig, basalt: FakeBasalt) -> None:
    basalt.edit("a", "one")
    basalt.prompts["a"].versions = {}
    basalt.prompts["a"].tags = {}
    basalt.prompts[None] = basalt.prompts["a"]
    result = rig.sync()
    assert (kinds(result.done), held(result), result.errors) == ([], [], [])


def _tag(rig: Rig, slug: str, tag: str, version: int) -> None:
    set_tag(rig.store, rig.store.locate(parse_address(f"{slug}@{version}")), tag, "because")
