"""Renames, swaps and copies of prompt files, and looks at the vendor that grew old."""

from __future__ import annotations

from typing import Any

import pytest
from engines import Rig, kinds
from memory_vendor import MemoryWorkspace, lost_reply
from repos import chat, commit, git

from promptstore.errors import RemoteUnreachable
from promptstore.store.address import parse_address
from promptstore.store.history import system_identity
from promptstore.store.tagging import set_tag
from promptstore.sync.agreement import Agreed, Agreement, Agreements
from promptstore.sync.tracking import Sighting

TEXT = "First paragraph, long enough to be known again.\n\nSecond paragraph.\n\nThird paragraph.\n\nFourth paragraph."


def move(rig: Rig, *pairs: tuple[str, str]) -> None:
    for old, new in pairs:
        git(rig.root, "mv", f"prompts/{old}.yaml", f"prompts/{new}.yaml")


def versions(acme: MemoryWorkspace) -> dict[str, int]:
    return {kept.name: len(kept.versions) for kept in acme.prompts.values()}


def test_two_that_changed_places_are_two_edits(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {"a": chat("text of a\n\n" + TEXT), "b": chat("b, something else entirely")})
    rig.until_quiet()
    move(rig, ("a", "c"), ("b", "a"), ("c", "b"))
    commit(rig.root, {}, "Swap")
    rig.until_quiet()
    assert acme.text("a") == "b, something else entirely"
    assert acme.text("b") == "text of a\n\n" + TEXT
    assert versions(acme) == {"a": 2, "b": 2}


def test_a_swap_in_two_commits(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {"a": chat("text of a\n\n" + TEXT), "b": chat("b, something else entirely")})
    rig.until_quiet()
    move(rig, ("a", "c"))
    commit(rig.root, {}, "Away")
    move(rig, ("b", "a"))
    commit(rig.root, {}, "And into its place")
    result = rig.until_quiet()
    texts = {str(rig.store.get(slug).render()[0]["content"]) for slug in ("a", "c")}
    assert texts == {"text of a\n\n" + TEXT, "b, something else entirely"}
    there = {acme.text(kept.name) for kept in acme.prompts.values()}
    assert texts <= there or result.plan.held


def test_moved_and_edited_in_one_commit(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {"old": chat(TEXT * 8)})
    rig.until_quiet()
    move(rig, ("old", "sub-new"))
    commit(rig.root, {"sub-new": chat((TEXT * 8).replace("Fourth", "4th", 1))})
    assert kinds(rig.sync().done) == ["move sub-new", "update-remote sub-new"]
    rig.until_quiet()
    assert versions(acme) == {"old": 2}


def test_a_move_before_the_first_publish(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {"old": chat(TEXT)})
    move(rig, ("old", "new"))
    commit(rig.root, {}, "Rename")
    rig.until_quiet()
    assert versions(acme) == {"new": 1}


def test_there_and_back_again(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {"a": chat(TEXT)})
    rig.until_quiet()
    for old, new in (("a", "b"), ("b", "a"), ("a", "b")):
        move(rig, (old, new))
        commit(rig.root, {}, f"{old} to {new}")
        rig.until_quiet()
        assert list(rig.store.prompts_at(rig.store.tip)) == [new]
    assert versions(acme) == {"a": 1}
    commit(rig.root, {"b": chat(TEXT + "!")})
    rig.until_quiet()
    assert versions(acme) == {"a": 2}


def test_a_copy_with_the_same_name_is_held(rig: Rig, acme: MemoryWorkspace) -> None:
    text = chat("one", extra="name: Greeting\n")
    commit(rig.root, {"a": text})
    rig.until_quiet()
    commit(rig.root, {"b": text.replace("one", "two")})
    result = rig.until_quiet()
    assert [(held.slug, "'Greeting' is used by 'a'" in held.reason) for held in result.plan.held] == [("b", True)]
    assert versions(acme) == {"Greeting": 1}
    assert acme.text("Greeting") == "one"


def test_two_new_files_with_one_name_are_both_held(rig: Rig, acme: MemoryWorkspace) -> None:
    text = chat("one", extra="name: Greeting\n")
    commit(rig.root, {"a": text, "b": text.replace("one", "two")})
    assert [held.slug for held in rig.until_quiet().plan.held] == ["a", "b"]
    assert acme.prompts == {}


