"""What can go wrong between clones: renames one has not heard of, bases grown apart, clocks, refusals, old clones."""

from __future__ import annotations

from pathlib import Path

import pytest
from engines import Rig
from memory_vendor import MemoryWorkspace
from repos import CONFIG, chat, commit, git

from promptstore.store.address import parse_address
from promptstore.store.sharing import Names, fetch_shared, send_shared
from promptstore.store.store import Store
from promptstore.store.tagging import set_tag
from promptstore.sync.team.bases import join_agreements

pytestmark = pytest.mark.slow

TEXT = "First paragraph.\n\nSecond paragraph."
TWO = CONFIG + '\n[remotes.beta]\nvendor = "promptlayer"\n'


class Killed(BaseException):
    """The machine dies."""


@pytest.fixture
def acme() -> MemoryWorkspace:
    return MemoryWorkspace()


def make_origin(tmp_path: Path, config: str = CONFIG) -> Path:
    where = tmp_path / "origin.git"
    git(tmp_path, "init", "-q", "--bare", "-b", "main", str(where))
    first = tmp_path / "first"
    first.mkdir()
    git(first, "init", "-q", "-b", "main")
    git(first, "config", "user.name", "Ann")
    git(first, "config", "user.email", "ann@example.com")
    (first / ".promptstore.toml").write_text(config)
    commit(first, {"p": chat(TEXT), "q": chat("q")}, "Start")
    git(first, "push", "-q", str(where), "main")
    return where


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    return make_origin(tmp_path)


def clone(origin: Path, name: str, **spaces: MemoryWorkspace) -> Rig:
    where = origin.parent / name
    git(origin.parent, "clone", "-q", str(origin), str(where))
    git(where, "config", "user.name", name)
    git(where, "config", "user.email", f"{name}@example.com")
    return Rig(Store.open(where), spaces, shares=True)


@pytest.fixture
def ann(origin: Path, acme: MemoryWorkspace) -> Rig:
    return clone(origin, "ann", acme=acme)


@pytest.fixture
def ben(origin: Path, acme: MemoryWorkspace) -> Rig:
    return clone(origin, "ben", acme=acme)


def edit(rig: Rig, slug: str, text: str) -> None:
    commit(rig.root, {slug: chat(text)})
    git(rig.root, "push", "-q")


def tag(rig: Rig, address: str, name: str = "production") -> None:
    set_tag(rig.store, rig.store.locate(parse_address(address)), name)


def told(result: object) -> list[str]:
    return [error.message for error in result.errors]  # type: ignore[attr-defined]


def kinds(result: object) -> list[str]:
    return [f"{action.kind} {action.slug}" for action in result.done]  # type: ignore[attr-defined]


# --- renames


def renamed_by_ann(ann: Rig, ben: Rig) -> None:
    """ben leads and has everything; ann renames p, and only she has that commit."""
    ben.keeps_lease = True
    tag(ben, "p")
    ben.sync()
    ann.sync()
    git(ann.root, "mv", "prompts/p.yaml", "prompts/r.yaml")
    git(ann.root, "commit", "-q", "-m", "Rename")
    git(ann.root, "push", "-q")
    ann.sync()


def test_a_clone_that_has_not_heard_of_a_rename_takes_no_tag_away(ann: Rig, ben: Rig, acme: MemoryWorkspace) -> None:
    renamed_by_ann(ann, ben)
    assert kinds(ben.sync()) == []
    assert acme.by_name("p").labels == {"production": 1}  # type: ignore[union-attr]
    git(ben.root, "pull", "-q")
    assert kinds(ben.sync()) == ["move r"]
    assert (ben.sync().done, ann.sync().done) == ([], [])
    assert acme.by_name("p").labels == {"production": 1}  # type: ignore[union-attr]
    assert set(git(ben.root, "for-each-ref", "--format=%(refname)", "refs/prompts").split()) == {
        "refs/prompts/r/-/production"
    }


@pytest.mark.slow
def test_a_tag_moved_under_the_old_name_counts_under_the_new_one(ann: Rig, ben: Rig, acme: MemoryWorkspace) -> None:
    renamed_by_ann(ann, ben)
    commit(ben.root, {"p": chat(TEXT + "\n\nMore.")})
    tag(ben, "p")
    git(ben.root, "pull", "-q", "--no-rebase", "--no-edit")
    git(ben.root, "push", "-q")
    assert told(ben.sync()) == []
    git(ann.root, "pull", "-q")
    ann.sync()
    ben.until_quiet()
    assert git(ann.root, "for-each-ref", "refs/prompts") == git(ben.root, "for-each-ref", "refs/prompts")
    assert "More." in str(ann.store.get("r", tag="production").render())


