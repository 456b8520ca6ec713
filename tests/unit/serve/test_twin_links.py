"""Where the store is linked to a vendor, that vendor's ids and versions are meant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
import twins
from repos import chat, commit, git
from twins import CONFIG, GREETING, KEY, client, publication

from promptstore.store.store import Store
from promptstore.store.tagging import set_tag
from promptstore.vendors.base import Vendor
from promptstore.vendors.braintrust.xacts import short
from promptstore.vendors.registry import vendors

REMOTE = CONFIG + '[remotes.vendor]\nvendor = "promptlayer"\n'


def link(store: Store, prompt: str, versions: dict[str, str], **more: Any) -> None:
    twins.link(store, "vendor", GREETING, prompt, versions, **more)


def blob_of(store: Store) -> str:
    return store.prompts_at(store.tip)[GREETING]


@pytest.fixture
def linked(store: Store) -> Iterator[Store]:
    """The greeting is prompt 77 at PromptLayer, and its only version is number 7 there."""
    (Path(store.root) / ".promptstore.toml").write_text(REMOTE)
    with Store.open(store.root) as opened:
        link(opened, "77", {"7": blob_of(opened)}, called="Greeting")
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


def test_of_two_numbers_with_one_text_the_greater_is_the_newest(linked: Store) -> None:
    link(linked, "77", {"9": blob_of(linked), "10": blob_of(linked)}, called="Greeting")
    twin = client(linked)
    assert twin.get("/prompt-templates/77").json()["version"] == 10
    assert (version(twin, "77", 9), version(twin, "77", 10), version(twin, "77", 7)) == (200, 200, 404)


# Vendors whose versions are no numbers

FIRST, SECOND = "1000194954541498081", "1000194954541498082"


@pytest.fixture(params=["braintrust", "basalt"])
def other(request: pytest.FixtureRequest, store: Store) -> Iterator[tuple[Store, Vendor]]:
    """A store of two versions of the greeting, with a remote of the vendor, not linked yet."""
    vendor = vendors()[request.param]
    (Path(store.root) / ".promptstore.toml").write_text(REMOTE.replace("promptlayer", vendor.name))
    git(Path(store.root), "checkout", "-q", "main")
    commit(Path(store.root), {GREETING: chat("Bye {{ name }}")})
    with Store.open(store.root) as opened:
        yield opened, vendor


def blobs(store: Store) -> list[str]:
    return [version.blob for version in store.history.numbering(store.tip).of(GREETING)]


def of_vendor(store: Store, vendor: Vendor) -> httpx.Client:
    twin = client(store)
    twin.headers["Authorization"] = f"Bearer {KEY}"
    twin.base_url = httpx.URL(f"http://localhost/{vendor.name}")
    return twin


def asked(twin: httpx.Client, vendor: Vendor, **which: str) -> tuple[str, str] | None:
    """The version and the text that the vendor's read gives for the greeting; None where there is none."""
    if vendor.name == "basalt":
        answer = twin.get(f"/prompts/{GREETING.replace('/', '%2F')}", params=which or {"tag": "latest"})
        found = answer.json().get("prompt") if answer.status_code == 200 else None
        return (found["version"], found["systemText"]) if found else None
    answer = twin.get("/v1/prompt", params={"project_name": "any", "slug": GREETING, **which})
    assert answer.status_code == 200, answer.text
    found = next(iter(answer.json()["objects"]), None)
    return (found["_xact_id"], found["prompt_data"]["prompt"]["messages"][0]["content"]) if found else None


def versions_told(twin: httpx.Client, vendor: Vendor, prompt: str) -> Sequence[str]:
    """All versions that the vendor's API tells of, oldest first."""
    if vendor.name == "basalt":
        listed = twin.get("/prompts").json()["prompts"]
        return next(one["availableVersions"] for one in listed if one["slug"] == GREETING)  # type: ignore[no-any-return]
    filters = {"op": "eq", "left": {"op": "ident", "name": ["id"]}, "right": {"op": "literal", "value": prompt}}
    source = {"op": "function", "name": {"op": "ident", "name": ["project_prompts"]}, "args": []}
    rows = twin.post("/btql", json={"query": {"from": source, "filter": filters}}).json()["data"]
    return [row["_xact_id"] for row in reversed(rows)]


