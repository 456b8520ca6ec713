"""Several clones of one bare origin, and one vendor: who writes, what they tell each other, and who takes over."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from engines import Rig
from late import Killed, dies, rename, saves, sent_into_the_dark
from memory_vendor import MemoryWorkspace
from repos import CONFIG, chat, commit, git

from promptstore.errors import RemoteUnreachable, WriteInDoubt
from promptstore.store.address import parse_address
from promptstore.store.store import Store
from promptstore.store.tagging import set_tag
from promptstore.sync.team.lease import read_lease
from promptstore.vendors.base import Publication

pytestmark = pytest.mark.slow

LEASE = "refs/promptstore/acme/lease"
TEXT = "First paragraph.\n\nSecond paragraph."


@pytest.fixture
def acme() -> MemoryWorkspace:
    return MemoryWorkspace()


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    where = tmp_path / "origin.git"
    git(tmp_path, "init", "-q", "--bare", "-b", "main", str(where))
    first = tmp_path / "first"
    first.mkdir()
    git(first, "init", "-q", "-b", "main")
    git(first, "config", "user.name", "Ann")
    git(first, "config", "user.email", "ann@example.com")
    (first / ".promptstore.toml").write_text(CONFIG)
    commit(first, {"p": chat(TEXT), "q": chat("q")}, "Start")
    git(first, "push", "-q", str(where), "main")
    return where


def clone(origin: Path, name: str, acme: MemoryWorkspace) -> Rig:
    where = origin.parent / name
    git(origin.parent, "clone", "-q", str(origin), str(where))
    git(where, "config", "user.name", name)
    git(where, "config", "user.email", f"{name}@example.com")
    return Rig(Store.open(where), {"acme": acme}, shares=True)


@pytest.fixture
def ann(origin: Path, acme: MemoryWorkspace) -> Rig:
    return clone(origin, "ann", acme)


@pytest.fixture
def ben(origin: Path, acme: MemoryWorkspace) -> Rig:
    return clone(origin, "ben", acme)


def edit(rig: Rig, slug: str, text: str) -> None:
    commit(rig.root, {slug: chat(text)})
    git(rig.root, "push", "-q")


def told(result: object) -> list[str]:
    return [error.message for error in result.errors]  # type: ignore[attr-defined]


def test_what_one_clone_published_another_knows(ann: Rig, ben: Rig, acme: MemoryWorkspace) -> None:
    assert ann.sync().errors == []
    assert acme.writes == ["publish", "publish"]
    result = ben.sync()
    assert (result.done, told(result)) == ([], [])
    edit(ben, "p", "two")
    ben.sync()
    git(ann.root, "pull", "-q")
    result = ann.sync()
    assert (result.done, told(result)) == ([], [])
    assert len(acme.by_name("p").versions) == 2


@pytest.mark.slow
def test_the_others_only_look_while_a_daemon_leads(ann: Rig, ben: Rig, acme: MemoryWorkspace) -> None:
    ann.keeps_lease = True
    ann.sync()
    edit(ben, "p", "two")
    acme.edit("q", "q, better")
    result = ben.sync()
    assert result.done == []
    assert "syncs this remote" in told(result)[0]
    assert all(error.retry for error in result.errors)
    assert acme.text("p") == TEXT
    assert "q, better" in git(ben.root, "show", "acme/main:prompts/q.yaml")
    git(ann.root, "pull", "-q")
    assert {f"{a.kind} {a.slug}" for a in ann.sync().done} == {"update-remote p", "update-local q"}
    assert acme.text("p") == "two"


def test_another_takes_over_when_the_lease_ran_out(ann: Rig, ben: Rig, acme: MemoryWorkspace) -> None:
    ann.keeps_lease = True
    ann.sync()
    edit(ben, "p", "two")
    ben.now += 119
    assert told(ben.sync()) != []
    ben.now += 20
    assert told(ben.sync()) == []
    assert acme.text("p") == "two"
    git(ann.root, "pull", "-q")
    ann.now = ben.now
    assert (ann.sync().done, ann.sync().errors) == ([], [])


def test_two_that_start_at_once_do_not_both_publish(ann: Rig, ben: Rig, acme: MemoryWorkspace) -> None:
    """Both have looked before either leads: the one that loses the race for the lease sends nothing."""
    results = []

    def race(step: str) -> None:
        if step == "before find" and not results:
            results.append(None)
            results[0] = ben.sync()

    acme.chaos = race
    ann.sync()
    assert told(results[0]) != []
    assert acme.writes == ["publish", "publish"]


@pytest.mark.slow
@pytest.mark.parametrize("arrives", [True, False])
def test_a_write_of_a_machine_that_died_is_never_made_twice(
    ann: Rig, ben: Rig, acme: MemoryWorkspace, arrives: bool
) -> None:
    """The word sent before the write is all that the next leader has to go by: ann's disk is gone."""
    ann.sync()
    edit(ann, "p", "two")

    def die(step: str) -> None:
        if step == ("after publish" if arrives else "before publish"):
            raise Killed

    acme.chaos = die
    with pytest.raises(Killed):
        ann.sync()
    acme.chaos = lambda _: None
    git(ben.root, "pull", "-q")
    ben.now = ann.now + 100
    assert told(ben.sync()) != []  # ann's lease still stands
    ben.now = ann.now + 300  # it ran out: from now on the settle window is waited for
    assert (told(ben.sync()) == []) is arrives
    ben.now += 90
    ben.until_quiet()
    assert len(acme.by_name("p").versions) == 2
    assert acme.text("p") == "two"