# --- agreements


def test_no_agreement_is_sent_over_another_ones(ann: Rig, ben: Rig, acme: MemoryWorkspace) -> None:
    """A run that does not name a remote does not join its agreements: then it does not send them, either."""
    ann.sync()
    ben.sync()
    before = ben.store.refs.read("refs/promptstore/acme/base")
    edit(ann, "p", "two")
    ann.sync()
    theirs = git(ann.root, "rev-parse", "refs/promptstore/acme/base")
    other = git(ben.root, "commit-tree", f"{before}^{{tree}}", "-m", "Grown apart")
    git(ben.root, "update-ref", "refs/promptstore/acme/base", other)
    fetch_shared(ben.store, "origin")
    send_shared(ben.store, "origin")
    assert git(ann.root, "ls-remote", "origin", "refs/promptstore/acme/base").split()[0] == theirs


@pytest.mark.parametrize("damaged", [False, True])
def test_agreements_are_joined_in_one_step(ann: Rig, ben: Rig, acme: MemoryWorkspace, damaged: bool) -> None:
    """What ben alone agreed on stays through any death; what nobody can read takes nothing away from others."""
    ann.sync()
    ben.sync()
    edit(ann, "p", "two")
    ann.sync()
    session = ben.engine().sessions()[0]
    fork = git(ben.root, "rev-parse", "refs/promptstore/acme/base~1")
    link = "not json" if damaged else git(ben.root, "show", f"{fork}:q/-/link")
    blob = git(ben.root, "hash-object", "-w", "--stdin", stdin=link)
    tree = git(ben.root, "ls-tree", "-r", fork).replace(git(ben.root, "rev-parse", f"{fork}:q/-/link"), blob)
    index = {"GIT_INDEX_FILE": str(ben.root / ".git" / "scratch")}
    made = _tree(ben.root, tree, index)
    ours = git(ben.root, "commit-tree", made, "-p", fork, "-m", "ben's")
    git(ben.root, "update-ref", "refs/promptstore/acme/base", ours)
    join_agreements(ben.store, Names("origin"), session)
    session.load()
    assert set(session.agreement.prompts) == {"p", "q"}
    assert session.agreement.prompts["p"].link.head == "2"


def _tree(where: Path, rows: str, index: dict[str, str]) -> str:
    import os
    import subprocess

    environment = {**os.environ, **index}
    subprocess.run(
        ["git", "update-index", "--index-info"], cwd=where, input=f"{rows}\n", text=True, env=environment, check=True
    )
    done = subprocess.run(["git", "write-tree"], cwd=where, capture_output=True, text=True, env=environment, check=True)
    return done.stdout.strip()


# --- leases


def test_a_lease_of_a_clock_that_is_years_ahead_is_not_waited_for(ann: Rig, ben: Rig, acme: MemoryWorkspace) -> None:
    ann.keeps_lease = True
    ann.now += 1e8
    ann.sync()
    edit(ben, "p", "two")
    assert told(ben.sync()) != []
    ben.now += 100
    assert told(ben.sync()) != []
    ben.now += 60
    assert told(ben.sync()) == []
    assert acme.text("p") == "two"


def test_a_lease_is_renewed_while_a_long_run_publishes(ann: Rig, ben: Rig, acme: MemoryWorkspace) -> None:
    """Each write takes a minute: without a new word the lease would run out among them."""
    commit(ann.root, {f"x{n}": chat(f"x {n}") for n in range(6)})
    git(ann.root, "push", "-q")
    git(ben.root, "pull", "-q")
    seen: list[list[str]] = []

    def slow(step: str) -> None:
        if step == "before publish":
            ann.now += 60
            ben.now = ann.now
        if step == "after publish":
            seen.append([action.slug for action in ben.sync().done])

    acme.chaos = slow
    ann.sync()
    assert len(seen) == 8
    assert not any(seen)
    assert acme.requests.count("publish") == 8


def test_who_lost_the_lead_in_a_long_run_sends_no_more(ann: Rig, ben: Rig, acme: MemoryWorkspace) -> None:
    """ann's machine slept for an hour between two writes, and ben took over."""
    ben.keeps_lease = True
    slept: list[str] = []

    def sleep(step: str) -> None:
        if step == "after publish" and not slept:
            slept.append(step)
            ann.now += 3600
            ben.now = ann.now
            ben.sync()

    acme.chaos = sleep
    result = ann.sync()
    assert told(result) != []
    assert all(error.retry for error in result.errors)
    acme.chaos = lambda _: None
    for _ in range(3):
        ann.now = ben.now = ben.now + 100
        ben.sync()
        ann.sync()
    assert acme.requests.count("publish") == 2


