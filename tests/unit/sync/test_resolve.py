"""Settling conflicts: after it, and one sync, everything is quiet and nothing is lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from engines import Rig
from memory_vendor import MemoryWorkspace
from repos import chat, commit, git, make_store

from promptstore.errors import ConflictError
from promptstore.store.address import parse_address
from promptstore.store.tagging import set_tag

TEXT = "First paragraph.\n\nSecond paragraph.\n\nThird paragraph."


@pytest.fixture
def rig(tmp_path: Path, acme: MemoryWorkspace) -> Rig:
    rig = Rig(make_store(tmp_path / "repo"), {"acme": acme})
    commit(rig.root, {f"x{n}": chat(f"x {n}") for n in range(6)} | {"p": chat(TEXT)})
    rig.until_quiet()
    return rig


def here(rig: Rig, slug: str = "p") -> str:
    return str(rig.store.get(slug).render()[0]["content"])


def conflicts(rig: Rig) -> list[str]:
    return sorted({f"{c.slug} {c.field}" for c in rig.sync().plan.conflicts})


def settled(rig: Rig) -> None:
    result = rig.until_quiet()
    assert (result.plan.conflicts, result.plan.held, result.errors) == ((), (), [])


@pytest.mark.parametrize("side", ["ours", "theirs"])
def test_a_field_both_changed(rig: Rig, acme: MemoryWorkspace, side: str) -> None:
    ours, theirs = (TEXT.replace("First", "1st").replace("Second", name) for name in ("Our", "Their"))
    commit(rig.root, {"p": "# kept\n" + chat(ours)})
    acme.edit("p", theirs.replace("Third", "3rd").replace("1st", "First"))
    assert conflicts(rig) == ["p messages[0].content"]
    rig.resolve("p", side)  # type: ignore[arg-type]
    settled(rig)
    chosen = "Our" if side == "ours" else "Their"
    assert chosen in here(rig)
    assert acme.text("p") == here(rig)
    assert (rig.root / "prompts/p.yaml").read_text().startswith("# kept\n")
    assert git(rig.root, "status", "--porcelain") == ""


def test_a_text_made_in_the_editor(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {"p": chat("ours")})
    acme.edit("p", "theirs")
    assert conflicts(rig) == ["p messages[0].content"]
    shown = []

    def editor(text: str) -> str:
        shown.append(text)
        return chat("ours and theirs")

    rig.resolve("p", "edit", editor)
    assert "ours" in shown[0]
    assert "theirs" in shown[0]
    settled(rig)
    assert acme.text("p") == here(rig) == "ours and theirs"


@pytest.mark.parametrize("text", [None, "<<<<<<< ours\nmessages: ["])
def test_nothing_usable_from_the_editor_changes_nothing(rig: Rig, acme: MemoryWorkspace, text: str | None) -> None:
    commit(rig.root, {"p": chat("ours")})
    acme.edit("p", "theirs")
    assert conflicts(rig) == ["p messages[0].content"]
    with pytest.raises(ConflictError):
        rig.resolve("p", "edit", lambda _: text)
    assert conflicts(rig) == ["p messages[0].content"]
    assert (here(rig), acme.text("p")) == ("ours", "theirs")


@pytest.mark.parametrize("side", ["ours", "theirs"])
def test_a_first_meeting(rig: Rig, acme: MemoryWorkspace, side: str) -> None:
    commit(rig.root, {"q": chat("ours")})
    acme.edit("q", "theirs")
    assert conflicts(rig) == ["q messages[0].content"]
    rig.resolve("q", side)  # type: ignore[arg-type]
    settled(rig)
    assert acme.text("q") == here(rig, "q") == side


def test_a_first_meeting_in_the_editor(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {"q": chat("ours")})
    acme.edit("q", "theirs")
    assert conflicts(rig) == ["q messages[0].content"]
    rig.resolve("q", "edit", lambda _: chat("both"))
    settled(rig)
    assert acme.text("q") == here(rig, "q") == "both"


def test_deleted_here_and_edited_there_stays_deleted(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {"p": None})
    acme.edit("p", "theirs")
    assert conflicts(rig) == ["p "]
    rig.resolve("p", "ours")
    assert [held.reason for held in rig.until_quiet().plan.held] == ["deleted here, still at PromptLayer"]
    assert [action.kind for action in rig.sync(allow_delete=True).done] == ["delete-remote"]
    settled(rig)
    assert acme.by_name("p") is None


@pytest.mark.parametrize("side", ["theirs", "edit"])
def test_deleted_here_and_edited_there_comes_back(rig: Rig, acme: MemoryWorkspace, side: str) -> None:
    commit(rig.root, {"p": None})
    acme.edit("p", "theirs")
    assert conflicts(rig) == ["p "]
    rig.resolve("p", side)  # type: ignore[arg-type]
    settled(rig)
    assert acme.text("p") == here(rig) == "theirs"


def test_gone_there_and_edited_here_is_let_go(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {"p": chat("ours")})
    acme.archive("p")
    assert conflicts(rig) == ["p "]
    rig.resolve("p", "theirs")
    settled(rig)
    assert "p" not in rig.store.prompts_at(rig.store.tip)
    assert not (rig.root / "prompts/p.yaml").exists()


def test_gone_there_and_edited_here_is_kept(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {"p": chat("ours")})
    del acme.prompts[acme.by_name("p").id]  # type: ignore[union-attr]
    assert conflicts(rig) == ["p "]
    rig.resolve("p", "ours")
    settled(rig)
    assert acme.text("p") == here(rig) == "ours"


def test_one_that_comes_back_by_itself(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {"p": chat("ours")})
    kept = acme.by_name("p")
    acme.archive("p")
    assert conflicts(rig) == ["p "]
    assert kept is not None
    kept.deleted = False
    settled(rig)
    assert acme.text("p") == here(rig) == "ours"
    assert len(kept.versions) == 2


def test_gone_with_nothing_left_in_the_remote_ref(rig: Rig, acme: MemoryWorkspace) -> None:
    """What was seen is lost (a crash between its record and that of the agreement), the agreement is not."""
    commit(rig.root, {"p": chat("ours")})
    acme.archive("p")
    git(rig.root, "update-ref", "-d", "refs/remotes/acme/main")
    assert conflicts(rig) == ["p "]
    rig.resolve("p", "theirs")
    settled(rig)
    assert "p" not in rig.store.prompts_at(rig.store.tip)


@pytest.mark.parametrize("side", ["ours", "theirs"])
def test_what_ours_was_published_over(rig: Rig, acme: MemoryWorkspace, side: str) -> None:
    commit(rig.root, {"p": chat(TEXT.replace("First", "Our first"))})

    def race(_: object) -> None:
        acme.before.clear()
        acme.edit("p", TEXT.replace("First", "Their first"))

    acme.before["publish"] = race
    acme.after["publish"] = lambda _: (
        acme.after.clear(),
        acme.edit("p", TEXT.replace("First", "Our first").replace("Third", "3rd")),
    )
    assert conflicts(rig) == ["p messages[0].content"]
    rig.resolve("p", side)  # type: ignore[arg-type]
    settled(rig)
    chosen = "Our first" if side == "ours" else "Their first"
    assert acme.text("p") == here(rig) == TEXT.replace("First", chosen).replace("Third", "3rd")


@pytest.mark.parametrize("side", ["ours", "theirs"])
def test_a_tag_both_moved(rig: Rig, acme: MemoryWorkspace, side: str) -> None:
    for text in ("two", "three"):
        commit(rig.root, {"p": chat(text)})
        rig.until_quiet()
    acme.label("p", "production", 1)
    rig.until_quiet()
    acme.label("p", "production", 3)
    set_tag(rig.store, rig.store.locate(parse_address("p@2")), "production")
    assert conflicts(rig) == ["p tag:production"]
    rig.resolve("p", side)  # type: ignore[arg-type]
    settled(rig)
    version = 2 if side == "ours" else 3
    assert acme.by_name("p").labels == {"production": version}  # type: ignore[union-attr]
    assert rig.store.tags("p") == {"production": version}


def test_a_tag_cannot_be_edited(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {"p": chat("two")})
    rig.until_quiet()
    acme.label("p", "production", 1)
    set_tag(rig.store, rig.store.locate(parse_address("p@2")), "production")
    assert conflicts(rig) == ["p tag:production"]
    with pytest.raises(ConflictError, match="cannot be edited"):
        rig.resolve("p", "edit")


def test_a_side_is_taken_only_against_the_text_that_was_shown(tmp_path: Path) -> None:
    """Settling one remote's conflict brings its other edits along; against those the next remote's is shown anew."""
    config = '[store]\nprompts = "prompts"\nbranch = "main"\n' + "".join(
        f'\n[remotes.{name}]\nvendor = "promptlayer"\n' for name in ("one", "two")
    )
    one, two = MemoryWorkspace(), MemoryWorkspace()
    rig = Rig(make_store(tmp_path / "hub", config), {"one": one, "two": two})
    text = "First.\n\nSecond.\n\nThird.\n\nFourth.\n\nFifth."
    model = "model:\n  provider: openai\n  name: {}\n"
    commit(rig.root, {"p": chat(text, model.format("old"))})
    rig.sync()
    one.edit("p", text.replace("First", "1st"), metadata={"model": {"provider": "openai", "name": "one"}})
    two.edit("p", text.replace("Fifth", "5th, there"), metadata={"model": {"provider": "openai", "name": "old"}})
    commit(rig.root, {"p": chat(text.replace("Fifth", "5th, here"), model.format("here"))})
    rig.sync()
    assert sorted((c.remote, c.field) for c in rig.plan().conflicts) == [
        ("one", "model.name"),
        ("two", "messages[0].content"),
    ]
    rig.resolve("p", "theirs")
    assert "1st" in here(rig)
    assert "5th, here" in here(rig)
    assert [(c.remote, c.field) for c in rig.plan().conflicts] == [("two", "messages[0].content")]


def test_a_commit_made_while_the_editor_is_open_is_not_undone(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {"p": chat(TEXT.replace("First", "Ours first"))})
    acme.edit("p", TEXT.replace("First", "Their first"))
    rig.sync()
    later, chosen = TEXT.replace("First", "Ours first").replace("Third", "Later third"), chat("chosen")

    def editor(_: str) -> str:
        commit(rig.root, {"p": chat(later)})
        return chosen

    with pytest.raises(ConflictError, match="changed while") as raised:
        rig.resolve("p", "edit", editor)
    assert here(rig) == later
    assert Path(raised.value.hint.rpartition(" ")[2]).read_text() == chosen
    assert conflicts(rig) == ["p messages[0].content"]


def test_a_commit_of_something_else_meanwhile_is_no_hindrance(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {"p": chat("ours")})
    acme.edit("p", "theirs")
    rig.sync()

    def editor(_: str) -> str:
        commit(rig.root, {"x1": chat("x one")})
        return chat("chosen")

    rig.resolve("p", "edit", editor)
    settled(rig)
    assert (here(rig), here(rig, "x1"), acme.text("p")) == ("chosen", "x one", "chosen")


def test_a_side_taken_does_not_drop_what_is_still_to_be_merged(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {"p": chat(TEXT.replace("First", "1st"))})

    def race(*_: object) -> None:
        acme.before.clear()
        acme.edit("p", TEXT.replace("Third", "3rd"))
        (rig.root / "prompts/p.yaml").write_text(chat("in the editor"))  # so that the merge waits

    acme.before["publish"] = race
    rig.sync()
    git(rig.root, "reset", "-q", "--hard", "HEAD~1")
    assert [held.can_resolve for held in rig.sync().plan.held] == [True]
    rig.take("p", "ours")
    settled(rig)
    assert acme.text("p") == here(rig) == TEXT.replace("Third", "3rd")
