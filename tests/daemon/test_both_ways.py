"""Edits here and there arrive by themselves."""

from __future__ import annotations

import hashlib
import hmac
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from daemons import SECRET, Page, eventually, make_hub, running
from repos import chat, commit, git

pytestmark = pytest.mark.slow


def branch_text(root: Path, slug: str = "a") -> str:
    return git(root, "show", f"main:prompts/{slug}.yaml")


def test_a_commit_goes_out_and_an_edit_there_comes_in(tmp_path: Path, page: Page) -> None:
    root = make_hub(tmp_path / "hub", page)
    with running(root) as daemon:
        eventually(lambda: page.text("a") == "one", "the first publish")
        commit(root, {"a": chat("two"), "n/ew": chat("new")})
        eventually(lambda: page.text("a") == "two", "the commit at the vendor")
        page.edit("a", "three")
        eventually(lambda: "three" in branch_text(root), "the vendor's edit in git")
        eventually(lambda: (root / "prompts" / "a.yaml").read_text() == chat("three"), "and in the work tree")
        assert git(root, "status", "--porcelain") == ""
        assert daemon.end() == 0
    assert page.version("a") == 3
    assert "stopped" in daemon.log


def test_idle_it_only_polls(tmp_path: Path, page: Page) -> None:
    root = make_hub(tmp_path / "hub", page, poll="1h")
    with running(root) as daemon:
        eventually(lambda: daemon.state() == "ok")
        eventually(lambda: page.text("a") == "one")
        time.sleep(1.5)  # its own writes have come back as events by then
        before = list(page.requests)
        git(root, "status")
        (root / "unrelated").write_text("x")
        (root / "prompts" / "a.yaml").touch()
        git(root, "add", "unrelated")
        git(root, "commit", "-q", "-m", "unrelated")
        time.sleep(3)
        assert page.requests == before
        assert daemon.process.poll() is None


def test_a_moved_tag_goes_out_and_comes_in(tmp_path: Path, page: Page) -> None:
    root = make_hub(tmp_path / "hub", page)
    with running(root):
        eventually(lambda: page.text("a") == "one")
        git(root, "update-ref", "refs/prompts/a/-/live", "main")

        def label() -> object:
            url = f"{page.server.url}/prompt-templates/a/labels"
            return httpx.get(url, headers={**page.headers, "X-Test": "1"}).json()["release_labels"]

        eventually(label, "the label at the vendor")


# --- webhooks


def test_a_webhook_is_heard_long_before_the_next_poll(tmp_path: Path, page: Page) -> None:
    root = make_hub(tmp_path / "hub", page, poll="6h", more='webhook = "127.0.0.1:0"')
    with running(root) as daemon:
        eventually(lambda: daemon.state() == "ok")
        url = daemon.told["webhook"]
        page.edit("a", "by signature")
        payload = {"event_type": "prompt_template_version_created", "details": {"prompt_template_name": "ä"}}
        body = json.dumps(payload, indent=2).encode()
        mac = hmac.new(SECRET.encode(), json.dumps(payload, sort_keys=True).encode(), hashlib.sha256).hexdigest()
        assert httpx.post(f"{url}acme", content=body, headers={"X-PromptLayer-Signature": "0" * 64}).status_code == 401
        assert httpx.post(f"{url}acme", content=body, headers={"X-PromptLayer-Signature": mac}).status_code == 202
        eventually(lambda: "by signature" in branch_text(root))
        page.edit("a", "by address")
        assert httpx.post(f"{url}acme/{SECRET}").status_code == 202
        eventually(lambda: "by address" in branch_text(root))
        assert SECRET not in daemon.log


# --- saving


AUTOCOMMIT = "autocommit = true"


def saved_in_place(file: Path, text: str) -> None:
    file.write_text(text)


def saved_by_rename(file: Path, text: str) -> None:
    """As VS Code, JetBrains and most others do it."""
    scratch = file.with_name(f".{file.name}.tmp~")
    scratch.write_text(text)
    scratch.replace(file)


def saved_with_backup(file: Path, text: str) -> None:
    """As vim does it: the file is away for a moment."""
    backup = file.with_name(file.name + "~")
    file.rename(backup)
    time.sleep(0.05)
    file.write_text(text)
    backup.unlink()


def saved_in_pieces(file: Path, text: str) -> None:
    """A slow writer, whose every part is a valid prompt."""
    with file.open("w") as writing:
        for line in (*text.splitlines(keepends=True), "# the end\n"):
            writing.write(line)
            writing.flush()
            time.sleep(0.45)


def saved_by_sed(file: Path, text: str) -> None:
    flags = ["-i", ""] if sys.platform == "darwin" else ["-i"]
    subprocess.run(["sed", *flags, "-e", _substitution(text), str(file)], check=True)


def saved_by_vim(file: Path, text: str) -> None:
    command = f"%{_substitution(text)}"
    subprocess.run(["vim", "-u", "NONE", "-es", "-c", command, "-c", "wq", str(file)], check=True)


def _substitution(text: str) -> str:
    """Puts the last word of ``text`` where the name of another way of saving stands."""
    return f"s/saved_[a-z_]*/{text.rsplit(maxsplit=1)[-1]}/"


HOW = [saved_in_place, saved_by_rename, saved_with_backup, saved_in_pieces, saved_by_sed]


def test_whatever_way_an_editor_saves_it_is_one_commit(tmp_path: Path, page: Page) -> None:
    root = make_hub(tmp_path / "hub", page, more=AUTOCOMMIT)
    ways = [*HOW, saved_by_vim] if shutil.which("vim") else HOW
    with running(root):
        eventually(lambda: page.text("a") == "one")
        for save in ways:
            save(root / "prompts" / "a.yaml", chat(save.__name__))
            eventually(lambda save=save: page.text("a") == save.__name__, f"{save.__name__} at the vendor")  # type: ignore[misc]
        time.sleep(1)
    assert git(root, "log", "--format=%s").splitlines() == ["Update a"] * len(ways) + ["Start"]
    assert page.version("a") == 1 + len(ways)


def test_half_written_and_invalid_files_never_leave_the_machine(tmp_path: Path, page: Page) -> None:
    root = make_hub(tmp_path / "hub", page, more=AUTOCOMMIT)
    file = root / "prompts" / "a.yaml"
    with running(root) as daemon:
        eventually(lambda: page.text("a") == "one")
        file.write_text("messages: [\n")
        eventually(lambda: "not committed: a" in daemon.log)
        file.unlink()
        time.sleep(1)
        (root / "prompts" / "b.yaml").write_text("messages:\n  - {role: user, content: hello}\n")
        eventually(lambda: page.version("b") == 1)
        assert git(root, "log", "--format=%s").splitlines() == ["Add b", "Start"]
        assert page.text("a") == "one"
        file.write_text(chat("mended"))
        eventually(lambda: page.text("a") == "mended")


def test_a_storm_of_touches_is_no_edit(tmp_path: Path, page: Page) -> None:
    root = make_hub(tmp_path / "hub", page, more=AUTOCOMMIT)
    file = root / "prompts" / "a.yaml"
    with running(root) as daemon:
        eventually(lambda: page.text("a") == "one")
        writes = page.writes()
        for _ in range(2000):
            file.touch()
        time.sleep(2)
        assert page.writes() == writes
        assert git(root, "log", "--format=%s") == "Start"
        commit(root, {"a": chat("two")})
        eventually(lambda: page.text("a") == "two")
        assert daemon.process.poll() is None
