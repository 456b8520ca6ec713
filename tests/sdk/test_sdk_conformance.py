"""What our client does at the twin is what the vendors' own SDKs see, and the other way round."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from grounds import TwinGround, twin_ground
from sdks import SDKS, Package
from twins import make_template

from promptstore.vendors.conformance.ground import Made
from promptstore.vendors.conformance.samples import TEXTS, big
from promptstore.vendors.registry import vendor

pytestmark = pytest.mark.sdk

LITERAL = {**{name: text for name, text in TEXTS.items() if name != "variable"}, "big": big()}
"""Texts without variables: some SDKs give a text only as rendered."""


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_template(tmp_path_factory.mktemp("sdk") / "template")


@pytest.fixture(scope="module", params=SDKS, ids=lambda package: package.name)
def package(request: pytest.FixtureRequest) -> Package:
    found: Package = request.param
    return found


@pytest.fixture(scope="module")
def ground(package: Package, template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwinGround]:
    where = tmp_path_factory.mktemp(package.name) / "store"
    with twin_ground(vendor(package.vendor), template, where, "sdk") as found:
        yield found


@pytest.fixture
def sdk(package: Package, ground: TwinGround, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    return opened(package, ground, tmp_path, monkeypatch, ground.key)


def opened(package: Package, ground: TwinGround, folder: Path, monkeypatch: pytest.MonkeyPatch, key: str) -> Any:
    monkeypatch.setenv("BRAINTRUST_PROMPT_CACHE_DIR", str(folder / "cache"))
    for name in ("BRAINTRUST_API_URL", "BRAINTRUST_API_KEY", "BRAINTRUST_ORG_NAME"):
        monkeypatch.delenv(name, raising=False)
    return package.open(ground.base_url, key)


def can(sdk: Any, name: str) -> Any:
    if not hasattr(sdk, name):
        pytest.skip(f"this SDK has no way to {name}")
    return getattr(sdk, name)


def key_of(ground: TwinGround, made: Made) -> str:
    return ground.vendor.lens.key(made.document)


@pytest.mark.parametrize("name", LITERAL)
def test_a_text_of_ours_arrives_to_the_letter(ground: TwinGround, sdk: Any, name: str) -> None:
    made = ground.put(ground.slug(f"text-{name}"), ground.prompt(LITERAL[name]))
    assert sdk.text(key_of(ground, made)) == LITERAL[name]
    assert sdk.text(key_of(ground, made), version=made.version) == LITERAL[name]


@pytest.mark.parametrize("name", ["v1.2_final-x", "deep/er/still", "2026"])
def test_a_prompt_is_found_by_its_name(ground: TwinGround, sdk: Any, name: str) -> None:
    made = ground.put(ground.slug(name), ground.prompt("named"))
    assert sdk.text(key_of(ground, made)) == "named"
    if hasattr(sdk, "names"):
        assert key_of(ground, made) in sdk.names()


def test_versions_are_the_same_ones(ground: TwinGround, sdk: Any) -> None:
    made = [ground.put(ground.slug("versions"), ground.prompt(text)) for text in ("one", "two", "three")]
    assert [sdk.text(key_of(ground, one), version=one.version) for one in made] == ["one", "two", "three"]


def test_a_tag_of_ours_is_moved_and_taken_away(ground: TwinGround, sdk: Any, package: Package) -> None:
    first, second = (ground.put(ground.slug("tagged"), ground.prompt(text)) for text in ("one", "two"))
    key = key_of(ground, first)
    for made, text in ((first, "one"), (second, "two"), (first, "one")):
        ground.workspace.set_tag(first.id, "live", made.version)
        assert sdk.text(key, tag="live") == text
    assert sdk.text(key) == "two"
    if ground.vendor.capabilities.untag:
        ground.workspace.delete_tag(first.id, "live")
        fails(lambda: sdk.text(key, tag="live"), f"{package.missing}|environment|label|prompt|Prompt")


def test_a_tag_of_the_sdk_is_seen(ground: TwinGround, sdk: Any) -> None:
    tag = can(sdk, "tag")
    first, second = (ground.put(ground.slug("tagged-there"), ground.prompt(text)) for text in ("one", "two"))
    for made in (first, second, first):
        tag(key_of(ground, first), "theirs", made.version)
        ground.workspace.list()
        assert ground.workspace.tags(["theirs"], [first.id]).tags[first.id] == {"theirs": made.version}


def test_a_publish_of_the_sdk_is_seen(ground: TwinGround, sdk: Any) -> None:
    publish = can(sdk, "publish")
    slug = ground.slug("published-there")
    document = ground.project(ground.prompt("one"), slug)
    publish(ground.vendor.lens.key(document), "one")
    head = ground.workspace.find(slug, document)
    assert head is not None
    assert ground.workspace.read(head.id).document == document
    publish(ground.vendor.lens.key(document), "two")
    found = ground.workspace.read(head.id)
    assert found.document == ground.project(ground.prompt("two"), slug)
    assert list(ground.workspace.versions(head.id, found.version)) == [head.version, found.version]


def test_what_is_gone_is_missing(ground: TwinGround, sdk: Any, package: Package) -> None:
    fails(lambda: sdk.text("sdk-nobody"), package.missing)
    if not ground.vendor.capabilities.delete:
        return
    made = ground.put(ground.slug("gone"), ground.prompt("one"))
    assert sdk.text(key_of(ground, made)) == "one"
    ground.workspace.delete(made.id)
    fails(lambda: sdk.text(key_of(ground, made)), package.missing)


def test_a_wrong_key_is_refused(
    ground: TwinGround, package: Package, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = ground.put(ground.slug("locked"), ground.prompt("one"))
    sdk = opened(package, ground, tmp_path, monkeypatch, "wrong-key-0123456789")
    fails(lambda: sdk.text(key_of(ground, made)), package.unauthorized)


def fails(call: Callable[[], object], words: str) -> None:
    """That the SDK raises an error of its own with these words."""
    with pytest.raises(Exception, match=words):
        call()
