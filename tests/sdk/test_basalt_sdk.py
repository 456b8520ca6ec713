"""Basalt's own Python SDK against the local twin, over real HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from repos import chat, commit, make_store
from twins import CONFIG, link

from promptstore.serve.server import Running, embedded
from promptstore.store.store import Store

basalt = pytest.importorskip("basalt")
errors = pytest.importorskip("basalt.types.exceptions")

pytestmark = pytest.mark.sdk

SUMMARIZER = """\
name: The Summarizer
description: Sums up
model: {provider: open-ai, name: gpt-4o, parameters: {temperature: 0.5, maxLength: 100, responseFormat: json_object}}
messages:
  - {role: system, content: "Be {{ mood }}."}
  - {role: user, content: "Sum up {{ ticket }}"}
"""
PROMPTS = {"support/summarizer": SUMMARIZER, "greeting": chat("Hello {{ name }}"), "a": "messages: [\n"}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with make_store(tmp_path / "store", CONFIG, PROMPTS) as opened:
        yield opened


@pytest.fixture
def running(store: Store) -> Iterator[Running]:
    with embedded(store) as twin:
        yield twin


def opened(running: Running, prefix: str = "", key: str | None = None) -> Any:
    return basalt.Basalt(api_key=key or running.key, base_url=f"{running.url}{prefix}", enable_telemetry=False)


@pytest.fixture
def prompts(running: Running) -> Any:
    return opened(running).prompts


@pytest.mark.parametrize("prefix", ["", "/basalt", "/"])
def test_get_renders_both_texts(running: Running, prefix: str) -> None:
    sdk = opened(running, prefix)
    variables = {"mood": "kind", "ticket": "it"}
    found = sdk.prompts.get_sync("support/summarizer", tag="latest", variables=variables)
    assert (found.text, found.system_text) == ("Sum up it", "Be kind.")
    assert (found.slug, found.version, found.tag) == ("support/summarizer", "1", "latest")
    assert (found.model.provider, found.model.model) == ("open-ai", "gpt-4o")
    parameters = found.model.parameters
    assert (parameters.temperature, parameters.max_length, parameters.response_format) == (0.5, 100, "json_object")


def test_versions_and_tags(prompts: Any, store: Store) -> None:
    commit(Path(store.root), {"greeting": chat("Bye {{ name }}")})
    assert prompts.publish_sync("greeting", new_tag="production", version="1").label == "production"
    assert store.get("greeting", tag="production").version == 1
    texts = [
        prompts.get_sync("greeting", cache_enabled=False, **which).system_text
        for which in ({}, {"version": "1"}, {"version": "2"}, {"tag": "latest"}, {"version": "2", "tag": "production"})
    ]
    assert texts == [f"{word} {{{{ name }}}}" for word in ("Hello", "Hello", "Bye", "Bye", "Bye")]
    assert prompts.publish_sync("greeting", new_tag="production", tag="latest").label == "production"
    assert store.get("greeting", tag="production").version == 2


def test_a_linked_store_has_basalts_own_versions(store: Store) -> None:
    (Path(store.root) / ".promptstore.toml").write_text(CONFIG + '[remotes.b]\nvendor = "basalt"\n')
    commit(Path(store.root), {"greeting": chat("Bye {{ name }}")})
    with Store.open(store.root) as linked:
        hello, bye = (one.blob for one in linked.history.numbering(linked.tip).of("greeting"))
        link(linked, "b", "greeting", "greeting", {"1.9.0": hello, "1.10.0": bye})
        with embedded(linked) as running:
            prompts = opened(running).prompts
            for version, text in (("1.9.0", "Hello"), ("1.10.0", "Bye")):
                found = prompts.get_sync("greeting", version=version, cache_enabled=False)
                assert (found.version, found.system_text) == (version, f"{text} {{{{ name }}}}")
            assert prompts.get_sync("greeting", tag="latest", cache_enabled=False).version == "1.10.0"
            with pytest.raises(errors.NotFoundError):
                prompts.get_sync("greeting", version="2", cache_enabled=False)


def test_the_list_and_a_description(prompts: Any) -> None:
    listed = prompts.list_sync()
    assert [(item.slug, item.name, item.available_versions, item.available_tags) for item in listed] == [
        ("greeting", "greeting", ["1"], ["latest"]),
        ("support/summarizer", "The Summarizer", ["1"], ["latest"]),
    ]
    described = prompts.describe_sync("support/summarizer", tag="latest")
    assert (described.name, described.description, described.available_versions) == ("The Summarizer", "Sums up", ["1"])
    assert [one["label"] if isinstance(one, dict) else one.label for one in described.variables] == ["mood", "ticket"]


def test_errors_are_the_sdks_own(prompts: Any, running: Running) -> None:
    for call in (
        lambda: prompts.get_sync("gone"),
        lambda: prompts.get_sync("greeting", version="9"),
        lambda: prompts.describe_sync("greeting", tag="nope"),
        lambda: prompts.publish_sync("greeting", new_tag="x", version="9"),
    ):
        with pytest.raises(errors.NotFoundError):
            call()
    with pytest.raises(errors.BadRequestError):
        prompts.publish_sync("greeting", new_tag="latest", version="1")
    with pytest.raises(errors.BadRequestError):
        prompts.get_sync("a")
    with pytest.raises(errors.UnauthorizedError):
        opened(running, key="wrong").prompts.list_sync()


def test_the_asynchronous_sdk_gets_the_same(running: Running, prompts: Any) -> None:
    async def get() -> Any:
        return await opened(running).prompts.get("support/summarizer", version="1")

    found = asyncio.run(get())
    assert (found.text, found.version) == (prompts.get_sync("support/summarizer", version="1").text, "1")
