"""The local twin, judged by Phoenix's own Python client."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from real_phoenix import PhoenixClient
from twins import GREETING, copy_store, make_template

from promptstore.serve.server import Running, embedded
from promptstore.store.store import Store

pytestmark = pytest.mark.real
NAME = GREETING.replace("/", "--")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with copy_store(make_template(tmp_path / "template"), tmp_path / "store") as store:
        yield store


@pytest.fixture
def running(store: Store) -> Iterator[Running]:
    with embedded(store) as running:
        yield running


def test_an_application_reads_what_the_store_has(running: Running, client: PhoenixClient) -> None:
    found = client.run(
        running.url, 'result = text_of(client.prompts.get(prompt_identifier=name), name="Ann")', running.key, name=NAME
    )
    assert found == "Hello Ann"


def test_an_application_publishes_tags_describes_and_deletes(
    running: Running, store: Store, client: PhoenixClient
) -> None:
    code = """
first = create(name, "one", prompt_description="What it is for.", prompt_metadata={"team": "cx"})
second = create(name, "two {{x}}")
client.prompts.tags.create(prompt_version_id=first, name="production")
client.prompts.update(prompt_identifier=name, prompt_description="Changed.")
result = [
    text_of(client.prompts.get(prompt_version_id=first)),
    text_of(client.prompts.get(prompt_identifier=name), x="2"),
    text_of(client.prompts.get(prompt_identifier=name, tag="production")),
    [tag["name"] for tag in client.prompts.tags.list(prompt_version_id=first)],
    client.prompts.get(prompt_identifier=name).id == second,
]
"""
    told = client.run(running.url, code, running.key, name="team--fresh")
    assert told == ["one", "two 2", "one", ["production"], True]
    found = store.get("team/fresh")
    assert found.description == "Changed."
    assert str((found.messages or ())[0].content) == "two {{x}}"
    assert store.get("team/fresh", tag="production").version == 1
    client.run(running.url, "client.prompts.delete(prompt_identifier=name)", running.key, name="team--fresh")
    assert "team/fresh" not in store.prompts_at(store.tip)


def test_a_wrong_key_and_a_missing_prompt_are_errors(running: Running, client: PhoenixClient) -> None:
    with pytest.raises(AssertionError, match="401"):
        client.run(running.url, "client.prompts.get(prompt_identifier=name)", "wrong", name=NAME)
    with pytest.raises(AssertionError, match="not found"):
        client.run(running.url, "client.prompts.get(prompt_identifier=name)", running.key, name="nobody")
