"""What must not be believed or done without a person: missing listings, mass deletions, another workspace."""

from __future__ import annotations

from pathlib import Path

import pytest
from engines import Rig, kinds
from memory_vendor import MemoryWorkspace
from repos import chat, commit, git, make_store
from stories import edit, here, texts

from promptstore.errors import RemoteUnreachable
from promptstore.sync.actions import Action, Plan
from promptstore.sync.engine import Result
from promptstore.sync.guards import mass_deletion, shrunken, wrong_workspace
from promptstore.sync.policy import Policy
from promptstore.vendors.base import RemoteHead


@pytest.fixture
def rig(tmp_path: Path, acme: MemoryWorkspace) -> Rig:
    rig = Rig(make_store(tmp_path / "repo"), {"acme": acme})
    commit(rig.root, {f"x{n}": chat(f"x {n}") for n in range(5)} | {"p": chat("one")})
    rig.until_quiet()
    acme.requests.clear()
    return rig


def halts(result: Result) -> list[str]:
    return [halt.reason for halt in result.plan.halted]


def there(acme: MemoryWorkspace) -> list[str]:
    return sorted(kept.name for kept in acme.prompts.values() if not kept.deleted)


# --- the rules


@pytest.mark.parametrize(
    ("known", "vanished", "policy", "stops"),
    [
        (100, 0, Policy(), False),
        (100, 10, Policy(), False),
        (100, 11, Policy(), True),
        (10, 2, Policy(), False),
        (10, 3, Policy(), True),
        (5, 1, Policy(), False),
        (4, 1, Policy(), True),
        (1, 1, Policy(), True),
        (3, 3, Policy(max_delete=1.0), True),
        (3, 2, Policy(max_delete=1.0), False),
        (1000, 11, Policy(max_delete=1.0), True),
        (1000, 11, Policy(max_delete=1.0, max_vanish=11), False),
        (0, 0, Policy(), False),
    ],
)
def test_a_listing_that_shrank(known: int, vanished: int, policy: Policy, stops: bool) -> None:
    assert (shrunken("acme", known, vanished, policy) is not None) == stops


@pytest.mark.parametrize(
    ("known", "doomed", "policy", "stops"),
    [
        (1, 1, Policy(), False),
        (3, 1, Policy(), False),
        (10, 2, Policy(), False),
        (10, 3, Policy(), True),
        (9, 2, Policy(), True),
        (2, 2, Policy(max_delete=1.0), False),
        (100, 10, Policy(), False),
        (100, 11, Policy(), True),
        (1000, 11, Policy(max_delete=1.0), True),
    ],
)
def test_a_deletion_of_many(known: int, doomed: int, policy: Policy, stops: bool) -> None:
    plan = Plan((*[Action("acme", "p", "delete-remote")] * doomed, *[Action("acme", "p", "delete-local")] * 50))
    assert (mass_deletion("acme", known, plan, policy) is not None) == stops


@pytest.mark.parametrize(
    ("known", "identity", "stops"), [("1", "1", False), ("1", "2", True), ("", "2", False), ("1", "", False)]
)
def test_another_workspace(known: str, identity: str, stops: bool) -> None:
    assert (wrong_workspace("acme", known, identity) is not None) == stops


# --- listings


@pytest.mark.parametrize("left", [0, 3])
def test_an_empty_or_short_listing_changes_nothing_until_it_is_accepted(
    rig: Rig, acme: MemoryWorkspace, left: int
) -> None:
    for kept in list(acme.prompts.values())[left:]:
        kept.deleted = True
    edit(rig, "x0", "x 0, edited")
    result = rig.sync()
    assert len(halts(result)) == 1
    assert kinds(result.done) == []
    assert len(rig.store.prompts_at(rig.store.tip)) == 6
    accepted = kinds(rig.sync(accept=result.plan.plan_id).done)
    assert len([kind for kind in accepted if kind.startswith("delete-local")]) == 6 - max(left, 1)


def test_what_moved_since_was_not_accepted(rig: Rig, acme: MemoryWorkspace) -> None:
    for n in range(3):
        acme.archive(f"x{n}")
    shown = rig.sync().plan.plan_id
    acme.archive("x3")
    result = rig.sync(accept=shown)
    assert kinds(result.done) == []
    assert halts(result) != []
    assert result.plan.plan_id != shown


def test_one_remote_that_halts_stops_no_other(tmp_path: Path) -> None:
    config = "[store]\n" + "".join(f'[remotes.{name}]\nvendor = "promptlayer"\n' for name in ("acme", "beta"))
    spaces = {"acme": MemoryWorkspace(), "beta": MemoryWorkspace()}
    rig = Rig(make_store(tmp_path / "repo", config), spaces)
    commit(rig.root, {f"x{n}": chat(f"x {n}") for n in range(4)})
    rig.until_quiet()
    for n in range(3):
        spaces["acme"].archive(f"x{n}")
    edit(rig, "x3", "edited")
    result = rig.sync()
    assert [halt.remote for halt in result.plan.halted] == ["acme"]
    assert (spaces["beta"].text("x3"), spaces["acme"].text("x3")) == ("edited", "x 3")


def test_many_deletions_here_archive_nothing_until_they_are_accepted(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {f"x{n}": None for n in range(3)})
    result = rig.sync(allow_delete=True)
    assert halts(result) == ["3 of 6 prompts were deleted here, and would be archived there"]
    assert (kinds(result.done), acme.writes) == ([], [])
    rig.sync(accept=result.plan.plan_id, allow_delete=True)
    assert there(acme) == ["p", "x3", "x4"]


# --- the proof of an absence


