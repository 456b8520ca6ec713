"""Where only what was pushed counts as ours: a clone whose branch has an upstream, and two clones of one origin."""

from __future__ import annotations

from pathlib import Path

import pytest
from engines import Rig, kinds
from memory_vendor import MemoryWorkspace
from repos import CONFIG, chat, commit, git

from promptstore.errors import ConflictError, StoreBusy
from promptstore.store.store import Store
from promptstore.sync.resolve import Side

pytestmark = pytest.mark.slow

TEXT = "First paragraph.\n\nSecond paragraph.\n\nThird paragraph."


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    where = tmp_path / "origin.git"
    where.mkdir()
    git(where, "init", "-q", "--bare", "-b", "main")
    first = tmp_path / "first"
    first.mkdir()
    git(first, "init", "-q", "-b", "main")
    git(first, "config", "user.name", "Ann")
    git(first, "config", "user.email", "ann@example.com")
    (first / ".promptstore.toml").write_text(CONFIG)
    commit(first, {f"x{n}": chat(f"x {n}") for n in range(6)} | {"p": chat(TEXT)}, "Start")
    git(first, "push", "-q", str(where), "main")
    return where


def clone(origin: Path, name: str, acme: MemoryWorkspace) -> Rig:
    where = origin.parent / name
    git(origin.parent, "clone", "-q", str(origin), str(where))
    git(where, "config", "user.name", name)
    git(where, "config", "user.email", f"{name}@example.com")
    return Rig(Store.open(where), {"acme": acme})


@pytest.fixture
def rig(origin: Path, acme: MemoryWorkspace) -> Rig:
    found = clone(origin, "ann", acme)
    found.until_quiet()
    return found


def reasons(result: object) -> list[str]:
    return [f"{held.slug}: {held.reason}" for held in result.plan.held]  # type: ignore[attr-defined]


def share(rig: Rig, other: Rig) -> None:
    """Everything but branches travels through origin, as the shared refs do."""
    names = ["refs/promptstore/*:refs/promptstore/*", "refs/prompts/*:refs/prompts/*"]
    git(rig.root, "push", "-q", "-f", "origin", *names)
    git(other.root, "fetch", "-q", "origin", *(f"+{name}" for name in names))


def test_only_what_was_pushed_is_published(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {"p": chat("two")})
    assert kinds(rig.sync().done) == []
    assert acme.text("p") == TEXT
    git(rig.root, "push", "-q")
    assert kinds(rig.sync().done) == ["update-remote p"]
    rig.until_quiet()


def test_a_pull_waits_for_its_push_without_being_pulled_again(rig: Rig, acme: MemoryWorkspace) -> None:
    acme.edit("p", "theirs", label="production")
    acme.edit("new", "new")
    assert sorted(kinds(rig.sync().done)) == ["create-local new", "update-local p"]
    tip = git(rig.root, "rev-parse", "main")
    again = rig.sync()
    assert kinds(again.done) == []
    assert [line.partition(":")[0] for line in reasons(again)] == ["new", "p"]
    assert git(rig.root, "rev-parse", "main") == tip
    git(rig.root, "push", "-q")
    rig.until_quiet()
    assert len(acme.by_name("p").versions) == 2  # type: ignore[union-attr]
    assert rig.store.tags("p") == {"production": 2}


def test_a_merge_is_published_after_its_push(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {"p": chat(TEXT.replace("First", "1st"))})
    git(rig.root, "push", "-q")
    acme.edit("p", TEXT.replace("Third", "3rd"))
    assert kinds(rig.sync().done) == ["merge p"]
    assert kinds(rig.sync().done) == []
    git(rig.root, "push", "-q")
    rig.until_quiet()
    assert acme.text("p") == TEXT.replace("First", "1st").replace("Third", "3rd")


def test_a_deletion_pulled_but_not_pushed_recreates_nothing(rig: Rig, acme: MemoryWorkspace) -> None:
    acme.archive("p")
    assert kinds(rig.sync().done) == ["delete-local p"]
    assert kinds(rig.sync().done) == []
    assert acme.by_name("p") is None
    git(rig.root, "push", "-q")
    rig.until_quiet()
    assert acme.by_name("p") is None
    assert "p" not in rig.store.prompts_at(rig.store.tip)


def test_an_unpushed_edit_keeps_a_pull_waiting(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {"p": chat("ours, not pushed")})
    acme.edit("p", "theirs")
    result = rig.sync()
    assert (kinds(result.done), reasons(result)) == ([], ["p: waiting: its text on main is not pushed yet"])
    git(rig.root, "push", "-q")
    assert [conflict.slug for conflict in rig.sync().plan.conflicts] == ["p"]