def test_a_command_beside_a_daemon_leaves_it_the_lead(ann: Rig, ben: Rig, acme: MemoryWorkspace) -> None:
    ann.keeps_lease = True
    ann.sync()
    ann.keeps_lease = False
    ann.sync()
    edit(ben, "p", "two")
    assert "syncs this remote" in told(ben.sync())[0]


@pytest.mark.slow
def test_a_leader_that_died_after_its_work_leaves_nothing_in_doubt(ann: Rig, ben: Rig, acme: MemoryWorkspace) -> None:
    ann.keeps_lease = True
    ann.sync()
    ben.now = ann.now + 200
    assert (kinds(ben.sync()), told(ben.sync())) == ([], [])


# --- refusals


@pytest.mark.slow
def test_a_tag_that_the_origin_refuses_is_told_and_the_lease_given_up(
    ann: Rig, ben: Rig, origin: Path, acme: MemoryWorkspace
) -> None:
    ann.sync()
    hook = origin / "hooks" / "update"
    hook.write_text('#!/bin/sh\ncase "$1" in refs/prompts/*) echo protected >&2; exit 1;; esac\n')
    hook.chmod(0o755)
    tag(ann, "p")
    result = ann.sync()
    assert [error.retry for error in result.errors] == [False]
    assert "refs/prompts/p" in told(result)[0]
    edit(ben, "q", "q two")
    assert told(ben.sync()) == []


# --- a branch that is behind


def test_a_branch_that_is_only_behind_keeps_nothing_waiting(ann: Rig, ben: Rig, acme: MemoryWorkspace) -> None:
    ann.sync()
    edit(ben, "p", TEXT.replace("First", "Our first"))
    git(ann.root, "fetch", "-q")
    ann.sync()
    acme.edit("p", acme.text("p").replace("Second", "Their second"))
    assert kinds(ann.sync()) == ["update-local p"]
    git(ann.root, "push", "-q")
    assert "Their second" in (ann.root / "prompts/p.yaml").read_text()
    assert "Our first" in (ann.root / "prompts/p.yaml").read_text()
    assert git(ann.root, "status", "--porcelain") == ""
    assert kinds(ann.until_quiet()) == []


@pytest.mark.slow
def test_a_branch_that_went_apart_says_which_way_a_prompt_waits(ann: Rig, ben: Rig, acme: MemoryWorkspace) -> None:
    ann.sync()
    edit(ben, "p", "ben's")
    commit(ann.root, {"q": chat("ann's")})
    git(ann.root, "fetch", "-q")
    ann.sync()
    acme.edit("p", "the vendor's")
    acme.edit("q", "the vendor's")
    reasons = {held.slug: held.reason for held in ann.sync().plan.held}
    assert "git pull" in reasons["p"]
    assert "is not pushed yet" in reasons["q"]


def test_an_edit_made_on_top_of_a_pulled_text_is_no_conflict(ann: Rig, acme: MemoryWorkspace) -> None:
    """Both go up in one push: the vendor's version had been seen by whoever edited it."""
    ann.sync()
    acme.edit("p", "from the vendor")
    ann.sync()
    edit(ann, "p", "from the vendor, made better")
    ann.until_quiet()
    assert acme.text("p") == "from the vendor, made better"


# --- origins


@pytest.mark.slow
def test_an_origin_made_anew_gets_everything_back(ann: Rig, ben: Rig, origin: Path, acme: MemoryWorkspace) -> None:
    tag(ann, "p")
    ann.sync()
    ben.sync()
    for name in git(origin, "for-each-ref", "--format=%(refname)").split():
        git(origin, "update-ref", "-d", name)
    assert told(ben.sync()) == []
    git(ann.root, "push", "-q", "origin", "main")
    ann.until_quiet()
    ben.until_quiet()
    assert acme.writes == ["publish", "publish", "set_tag"]
    names = git(origin, "for-each-ref", "--format=%(refname)").split()
    assert {"refs/prompts/p/-/production", "refs/promptstore/acme/base", "refs/promptstore/tag-log"} <= set(names)


