"""``init``, and the merge driver that it sets up, in real merges."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import good, run, told
from repos import git

PROMPT = """\
name: Greeting
model: {provider: openai, name: gpt-4o}   # the model
template_format: none
messages:
  - role: system
    content: Be kind.
  - role: user
    content: Hello
"""


def snapshot(where: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(where)): path.read_bytes()
        for path in where.rglob("*")
        if path.is_file() and ".git/" not in str(path.relative_to(where))
    }


def test_init_makes_a_store_and_may_be_run_again(tmp_path: Path) -> None:
    where = tmp_path / "new"
    assert good(tmp_path, "init", "new", "--json").document == {"root": str(where)}
    made = snapshot(where)
    assert set(made) == {".promptstore.toml", ".gitattributes", "prompts/.schema.json"}
    config = (where / ".git/config").read_bytes()
    good(where, "init")
    good(where, "init", "--json")
    assert snapshot(where) == made
    assert (where / ".git/config").read_bytes() == config
    assert b"prompts/** text eol=lf" in made[".gitattributes"]
    assert git(where, "check-attr", "merge", "--", "prompts/a.yaml", "prompts/b/c.yaml").count("promptstore") == 2


def test_init_makes_no_store_in_a_store_unless_it_is_named(tmp_path: Path) -> None:
    good(tmp_path, "init")
    inside = tmp_path / "prompts/deep"
    inside.mkdir()
    told(run(inside, "init"), str(tmp_path), f"-C {tmp_path} init")
    assert not any(inside.iterdir())
    good(inside, "init", ".")
    assert (inside / ".promptstore.toml").exists()


def test_init_never_overwrites(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "-b", "trunk")
    (tmp_path / ".gitattributes").write_text("*.png binary")
    (tmp_path / ".promptstore.toml").write_text('[store]\nprompts = "ml/texts"\nbranch = "release"\n')
    (tmp_path / "ml/texts").mkdir(parents=True)
    (tmp_path / "ml/texts/.schema.json").write_text("mine")
    good(tmp_path, "init")
    after = snapshot(tmp_path)
    assert after[".promptstore.toml"] == b'[store]\nprompts = "ml/texts"\nbranch = "release"\n'
    assert after["ml/texts/.schema.json"] == b"mine"
    assert after[".gitattributes"].startswith(b"*.png binary\n")
    assert not (tmp_path / "prompts").exists(), "the config says where prompts lie"
    assert "promptstore" in git(tmp_path, "check-attr", "merge", "--", "ml/texts/a.yaml")
    good(tmp_path, "init")
    assert snapshot(tmp_path) == after


def test_init_takes_the_branch_that_is_checked_out(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "-b", "trunk")
    good(tmp_path, "init")
    assert 'branch = "trunk"' in (tmp_path / ".promptstore.toml").read_text()


def test_init_in_a_subfolder_uses_the_repository_above(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / "ml").mkdir()
    good(tmp_path / "ml", "init")
    assert not (tmp_path / "ml/.git").exists()
    assert (tmp_path / "ml/.promptstore.toml").exists()
    assert "promptstore" in git(tmp_path, "check-attr", "merge", "--", "ml/prompts/a.yaml")
    good(tmp_path / "ml", "new", "a")
    git(tmp_path, "add", "-A")
    git(tmp_path, "-c", "user.name=A", "-c", "user.email=a@b", "commit", "-qm", "start")
    assert good(tmp_path / "ml", "get", "a", "--json").document["version"] == 1


def test_init_inside_a_hook_of_another_repository_stays_out_of_that(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "-q", "-b", "main")
    config = (other / ".git/config").read_bytes()
    env: dict[str, str | None] = {"GIT_DIR": str(other / ".git"), "GIT_WORK_TREE": str(other)}
    good(tmp_path, "init", "new", env=env)
    assert (tmp_path / "new/.git/HEAD").exists()
    assert (other / ".git/config").read_bytes() == config
    assert "promptstore" in (tmp_path / "new/.git/config").read_text()


def test_init_where_a_file_is_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    told(run(tmp_path, "init", "file"), "file")
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / "prompts").write_text("a file")
    told(run(tmp_path, "init"), "prompts")


def test_init_in_a_broken_config_says_so(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / ".promptstore.toml").write_text("[stor]\n")
    told(run(tmp_path, "init"), ".promptstore.toml")


# --- merging


@pytest.fixture
def branches(tmp_path: Path) -> Path:
    """Two branches, ``ours`` checked out, with a prompt each may change."""
    where = tmp_path / "merge"
    good(tmp_path, "init", "merge")
    git(where, "config", "user.name", "Ann")
    git(where, "config", "user.email", "ann@example.com")
    (where / "prompts/a.yaml").write_text(PROMPT)
    git(where, "add", "-A")
    git(where, "commit", "-qm", "start")
    git(where, "branch", "theirs")
    git(where, "switch", "-q", "-c", "ours")
    return where


def on(where: Path, branch: str, old: str, new: str) -> None:
    git(where, "switch", "-q", branch)
    text = (where / "prompts/a.yaml").read_text()
    assert old in text
    (where / "prompts/a.yaml").write_text(text.replace(old, new))
    git(where, "commit", "-qam", f"on {branch}")


def merge(where: Path, path: str) -> subprocess.CompletedProcess[str]:
    git(where, "switch", "-q", "ours")
    return subprocess.run(
        ["git", "merge", "--no-edit", "theirs"],
        cwd=where,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def with_promptstore(tmp_path: Path) -> str:
    """A PATH that has promptstore, whichever way the tests themselves were started."""
    folder = tmp_path / "bin"
    folder.mkdir(exist_ok=True)
    script = folder / "promptstore"
    script.write_text(f'#!/bin/sh\nexec {sys.executable} -m promptstore "$@"\n')
    script.chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


def without_promptstore(tmp_path: Path) -> str:
    folder = tmp_path / "bare-bin"
    folder.mkdir()
    for name in ("git", "sh", "cat", "sed", "env", "dirname", "basename", "uname", "tr", "rm"):
        found = shutil.which(name)
        if found:
            (folder / name).symlink_to(found)
    return str(folder)


def test_edits_of_neighbouring_fields_merge(branches: Path, tmp_path: Path) -> None:
    on(branches, "ours", "name: Greeting", "name: Welcome")
    on(branches, "theirs", "name: gpt-4o}", "name: gpt-5, parameters: {temperature: 0}}")
    done = merge(branches, with_promptstore(tmp_path))
    assert done.returncode == 0, done
    text = (branches / "prompts/a.yaml").read_text()
    assert "name: Welcome" in text
    assert "gpt-5" in text
    assert "# the model" in text
    good(branches, "check")


def test_without_promptstore_git_merges_by_itself(branches: Path, tmp_path: Path) -> None:
    on(branches, "ours", "name: Greeting", "name: Welcome")
    on(branches, "theirs", "content: Hello", "content: Hello there")
    done = merge(branches, without_promptstore(tmp_path))
    assert done.returncode == 0, done
    text = (branches / "prompts/a.yaml").read_text()
    assert "Welcome" in text
    assert "Hello there" in text


def test_without_promptstore_a_conflict_has_gits_markers(branches: Path, tmp_path: Path) -> None:
    on(branches, "ours", "name: Greeting", "name: Welcome")
    on(branches, "theirs", "name: Greeting", "name: Salutation")
    done = merge(branches, without_promptstore(tmp_path))
    assert done.returncode == 1, done
    text = (branches / "prompts/a.yaml").read_text()
    for mark in ("<<<<<<< ", "=======", ">>>>>>> "):
        assert mark in text
    assert "UU prompts/a.yaml" in git(branches, "status", "--porcelain")


def test_a_conflict_marks_the_one_field(branches: Path, tmp_path: Path) -> None:
    on(branches, "ours", "name: Greeting", "name: Welcome")
    on(branches, "ours", "content: Hello", "content: Hello there")
    on(branches, "theirs", "name: Greeting", "name: Salutation")
    done = merge(branches, with_promptstore(tmp_path))
    assert done.returncode == 1, done
    text = (branches / "prompts/a.yaml").read_text()
    assert text.count("<<<<<<<") == 1
    assert "Welcome" in text
    assert "Salutation" in text
    assert "Hello there" in text
    assert "UU prompts/a.yaml" in git(branches, "status", "--porcelain")
    good(branches, "check", code=1)


def test_a_file_that_is_no_prompt_is_merged_by_lines(branches: Path, tmp_path: Path) -> None:
    on(branches, "ours", "name: Greeting", "nonsense: [")
    on(branches, "theirs", "content: Hello", "content: Hello there")
    done = merge(branches, with_promptstore(tmp_path))
    assert done.returncode == 0, done
    text = (branches / "prompts/a.yaml").read_text()
    assert "nonsense: [" in text
    assert "Hello there" in text


def test_both_added_the_same_prompt(branches: Path, tmp_path: Path) -> None:
    for branch, word in (("ours", "mine"), ("theirs", "yours")):
        git(branches, "switch", "-q", branch)
        (branches / "prompts/new.yaml").write_text(f"template_format: none\ncontent: {word}\n")
        git(branches, "add", "-A")
        git(branches, "commit", "-qm", branch)
    done = merge(branches, with_promptstore(tmp_path))
    assert done.returncode == 1, done
    assert "prompts/new.yaml" in git(branches, "diff", "--name-only", "--diff-filter=U")


def test_a_file_that_is_no_text_does_not_break_the_merge(branches: Path, tmp_path: Path) -> None:
    git(branches, "switch", "-q", "ours")
    (branches / "prompts/a.yaml").write_bytes(PROMPT.replace("Greeting", "größer").encode("latin-1"))
    git(branches, "commit", "-qam", "latin")
    on(branches, "theirs", "content: Hello", "content: Hello there")
    done = merge(branches, with_promptstore(tmp_path))
    assert done.returncode in {0, 1}, done
    assert "Hello there" in (branches / "prompts/a.yaml").read_text(encoding="latin-1")
    assert "Traceback" not in done.stderr


def test_a_clone_gets_the_driver_by_init(branches: Path, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(branches), str(clone))
    assert good(clone, "doctor", "--json", code=3).document["findings"]
    good(clone, "init")
    kinds = {finding["kind"] for finding in run(clone, "doctor", "--json").document["findings"]}
    assert "merge-driver" not in kinds
    assert git(clone, "status", "--porcelain") == ""


def test_init_says_which_repository_it_is(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "-b", "main")
    git(tmp_path, "remote", "add", "origin", "https://ann:secret@github.com/acme/prompts.git")
    assert run(tmp_path, "init").code == 0
    text = (tmp_path / ".promptstore.toml").read_text()
    assert 'url = "github.com/acme/prompts"' in text
    assert "secret" not in text
    assert run(tmp_path, "list").code == 0
