"""State of the clone lost or damaged: nothing is lost, nothing is sent twice, and the next runs finish the work."""

from __future__ import annotations

import copy
import json
import os
import re
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from engines import Rig
from memory_vendor import MemoryWorkspace
from repos import chat, commit, git, make_store

from promptstore.cli.run import run
from promptstore.errors import GitError, PromptStoreError
from promptstore.store.address import parse_address
from promptstore.store.mending import damaged_refs
from promptstore.store.store import Store
from promptstore.store.tagging import set_tag
from promptstore.sync.journal import Intent, Journal

Damage = Callable[[Path], None]
BASE = "refs/promptstore/acme/base"
SEEN = "refs/remotes/acme/main"
VERSIONS = "refs/promptstore/versions"
TAG = "refs/prompts/same/-/production"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, MemoryWorkspace]:
    """``same`` is agreed on; ``here`` and ``there`` were edited on one side since, ``both`` on both in two places."""
    where = tmp_path_factory.mktemp("template") / "store"
    acme = MemoryWorkspace()
    texts = {"same": "same w1", "here": "here w2", "there": "there w3", "both": "top w4\n\nmiddle w5\n\nend w6"}
    store = make_store(where, prompts={slug: chat(text) for slug, text in texts.items()})
    git(where, "config", "gc.auto", "0")
    rig = Rig(store, {"acme": acme})
    set_tag(store, store.locate(parse_address("same")), "production")
    assert rig.until_quiet().errors == []
    commit(where, {"here": chat("here w7"), "both": chat("top w8\n\nmiddle w5\n\nend w6")})
    acme.edit("there", "there w9")
    acme.edit("both", "top w4\n\nmiddle w5\n\nend w10")
    store.close()
    return where, acme


@pytest.fixture
def rig(template: tuple[Path, MemoryWorkspace], tmp_path: Path) -> Rig:
    where = tmp_path / "store"
    shutil.copytree(template[0], where)
    return Rig(Store.open(where), {"acme": copy.deepcopy(template[1])})


def place(rig: Rig) -> Path:
    return Path(rig.store.root)


def acme(rig: Rig) -> MemoryWorkspace:
    found = rig.workspaces["acme"]
    assert isinstance(found, MemoryWorkspace)
    return found


def reopened(rig: Rig) -> None:
    """Another process."""
    rig.store.close()
    rig.store = Store.open(rig.store.root)


def words(text: str) -> set[str]:
    return set(re.findall(r"w\d+", text))


def check_all_is_done(rig: Rig) -> None:
    """Every edit came through, each was published once, and the clone is sound."""
    result = rig.until_quiet()
    assert (result.errors, result.plan.conflicts, result.plan.held) == ([], (), ())
    expected = {"same": {"w1"}, "here": {"w7"}, "there": {"w9"}, "both": {"w8", "w5", "w10"}}
    store = rig.store
    here = {slug: words(store.objects.blob(blob).decode()) for slug, blob in store.prompts_at(store.tip).items()}
    there = {kept.name: words(acme(rig).text(kept.name)) for kept in acme(rig).prompts.values()}
    assert here == there == expected
    assert {k.name: len(k.versions) for k in acme(rig).prompts.values()} == {
        "same": 1,
        "here": 2,
        "there": 2,
        "both": 3,
    }
    assert not any(kept.deleted for kept in acme(rig).prompts.values())
    assert store.tags("same") == {"production": 1}
    assert acme(rig).by_name("same").labels == {"production": 1}  # type: ignore[union-attr]
    check_sound(rig)


def check_sound(rig: Rig) -> None:
    git(place(rig), "fsck", "--no-dangling", "--no-reflogs", "--no-progress")
    assert git(place(rig), "status", "--porcelain") == ""


def wiped(ref: str) -> Damage:
    """As after a power failure: the file is there, and empty."""
    return lambda where: (where / ".git" / ref).write_text("")


def garbled(ref: str) -> Damage:
    return lambda where: (where / ".git" / ref).write_bytes(b"\0" * 41)


def dangling(ref: str) -> Damage:
    """The ref came to the disk, its commit did not."""
    return lambda where: (where / ".git" / ref).write_text("deadbeef" * 5 + "\n")


def elsewhere(ref: str) -> Damage:
    """A commit, but of something else."""
    return lambda where: (where / ".git" / ref).write_text(git(where, "rev-parse", "HEAD") + "\n")