def test_a_write_in_doubt_is_waited_for_by_the_next_leader(ann: Rig, ben: Rig, acme: MemoryWorkspace) -> None:
    ann.sync()
    edit(ann, "p", "two")

    def lose(step: str) -> None:
        if step == "before publish":
            raise WriteInDoubt("no answer")

    acme.chaos = lose
    assert told(ann.sync()) != []
    acme.chaos = lambda _: None
    git(ben.root, "pull", "-q")
    ben.now = ann.now + 30  # the lease was given up; the settle window is open
    result = ben.sync()
    assert [a.kind for a in result.done] == []
    assert acme.text("p") == TEXT
    ben.now = ann.now + 120
    ben.until_quiet()
    assert acme.text("p") == "two"
    assert len(acme.by_name("p").versions) == 2


def test_without_the_origin_nobody_publishes(ann: Rig, origin: Path, acme: MemoryWorkspace) -> None:
    ann.sync()
    edit(ann, "p", "two")
    origin.rename(origin.with_suffix(".away"))
    result = ann.sync()
    assert result.done == []
    assert [error.retry for error in result.errors] == [True]
    assert acme.text("p") == TEXT
    origin.with_suffix(".away").rename(origin)
    assert told(ann.sync()) == []
    assert acme.text("p") == "two"


@pytest.mark.slow
def test_a_leader_goes_on_while_the_origin_is_away_and_its_lease_lasts(
    ann: Rig, origin: Path, acme: MemoryWorkspace
) -> None:
    ann.keeps_lease = True
    ann.sync()
    acme.edit("q", "q, better")
    origin.rename(origin.with_suffix(".away"))
    assert [f"{a.kind} {a.slug}" for a in ann.sync().done] == ["update-local q"]


def test_an_origin_that_takes_no_refs_of_ours(ann: Rig, origin: Path, acme: MemoryWorkspace) -> None:
    hook = origin / "hooks" / "update"
    hook.write_text('#!/bin/sh\ncase "$1" in refs/heads/*) exit 0;; esac\necho no such refs here >&2; exit 1\n')
    hook.chmod(0o755)
    result = ann.sync()
    assert result.done == []
    assert "publisher" in result.errors[0].hint
    assert acme.writes == []
    git(ann.root, "config", "promptstore.publisher", "true")
    assert ann.sync().errors == []
    assert acme.writes == ["publish", "publish"]


@pytest.mark.slow
def test_tags_go_round(ann: Rig, ben: Rig, acme: MemoryWorkspace) -> None:
    ann.sync()
    set_tag(ann.store, ann.store.locate(parse_address("p@1")), "production")
    assert [f"{a.kind} {a.slug}" for a in ann.sync().done] == ["tag-remote p"]
    assert ben.sync().done == []
    assert ben.store.tags("p") == {"production": 1}
    acme.label("p", "production", None)
    assert [f"{a.kind} {a.slug}" for a in ben.sync().done] == ["untag-local p"]
    assert ann.sync().done == []
    assert ann.store.tags("p") == {}