def test_a_listing_that_is_right_the_second_time_proves_nothing(rig: Rig, acme: MemoryWorkspace) -> None:
    real, looks = acme.list, []

    def flickering() -> list[RemoteHead]:
        looks.append(1)
        return [head for head in real() if head.name != "p" or len(looks) > 1]

    acme.list = flickering  # type: ignore[method-assign]
    assert kinds(rig.sync().done) == []
    assert len(looks) == 2
    assert here(rig) == "one"


@pytest.mark.parametrize("answer", ["still there", "unreachable"])
def test_a_prompt_that_can_still_be_read_or_cannot_be_asked_for_is_not_gone(
    rig: Rig, acme: MemoryWorkspace, answer: str
) -> None:
    """Twice missing from the listing, but the read of it does not say that it is gone."""
    real = acme.list
    acme.list = lambda: [head for head in real() if head.name != "p"]  # type: ignore[method-assign]

    def fails(*_: object) -> None:
        raise RemoteUnreachable("timed out")

    if answer == "unreachable":
        acme.before["read"] = fails
    result = rig.sync()
    assert kinds(result.done) == []
    assert [held.slug for held in result.plan.held] == ["p"]
    assert here(rig) == "one"
    acme.before.clear()
    acme.list = real  # type: ignore[method-assign]
    assert kinds(rig.sync().done) == []


def test_a_listing_that_breaks_off_concludes_nothing(rig: Rig, acme: MemoryWorkspace) -> None:
    acme.archive("p")

    def fails(*_: object) -> None:
        raise RemoteUnreachable("timed out")

    acme.before["list"] = fails
    result = rig.sync()
    assert (kinds(result.done), [error.retry for error in result.errors]) == ([], [True])
    assert here(rig) == "one"


# --- prompts that come back, are copied, or change only their case


def test_one_that_is_made_anew_at_the_vendor_is_a_new_prompt(rig: Rig, acme: MemoryWorkspace) -> None:
    """Its id is another one; the old one's deletion and the new text are told apart."""
    acme.archive("p")
    rig.until_quiet()
    assert "p" not in rig.store.prompts_at(rig.store.tip)
    acme.edit("p", "made anew")
    rig.until_quiet()
    assert here(rig) == "made anew"
    assert len(there(acme)) == 6


def test_one_that_is_replaced_between_two_looks(rig: Rig, acme: MemoryWorkspace) -> None:
    acme.archive("p")
    acme.edit("p", "made anew")
    for _ in range(4):
        rig.sync()
    commits = git(rig.root, "log", "--format=%s", "-p", "--", "prompts/p.yaml")
    seen = git(rig.root, "log", "-p", "--all", "--format=%s", "--", "prompts")
    assert "one" in commits
    assert "made anew" in seen
    assert texts(acme) == ["made anew"]
    assert acme.writes == []


def test_one_that_is_archived_by_us_and_written_again_here(rig: Rig, acme: MemoryWorkspace) -> None:
    """The archived one keeps the name at the vendor, so the new file is held; nothing is written into the archive."""
    commit(rig.root, {"p": None})
    rig.sync(allow_delete=True)
    assert there(acme) == [f"x{n}" for n in range(5)]
    edit(rig, "p", "written again")
    result = rig.until_quiet()
    assert [held.slug for held in result.plan.held] == ["p"]
    assert acme.writes == ["delete"]


def test_a_deletion_is_not_undone_by_what_is_still_known_of_it(rig: Rig, acme: MemoryWorkspace) -> None:
    """What R keeps of a prompt that is gone never comes back as something new."""
    acme.archive("p")
    rig.until_quiet()
    for _ in range(3):
        assert kinds(rig.sync().done) == []
    assert "p" not in rig.store.prompts_at(rig.store.tip)
    git(rig.root, "update-ref", "-d", "refs/promptstore/acme/base")
    rig.until_quiet()
    assert "p" not in rig.store.prompts_at(rig.store.tip)
    assert acme.by_name("p") is None


def test_a_copy_at_the_vendor_is_another_prompt(rig: Rig, acme: MemoryWorkspace) -> None:
    acme.edit("p-copy", "one")
    rig.until_quiet()
    assert here(rig, "p-copy") == here(rig) == "one"
    edit(rig, "p", "one, edited")
    rig.until_quiet()
    assert (texts(acme), texts(acme, "p-copy")) == (["one", "one, edited"], ["one"])


def test_names_that_differ_in_case_alone_are_two_prompts(rig: Rig, acme: MemoryWorkspace) -> None:
    acme.edit("P", "another one")
    rig.until_quiet()
    found = rig.store.prompts_at(rig.store.tip)
    new = next(slug for slug in found if slug not in {"p", *(f"x{n}" for n in range(5))})
    assert here(rig, new) == "another one"
    assert new.casefold() not in {slug.casefold() for slug in found if slug != new}
    edit(rig, "p", "one, edited")
    acme.edit("P", "another one, edited")
    rig.until_quiet()
    assert texts(acme, "P") == ["another one", "another one, edited"]
    assert here(rig, new) == "another one, edited"


def test_a_file_whose_case_changed_is_no_slug_and_sends_nothing(rig: Rig, acme: MemoryWorkspace) -> None:
    git(rig.root, "mv", "prompts/p.yaml", "prompts/P.yaml")
    commit(rig.root, {}, "Another case")
    result = rig.sync()
    assert (kinds(result.done), acme.writes) == ([], [])
    assert [held.slug for held in result.plan.held] == ["p"]
    git(rig.root, "mv", "prompts/P.yaml", "prompts/p.yaml")
    commit(rig.root, {}, "And back")
    assert rig.until_quiet().plan.held == ()
    assert acme.writes == []
