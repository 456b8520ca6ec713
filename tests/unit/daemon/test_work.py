"""One look and one pass at a time, over a real store and a vendor in memory; and the config that counts."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from engines import Rig
from memory_vendor import MemoryWorkspace
from repos import CONFIG, chat, commit, git, make_store

from promptstore.daemon.following import follow
from promptstore.daemon.interruptible import Interruptible
from promptstore.daemon.mailbox import Mailbox
from promptstore.daemon.watch import Place, places
from promptstore.daemon.work import Work
from promptstore.daemon.worker import Worker
from promptstore.errors import ConfigError, RemoteUnreachable, StoreBusy
from promptstore.store.git.repository import require_repository
from promptstore.store.store import Store
from promptstore.sync.actions import SyncError
from promptstore.sync.engine import Engine
from promptstore.sync.engine_lock import EngineLock
from promptstore.sync.session import Session
from promptstore.vendors.base import Publication


@dataclass
class InMemory:
    """An engine over vendors in memory, as `Work` wants it."""

    engine: Engine

    @property
    def sessions(self) -> Sequence[Session]:
        return self.engine.sessions()

    def errors(self) -> list[SyncError]:
        return [error for session in self.sessions for error in session.errors]

    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("template") / "store"
    make_store(where, CONFIG, {"a": chat("one")}).close()
    shutil.rmtree(where / ".git" / "hooks")
    return where


@pytest.fixture
def root(template: Path, tmp_path: Path) -> Path:
    shutil.copytree(template, tmp_path / "store")
    git(tmp_path / "store", "update-index", "-q", "--refresh")
    return tmp_path / "store"


@pytest.fixture
def acme() -> MemoryWorkspace:
    return MemoryWorkspace()


@pytest.fixture
def work(root: Path, acme: MemoryWorkspace) -> Iterator[Work]:
    def assemble(store: Store, remotes: Sequence[str], online: bool) -> InMemory:
        return InMemory(Rig(store, dict.fromkeys(store.config.remotes, acme)).engine())

    made = Work(str(root), assemble, wall=lambda: 4e9)
    yield made
    made.close()


def configure(root: Path, old: str, new: str, message: str = "configure") -> None:
    file = root / ".promptstore.toml"
    file.write_text(file.read_text().replace(old, new))
    git(root, "commit", "-q", "-a", "-m", message)


# --- looking


def test_news_is_what_the_offline_plan_has_to_do(work: Work, root: Path, acme: MemoryWorkspace) -> None:
    assert work.look(files=True).wanted == {"acme"}
    assert work.look(files=True).wanted == frozenset(), "it was told once"
    outcomes = work.run(["acme"])
    assert outcomes is not None
    assert [(o.state, [a.kind for a in o.done]) for o in outcomes] == [("ok", ["create-remote"])]
    assert work.look(files=False).wanted == frozenset(), "what it wrote itself is no news"
    commit(root, {"a": chat("two")})
    requests = len(acme.requests)
    assert work.look(files=False).wanted == {"acme"}
    assert len(acme.requests) == requests, "looking touches no network"
    (root / "unrelated").touch()
    git(root, "add", "unrelated")
    git(root, "commit", "-q", "-m", "unrelated")
    work.run(["acme"])
    assert work.look(files=True).wanted == frozenset()


def test_a_pull_is_no_news_and_a_moved_tag_is(work: Work, root: Path, acme: MemoryWorkspace) -> None:
    work.run(["acme"])
    acme.edit("a", "there")
    outcomes = work.run(["acme"])
    assert outcomes is not None
    assert [action.kind for action in outcomes[0].done] == ["update-local"]
    assert work.look(files=True).wanted == frozenset()
    git(root, "update-ref", "refs/prompts/a/-/live", "main")
    assert work.look(files=False).wanted == {"acme"}


@pytest.mark.slow
def test_what_waited_for_a_clean_file_goes_on_when_it_is(work: Work, root: Path, acme: MemoryWorkspace) -> None:
    work.run(["acme"])
    file = root / "prompts" / "a.yaml"
    file.write_text(chat("half done"))
    assert work.look(files=True).wanted == frozenset()
    acme.edit("a", "there")
    outcomes = work.run(["acme"])
    assert outcomes is not None
    assert {slug for slug, _ in outcomes[0].held} == {"a"}
    assert work.look(files=True).wanted == frozenset()
    git(root, "checkout", "-q", "--", "prompts/a.yaml")
    assert work.look(files=True).wanted == {"acme"}


def test_saved_files_are_committed_where_that_is_wished(work: Work, root: Path) -> None:
    (root / "prompts" / "a.yaml").write_text(chat("two"))
    assert work.look(files=True).committed == ()
    configure(root, "[remotes.acme]", "[daemon]\nautocommit = true\n[remotes.acme]")
    git(root, "reset", "-q", "--soft", "HEAD")
    (root / "prompts" / "a.yaml").write_text(chat("three"))
    (root / "prompts" / "b.yaml").write_text("messages: [")
    assert work.look(files=False).committed == ()
    looked = work.look(files=True)
    assert looked.committed == ("a",)
    assert looked.left.keys() == {"b"}
    assert looked.wanted == {"acme"}


def test_a_commit_that_cannot_be_signed_is_told_and_nothing_moves(work: Work, root: Path) -> None:
    configure(root, "[remotes.acme]", "[daemon]\nautocommit = true\n[remotes.acme]")
    git(root, "config", "commit.gpgsign", "true")
    git(root, "config", "gpg.program", "false")
    before = git(root, "rev-parse", "main")
    (root / "prompts" / "a.yaml").write_text(chat("two"))
    work.look(files=False)
    looked = work.look(files=True)
    assert looked.left.keys() == {"a"}
    assert git(root, "rev-parse", "main") == before


@pytest.mark.slow
def test_another_branch_is_nobodys_to_commit_to(work: Work, root: Path, acme: MemoryWorkspace) -> None:
    configure(root, "[remotes.acme]", "[daemon]\nautocommit = true\n[remotes.acme]")
    work.run(["acme"])
    git(root, "checkout", "-q", "-b", "mine")
    (root / "prompts" / "a.yaml").write_text(chat("mine"))
    assert work.look(files=True).committed == ()
    acme.edit("a", "there")
    work.run(["acme"])
    assert "there" in git(root, "show", "main:prompts/a.yaml")
    assert (root / "prompts" / "a.yaml").read_text() == chat("mine")
    assert git(root, "rev-parse", "--abbrev-ref", "HEAD") == "mine"


def test_a_busy_checkout_is_said_and_remotes_are_looked_at_all_the_same(work: Work, root: Path) -> None:
    (root / ".git" / "index.lock").touch()
    looked = work.look(files=True)
    assert looked.busy is not None
    assert looked.wanted == {"acme"}


def test_another_sync_at_work_is_waited_for(work: Work, root: Path, acme: MemoryWorkspace) -> None:
    with EngineLock(str(root / ".git" / "promptstore" / "lock")):
        assert work.run(["acme"]) is None
    assert acme.requests == []
    assert work.run(["acme"]) is not None


def test_a_folder_that_is_away_may_come_back(work: Work, root: Path, acme: MemoryWorkspace) -> None:
    root.rename(root.with_name("away"))
    assert work.look(files=True).busy is not None
    outcomes = work.run(["acme"])
    assert outcomes is not None
    assert not outcomes[0].reached
    root.with_name("away").rename(root)
    assert work.look(files=True).busy is None
    assert acme.requests == []


def test_what_cannot_be_planned_is_for_the_pass_to_tell(work: Work, root: Path) -> None:
    configure(root, 'vendor = "promptlayer"', 'vendor = "promptlair"')
    assert work.look(files=True).wanted == {"acme"}
    outcomes = work.run(["acme"])
    assert outcomes is not None
    assert (outcomes[0].state, outcomes[0].reached) == ("failing", False)
    assert "promptlair" in (outcomes[0].error or "")


# --- the config that counts


def test_the_config_of_the_commit_counts_and_not_the_file(work: Work, root: Path) -> None:
    (root / ".promptstore.toml").write_text("[remotes.evil]\nvendor = 'promptlayer'\n")
    assert work.look(files=True).config.remotes.keys() == {"acme"}
    git(root, "checkout", "-q", "-b", "pull-request")
    git(root, "commit", "-q", "-a", "-m", "evil")
    assert work.look(files=True, reload=True).config.remotes.keys() == {"acme"}
    git(root, "branch", "-f", "main")
    assert work.look(files=False).config.remotes.keys() == {"evil"}, "merged it counts"


def test_what_is_checked_out_at_a_restart_has_no_say(root: Path) -> None:
    git(root, "checkout", "-q", "-b", "evil")
    configure(root, 'branch = "main"', 'branch = "evil"')
    assert followed(root) == "refs/heads/evil"
    assert followed(root, "main") == "refs/heads/main"
    assert followed(root, "gone-meanwhile") == "refs/heads/evil"


def test_a_broken_config_changes_nothing_and_is_said(work: Work, root: Path) -> None:
    configure(root, 'vendor = "promptlayer"', 'vendr = "promptlayer"')
    looked = work.look(files=False)
    assert looked.config.remotes.keys() == {"acme"}
    assert "did you mean 'vendor'" in (looked.fault or "")
    configure(root, "vendr", "vendor")
    assert work.look(files=False).fault is None


def test_a_branch_that_was_merged_into_the_config_is_followed(work: Work, root: Path) -> None:
    git(root, "branch", "live")
    configure(root, 'branch = "main"', 'branch = "live"')
    assert work.look(files=False).config.branch == "main", "live itself says main"
    git(root, "branch", "-f", "live")
    assert work.look(files=False, reload=True).config.branch == "live"


def followed(root: Path, branch: str | None = None) -> str:
    store, source = follow(str(root), require_repository(str(root)), branch)
    store.close()
    return source


def test_before_its_first_commit_the_file_counts(tmp_path: Path) -> None:
    make_store(tmp_path).close()
    assert "not committed" in followed(tmp_path)
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "without it")
    assert "not committed" in followed(tmp_path)
    git(tmp_path, "checkout", "-q", "-b", "other")
    with pytest.raises(ConfigError, match="another branch is checked out"):
        followed(tmp_path)


def test_with_an_upstream_its_config_counts(root: Path) -> None:
    git(root, "update-ref", "refs/remotes/origin/main", "main")
    git(root, "config", "remote.origin.url", "x")
    git(root, "config", "remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*")
    git(root, "branch", "-q", "--set-upstream-to=origin/main", "main")
    configure(root, "[remotes.acme]", "[remotes.bee]")
    assert followed(root) == "refs/remotes/origin/main"


def test_a_store_in_a_folder_of_a_repository(tmp_path: Path) -> None:
    make_store(tmp_path / "repo").close()
    inner = tmp_path / "repo" / "ml" / "store"
    inner.mkdir(parents=True)
    (tmp_path / "repo" / ".promptstore.toml").rename(inner / ".promptstore.toml")
    git(tmp_path / "repo", "add", "-A")
    git(tmp_path / "repo", "commit", "-q", "-m", "inner")
    assert followed(inner) == "refs/heads/main"


# --- ending


def test_what_is_led_is_given_up_at_the_end(root: Path, acme: MemoryWorkspace) -> None:
    """Whoever comes next waits for nothing, and a command at work here keeps what it leads by."""
    git(root.parent, "clone", "-q", "--bare", "store", "origin.git")
    git(root, "remote", "add", "origin", str(root.parent / "origin.git"))

    def assemble(store: Store, remotes: Sequence[str], online: bool) -> InMemory:
        rig = Rig(store, dict.fromkeys(store.config.remotes, acme), shares=True, keeps_lease=True)
        return InMemory(rig.engine())

    def leads() -> bool:
        lease = json.loads(git(root.parent / "origin.git", "show", "refs/promptstore/acme/lease:lease"))
        return bool(lease["until"])

    work = Work(str(root), assemble, wall=lambda: 1_000_000.0)
    work.run(["acme"])
    assert leads()
    with EngineLock(str(root / ".git" / "promptstore" / "lock")):
        work.let_go()
    assert leads()
    mailbox = Mailbox()
    worker = Worker(work, mailbox, lambda: 0.0)
    worker.start()
    assert worker.end(60.0)
    assert not leads()
    (root.parent / "origin.git").rename(root.parent / "away.git")
    work.let_go()
    root.rename(root.with_name("away"))
    work.let_go()
    assert not root.exists()
    work.close()


def test_at_the_end_nothing_new_is_sent_and_the_write_in_hand_is_read_back(acme: MemoryWorkspace) -> None:
    stop, calls = threading.Event(), []
    workspace = Interruptible(acme, stop, lambda: calls.append(1))
    kept = acme.edit("a", "text")
    document = workspace.read(kept.id).document
    acme.after["publish"] = lambda _: stop.set()
    workspace.publish(Publication(kept.id, "a", document, "m", "i"))
    assert workspace.read(kept.id).version == "2"
    assert list(workspace.versions(kept.id, "2")) == ["1", "2"]
    refused: list[Callable[[], object]] = [
        workspace.list,
        workspace.identity,
        lambda: workspace.read("another"),
        lambda: workspace.tags([], []),
        lambda: workspace.find("a", document),
        lambda: workspace.publish(Publication(kept.id, "a", document, "m", "j")),
        lambda: workspace.set_tag(kept.id, "t", "1"),
        lambda: workspace.delete_tag(kept.id, "t"),
        lambda: workspace.delete(kept.id),
    ]
    before = list(acme.requests)
    for call in refused:
        with pytest.raises(RemoteUnreachable):
            call()
    assert acme.requests == before
    assert len(calls) >= 4


# --- where to watch


def test_prompts_refs_and_git_state_are_watched_and_our_own_refs_are_not(root: Path) -> None:
    with Store.open(root) as store:
        found = places(store)

    def concerns(path: str) -> set[str]:
        whole = str(root / path)
        return {
            p.what for p in found if Path(p.path) in Path(whole).parents and p.concerns(whole) and _reaches(p, whole)
        }

    assert concerns("prompts/a.yaml") == {"files"}
    assert concerns("prompts") == {"files"}
    assert concerns(".git/HEAD") == {"files"}
    assert concerns(".git/index.lock") == {"files"}
    assert concerns(".git/packed-refs") == {"refs"}
    assert concerns(".git/refs/heads/feature/x") == {"refs"}
    assert concerns(".git/refs/prompts/a/-/live") == {"refs"}
    assert concerns(".git/refs/remotes/origin/main") == {"refs"}
    for path in ("src/code.py", ".git/refs/promptstore/acme/base", ".git/refs/remotes/acme/main", ".git/FETCH_HEAD"):
        assert concerns(path) == set(), path


def _reaches(place: Place, path: str) -> bool:
    return place.recursive or str(Path(path).parent) == place.path


# --- beside other syncs


def test_a_command_waits_a_little_for_a_pass_to_end(root: Path) -> None:
    path = str(root / ".git" / "promptstore" / "lock")
    held = EngineLock(path)
    held.__enter__()
    ending = threading.Timer(0.1, held.__exit__)
    ending.start()
    with EngineLock(path, patience=30.0), pytest.raises(StoreBusy, match="another sync"), EngineLock(path):
        pass
    ending.join()