@pytest.mark.slow
def test_two_clones_that_import_the_same_version_make_the_same_commit(
    ann: Rig, ben: Rig, acme: MemoryWorkspace
) -> None:
    ann.sync()
    ben.sync()
    acme.edit("p", "from the vendor")
    ann.sync()
    ben.sync()
    assert git(ann.root, "rev-parse", "main") == git(ben.root, "rev-parse", "main")


# --- leases of other versions


def lease_says(origin: Path, content: str) -> None:
    """Put this text where the lease is."""
    blob = git(origin, "hash-object", "-w", "--stdin", stdin=content)
    tree = git(origin, "mktree", stdin=f"100644 blob {blob}\tlease\n")
    commit_id = git(origin, "-c", "user.name=x", "-c", "user.email=x", "commit-tree", tree, "-m", "Somebody leads")
    git(origin, "update-ref", LEASE, commit_id)


def lease_of(origin: Path) -> dict[str, Any]:
    return dict(json.loads(git(origin, "show", f"{LEASE}:lease")))


def test_what_a_newer_version_says_beside_a_lease_is_passed_over(
    ann: Rig, ben: Rig, origin: Path, acme: MemoryWorkspace
) -> None:
    """Neither who leads nor what was announced is lost with it."""
    ann.sync()
    edit(ann, "p", "two")

    def die(step: str) -> None:
        if step == "after publish":
            raise Killed

    acme.chaos = die
    with pytest.raises(Killed):
        ann.sync()
    acme.chaos = lambda _: None
    said = lease_of(origin)
    said |= {"colour": "blue", "intents": [{**row, "priority": [1]} for row in said["intents"]]}
    lease_says(origin, json.dumps(said))
    git(ben.root, "pull", "-q")
    assert "syncs this remote until" in told(ben.sync())[0]
    ben.now = ann.now + 300
    ben.until_quiet()
    assert len(acme.by_name("p").versions) == 2


SPOILT: list[Callable[[dict[str, Any]], Any]] = [
    lambda said: {**said, "format": 2},
    lambda said: {key: value for key, value in said.items() if key != "holder"},
    lambda said: {**said, "until": "tomorrow"},
    lambda said: {**said, "until": 1e300},
    lambda said: {**said, "intents": [{"intent": "i", "state": "queued"}]},
    lambda said: [said],
]


def test_a_lease_that_cannot_be_read_is_somebodys(origin: Path, ben: Rig, acme: MemoryWorkspace) -> None:
    """However long it stands: nobody can tell what its holder was about to send."""
    ben.keeps_lease = True
    ben.sync()
    said = lease_of(origin)
    for spoilt in SPOILT:
        lease_says(origin, json.dumps(spoilt(said)))
        git(ben.root, "fetch", "-q", "origin", f"{LEASE}:refs/spoilt", "--force")
        lease = read_lease(ben.store, ben.store.refs.read("refs/spoilt"))
        assert lease is not None
        assert not lease.readable
    edit(ben, "p", "two")
    for _ in range(2):
        ben.now += 1000
        result = ben.sync()
        assert result.done == []
        assert "cannot be read" in told(result)[0]
        assert (result.errors[0].retry, f"--delete {LEASE}" in result.errors[0].hint) == (True, True)
    assert acme.text("p") == TEXT
    git(ben.root, "push", "-q", "origin", "--delete", LEASE)
    assert told(ben.sync()) == []
    assert acme.text("p") == "two"


@pytest.mark.slow
def test_an_agreed_text_that_a_merge_brought_in_counts_as_seen(ann: Rig, ben: Rig, acme: MemoryWorkspace) -> None:
    """Nobody numbered it: ann's numbers wait for her push, and ben's first-parent line goes past it."""
    ann.sync()
    acme.edit("p", TEXT.replace("First", "1st"))
    ann.sync()
    git(ann.root, "push", "-q")
    commit(ann.root, {"q": chat("not pushed")})
    ann.sync()
    commit(ben.root, {"p": chat(TEXT.replace("Second", "2nd"))})
    git(ben.root, "pull", "-q", "--no-rebase", "--no-edit")
    git(ben.root, "push", "-q")
    result = ben.sync()
    assert (result.plan.held, result.plan.conflicts, told(result)) == ((), (), [])
    assert acme.text("p") == "1st paragraph.\n\n2nd paragraph."


