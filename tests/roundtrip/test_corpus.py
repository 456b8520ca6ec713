"""A public collection of real prompts goes into a store, to a vendor, and back into an empty store: byte for byte."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from repos import git, make_store

from promptstore.cli.run import run
from promptstore.model.slug import slugify
from promptstore.model.yaml.writer import write
from promptstore.serve.server import Running, embedded
from promptstore.store.store import Store

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