def test_an_upstream_ahead_is_what_is_published(rig: Rig, origin: Path, acme: MemoryWorkspace) -> None:
    ben = clone(origin, "ben", acme)
    commit(ben.root, {"p": chat("by ben")})
    git(ben.root, "push", "-q")
    git(rig.root, "fetch", "-q")
    assert kinds(rig.sync().done) == ["update-remote p"]
    assert acme.text("p") == "by ben"
    git(rig.root, "pull", "-q", "--ff-only")
    rig.until_quiet()


def test_a_pull_onto_a_branch_that_is_behind_is_not_lost(rig: Rig, origin: Path, acme: MemoryWorkspace) -> None:
    ben = clone(origin, "ben", acme)
    commit(ben.root, {"x1": chat("by ben")})
    git(ben.root, "push", "-q")
    git(rig.root, "fetch", "-q")
    acme.edit("p", "theirs")
    rig.sync()
    git(rig.root, "pull", "-q", "--rebase")
    git(rig.root, "push", "-q")
    rig.until_quiet()
    assert (acme.text("p"), acme.text("x1")) == ("theirs", "by ben")
    assert len(acme.by_name("p").versions) == 2  # type: ignore[union-attr]


def test_a_clone_that_is_behind_sends_no_old_text(rig: Rig, origin: Path, acme: MemoryWorkspace) -> None:
    """Ruling 1: the base that ann shared says nothing about ben's older main."""
    ben = clone(origin, "ben", acme)
    git(rig.root, "config", "--unset", "branch.main.merge")
    git(ben.root, "config", "--unset", "branch.main.merge")
    commit(rig.root, {"p": chat("two"), "q": chat("new")})
    rig.until_quiet()
    share(rig, ben)
    result = ben.sync()
    assert kinds(result.done) == []
    assert reasons(result) == [
        "p: the text last agreed on is not in this branch's history",
        "q: the text last agreed on is not in this branch's history",
    ]
    assert acme.text("p") == "two"
    git(rig.root, "push", "-q", "origin", "main")
    git(ben.root, "pull", "-q", "--ff-only", "origin", "main")
    assert ben.until_quiet().plan.held == ()
    assert len(acme.by_name("p").versions) == 2  # type: ignore[union-attr]


@pytest.fixture
def unseen(rig: Rig, origin: Path, acme: MemoryWorkspace) -> Rig:
    """A clone that shares ann's base, but whose history never gets what she published, nor her new prompt."""
    ben = clone(origin, "ben", acme)
    for one in (rig, ben):
        git(one.root, "config", "--unset", "branch.main.merge")
    commit(rig.root, {"p": chat("by ann"), "q": chat("new")})
    rig.until_quiet(allow_delete=True)
    share(rig, ben)
    assert len(reasons(ben.sync())) == 2
    return ben


@pytest.mark.parametrize(("side", "text"), [("ours", TEXT), ("theirs", "by ann")])
def test_a_base_never_seen_is_settled_by_choosing_a_side(
    unseen: Rig, acme: MemoryWorkspace, side: Side, text: str
) -> None:
    unseen.take("p", side)
    assert reasons(unseen.until_quiet()) == ["q: the text last agreed on is not in this branch's history"]
    assert acme.text("p") == text == unseen.store.get("p").render()[0]["content"]
    assert acme.text("p", 2) == "by ann"


def test_a_base_never_seen_is_settled_in_the_editor(unseen: Rig, acme: MemoryWorkspace) -> None:
    shown = []

    def editor(marked: str) -> str:
        shown.append(marked)
        return chat("both")

    unseen.take("p", "edit", editor)
    assert "by ann" in shown[0]
    assert "Second paragraph." in shown[0]
    unseen.until_quiet()
    assert acme.text("p") == "both"


def test_a_prompt_never_here_can_only_be_taken_from_there(unseen: Rig, acme: MemoryWorkspace) -> None:
    with pytest.raises(ConflictError, match="never on this branch"):
        unseen.take("q", "ours")
    unseen.take("q", "theirs")
    assert unseen.store.get("q").render()[0]["content"] == "new"
    assert reasons(unseen.until_quiet()) == ["p: the text last agreed on is not in this branch's history"]
    assert acme.text("q") == "new"


def test_a_deletion_can_be_insisted_on(unseen: Rig, acme: MemoryWorkspace) -> None:
    commit(unseen.root, {"p": None})
    unseen.take("p", "ours")
    assert "p: deleted here, still at PromptLayer" in reasons(unseen.sync())
    unseen.until_quiet(allow_delete=True)
    assert acme.by_name("p") is None