def gone(ref: str) -> Damage:
    return lambda where: (where / ".git" / ref).unlink()


@pytest.mark.slow
def test_with_nothing_damaged(rig: Rig) -> None:
    check_all_is_done(rig)


# --- refs


@pytest.mark.slow
@pytest.mark.parametrize("how", [wiped, garbled, dangling, elsewhere, gone])
def test_without_the_agreement_equal_is_linked_and_different_is_a_conflict(
    rig: Rig, how: Callable[[str], Damage]
) -> None:
    how(BASE)(place(rig))
    reopened(rig)
    result = rig.until_quiet()
    assert result.errors == []
    assert {conflict.slug for conflict in result.plan.conflicts} == {"here", "there", "both"}
    assert "publish" not in acme(rig).requests[-20:]
    shown = {word for conflict in result.plan.conflicts for word in words(f"{conflict.ours} {conflict.theirs}")}
    assert {"w7", "w8", "w9", "w10"} <= shown
    for slug in ("here", "there", "both"):
        rig.resolve(slug, "ours")
    assert rig.until_quiet().errors == []
    assert acme(rig).text("here") == "here w7"
    assert len(acme(rig).by_name("same").versions) == 1  # type: ignore[union-attr]
    check_sound(rig)


@pytest.mark.slow
@pytest.mark.parametrize("how", [wiped, garbled, dangling, elsewhere, gone])
def test_without_what_was_seen_everything_is_asked_again(rig: Rig, how: Callable[[str], Damage]) -> None:
    how(SEEN)(place(rig))
    reopened(rig)
    check_all_is_done(rig)


@pytest.mark.slow
@pytest.mark.parametrize("how", [wiped, garbled, dangling])
def test_damaged_numbers_are_told_and_derived_again(
    rig: Rig, how: Callable[[str], Damage], capfd: pytest.CaptureFixture[str]
) -> None:
    before = git(place(rig), "for-each-ref", "--format=%(refname)")
    how(VERSIONS)(place(rig))
    reopened(rig)
    with pytest.raises(GitError, match="versions"):
        rig.sync()
    with pytest.raises(GitError, match="versions"):
        rig.store.get("same")
    assert acme(rig).writes.count("publish") == 4, "nothing was sent"
    assert run(["-C", rig.store.root, "doctor", "--fix", "--offline"]) in {0, 3}
    assert f"mended {VERSIONS} is damaged" in capfd.readouterr().out
    reopened(rig)
    check_all_is_done(rig)
    assert git(place(rig), "for-each-ref", "--format=%(refname)") == before


@pytest.mark.slow
def test_lost_numbers_are_derived_again(rig: Rig) -> None:
    numbers = {slug: rig.store.get(slug).version for slug in ("same", "here", "there", "both")}
    gone(VERSIONS)(place(rig))
    reopened(rig)
    assert {slug: rig.store.get(slug).version for slug in numbers} == numbers
    check_all_is_done(rig)


@pytest.mark.parametrize("how", [wiped, pytest.param(garbled, marks=pytest.mark.slow)])
def test_a_damaged_tag_is_not_taken_for_a_deleted_one(
    rig: Rig, how: Callable[[str], Damage], capfd: pytest.CaptureFixture[str]
) -> None:
    how(TAG)(place(rig))
    reopened(rig)
    with pytest.raises(GitError, match="production"):
        rig.sync()
    with pytest.raises(GitError, match="production"):
        rig.store.get("same", tag="production")
    assert acme(rig).by_name("same").labels == {"production": 1}  # type: ignore[union-attr]
    assert run(["-C", rig.store.root, "doctor", "--fix", "--offline"]) in {0, 3}
    reopened(rig)
    assert rig.store.tags("same") == {"production": 1}, "it is where its history says"
    check_all_is_done(rig)


@pytest.mark.slow
def test_a_damaged_history_of_tags_is_begun_anew(rig: Rig) -> None:
    wiped("refs/promptstore/tag-log")(place(rig))
    reopened(rig)
    assert damaged_refs(rig.store) == ["refs/promptstore/tag-log"]
    assert run(["-C", rig.store.root, "doctor", "--fix", "--offline"]) in {0, 3}
    assert damaged_refs(rig.store) == []
    reopened(rig)
    check_all_is_done(rig)


