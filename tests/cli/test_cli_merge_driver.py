"""Git's own commands over prompts: merge, rebase and cherry-pick, with promptstore and in a clone that lacks it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import good
from repos import git

pytestmark = pytest.mark.slow

PROMPT = """\
name: Greeting   # a title
model: {provider: openai, name: gpt-4o}
template_format: none
messages:
  - role: system
    content: |
      Be kind.

      Be brief.

      Be honest.
  - role: user
    content: Hello
"""

COMMANDS = {
    "merge": ("merge", "--no-edit", "theirs"),
    "rebase": ("rebase", "theirs"),
    "cherry-pick": ("cherry-pick", "theirs"),
}
every_command = pytest.mark.parametrize(
    "command", ["merge", *(pytest.param(name, marks=pytest.mark.slow) for name in COMMANDS if name != "merge")]
)
Git = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def branches(tmp_path: Path) -> Path:
    """The branches ``ours`` and ``theirs`` of one prompt."""
    where = tmp_path / "repo"
    good(tmp_path, "init", "repo")
    git(where, "config", "user.name", "Ann")
    git(where, "config", "user.email", "ann@example.com")
    (where / "prompts/a.yaml").write_text(PROMPT)
    git(where, "add", "-A")
    git(where, "commit", "-qm", "start")
    git(where, "branch", "theirs")
    git(where, "switch", "-q", "-c", "ours")
    return where


def bare_path(tmp_path: Path) -> Path:
    """A folder with what git needs, and no promptstore."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("git", "sh", "cat", "sed", "env", "dirname", "basename", "uname", "tr", "rm"):
        found = shutil.which(name)
        if found:
            (folder / name).symlink_to(found)
    return folder


@pytest.fixture
def with_us(tmp_path: Path) -> Git:
    script = bare_path(tmp_path) / "promptstore"
    script.write_text(f'#!/bin/sh\nexec {sys.executable} -m promptstore "$@"\n')
    script.chmod(0o755)
    return _runner(script.parent)


@pytest.fixture
def without_us(tmp_path: Path) -> Git:
    return _runner(bare_path(tmp_path))


def _runner(folder: Path) -> Git:
    def run(where: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, "PATH": str(folder), "GIT_EDITOR": ":"}
        return subprocess.run(["git", *arguments], cwd=where, env=env, capture_output=True, text=True, check=False)

    return run


def change(where: Path, branch: str, *pairs: tuple[str, str]) -> None:
    git(where, "switch", "-q", branch)
    text = (where / "prompts/a.yaml").read_text()
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    (where / "prompts/a.yaml").write_text(text)
    git(where, "commit", "-qam", f"on {branch}")


def neighbours(where: Path) -> None:
    """Two lines that touch, of two fields: git alone sees a conflict."""
    change(where, "theirs", ("gpt-4o", "gpt-5"))
    change(where, "ours", ("name: Greeting", "name: Welcome"))


def one_field(where: Path) -> None:
    change(where, "theirs", ("name: Greeting", "name: Salutation"), ("Be honest.", "Be quite honest."))
    change(where, "ours", ("name: Greeting", "name: Welcome"), ("Be kind.", "Be very kind."))


@every_command
def test_what_touches_only_as_lines_comes_together(branches: Path, with_us: Git, command: str) -> None:
    neighbours(branches)
    done = with_us(branches, *COMMANDS[command])
    assert done.returncode == 0, done
    text = (branches / "prompts/a.yaml").read_text()
    assert text == PROMPT.replace("Greeting", "Welcome").replace("gpt-4o", "gpt-5")
    assert git(branches, "status", "--porcelain") == ""


@every_command
def test_a_conflict_marks_one_field_and_can_be_finished(branches: Path, with_us: Git, command: str) -> None:
    one_field(branches)
    assert with_us(branches, *COMMANDS[command]).returncode != 0
    file = branches / "prompts/a.yaml"
    text = file.read_text()
    assert (text.count("<<<<<<<"), text.count("=======")) == (1, 1)
    assert "Be very kind." in text
    assert "Be quite honest." in text
    marked = text.partition("<<<<<<<")[2].partition(">>>>>>>")[0]
    assert {line for line in marked.splitlines()[1:] if line} == {
        "name: Welcome   # a title",
        "=======",
        "name: Salutation   # a title",
    }
    kept = [line for line in text.splitlines() if not line.startswith(("<<<<", "====", ">>>>", "name: Sal"))]
    file.write_text("\n".join(kept) + "\n")
    git(branches, "add", "-A")
    going_on = ("commit", "--no-edit") if command == "merge" else (command, "--continue")
    assert with_us(branches, *going_on).returncode == 0
    good(branches, "check")
    assert "Welcome" in git(branches, "show", "HEAD:prompts/a.yaml")


@every_command
def test_without_promptstore_git_merges_lines_that_do_not_touch(branches: Path, without_us: Git, command: str) -> None:
    change(branches, "theirs", ("Be honest.", "Be quite honest."))
    change(branches, "ours", ("name: Greeting", "name: Welcome"))
    done = without_us(branches, *COMMANDS[command])
    assert done.returncode == 0, done
    expected = PROMPT.replace("Greeting", "Welcome").replace("Be honest", "Be quite honest")
    assert (branches / "prompts/a.yaml").read_text() == expected


@every_command
def test_without_promptstore_git_marks_what_touches(branches: Path, without_us: Git, command: str) -> None:
    """More conflicts than need be, but none is hidden and nothing is lost."""
    neighbours(branches)
    assert without_us(branches, *COMMANDS[command]).returncode != 0
    text = (branches / "prompts/a.yaml").read_text()
    assert all(mark in text for mark in ("<<<<<<< ", "=======", ">>>>>>> "))
    assert "Welcome" in text
    assert "gpt-5" in text
    assert "UU prompts/a.yaml" in git(branches, "status", "--porcelain")


def test_a_clone_that_never_ran_init_merges_as_git_does(branches: Path, with_us: Git) -> None:
    """The attributes come with the clone, the driver's definition does not."""
    neighbours(branches)
    plain = branches.parent / "plain"
    git(branches.parent, "clone", "-q", str(branches), str(plain))
    git(plain, "config", "user.name", "Ben")
    git(plain, "config", "user.email", "ben@example.com")
    git(plain, "switch", "-q", "theirs")
    git(plain, "switch", "-q", "ours")
    assert with_us(plain, "merge", "--no-edit", "theirs").returncode != 0
    assert "<<<<<<< " in (plain / "prompts/a.yaml").read_text()
