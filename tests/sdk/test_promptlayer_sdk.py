"""PromptLayer's own Python SDK against the local twin, over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from twins import GREETING, copy_store, make_template, names

from promptstore.serve.server import Running, embedded
from promptstore.store.store import Store

promptlayer = pytest.importorskip("promptlayer")

pytestmark = pytest.mark.sdk


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_template(tmp_path_factory.mktemp("sdk") / "template")


@pytest.fixture
def store(template: Path, tmp_path: Path) -> Iterator[Store]:
    with copy_store(template, tmp_path / "store") as opened:
        yield opened


@pytest.fixture
def running(store: Store) -> Iterator[Running]:
    with embedded(store) as twin:
        yield twin


@pytest.fixture(params=["", "/promptlayer", "/"])
def base_url(request: pytest.FixtureRequest, running: Running) -> str:
    return f"{running.url}{request.param}"


@pytest.fixture
def sdk(running: Running) -> Any:
    return promptlayer.PromptLayer(api_key=running.key, base_url=running.url)


def body(name: str, text: str, **more: Any) -> dict[str, Any]:
    block = {"role": "user", "content": [{"type": "text", "text": text}], "template_format": "f-string"}
    return {"prompt_name": name, "prompt_template": {"type": "chat", "messages": [block]}, **more}


def text_of(found: dict[str, Any]) -> str:
    text: str = found["prompt_template"]["messages"][0]["content"][0]["text"]
    return text


@pytest.mark.parametrize("cache", [0, 60])
def test_get_renders_with_and_without_the_sdks_cache(base_url: str, running: Running, cache: int) -> None:
    sdk = promptlayer.PromptLayer(api_key=running.key, base_url=base_url, cache_ttl_seconds=cache)
    for _ in range(2):
        found = sdk.templates.get(GREETING, {"input_variables": {"name": "Ann"}})
        assert (found["prompt_name"], found["version"], text_of(found)) == (GREETING, 1, "Hello Ann")
        call = sdk.templates.get("The Bee", {"input_variables": {"how": "loud"}})["llm_kwargs"]
        assert call["messages"][0]["content"] == "Buzz loud"
        assert (call["model"], call["temperature"]) == ("gpt-4o", 0)


@pytest.mark.parametrize("name", ["plain", "with/slash", "a%2Fb", "ü ? # & +", "Case", "9"])
def test_what_is_published_can_be_got(sdk: Any, name: str) -> None:
    made = sdk.templates.publish(body(name, "one {x}", tags=["t"], commit_message="m", metadata={"k": 1}))
    assert (made["prompt_name"], made["version_number"], made["metadata"]) == (name, 1, {"k": 1})
    found = sdk.templates.get(name)
    assert (found["id"], found["prompt_name"], found["commit_message"]) == (made["id"], name, "m")
    assert (text_of(found), found["tags"], found["metadata"]) == ("one {x}", ["t"], {"k": 1})


def test_versions_and_labels(sdk: Any, store: Store) -> None:
    sdk.templates.publish(body("x", "one", release_labels=["prod"]))
    sdk.templates.publish(body("x", "two"))
    assert [text_of(sdk.templates.get("x", {"version": number})) for number in (1, 2)] == ["one", "two"]
    assert text_of(sdk.templates.get("x", {"label": "prod"})) == "one"
    assert text_of(sdk.templates.get("x")) == "two"
    assert store.get("x", tag="prod").version == 1
    assert names(sdk.templates.all(label="prod")) == ["x"]


def test_the_listing_is_paged(sdk: Any) -> None:
    assert sorted(names(sdk.templates.all())) == ["The Bee", GREETING]
    pages = [sdk.templates.all(page=number, per_page=1) for number in (1, 2, 3)]
    assert [len(page) for page in pages] == [1, 1, 0]


def test_errors_are_the_sdks_own(sdk: Any, running: Running) -> None:
    with pytest.raises(promptlayer.PromptLayerNotFoundError):
        sdk.templates.get("gone")
    with pytest.raises(promptlayer.PromptLayerNotFoundError):
        sdk.templates.get(GREETING, {"version": 99})
    with pytest.raises(promptlayer.PromptLayerAuthenticationError):
        promptlayer.PromptLayer(api_key="pl_wrong", base_url=running.url).templates.get(GREETING)
    untyped = {"prompt_name": "x", "prompt_template": {"messages": []}}
    with pytest.raises(promptlayer.PromptLayerBadRequestError):
        sdk.templates.publish(untyped)


def test_a_read_only_twin_forbids_a_publish(store: Store) -> None:
    with embedded(store, read_only=True) as twin:
        sdk = promptlayer.PromptLayer(api_key=twin.key, base_url=twin.url)
        # The SDK raises for no other status than 400 here: it hands the refusal back.
        assert sdk.templates.publish(body("x", "y"))["success"] is False
        assert sdk.templates.get(GREETING)["version"] == 1


def test_groups_and_logged_requests_are_taken(sdk: Any, running: Running) -> None:
    assert sdk.group.create()
    logged = promptlayer.utils.track_request(running.url, True, api_key=running.key, prompt_id=1, prompt_version=1)
    assert logged["success"] is True


@pytest.mark.parametrize("name", [GREETING, "The Bee"])
def test_the_asynchronous_sdk_gets_the_same(running: Running, sdk: Any, name: str) -> None:
    import asyncio

    async def get() -> Any:
        return await promptlayer.AsyncPromptLayer(api_key=running.key, base_url=running.url).templates.get(name)

    assert asyncio.run(get()) == sdk.templates.get(name)