def test_two_files_with_a_name_that_the_vendor_has_are_both_held(rig: Rig, acme: MemoryWorkspace) -> None:
    """Not the first one linked, and the second one told: nobody knows which of the two is meant."""
    text = chat("one", extra="name: Greeting\n")
    acme.edit("Greeting", "one")
    commit(rig.root, {"a": text, "b": text.replace("one", "two")})
    result = rig.until_quiet()
    assert [(one.slug, one.reason, one.hint) for one in result.plan.held] == [
        ("a", "its name 'Greeting' is used by 'b'", "give 'b' another `name:`"),
        ("b", "its name 'Greeting' is used by 'a'", "give 'b' another `name:`"),
    ]
    assert versions(acme) == {"Greeting": 1}
    commit(rig.root, {"b": chat("two", extra="name: Farewell\n")})
    assert rig.until_quiet().plan.held == ()
    assert versions(acme) == {"Greeting": 1, "Farewell": 1}


def test_an_old_look_at_the_newest_version_is_repeated(rig: Rig, acme: MemoryWorkspace) -> None:
    """The machine slept between the look and the write, and somebody saved an edit."""
    commit(rig.root, {"p": chat(TEXT)})
    rig.until_quiet()
    commit(rig.root, {"p": chat(TEXT.replace("First", "1st"))})

    def sleep(*_: object) -> None:
        if "publish" not in acme.requests:
            acme.before.clear()
            acme.before["versions"] = lambda *_: None
            acme.edit("p", TEXT.replace("Fourth", "4th"))

    acme.requests.clear()
    real, looks = acme.read, []

    def read(prompt_id: str, version: str | None = None) -> object:
        found = real(prompt_id, version)
        looks.append(version)
        if len(looks) == 1:
            rig.now += 30
            sleep()
        return found

    acme.read = read  # type: ignore[method-assign, assignment]
    rig.until_quiet()
    assert acme.text("p") == TEXT.replace("First", "1st").replace("Fourth", "4th")
    assert acme.writes == ["publish"]


