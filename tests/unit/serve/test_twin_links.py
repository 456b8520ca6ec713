"""Where the store is linked to PromptLayer, its ids and version numbers are meant."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from repos import git
from twins import CONFIG, GREETING, client, publication

from promptstore.store.store import Store
from promptstore.sync.agreement import Agreed, Agreements
from promptstore.sync.trees import KnownVersion, Link

REMOTE = CONFIG + '[remotes.vendor]\nvendor = "promptlayer"\n'


@pytest.fixture
def linked(store: Store) -> Iterator[Store]:
    """The greeting is prompt 77 at PromptLayer, and its only version is number 7 there."""
    (Path(store.root) / ".promptstore.toml").write_text(REMOTE)
    with Store.open(store.root) as opened:
        blob = opened.prompts_at(opened.tip)[GREETING]
        link = Link("77", "Greeting", "7", "", {"7": KnownVersion(blob, "")}, called="Greeting")
        agreements = Agreements("vendor", opened.refs, opened.objects, opened.commits)
        agreements.write(agreements.read(), {GREETING: Agreed(blob, link)}, opened.user())
        yield opened


def version(twin: httpx.Client, key: str, number: int) -> int:
    return twin.get(f"/prompt-templates/{key}", params={"version": number}).status_code


def test_a_linked_prompt_has_the_vendors_id_name_and_numbers(linked: Store) -> None:
    twin = client(linked)
    for key in ("Greeting", "77", GREETING):
        found = twin.get(f"/prompt-templates/{key}").json()
        assert (found["id"], found["prompt_name"], found["version"]) == (77, "Greeting", 7)
    assert (version(twin, "77", 7), version(twin, "77", 1)) == (200, 404)


def test_an_unlinked_one_beside_it_has_ours(linked: Store) -> None:
    twin = client(linked)
    assert (version(twin, "bee", 1), version(twin, "bee", 7)) == (200, 404)


def test_what_the_vendor_does_not_have_yet_has_no_number(linked: Store) -> None:
    twin = client(linked)
    text = twin.get("/prompt-templates/77?version=7").json()["prompt_template"]
    made = twin.post("/rest/prompt-templates", json={**publication("Greeting"), "release_labels": ["prod"]}).json()
    assert (made["id"], made["version_number"]) == (77, 0)
    assert twin.get("/prompt-templates/77").json()["version"] == 0
    assert version(twin, "77", 2) == 404
    assert twin.get("/prompt-templates/77?version=7").json()["prompt_template"] == text
    assert linked.tags(GREETING) == {"prod": 2}


def test_a_number_is_not_guessed_in_a_clone_that_was_never_told(linked: Store, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", linked.root, "clone")
    git(tmp_path / "clone", "checkout", "-q", "main")
    (tmp_path / "clone" / ".promptstore.toml").write_text(REMOTE)
    with Store.open(tmp_path / "clone") as clone:
        twin = client(clone)
        assert version(twin, GREETING, 1) == 404
        assert twin.get(f"/prompt-templates/{GREETING}").status_code == 200


def test_a_remote_that_was_never_synced_links_nothing(store: Store) -> None:
    (Path(store.root) / ".promptstore.toml").write_text(REMOTE)
    with Store.open(store.root) as opened:
        assert version(client(opened), GREETING, 1) == 200
