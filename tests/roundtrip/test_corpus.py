"""A public collection of real prompts goes into a store, to a vendor, and back into an empty store: byte for byte."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hubs import Hub, PromptLayerPage, Twin, config_of, done, serve
from repos import git, make_store

from promptstore.cli.run import run
from promptstore.model.slug import slugify
from promptstore.model.templates import variables_in
from promptstore.model.yaml.writer import write
from promptstore.serve.server import Running, embedded
from promptstore.store.history import system_identity
from promptstore.store.store import Store
from promptstore.store.writing import TextChange, commit_texts

REPOSITORY = Path(__file__).parents[2]

VENDOR = '[store]\nprompts = "prompts"\nbranch = "main"\n'


def corpus() -> dict[str, str]:
    """Slug -> text of every Markdown file of a ``corpus/fabric`` folder beside the repository, or of the named one."""
    named = os.environ.get("PROMPTSTORE_CORPUS")
    folders = [Path(named)] if named else sorted(REPOSITORY.parent.glob("*/corpus/fabric"))
    files = [file for folder in folders for file in sorted(folder.glob("*.md"))]
    return {slugify(file.stem): file.read_bytes().decode("utf-8") for file in files}


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    found = corpus()
    if not found:
        pytest.skip("the corpus is not beside the repository (corpus/fabric, or PROMPTSTORE_CORPUS)")
    return found


@pytest.fixture
def vendor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    """A twin of PromptLayer with an empty workspace."""
    folder = tmp_path / "vendor"
    make_store(folder, VENDOR)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "Empty")
    git(folder, "checkout", "-q", "--detach")
    with Store.open(folder) as store, embedded(store) as running:
        monkeypatch.setenv("PROMPTLAYER_API_KEY", running.key)
        yield running


def config(url: str) -> str:
    return f'[store]\nbranch = "main"\n\n[remotes.promptlayer]\nvendor = "promptlayer"\nbase_url = "{url}"\n'


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_text_comes_back_the_same(tmp_path: Path, texts: dict[str, str], vendor: Running) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    started = time.monotonic()
    first = make_store(source, config(vendor.url))
    for slug, text in texts.items():
        data = {"messages": [{"role": "system", "content": text}]}
        file = source / "prompts" / f"{slug}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(write(data).encode("utf-8"))
    git(source, "add", "-A")
    git(source, "commit", "-q", "-m", "Import the corpus")
    imported = time.monotonic()
    assert {slug: first.get(slug).messages[0].content for slug in texts} == texts  # type: ignore[index]
    code = run(["-C", str(source), "push", "--json"])
    pushed = time.monotonic()
    assert code == 0
    second = make_store(target, config(vendor.url), {})
    assert run(["-C", str(target), "pull", "--json"]) == 0
    pulled = time.monotonic()
    assert {slug: second.get(slug).messages[0].content for slug in texts} == texts  # type: ignore[index]
    print(f"import {imported - started:.1f} s, push {pushed - imported:.1f} s, pull {pulled - pushed:.1f} s")


UNREADABLE = {"sanitize_broken_html_to_markdown": "header ? header", "write_nuclei_template_rule": "{{}}"}
"""Texts that are no jinja2 at all, though PromptLayer keeps them as such: nobody can say what they mean elsewhere."""


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_text_goes_through_two_vendors(
    tmp_path: Path, texts: dict[str, str], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """PromptLayer, git, Braintrust, an empty store, another PromptLayer: each text is there, the same to the byte, or
    held with its reason."""
    for vendor in ("PROMPTLAYER", "BRAINTRUST"):
        monkeypatch.setenv(f"{vendor}_API_KEY", "k")
    with ExitStack() as stack:
        names = {"first": "promptlayer", "middle": "braintrust", "last": "promptlayer"}
        twins = {name: stack.enter_context(serve(tmp_path / name, vendor)) for name, vendor in names.items()}
        put(twins["first"], texts)
        going = new_hub(tmp_path / "going", {name: twins[name] for name in ("first", "middle")})
        document = going.sync(capfd)
        held = {one["slug"]: one["reason"] for one in document["held"]}
        assert held.keys() == UNREADABLE.keys() & texts.keys()
        assert all(UNREADABLE[slug] in texts[slug] and "cannot be read" in reason for slug, reason in held.items())
        assert going.store.prompts_at(going.store.tip).keys() == texts.keys()
        assert {slug: going.store.get(slug).messages[0].content for slug in texts} == texts  # type: ignore[index]
        coming = new_hub(tmp_path / "coming", {name: twins[name] for name in ("middle", "last")})
        document = coming.sync(capfd)
        assert document["held"] == []
        assert sum(kind == "create-remote" for _, kind, _ in (one.split() for one in done(document))) == len(
            texts
        ) - len(held)
        last = twins["last"]
        assert isinstance(last, PromptLayerPage)
        came = there(last)
    assert came.keys() | held.keys() == texts.keys(), "none is dropped in silence"
    assert {slug: text for slug, (text, _) in came.items()} == {slug: texts[slug] for slug in came}
    for slug, (text, fmt) in came.items():
        assert fmt == "jinja2" or not variables_in(text, "jinja2"), slug


def put(twin: Twin, texts: dict[str, str]) -> None:
    """Fill a workspace, in one go."""
    files = {}
    for slug, text in texts.items():
        written = write({"template_format": "jinja2", "messages": [{"role": "system", "content": text}]})
        files[slug] = TextChange(slug, written.encode("utf-8"), system_identity(twin.store.clock()), f"Add {slug}\n")
    commit_texts(twin.store, list(files.values()), "fill")


def new_hub(root: Path, twins: dict[str, Twin]) -> Hub:
    return Hub(root, make_store(root, config_of(twins), {}), twins)


def there(page: PromptLayerPage) -> dict[str, tuple[str, str]]:
    """Text and format of every prompt of a workspace."""
    found = {}
    for slug, blob in page.store.prompts_at(page.store.tip).items():
        data = page.store.contents.prompt(blob, slug).data()
        [message] = data["messages"]
        found[slug] = (message["content"], message.get("template_format") or data.get("template_format") or "jinja2")
    return found
