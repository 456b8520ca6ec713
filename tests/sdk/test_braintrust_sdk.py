"""Braintrust's own Python SDK against the local twin, over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from twins import CONFIG, GREETING, copy_store, link, make_template

from promptstore.serve.server import Running, embedded
from promptstore.store.store import Store
from promptstore.vendors.base import Connection, Publication, Workspace
from promptstore.vendors.braintrust import VENDOR
from promptstore.vendors.braintrust.xacts import short

braintrust = pytest.importorskip("braintrust")

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


@pytest.fixture(params=["", "/braintrust", "/"])
def app_url(request: pytest.FixtureRequest, running: Running) -> str:
    return f"{running.url}{request.param}"


@pytest.fixture
def workspace(running: Running) -> Workspace:
    opened: Workspace = VENDOR.connect(Connection(running.url, running.key, "any"))
    return opened


@pytest.fixture(autouse=True)
def _fresh_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BRAINTRUST_PROMPT_CACHE_DIR", str(tmp_path / "cache"))
    for name in ("BRAINTRUST_API_URL", "BRAINTRUST_API_KEY", "BRAINTRUST_ORG_NAME"):
        monkeypatch.delenv(name, raising=False)


def load(running: Running, slug: str = "x", **more: Any) -> Any:
    known = {"project": "any", "slug": slug, "app_url": running.url, "api_key": running.key}
    return braintrust.load_prompt(**{**known, **more})


def publish(workspace: Workspace, text: str, prompt: str | None = None) -> Any:
    block = {"type": "chat", "messages": [{"role": "user", "content": text}]}
    data = {"prompt": block, "options": {"model": "gpt-4o"}, "template_format": "mustache"}
    document = {"name": "x", "slug": "x", "prompt_data": data}
    return workspace.publish(Publication(prompt, "x", document, "why", ""))


def said(built: Any) -> str:
    text: str = built["messages"][0]["content"]
    return text


def test_a_prompt_of_the_store_is_loaded_and_built(running: Running, app_url: str) -> None:
    prompt = load(running, "bee", app_url=app_url, defaults={"model": "gpt-4o"})
    built = prompt.build(how="loud & <clear>")
    assert (prompt.name, prompt.slug, built["model"]) == ("The Bee", "bee", "gpt-4o")
    assert said(built) == "Buzz loud & <clear>"


def test_a_slug_may_hold_a_slash(running: Running) -> None:
    assert said(load(running, GREETING, defaults={"model": "m"}).build(name="Ann")) == "Hello Ann"


def test_versions_and_environments(running: Running, workspace: Workspace) -> None:
    first = publish(workspace, "one")
    second = publish(workspace, "two", first.id)
    assert said(load(running).build()) == "two"
    for version in (first.version, short(first.version)):
        assert said(load(running, version=version).build()) == "one"
    workspace.set_tag(first.id, "production", first.version)
    assert said(load(running, environment="production").build()) == "one"
    assert said(load(running, slug=None, project=None, id=first.id).build()) == "two"
    assert load(running).version == second.version


def test_the_versions_of_a_prompt_are_listed(running: Running, workspace: Workspace) -> None:
    first = publish(workspace, "one")
    second = publish(workspace, "two", first.id)
    braintrust.login(app_url=running.url, api_key=running.key, force_login=True)
    project = workspace.identity()
    listed = braintrust.get_prompt_versions(project, first.id)
    assert [short(one) if one.isdigit() and len(one) > 16 else one for one in listed] == [
        short(second.version),
        short(first.version),
    ]


def test_a_linked_store_has_braintrusts_own_versions(template: Path, tmp_path: Path) -> None:
    with copy_store(template, tmp_path / "linked"):
        (tmp_path / "linked" / ".promptstore.toml").write_text(CONFIG + '[remotes.bt]\nvendor = "braintrust"\n')
    first, second = "1000194954541498081", "1000194954541498082"
    with Store.open(tmp_path / "linked") as linked:
        blobs = linked.prompts_at(linked.tip)
        link(linked, "bt", GREETING, "prompt-1", {first: blobs["bee"], second: blobs[GREETING]})
        with embedded(linked) as running:
            for version in (first, short(first)):
                prompt = load(running, GREETING, version=version, defaults={"model": "m"})
                assert (prompt.version, said(prompt.build(how="on"))) == (first, "Buzz on")
            newest = load(running, GREETING, defaults={"model": "m"})
            assert (newest.id, newest.version) == ("prompt-1", second)
            braintrust.login(app_url=running.url, api_key=running.key, force_login=True)
            listed = braintrust.get_prompt_versions("any", "prompt-1")
            assert [short(one) if one.isdigit() else one for one in listed] == [short(second), short(first)]
            with pytest.raises(ValueError, match="not found"):
                load(running, GREETING, version="2", defaults={"model": "m"}).build()


def test_what_is_not_there_is_the_sdks_own_error(running: Running) -> None:
    with pytest.raises(ValueError, match="not found"):
        load(running, "gone").build()
    with pytest.raises(ValueError, match=r"[Pp]rompt"):
        load(running, GREETING, environment="nowhere").build()


def test_a_wrong_key_is_refused(running: Running) -> None:
    with pytest.raises(Exception, match=r"Invalid|401|Unauthorized"):
        load(running, GREETING, api_key="wrong").build()