@pytest.mark.slow
def test_a_sound_store_has_nothing_to_mend(rig: Rig) -> None:
    assert damaged_refs(rig.store) == []
    git(place(rig), "pack-refs", "--all")
    reopened(rig)
    assert damaged_refs(rig.store) == []


# --- housekeeping by git


@pytest.mark.slow
def test_gc_and_packed_refs_take_nothing_away(rig: Rig) -> None:
    git(place(rig), "reflog", "expire", "--expire=now", "--all")
    git(place(rig), "gc", "-q", "--prune=now")
    git(place(rig), "pack-refs", "--all")
    reopened(rig)
    check_all_is_done(rig)


@pytest.mark.slow
def test_gc_at_every_round(rig: Rig) -> None:
    """What is read in one run and needed in the next hangs on a ref."""
    for _ in range(3):
        rig.sync()
        git(place(rig), "reflog", "expire", "--expire=now", "--all")
        git(place(rig), "gc", "-q", "--prune=now")
        reopened(rig)
    check_all_is_done(rig)


@pytest.mark.slow
def test_a_text_that_only_the_journal_knew(rig: Rig) -> None:
    """Sent, then the process died; amended away, and git threw it out: the vendor's version is an edit of its own."""

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    rig.until_quiet()
    commit(place(rig), {"here": chat("here w20")})
    acme(rig).after["publish"] = dies
    with pytest.raises(KeyboardInterrupt):
        rig.sync()
    acme(rig).after.clear()
    git(place(rig), "reset", "-q", "--hard", "HEAD~1")
    git(place(rig), "reflog", "expire", "--expire=now", "--all")
    git(place(rig), "gc", "-q", "--prune=now")
    (place(rig) / ".git/promptstore/cache.db").unlink(missing_ok=True)
    reopened(rig)
    rig.now += 200
    assert rig.until_quiet().errors == []
    assert acme(rig).text("here") == "here w20"
    assert words(rig.store.get("here").render()[0]["content"]) == {"w20"}
    assert len(acme(rig).by_name("here").versions) == 3  # type: ignore[union-attr]
    check_sound(rig)


# --- files


def state(rig: Rig, name: str) -> Path:
    return place(rig) / ".git/promptstore" / name


@pytest.mark.slow
@pytest.mark.parametrize("how", ["gone", "garbage", "empty", "newer", "folder", "locked"])
def test_the_cache_may_be_anything(rig: Rig, how: str) -> None:
    rig.store.close()
    cache = state(rig, "cache.db")
    cache.unlink(missing_ok=True)
    connection = None
    if how == "garbage":
        cache.write_bytes(os.urandom(4096))
    elif how == "empty":
        cache.write_bytes(b"")
    elif how == "folder":
        cache.mkdir()
    elif how == "newer":
        with sqlite3.connect(cache) as made:
            made.execute("CREATE TABLE fact (kind TEXT, key TEXT, value BLOB, more TEXT, PRIMARY KEY (kind, more))")
            made.execute("PRAGMA user_version = 99")
    elif how == "locked":
        connection = sqlite3.connect(cache)
        connection.execute("BEGIN EXCLUSIVE")
    try:
        check_all_is_done(rig)
    finally:
        if connection is not None:
            connection.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    "content",
    ["garbage", "", "[]", '{"acme": 5}', '{"acme": [1, 2]}', '{"acme": [["a"]]}', '{"acme": {"x": []}}', "\0"],
)
def test_the_witness_may_be_garbage(rig: Rig, content: str) -> None:
    state(rig, "witness.json").write_text(content)
    check_all_is_done(rig)


@pytest.mark.slow
@pytest.mark.parametrize("content", ["garbage", "{}", '{"branch": 1}', "[]", '{"changes": []}', '{"branch": "refs/he'])
def test_a_note_of_a_checkout_may_be_garbage(rig: Rig, content: str) -> None:
    (place(rig) / ".git/promptstore-checkout.json").write_text(content + "\n")
    check_all_is_done(rig)


@pytest.mark.slow
def test_a_stale_engine_lock_is_no_lock(rig: Rig, capfd: pytest.CaptureFixture[str]) -> None:
    state(rig, "lock").write_text("4242\n")
    assert run(["-C", rig.store.root, "sync", "--dry-run"]) == 1, "there is no key for acme"
    assert "another sync" not in capfd.readouterr().err


# --- the journal