def test_an_edit_beneath_what_two_clones_sent_is_not_hidden(ann: Rig, ben: Rig, acme: MemoryWorkspace) -> None:
    """Ann's machine sleeps before its write, and ben's takes over; hers arrives right before his."""
    ann.sync()
    edit(ann, "p", "two")
    sent: list[Publication] = []

    def asleep(publication: Publication) -> None:
        sent.append(publication)
        raise Killed

    acme.before["publish"] = asleep
    with pytest.raises(Killed):
        ann.sync()
    acme.before.clear()
    git(ben.root, "pull", "-q")
    ben.now = ann.now + 300
    ben.sync()
    ben.now += 100
    acme.before["publish"] = saves(acme, "theirs", then=sent)
    ben.sync()
    assert [conflict.theirs for conflict in ben.until_quiet().plan.conflicts] == ["theirs"]


@pytest.mark.parametrize("slug", ["p", "new"])
def test_what_another_clone_has_settled_hides_nothing_here(
    ann: Rig, ben: Rig, acme: MemoryWorkspace, slug: str
) -> None:
    """Ann's journal does not know the end of a publish that ben's has agreed on, and somebody renames ``p`` there."""
    ann.sync()
    edit(ann, slug, "two")
    acme.after["publish"] = dies
    with pytest.raises(Killed):
        ann.sync()
    acme.after.clear()
    git(ben.root, "pull", "-q")
    ben.keeps_lease = True
    ben.now = ann.now + 1000
    ben.sync()
    rename(acme, "p", "new")
    acme.edit("new", "theirs")
    edit(ben, "p", "ours")
    ben.sync()
    git(ann.root, "pull", "-q")
    ann.now = ben.now
    told = [{(one.slug, one.field, str(one.theirs)) for one in rig.sync().plan.conflicts} for rig in (ann, ben)]
    assert told[0] == told[1]
    assert any(theirs == "theirs" for _, _, theirs in told[0])


def test_what_one_went_on_top_of_is_held_where_it_was_not_read_yet(ann: Rig, ben: Rig, acme: MemoryWorkspace) -> None:
    """Ben hears what was agreed on, and of a version still to be merged, while the vendor is down for him."""
    edit(ann, "p", "one")
    git(ben.root, "pull", "-q")
    ann.sync()
    ben.sync()
    edit(ann, "p", "two")
    acme.before["publish"] = saves(acme, "theirs")
    ann.sync()
    assert [conflict.theirs for conflict in ann.plan().conflicts] == ["theirs"]
    git(ben.root, "pull", "-q")
    edit(ben, "p", "mine")

    def down(*_: object) -> None:
        raise RemoteUnreachable("no route to host")

    acme.before["list"] = down
    ben.sync()
    acme.before.clear()
    plan = ben.offline()
    assert plan.conflicts == ()
    assert [held.unread for held in plan.held] == [True]
    assert [conflict.theirs for conflict in ben.sync().plan.conflicts] == ["theirs"]


def sent_and_led_by_ben(ann: Rig, ben: Rig, acme: MemoryWorkspace, *, arrives: bool) -> None:
    """What ann sent of p got no answer; ben leads from then on, and found out what became of it."""
    ann.sync()
    commit(ann.root, {"p": chat("two")})
    git(ann.root, "push", "-q")
    late = sent_into_the_dark(ann, acme)
    if arrives:
        acme.publish(*late)
    else:
        commit(ann.root, {"p": chat("2.0")})
        git(ann.root, "push", "-q")
    ben.keeps_lease = True
    ben.now = ann.now = ann.now + 1000
    git(ben.root, "pull", "-q")
    for _ in range(3):
        ben.sync()
        ben.now += 100
    ann.now = ben.now


def test_what_the_leader_has_settled_is_in_doubt_nowhere(ann: Rig, ben: Rig, acme: MemoryWorkspace) -> None:
    sent_and_led_by_ben(ann, ben, acme, arrives=True)
    git(ann.root, "pull", "-q")
    assert [error.slug for error in ann.sync().errors if error.slug] == []


def test_what_the_leader_has_given_up_hides_no_conflict_from_others(ann: Rig, ben: Rig, acme: MemoryWorkspace) -> None:
    sent_and_led_by_ben(ann, ben, acme, arrives=False)
    commit(ben.root, {"p": chat("three")})
    git(ben.root, "push", "-q")
    acme.edit("p", "theirs")
    assert ben.sync().plan.conflicts
    git(ann.root, "pull", "-q")
    assert ann.sync().plan.conflicts
    assert ann.offline().conflicts