def test_the_vendors_own_versions_are_answered(other: tuple[Store, Vendor]) -> None:
    store, vendor = other
    hello, bye = blobs(store)
    link(store, "prompt-1", {FIRST: hello, SECOND: bye})
    twin = of_vendor(store, vendor)
    said = [asked(twin, vendor, version=version) for version in (FIRST, SECOND)]
    assert [found[0] for found in said if found] == [FIRST, SECOND]
    assert [found[1].split()[0] for found in said if found] == ["Hello", "Bye"]
    assert asked(twin, vendor) == said[1]
    assert asked(twin, vendor, version="2") is None, "our own numbers are not theirs"
    assert versions_told(twin, vendor, "prompt-1") == [FIRST, SECOND]


def test_one_text_under_two_of_the_vendors_versions(other: tuple[Store, Vendor]) -> None:
    store, vendor = other
    hello, bye = blobs(store)
    link(store, "prompt-1", {FIRST: hello, SECOND: bye, "1000194954541498083": hello})
    twin = of_vendor(store, vendor)
    for wanted in (FIRST, "1000194954541498083"):
        found = asked(twin, vendor, version=wanted)
        assert found is not None
        assert found[0] == wanted
        assert found[1].startswith("Hello")


def test_what_the_vendor_does_not_have_yet_is_the_newest_all_the_same(other: tuple[Store, Vendor]) -> None:
    store, vendor = other
    link(store, "prompt-1", {FIRST: blobs(store)[0]})
    twin = of_vendor(store, vendor)
    newest = asked(twin, vendor)
    assert newest is not None
    assert newest[1].startswith("Bye")
    assert asked(twin, vendor, version=newest[0]) == newest, "what was told can be asked for"
    assert versions_told(twin, vendor, "prompt-1") == [FIRST, newest[0]]
    if vendor.name == "braintrust":
        assert int(newest[0]) > int(FIRST)


def test_a_tag_stands_at_the_vendors_version(other: tuple[Store, Vendor]) -> None:
    store, vendor = other
    hello, bye = blobs(store)
    link(store, "prompt-1", {FIRST: hello, SECOND: bye, "1000194954541498083": hello}, tags={"prod": FIRST})
    set_tag(store, store.locator.numbered(GREETING, 1, store.tip), "prod", "to be served")
    twin = of_vendor(store, vendor)
    found = asked(twin, vendor, **{"tag" if vendor.name == "basalt" else "environment": "prod"})
    assert found is not None
    assert found[0] == FIRST, "not the newer version of the same text"


def test_a_clone_that_was_never_told_knows_none_of_the_vendors_versions(
    other: tuple[Store, Vendor], tmp_path: Path
) -> None:
    store, vendor = other
    link(store, "prompt-1", {FIRST: blobs(store)[0], SECOND: blobs(store)[1]})
    git(tmp_path, "clone", "-q", store.root, "clone")
    (tmp_path / "clone" / ".promptstore.toml").write_text(REMOTE.replace("promptlayer", vendor.name))
    with Store.open(tmp_path / "clone") as clone:
        twin = of_vendor(clone, vendor)
        assert asked(twin, vendor, version=FIRST) is None
        assert asked(twin, vendor, version="2") is None
        assert asked(twin, vendor) is not None


def test_the_short_form_of_a_transaction_id_is_the_vendors_too(store: Store) -> None:
    (Path(store.root) / ".promptstore.toml").write_text(REMOTE.replace("promptlayer", "braintrust"))
    with Store.open(store.root) as opened:
        link(opened, "prompt-1", {FIRST: blob_of(opened)})
        vendor = vendors()["braintrust"]
        found = asked(of_vendor(opened, vendor), vendor, version=short(FIRST))
        assert found is not None
        assert found[0] == FIRST