def half_done(rig: Rig) -> bytes:
    """A run that died between the vendor's deed and its answer; returns the journal."""

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    acme(rig).after["publish"] = dies
    with pytest.raises(KeyboardInterrupt):
        rig.sync()
    acme(rig).after.clear()
    return state(rig, "journal").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("stride", [37])
def test_a_journal_torn_anywhere_in_its_last_record(
    template: tuple[Path, MemoryWorkspace], tmp_path: Path, stride: int
) -> None:
    base = Rig(Store.open(shutil.copytree(template[0], tmp_path / "base")), {"acme": copy.deepcopy(template[1])})
    whole = half_done(base)
    base.store.close()
    last = whole.rstrip(b"\n").rfind(b"\n") + 1
    assert json.loads(whole[last:])["state"] == "sent"
    for cut in range(last, len(whole), stride):
        where = tmp_path / f"cut{cut}"
        shutil.copytree(tmp_path / "base", where)
        torn = Rig(Store.open(where), {"acme": copy.deepcopy(base.workspaces["acme"])})
        state(torn, "journal").write_bytes(whole[:cut])
        check_all_is_done(torn)
        torn.store.close()
        shutil.rmtree(where)


@pytest.mark.slow
@pytest.mark.parametrize(
    "garbage", [b"garbage", b"\0" * 200, b"{}", b'{"intent": 5}', b"\xff\xfe", b'"text"', b"[" * 5000]
)
def test_a_journal_with_garbage_in_the_middle(rig: Rig, garbage: bytes) -> None:
    lines = half_done(rig).split(b"\n")
    state(rig, "journal").write_bytes(b"\n".join([*lines[:-2], garbage, *lines[-2:]]))
    check_all_is_done(rig)


def test_a_record_that_garbage_has_eaten_is_looked_for_before_anything_is_sent(rig: Rig) -> None:
    """The vendor shows the version only later; the line that said that it was sent is unreadable."""
    whole = half_done(rig)
    slug = json.loads(whole.rstrip(b"\n").rsplit(b"\n", 1)[1])["slug"]
    kept = acme(rig).by_name(slug)
    assert kept is not None
    late = kept.versions.pop()
    prepared = whole.rstrip(b"\n").rfind(b"\n") + 1
    state(rig, "journal").write_bytes(whole[:prepared] + b"#" * 40 + b"\n")
    result = rig.sync()
    assert slug in {error.slug for error in result.errors}, "in doubt, not sent again"
    kept.versions.append(late)
    check_all_is_done(rig)


@pytest.mark.parametrize("field", ["at", "state", "slug", "document"])
def test_a_record_with_a_value_of_another_kind_counts_as_garbage(tmp_path: Path, field: str) -> None:
    journal = Journal(str(tmp_path / "journal"))
    journal.write(Intent("i1", "acme", "a", "b" * 40, "d", None, "sent", 5.0))
    row = json.loads((tmp_path / "journal").read_text())
    with (tmp_path / "journal").open("a") as file:
        file.write(json.dumps({**row, "intent": "i2", field: ["x"]}) + "\n")
        file.write(json.dumps({**row, "intent": "i3"}) + "\n")
    assert set(Journal(str(tmp_path / "journal")).intents()) == {"i1", "i3"}


@pytest.mark.slow
def test_a_journal_that_is_a_folder_sends_nothing(rig: Rig) -> None:
    state(rig, "journal").unlink(missing_ok=True)
    state(rig, "journal").mkdir()
    with pytest.raises((OSError, PromptStoreError)):
        rig.sync()
    assert acme(rig).writes.count("publish") == 4
    state(rig, "journal").rmdir()
    check_all_is_done(rig)


# --- clocks


@pytest.mark.slow
@pytest.mark.parametrize("jump", [-86_400.0, 86_400.0])
def test_a_clock_that_jumps_makes_no_second_version_and_no_prompt_stuck(rig: Rig, jump: float) -> None:
    half_done(rig)
    rig.now += jump
    check_all_is_done(rig)


@pytest.mark.slow
def test_a_write_in_doubt_is_not_in_doubt_for_a_day_because_the_clock_was_set_back(rig: Rig) -> None:
    def lost(*_: object) -> None:
        raise KeyboardInterrupt

    acme(rig).before["publish"] = lost
    with pytest.raises(KeyboardInterrupt):
        rig.sync()
    acme(rig).before.clear()
    rig.now -= 86_400
    assert any(error.retry for error in rig.sync().errors)
    rig.now += 95
    check_all_is_done(rig)