def test_a_clone_that_is_behind_deletes_nothing(rig: Rig, origin: Path, acme: MemoryWorkspace) -> None:
    ben = clone(origin, "ben", acme)
    git(rig.root, "config", "--unset", "branch.main.merge")
    git(ben.root, "config", "--unset", "branch.main.merge")
    commit(rig.root, {"q": chat("new")})
    rig.until_quiet()
    share(rig, ben)
    assert kinds(ben.sync(allow_delete=True).done) == []
    acme.archive("q")
    assert kinds(ben.sync(allow_delete=True).done) == []
    git(rig.root, "push", "-q", "origin", "main")
    git(ben.root, "pull", "-q", "--ff-only", "origin", "main")
    assert kinds(ben.sync().done) == ["delete-local q"]
    ben.until_quiet()


def test_two_clones_take_turns(rig: Rig, origin: Path, acme: MemoryWorkspace) -> None:
    ben = clone(origin, "ben", acme)
    for mine, other in ((rig, ben), (ben, rig)):
        share(other, mine)
        git(mine.root, "pull", "-q", "--ff-only")
        commit(mine.root, {"p": chat(f"turn by {mine.root.name}")})
        git(mine.root, "push", "-q")
        acme.edit("x1", f"turn at the vendor, {mine.root.name}")
        mine.sync()
        git(mine.root, "push", "-q")
        mine.until_quiet()
    assert len(acme.by_name("p").versions) == 3  # type: ignore[union-attr]
    assert len(acme.by_name("x1").versions) == 3  # type: ignore[union-attr]
    assert acme.text("p") == "turn by ben"


def test_a_text_seen_under_the_name_that_only_the_link_knows(rig: Rig, origin: Path, acme: MemoryWorkspace) -> None:
    ben = clone(origin, "ben", acme)
    for one in (rig, ben):
        git(one.root, "config", "--unset", "branch.main.merge")
    git(rig.root, "mv", "prompts/p.yaml", "prompts/q.yaml")
    git(rig.root, "commit", "-q", "-m", "Rename")
    rig.until_quiet()
    commit(ben.root, {"p": None, "q": chat("squashed: renamed and rewritten at once")})
    share(rig, ben)
    git(ben.root, "update-ref", "-d", "refs/promptstore/versions")
    result = ben.sync()
    assert reasons(result) == []
    assert kinds(result.done) == ["update-remote q"]
    assert acme.text("p", 1) == TEXT
    assert acme.text("p") == "squashed: renamed and rewritten at once"


@pytest.mark.parametrize("config", ["\n[git]\npush = true\n", '\n[sync]\nintegrate = "branch"\n'])
def test_a_choice_goes_over_no_text_that_was_not_pushed(rig: Rig, acme: MemoryWorkspace, config: str) -> None:
    (rig.root / ".promptstore.toml").write_text(CONFIG + config)
    ann = Rig(Store.open(rig.root), {"acme": acme}, shares=True)
    commit(ann.root, {"p": chat(TEXT.replace("First", "Ours first"))})
    git(ann.root, "push", "-q")
    acme.edit("p", TEXT.replace("First", "Their first"))
    assert [conflict.slug for conflict in ann.sync().plan.conflicts] == ["p"]
    unpushed = TEXT.replace("First", "Ours first").replace("Third", "Unpushed third")
    commit(ann.root, {"p": chat(unpushed)})
    with pytest.raises(StoreBusy, match="not what origin/main says"):
        ann.resolve("p", "ours")
    git(ann.root, "push", "-q")
    ann.sync()
    ann.resolve("p", "ours")
    git(ann.root, "push", "-q")
    ann.until_quiet()
    assert acme.text("p") == unpushed


def test_a_branch_that_is_only_behind_goes_on_from_what_was_pushed(
    rig: Rig, origin: Path, acme: MemoryWorkspace
) -> None:
    ben = clone(origin, "ben", acme)
    commit(ben.root, {"p": chat(TEXT.replace("First", "Ben's first"))})
    git(ben.root, "push", "-q")
    acme.edit("p", TEXT.replace("First", "Their first"))
    git(rig.root, "fetch", "-q")
    assert [conflict.slug for conflict in rig.sync().plan.conflicts] == ["p"]
    rig.resolve("p", "ours")
    git(rig.root, "push", "-q")
    rig.until_quiet()
    assert acme.text("p") == TEXT.replace("First", "Ben's first")


def test_resolving_without_the_branch_begins_it_where_the_pushed_one_is(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {"p": chat(TEXT.replace("First", "Ours first"))})
    git(rig.root, "push", "-q")
    git(rig.root, "checkout", "-q", "-b", "feature")
    git(rig.root, "branch", "-q", "-D", "main")
    acme.edit("p", TEXT.replace("First", "Their first"))
    assert [conflict.slug for conflict in rig.sync().plan.conflicts] == ["p"]
    rig.resolve("p", "theirs")
    assert git(rig.root, "merge-base", "main", "origin/main") == git(rig.root, "rev-parse", "origin/main")
    assert "x1" in rig.store.prompts_at(rig.store.refs.read("refs/heads/main"))
