"""Whatever else is done in the repository meanwhile: storms, stashes, rebases, branches, worktrees, submodules."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

import pytest
from daemons import Page, eventually, make_hub, running
from repos import chat, commit, git

pytestmark = pytest.mark.slow

AUTOCOMMIT = "autocommit = true"


def subjects(root: Path, branch: str = "main") -> list[str]:
    return git(root, "log", "--format=%s", branch).splitlines()


def tree(root: Path, rev: str = "main") -> str:
    return git(root, "rev-parse", f"{rev}:prompts")


def test_a_storm_of_checkouts_is_never_misread(tmp_path: Path, page: Page) -> None:
    """Two branches with thousands of other files, changed to and fro while the daemon commits what is saved."""
    few = {"a": chat("one")}
    root = make_hub(tmp_path / "hub", page, more=AUTOCOMMIT, prompts=few)
    git(root, "checkout", "-q", "-b", "other")
    commit(root, {f"f{n // 100}/p{n}": chat(f"other {n}") for n in range(3000)} | {"a": chat("other")}, "Other")
    git(root, "checkout", "-q", "main")
    main, other = tree(root), tree(root, "other")
    with running(root) as daemon:
        eventually(lambda: page.text("a") == "one")
        for _ in range(4):
            git(root, "checkout", "-q", "other")
            git(root, "checkout", "-q", "main")
            time.sleep(0.4)
        time.sleep(3)
        assert (tree(root), tree(root, "other")) == (main, other)
        assert subjects(root) == ["Start"]
        assert git(root, "status", "--porcelain") == ""
        assert [path for method, path in page.writes() if "folders" not in path] == ["/rest/prompt-templates"]
        (root / "prompts" / "a.yaml").write_text(chat("two"))
        eventually(lambda: page.text("a") == "two", "the edit after the storm")
        assert daemon.process.poll() is None


def test_a_stash_is_no_edit_and_its_pop_is(tmp_path: Path, page: Page) -> None:
    root = make_hub(tmp_path / "hub", page)
    with running(root):
        eventually(lambda: page.text("a") == "one")
        (root / "prompts" / "a.yaml").write_text(chat("stashed"))
        git(root, "stash", "-q")
        page.edit("a", "there")
        eventually(lambda: "there" in (root / "prompts" / "a.yaml").read_text())
        assert page.version("a") == 2


def test_a_rebase_is_waited_for(tmp_path: Path, page: Page) -> None:
    root = make_hub(tmp_path / "hub", page, more=AUTOCOMMIT)
    git(root, "checkout", "-q", "-b", "topic")
    commit(root, {"t": chat("topic")}, "Topic")
    git(root, "checkout", "-q", "main")
    commit(root, {"t": chat("main's")}, "Main")
    git(root, "checkout", "-q", "topic")
    with running(root):
        eventually(lambda: page.text("t") == "main's")
        done = subprocess.run(["git", "rebase", "main"], cwd=root, capture_output=True, check=False)
        assert done.returncode != 0
        (root / "prompts" / "t.yaml").write_text(chat("resolved"))
        page.edit("a", "there")
        eventually(
            lambda: "there" in git(root, "show", "main:prompts/a.yaml"), "the pull, on a branch beside the rebase"
        )
        time.sleep(1)
        assert "UU" in git(root, "status", "--porcelain") or "AA" in git(root, "status", "--porcelain")
        git(root, "add", "-A")
        git(root, "-c", "core.editor=true", "rebase", "--continue")
    assert subjects(root, "topic")[0] == "Topic"
    assert page.text("t") == "main's"


def test_a_merge_on_the_branch_itself_holds_pulls_until_it_ends(tmp_path: Path, page: Page) -> None:
    root = make_hub(tmp_path / "hub", page)
    git(root, "checkout", "-q", "-b", "topic")
    commit(root, {"t": chat("topic")}, "Topic")
    git(root, "checkout", "-q", "main")
    commit(root, {"t": chat("main's")}, "Main")
    with running(root) as daemon:
        eventually(lambda: page.text("t") == "main's")
        subprocess.run(["git", "merge", "topic"], cwd=root, capture_output=True, check=False)
        page.edit("a", "there")
        eventually(lambda: daemon.state() == "waiting")
        assert "one" in git(root, "show", "main:prompts/a.yaml")
        (root / "prompts" / "t.yaml").write_text(chat("both"))
        git(root, "add", "-A")
        git(root, "commit", "-q", "-m", "Merge")
        eventually(lambda: "there" in git(root, "show", "main:prompts/a.yaml"))
        eventually(lambda: page.text("t") == "both")


def test_beneath_another_branch_the_work_tree_stays(tmp_path: Path, page: Page) -> None:
    root = make_hub(tmp_path / "hub", page, more=AUTOCOMMIT)
    git(root, "checkout", "-q", "-b", "mine")
    (root / "prompts" / "a.yaml").write_text(chat("mine, unsaved"))
    with running(root):
        eventually(lambda: page.text("a") == "one")
        page.edit("a", "there")
        eventually(lambda: "there" in git(root, "show", "main:prompts/a.yaml"))
        assert (root / "prompts" / "a.yaml").read_text() == chat("mine, unsaved")
        assert git(root, "status", "--porcelain") == " M prompts/a.yaml"
    assert subjects(root, "mine") == ["Start"]


def test_a_pull_request_that_is_looked_at_changes_no_config(tmp_path: Path, page: Page) -> None:
    root = make_hub(tmp_path / "hub", page)
    with running(root) as daemon:
        eventually(lambda: page.text("a") == "one")
        git(root, "checkout", "-q", "-b", "evil")
        config = root / ".promptstore.toml"
        config.write_text(config.read_text().replace("[remotes.acme]", "[remotes.evil]"))
        git(root, "commit", "-q", "-a", "-m", "Evil")
        requests = len(page.requests)
        eventually(lambda: len(page.requests) > requests + 2)
        assert daemon.told["remotes"].keys() == {"acme"}


def test_a_folder_that_was_made_anew_is_watched_again(tmp_path: Path, page: Page) -> None:
    root = make_hub(tmp_path / "hub", page, poll="6h", more=AUTOCOMMIT)
    with running(root):
        eventually(lambda: page.text("a") == "one")
        shutil.rmtree(root / "prompts")
        time.sleep(1)
        git(root, "checkout", "-q", "--", "prompts")
        time.sleep(1)
        (root / "prompts" / "a.yaml").write_text(chat("two"))
        eventually(lambda: page.text("a") == "two")
    assert subjects(root) == ["Update a", "Start"]


def test_in_a_linked_worktree_and_in_a_submodule(tmp_path: Path, page: Page) -> None:
    origin = make_hub(tmp_path / "origin", page, more=AUTOCOMMIT)
    git(origin, "checkout", "-q", "--detach")
    git(origin, "worktree", "add", "-q", str(tmp_path / "linked"), "main")
    with running(tmp_path / "linked"):
        eventually(lambda: page.text("a") == "one")
        (tmp_path / "linked" / "prompts" / "a.yaml").write_text(chat("linked"))
        eventually(lambda: page.text("a") == "linked")
    outer = tmp_path / "outer"
    outer.mkdir()
    git(outer, "init", "-q")
    git(outer, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(origin), "sub")
    sub = outer / "sub"
    git(sub, "checkout", "-q", "main")
    git(sub, "remote", "remove", "origin")
    git(sub, "config", "user.name", "Ann")
    git(sub, "config", "user.email", "ann@example.com")
    with running(sub):
        time.sleep(0.5)
        (sub / "prompts" / "b.yaml").write_text(chat("from a submodule"))
        eventually(lambda: page.text("b") == "from a submodule")


def test_without_events_it_looks_now_and_then(tmp_path: Path, page: Page) -> None:
    root = make_hub(tmp_path / "hub", page, poll="6h", more=AUTOCOMMIT + '\nwatch = "poll"')
    with running(root) as daemon:
        eventually(lambda: page.text("a") == "one")
        assert daemon.told["watching"] == "polling"
        (root / "prompts" / "a.yaml").write_text(chat("two"))
        eventually(lambda: page.text("a") == "two")
        commit(root, {"a": chat("three")})
        eventually(lambda: page.text("a") == "three")