@pytest.fixture
def half_followed(rig: Rig, acme: MemoryWorkspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run died after it had written that a prompt was moved from a to b, and before it had agreed on that."""
    commit(rig.root, {"a": chat(TEXT)})
    rig.until_quiet()
    move(rig, ("a", "b"))
    commit(rig.root, {}, "Move")
    write = Agreements.write

    def killed(self: Agreements, before: Agreement, changes: dict[str, Agreed | None], *more: Any, **named: Any) -> Any:
        if changes:
            raise KeyboardInterrupt
        return write(self, before, changes, *more, **named)

    with monkeypatch.context() as patch:
        patch.setattr(Agreements, "write", killed)
        with pytest.raises(KeyboardInterrupt):
            rig.sync()


def seen(rig: Rig) -> dict[str, str]:
    """What the tracking ref tells: slug -> version."""
    (session,) = rig.engine().sessions()
    return {slug: entry.version for slug, entry in session.tracking.read().prompts.items()}


@pytest.mark.usefixtures("half_followed")
def test_a_prompt_moved_again_after_a_run_died_between_what_was_seen_and_what_was_agreed(
    rig: Rig, acme: MemoryWorkspace
) -> None:
    assert seen(rig) == {"b": "1"}
    move(rig, ("b", "c"))
    commit(rig.root, {}, "Move again")
    assert kinds(rig.sync().done) == ["move c"]
    assert seen(rig) == {"c": "1"}
    assert kinds(rig.sync().done) == []
    assert versions(acme) == {"a": 1}
    assert list(rig.store.prompts_at(rig.store.tip)) == ["c"]


def test_what_was_seen_last_counts_where_one_prompt_stands_at_two_places(rig: Rig, acme: MemoryWorkspace) -> None:
    """A team's leader writes what it sees before it writes that a prompt was moved."""
    commit(rig.root, {"a": chat(TEXT)})
    rig.until_quiet()
    (session,) = rig.engine().sessions()
    old = session.tracking.read().prompts["a"]
    acme.edit("a", TEXT.replace("First", "1st"))
    rig.until_quiet()
    tracked = session.tracking.read()
    who = system_identity(rig.store.clock())
    session.tracking.write(tracked, [Sighting(who, "As it was\n", {"b": old})], who)
    assert seen(rig) == {"a": "2", "b": "1"}
    acme.requests.clear()
    assert kinds(rig.sync().done) == []
    assert seen(rig) == {"a": "2"}
    assert "read" not in acme.requests


def test_two_that_changed_places_are_seen_in_each_others(rig: Rig, acme: MemoryWorkspace) -> None:
    """Another clone has followed their renames, and agreed on them."""
    commit(rig.root, {"a": chat("text of a"), "b": chat("b, something else entirely")})
    rig.until_quiet()
    (session,) = rig.engine().sessions()
    before = session.agreements.read()
    a, b = before.prompts["a"], before.prompts["b"]
    session.agreements.write(before, {"a": b, "b": a}, system_identity(rig.store.clock()))
    session.load()
    assert {slug: entry.name for slug, entry in session.tracked.prompts.items()} == {"a": "b", "b": "a"}
    assert session.moved == {"a", "b"}


def test_a_prompt_moved_while_its_first_publish_was_in_doubt(rig: Rig, acme: MemoryWorkspace) -> None:
    """It was seen at the vendor under its old slug before anybody knew that it is ours."""
    commit(rig.root, {"a": chat(TEXT)})

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    def unreachable(*_: object) -> None:
        acme.before.clear()
        raise RemoteUnreachable("no route")

    acme.after["publish"] = killed
    with pytest.raises(KeyboardInterrupt):
        rig.sync()
    acme.after.clear()
    acme.before["list"] = unreachable
    assert [error.slug for error in rig.sync().errors] == ["a"]
    move(rig, ("a", "b"))
    commit(rig.root, {}, "Move")
    rig.until_quiet()
    assert list(rig.store.prompts_at(rig.store.tip)) == ["b"]
    assert versions(acme) == {"a": 1}


# --- a name that was taken up again


def renamed_and_taken_up_again(rig: Rig, **files: str | None) -> None:
    """``a`` became ``b``, and another prompt is ``a`` now."""
    commit(rig.root, {f"x{n}": chat(f"x {n}") for n in range(8)} | {"a": chat(TEXT)})
    move(rig, ("a", "b"))
    commit(rig.root, {}, "Rename")
    commit(rig.root, {"a": chat("Something else entirely"), **files})


def test_the_link_of_a_deleted_prompt_does_not_go_to_one_that_had_its_name_once(
    rig: Rig, acme: MemoryWorkspace
) -> None:
    unholdable = chat("{{#x}}known{{/x}} again").replace("jinja2", "mustache")
    renamed_and_taken_up_again(rig, b=unholdable)
    rig.until_quiet()
    commit(rig.root, {"a": None})
    rig.sync()
    commit(rig.root, {"b": chat("B can be held now")})
    rig.until_quiet()
    assert acme.text("a") == "Something else entirely"


def test_the_tags_of_a_deleted_prompt_do_not_either(rig: Rig, acme: MemoryWorkspace) -> None:
    renamed_and_taken_up_again(rig)
    set_tag(rig.store, rig.store.locate(parse_address("a")), "production")
    rig.until_quiet()
    commit(rig.root, {"a": None})
    rig.until_quiet()
    assert rig.store.tags("b") == {}
    assert rig.store.locator.all_tag_commits(rig.store.tip).keys() == {"a"}
    assert acme.by_name("b").labels == {}  # type: ignore[union-attr]


def test_tags_from_before_the_move_still_do(rig: Rig) -> None:
    commit(rig.root, {"a": chat(TEXT)})
    set_tag(rig.store, rig.store.locate(parse_address("a")), "production")
    move(rig, ("a", "b"))
    commit(rig.root, {}, "Rename")
    commit(rig.root, {"a": chat("Something else entirely")})
    commit(rig.root, {"a": None})
    assert rig.store.tags("b") == {"production": 1}
    rig.until_quiet()
    assert rig.store.tags("b") == {"production": 1}


def test_a_publish_in_doubt_stays_with_the_prompt_that_was_deleted(rig: Rig, acme: MemoryWorkspace) -> None:
    renamed_and_taken_up_again(rig)
    acme.after["publish"] = lambda *_: lost_reply()
    rig.sync()
    acme.after.clear()
    commit(rig.root, {"a": None})
    rig.now += 100
    rig.until_quiet()
    assert versions(acme)["a"] == versions(acme)["b"] == 1
    assert acme.text("b") == TEXT
