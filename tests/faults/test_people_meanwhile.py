"""Somebody works in the repository while a sync runs: at each request, with plain git. Nothing of theirs is undone."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kill_world import World, paragraphs, words, world
from proxy import Asked
from repos import chat, git

Deed = Callable[[World], None]


@pytest.fixture
def w(tmp_path: Path) -> Iterator[World]:
    """A store and its vendor that agree."""
    with world(tmp_path, 1) as made:
        for slug in ("a", "b", "c/d"):
            made.edit_here(slug)
        made.until_quiet()
        yield made


def work(w: World) -> None:
    """``a`` waits to be published, ``b`` to be pulled, ``c/d`` to be merged."""
    edit(w, "a", 0)
    w.page_edit("b", 0)
    edit(w, "c/d", 0)
    w.page_edit("c/d", 3)


def edit(w: World, slug: str, place: int, *, commit: bool = True) -> None:
    """Write one paragraph anew, with the file before the eyes."""
    file = w.where / "prompts" / f"{slug}.yaml"
    text = paragraphs(file.read_text())
    w.superseded |= words(text[place])
    text[place] = f"{place} {w.word()}"
    file.write_text(chat("\n\n".join(text)))
    if commit:
        git(w.where, "add", "-A")
        git(w.where, "commit", "-q", "-m", f"Edit {slug}")


def attempt(w: World, *arguments: str) -> bool:
    return subprocess.run(["git", *arguments], cwd=w.where, capture_output=True, check=False).returncode == 0


# --- what people do


def commits(w: World) -> None:
    edit(w, "a", 2)


def saves(w: World) -> None:
    """An edit that is not committed yet."""
    edit(w, "b", 2, commit=False)


def stages(w: World) -> None:
    edit(w, "a", 2, commit=False)
    attempt(w, "add", "-A")


def switches(w: World) -> None:
    git(w.where, "switch", "-q", "-c", f"feature{w.dice.random()}")


def detaches(w: World) -> None:
    git(w.where, "checkout", "-q", "--detach")


def amends(w: World) -> None:
    edit(w, "c/d", 1, commit=False)
    git(w.where, "commit", "-q", "-a", "--amend", "-m", "Amended")


def side(w: World) -> str:
    """A branch with a commit of its own."""
    name = f"side{w.dice.random()}"
    git(w.where, "switch", "-q", "-c", name)
    edit(w, "a", 2)
    git(w.where, "switch", "-q", "main")
    return name


def merges(w: World) -> None:
    git(w.where, "merge", "-q", "--no-ff", "-m", "Merge side", side(w))


def begins_a_merge(w: World) -> None:
    git(w.where, "merge", "-q", "--no-ff", "--no-commit", side(w))


def begins_a_rebase(w: World) -> None:
    git(w.where, "-c", "sequence.editor=sed -i 1s/pick/edit/", "rebase", "-q", "-i", "HEAD~1")


def stashes(w: World) -> None:
    edit(w, "b", 2, commit=False)
    git(w.where, "stash", "-q")


def resets(w: World) -> None:
    """The last commit (of c/d) is thrown away, by somebody who saw it."""
    before = words((w.where / "prompts/c/d.yaml").read_text())
    git(w.where, "reset", "-q", "--hard", "HEAD~1")
    w.superseded |= before - words((w.where / "prompts/c/d.yaml").read_text())


def collects(w: World) -> None:
    git(w.where, "reflog", "expire", "--expire=now", "--all")
    git(w.where, "gc", "-q", "--prune=now")


def packs(w: World) -> None:
    git(w.where, "pack-refs", "--all", "--prune")


# --- and how they end it


def finish(w: World) -> None:
    """Whatever was begun is brought to its end."""
    if (w.where / ".git/MERGE_HEAD").exists():
        git(w.where, "commit", "-q", "--no-edit")
    if (w.where / ".git/rebase-merge").exists():
        git(w.where, "rebase", "--continue")
    if git(w.where, "stash", "list"):
        git(w.where, "stash", "pop")
    if git(w.where, "status", "--porcelain"):
        git(w.where, "add", "-A")
        git(w.where, "commit", "-q", "-m", "What was left")
    head = git(w.where, "rev-parse", "--abbrev-ref", "HEAD")
    if head != "main":
        git(w.where, "switch", "-q", "main")
        if head.startswith("feature"):
            git(w.where, "merge", "-q", "-m", "Back", head)


DEEDS: list[Deed] = [
    commits,
    saves,
    stages,
    switches,
    detaches,
    amends,
    merges,
    begins_a_merge,
    begins_a_rebase,
    stashes,
    resets,
    collects,
    packs,
]


def sync_while(w: World, moment: int, deed: Deed) -> bool:
    """One run, at whose ``moment``-th request somebody does something; whether it lasted so long."""
    start = len(w.proxy.asked)
    done: list[int] = []

    def act(asked: Asked) -> None:
        if asked.number >= start + moment and not done:
            done.append(asked.number)
            deed(w)

    w.proxy.on_request = act
    ended = w.sync()
    w.proxy.on_request = lambda _: None
    assert ended.code in {0, 1, 3, 75}, ended
    assert "internal error" not in ended.out + ended.err
    return bool(done)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", [1])
def test_during_a_sync(w: World, seed: int) -> None:
    w.dice.seed(seed)
    for deed in DEEDS:
        work(w)
        moment = w.dice.randint(1, 11)
        w.log.append(f"{deed.__name__} at {moment}")
        if not sync_while(w, moment, deed):
            w.log.append("it was over before")
        finish(w)
        w.until_quiet()
        w.check()


@pytest.mark.slow
def test_a_commit_between_plan_and_pull_is_built_upon(w: World) -> None:
    w.page_edit("b", 0)
    assert sync_while(w, 2, lambda w: edit(w, "b", 2))
    w.until_quiet()
    w.check()
