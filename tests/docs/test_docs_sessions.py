"""What the pages show is what happens: console sessions, Python, prompt files and configs in them are run."""

from __future__ import annotations

import doctest
import shutil
from pathlib import Path

import pytest
from pages import DOCS, PAGES, README, ROOT, blocks
from repos import git
from sessions import play, steps

from promptstore.model.reading import problems


@pytest.fixture
def example_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The example store, committed as version 1, with triage in production."""
    folder = tmp_path / "store"
    folder.mkdir()
    for name in (".promptstore.toml", ".gitattributes"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "prompts", folder / "prompts")
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "-c", "user.name=Ann", "-c", "user.email=ann@example.com", "commit", "-q", "-m", "Start")
    git(folder, "update-ref", "refs/prompts/support/triage/-/production", "HEAD")
    monkeypatch.chdir(folder)
    return folder


def _check(page: Path, folder: Path) -> None:
    session = steps(blocks(page, "console"))
    outputs, code, rest = play(session, folder, "\n".join(blocks(page, "python")))
    for step, output in zip(session, outputs, strict=True):
        assert step.matches(output), f"$ {step.command}\n--- shown\n{step.shown}--- printed\n{output}"
    assert code == 0, rest


@pytest.mark.slow
def test_readme_tour_is_true(tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    _check(README, folder)


@pytest.mark.slow
@pytest.mark.parametrize("page", [p for p in DOCS if blocks(p, "console") or blocks(p, "python")], ids=lambda p: p.name)
def test_sessions_of_the_docs_are_true(page: Path, example_store: Path) -> None:
    _check(page, example_store)


@pytest.mark.parametrize("page", [p for p in PAGES if blocks(p, "pycon")], ids=lambda p: p.name)
@pytest.mark.usefixtures("example_store")
def test_interactive_python_is_true(page: Path) -> None:
    text = "\n".join(blocks(page, "pycon"))
    test = doctest.DocTestParser().get_doctest(text, {}, page.name, str(page), 0)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    told: list[str] = []
    assert runner.run(test, out=told.append).failed == 0, "".join(told)
    assert test.examples


@pytest.mark.parametrize("text", [text for page in PAGES for text in blocks(page, "yaml")])
def test_prompt_files_in_the_docs_are_valid(text: str) -> None:
    lines = text.splitlines()
    whole = any(line.startswith(("messages:", "content:")) for line in lines)
    found = problems(text if whole else f"{text}content: x\n")
    assert not found, [str(problem) for problem in found]