def rewritten(ann: Rig, ben: Rig, *texts: str) -> None:
    """main at the origin is made anew with these texts, after ann published two."""
    ann.sync()
    edit(ann, "p", "two")
    ann.sync()
    git(ben.root, "checkout", "-q", "--orphan", "anew")
    for text in texts:
        commit(ben.root, {"p": chat(text)}, "Rewritten")
    git(ben.root, "push", "-q", "-f", "origin", "anew:main")
    git(ben.root, "fetch", "-q")
    git(ben.root, "checkout", "-q", "-B", "main", "origin/main")
    git(ann.root, "fetch", "-q")
    ann.now = ben.now = ann.now + 7200


def test_a_main_that_was_wound_back_takes_no_text_back(ann: Rig, ben: Rig, acme: MemoryWorkspace) -> None:
    """ann published two herself, and still the old text that came back is no edit of hers."""
    rewritten(ann, ben, TEXT)
    for rig in (ann, ben, ann):
        assert [held.slug for held in rig.sync().plan.held] == ["p"]
    assert acme.text("p") == "two"


def test_a_main_that_was_rewritten_goes_on(ann: Rig, ben: Rig, acme: MemoryWorkspace) -> None:
    rewritten(ann, ben, TEXT, "two", "three")
    assert kinds(ben.sync()) == ["update-remote p"]
    assert acme.text("p") == "three"


def test_what_was_never_pushed_anywhere_is_not_published(tmp_path: Path, acme: MemoryWorkspace) -> None:
    """A clone of an empty origin: its branch follows one that is not there yet."""
    git(tmp_path, "init", "-q", "--bare", "-b", "main", "origin.git")
    git(tmp_path, "clone", "-q", "origin.git", "ann")
    where = tmp_path / "ann"
    git(where, "config", "user.name", "Ann")
    git(where, "config", "user.email", "ann@example.com")
    (where / ".promptstore.toml").write_text(CONFIG)
    commit(where, {"p": chat("one")})
    ann = Rig(Store.open(where), {"acme": acme}, shares=True)
    with pytest.raises(Exception, match="follows") as caught:
        ann.sync()
    assert "git push" in caught.value.hint  # type: ignore[attr-defined]
    assert acme.writes == []
    git(where, "push", "-q", "-u", "origin", "main")
    assert kinds(ann.sync()) == ["create-remote p"]


@pytest.mark.slow
def test_clones_from_before_they_shared_come_together(tmp_path: Path, acme: MemoryWorkspace) -> None:
    """Each has its own numbers, agreements and history of tags."""
    origin = make_origin(tmp_path)
    ann, ben = clone(origin, "ann", acme=acme), clone(origin, "ben", acme=acme)
    ann.shares = ben.shares = False
    tag(ann, "p")
    ann.sync()
    ben.sync()
    tag(ben, "q", "staging")
    ben.until_quiet()
    ann.shares = ben.shares = True
    for rig in (ann, ben, ann, ben):
        assert told(rig.sync()) == []
    assert acme.requests.count("publish") == 2
    for names in (
        "refs/prompts",
        "refs/promptstore/tag-log",
        "refs/promptstore/versions",
        "refs/promptstore/acme/base",
    ):
        assert git(ann.root, "for-each-ref", names) == git(ben.root, "for-each-ref", names)
    assert (ann.store.tags("p"), ben.store.tags("q")) == ({"production": 1}, {"staging": 1})


# --- several remotes


@pytest.mark.slow
def test_two_remotes_led_by_two_clones(tmp_path: Path, acme: MemoryWorkspace) -> None:
    beta, origin = MemoryWorkspace(), make_origin(tmp_path, TWO)
    ann, ben = (clone(origin, name, acme=acme, beta=beta) for name in ("ann", "ben"))
    ann.sync()
    raced: list[object] = []

    def race(step: str) -> None:
        if step == "before list" and not raced:
            raced.append(step)
            ben.now = ann.now
            ben.team.begin([])
            ben.team.take("beta")  # type: ignore[attr-defined]

    edit(ann, "p", "two")
    ben.sync()
    acme.chaos = race
    result = ann.sync()
    assert kinds(result) == ["update-remote p"]
    assert {error.remote for error in result.errors} == {"beta"}
    git(ben.root, "pull", "-q")
    assert kinds(ben.sync()) == ["update-remote p"]
    assert (acme.text("p"), beta.text("p")) == ("two", "two")


def test_the_one_publisher_needs_no_answer_of_the_origin(ann: Rig, acme: MemoryWorkspace) -> None:
    git(ann.root, "config", "promptstore.publisher", "true")
    git(ann.root, "config", "remote.origin.uploadpack", "echo access denied >&2; false")
    assert told(ann.sync()) == []
    assert acme.writes == ["publish", "publish"]
