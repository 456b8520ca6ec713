"""Ways in which an edit or a tag could be lost or sent twice, each once found wanting."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import pytest
from engines import Rig, kinds
from memory_vendor import MemoryWorkspace, lost_reply
from repos import chat, commit, git

from promptstore.errors import BadResponse, RemoteUnreachable
from promptstore.model.digest import digest_of
from promptstore.store.address import parse_address
from promptstore.store.git.refs import RefMove, Refs
from promptstore.store.tagging import delete_tag, set_tag
from promptstore.sync.agreement import Agreed, Agreement, Agreements
from promptstore.sync.files import Disk
from promptstore.sync.journal import Intent
from promptstore.sync.local import read_local
from promptstore.sync.publish import Published, Publisher
from promptstore.sync.pull import Puller
from promptstore.sync.trees import Unmerged
from promptstore.sync.witness import Witness
from promptstore.vendors.base import RemoteVersion

TEXT = "First paragraph.\n\nSecond paragraph.\n\nThird paragraph."
OURS = TEXT.replace("First", "1st")
THEIRS = TEXT.replace("Third", "3rd")
BOTH = OURS.replace("Third", "3rd")


class Killed(BaseException):
    """The process dies here."""


def file_of(rig: Rig, slug: str = "p") -> str:
    return (rig.root / f"prompts/{slug}.yaml").read_text()


def racing(acme: MemoryWorkspace, text: str) -> Callable[..., None]:
    """Somebody saves ``text`` in the moment before our request arrives."""

    def save(*_: object) -> None:
        acme.before.clear()
        acme.edit("p", text)

    return save


def unreachable(*_: object) -> None:
    raise RemoteUnreachable("no route to host")


def tag(rig: Rig, address: str, name: str) -> None:
    set_tag(rig.store, rig.store.locate(parse_address(address)), name)


# --- what came between


def test_a_crash_before_the_record_forgets_no_foreign_version(
    rig: Rig, acme: MemoryWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(rig.root, {"p": chat(TEXT)})
    rig.sync()
    commit(rig.root, {"p": chat(OURS)})
    acme.before["publish"] = racing(acme, THEIRS)
    with monkeypatch.context() as patch:
        patch.setattr(Refs, "move", _dies)
        with pytest.raises(Killed):
            rig.sync()
    rig.until_quiet()
    assert acme.text("p") == BOTH
    assert file_of(rig) == chat(BOTH)


def _dies(*_: object) -> NoReturn:
    raise Killed


def test_what_was_read_behind_ours_is_kept_though_it_is_archived_before_the_next_look(
    rig: Rig, acme: MemoryWorkspace
) -> None:
    commit(rig.root, {"p": chat(TEXT)} | {f"x{n}": chat(f"x {n}") for n in range(5)})
    rig.sync()
    commit(rig.root, {"p": chat(OURS)})
    acme.after["publish"] = lambda _: (acme.after.clear(), acme.edit("p", OURS.replace("Second", "2nd")))
    rig.sync()
    acme.archive("p")
    rig.until_quiet()
    everything = git(rig.root, "rev-list", "--objects", "--all").split()
    blobs = [rig.store.objects.read(name) for name in everything]
    assert any(blob is not None and b"2nd" in blob.data for blob in blobs)


def test_what_a_run_pulled_and_died_is_no_edit_of_ours(
    rig: Rig, acme: MemoryWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(rig.root, {"p": chat(TEXT)})
    rig.sync()
    acme.edit("p", THEIRS)
    write = Agreements.write

    def dies_once_it_is_pulled(*arguments: Any, **more: Any) -> Agreement:
        return write(*arguments, **more) if file_of(rig) == chat(TEXT) else _dies()

    with monkeypatch.context() as patch:
        patch.setattr(Agreements, "write", dies_once_it_is_pulled)
        with pytest.raises(Killed):
            rig.sync()
    assert file_of(rig) == chat(THEIRS)
    acme.edit("p", THEIRS.replace("3rd", "Last"))
    assert kinds(rig.sync().done) == ["update-local p"]
    assert file_of(rig) == chat(THEIRS.replace("3rd", "Last"))


def test_what_a_run_pulled_and_died_counts_only_where_it_stands(
    rig: Rig, acme: MemoryWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its commit was amended before anything was noted: then ours is an edit of what was agreed on before it."""
    commit(rig.root, {"p": chat(TEXT)})
    rig.sync()
    acme.edit("p", THEIRS)
    add = Witness.add

    def dies_once_it_is_pulled(*arguments: Any) -> None:
        return add(*arguments) if file_of(rig) == chat(TEXT) else _dies()

    with monkeypatch.context() as patch:
        patch.setattr(Witness, "add", dies_once_it_is_pulled)
        with pytest.raises(Killed):
            rig.sync()
    assert file_of(rig) == chat(THEIRS)
    (rig.root / "prompts/p.yaml").write_text(chat(BOTH))
    git(rig.root, "commit", "-qa", "--amend", "-m", "Edit p")
    rig.until_quiet()
    assert not rig.plan().held
    assert acme.text("p") == BOTH


def test_a_version_that_gets_a_tag_is_read_in_the_same_run(rig: Rig, acme: MemoryWorkspace) -> None:
    for text in ("one", "two"):
        commit(rig.root, {"p": chat(text)})
        rig.sync()
    git(rig.root, "update-ref", "-d", "refs/remotes/acme/main")
    tag(rig, "p@1", "production")
    assert kinds(rig.sync().done) == ["tag-remote p"]
    before = git(rig.root, "for-each-ref")
    rig.sync()
    assert git(rig.root, "for-each-ref") == before


def test_a_newer_edit_is_not_taken_for_merged_with_an_older_one(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {"p": chat(TEXT)})
    rig.sync()
    commit(rig.root, {"p": chat(OURS)})
    acme.before["publish"] = racing(acme, THEIRS)
    acme.after["publish"] = lambda _: (acme.after.clear(), acme.edit("p", "Before.\n\n" + OURS))
    rig.until_quiet()
    assert acme.text("p") == "Before.\n\n" + BOTH


@pytest.fixture
def died_after_pulling(rig: Rig, acme: MemoryWorkspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run that brought version 2 of ``p`` here died before it had agreed on that."""
    commit(rig.root, {"p": chat("first")})
    rig.until_quiet()
    acme.edit("p", "second")

    def dies(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Puller, "_agree", dies)
        with pytest.raises(KeyboardInterrupt):
            rig.sync()


@pytest.mark.usefixtures("died_after_pulling")
def test_what_a_run_that_died_had_pulled_is_taken_in_though_its_name_is_taken_up_only_now(
    rig: Rig, acme: MemoryWorkspace
) -> None:
    """Else a second run would have something to write."""
    git(rig.root, "rm", "-q", "prompts/p.yaml")
    commit(rig.root, {"q": chat("another")}, "Delete p, add q")

    def taken_up(*_: object) -> None:
        acme.before.clear()
        commit(rig.root, {"p": chat("taken up again")})

    acme.before["publish"] = taken_up
    rig.sync()
    assert acme.text("p") == "taken up again"
    before = git(rig.root, "for-each-ref")
    assert kinds(rig.sync().done) == []
    assert git(rig.root, "for-each-ref") == before


@pytest.mark.usefixtures("died_after_pulling")
def test_resolve_sees_the_conflict_that_sync_told_of(rig: Rig, acme: MemoryWorkspace) -> None:
    """A run died that had pulled a version, and none has agreed on it since: a guard halts the remote."""
    commit(rig.root, {"p": chat("second, edited")})
    acme.edit("p", "first")
    assert [conflict.field for conflict in rig.plan().conflicts] == ["messages[0].content"]
    rig.resolve("p", "theirs")
    assert "first" in (rig.root / "prompts/p.yaml").read_text()
    assert rig.until_quiet().plan.conflicts == ()


def test_newer_versions_wait_for_one_that_could_not_be_read_yet(
    rig: Rig, acme: MemoryWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the tracking ref would lack that one for good."""
    commit(rig.root, {"p": chat("first")})
    rig.until_quiet()
    acme.edit("p", "second")
    acme.edit("p", "third")
    read = acme.read

    def busy(prompt_id: str, version: str | None = None) -> RemoteVersion:
        if version == "2":
            raise RemoteUnreachable("too many requests")
        return read(prompt_id, version)

    with monkeypatch.context() as patch:
        patch.setattr(acme, "read", busy)
        assert [error.slug for error in rig.sync().errors] == ["p"]
    rig.until_quiet()
    (session,) = rig.engine().sessions()
    assert list(session.tracking.read().prompts["p"].versions) == ["1", "2", "3"]
    assert acme.writes == ["publish"]


def test_what_comes_between_two_publishes_in_a_row_is_merged(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {"p": chat(TEXT)})
    rig.sync()
    commit(rig.root, {"p": chat(OURS)})
    tag(rig, "p", "production")
    commit(rig.root, {"p": chat(OURS.replace("Second", "2nd"))})
    acme.before["publish"] = racing(acme, THEIRS)
    rig.until_quiet()
    assert acme.text("p") == BOTH.replace("Second", "2nd")


def test_a_newer_version_with_the_same_text_does_not_keep_an_edit_waiting(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {"p": chat("one")})
    rig.sync()
    acme.edit("p", "one")
    commit(rig.root, {"p": chat("two")})
    assert kinds(rig.sync().done) == ["update-remote p"]
    assert acme.text("p") == "two"


@pytest.mark.parametrize("side", ["ours", "theirs"])
def test_a_namesake_made_during_a_first_publish_is_not_buried(rig: Rig, acme: MemoryWorkspace, side: str) -> None:
    commit(rig.root, {"p": chat("ours")})
    acme.before["publish"] = racing(acme, "theirs")
    result = rig.until_quiet()
    assert [(c.slug, c.base, c.ours, c.theirs) for c in result.plan.conflicts] == [("p", None, "ours", "theirs")]
    rig.resolve("p", side)  # type: ignore[arg-type]
    assert rig.until_quiet().plan.conflicts == ()
    assert acme.text("p") == side
    assert file_of(rig) == chat(side)


def test_an_unmerged_version_waits_for_uncommitted_edits(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {"p": chat(TEXT)})
    rig.sync()
    commit(rig.root, {"p": chat(OURS)})

    def race(_: object) -> None:
        acme.before.clear()
        acme.edit("p", THEIRS)
        (rig.root / "prompts/p.yaml").write_text(chat("in the editor"))

    acme.before["publish"] = race
    result = rig.sync()
    assert [held.reason for held in result.plan.held] == ["waiting: its file has uncommitted edits"]
    assert file_of(rig) == chat("in the editor")
    git(rig.root, "checkout", "-q", "prompts/p.yaml")
    rig.until_quiet()
    assert acme.text("p") == BOTH


# --- work-tree files that are not committed


def test_a_new_file_not_yet_committed_makes_its_namesake_wait(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {"other": chat("other")})
    (rig.root / "prompts/p.yaml").write_text(chat("mine, half done"))
    acme.edit("p", "theirs")
    result = rig.sync()
    assert [(held.slug, held.reason) for held in result.plan.held] == [("p", "waiting: its file has uncommitted edits")]
    commit(rig.root, {})
    assert [c.slug for c in rig.sync().plan.conflicts] == ["p"]


def test_a_deletion_at_the_vendor_waits_for_uncommitted_edits(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {f"p{n}": chat(f"text {n}") for n in range(8)})
    rig.sync()
    (rig.root / "prompts/p1.yaml").write_text(chat("in the editor"))
    acme.archive("p1")
    assert rig.sync().done == []
    commit(rig.root, {})
    assert [c.slug for c in rig.sync().plan.conflicts] == ["p1"]


def test_a_commit_made_during_the_pull_is_not_overwritten(
    rig: Rig, acme: MemoryWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    from promptstore.sync import pull

    commit(rig.root, {"p": chat("one")})
    rig.sync()
    acme.edit("p", "theirs")
    real = pull.text_of

    def slow(*arguments: object) -> bytes:
        made = real(*arguments)  # type: ignore[arg-type]
        monkeypatch.setattr(pull, "text_of", real)
        commit(rig.root, {"p": chat("ours")})
        return made

    monkeypatch.setattr(pull, "text_of", slow)
    assert [c.slug for c in rig.sync().plan.conflicts] == ["p"]
    assert file_of(rig) == chat("ours")


# --- other things in a prompt's place


def _ignored(root: Path) -> None:
    (root / "prompts/drafts").mkdir()
    (root / "prompts/drafts/d.yaml").write_text(chat("half done, ignored"))


def _link(root: Path) -> None:
    (root / "prompts/drafts").mkdir()
    (root / "prompts/drafts/d.yaml").symlink_to("../q.yaml")
    git(root, "add", "-f", "prompts/drafts/d.yaml")
    git(root, "commit", "-q", "-m", "Link")


def _link_to_nothing(root: Path) -> None:
    (root / "prompts/drafts").mkdir()
    (root / "prompts/drafts/d.yaml").symlink_to("not written yet")


def _folder(root: Path) -> None:
    (root / "prompts/drafts/d.yaml").mkdir(parents=True)


def _linked_folder(root: Path) -> None:
    (root / "elsewhere").mkdir()
    (root / "prompts/drafts").symlink_to("../elsewhere")


def _file_for_its_folder(root: Path) -> None:
    (root / "prompts/drafts").write_text("notes")


IN_THE_WAY = {
    _ignored: ("a file that git ignores is in its place", "prompts/drafts/d.yaml"),
    _link: ("a symbolic link stands in its place", "prompts/drafts/d.yaml"),
    _link_to_nothing: ("a symbolic link stands in its place", "prompts/drafts/d.yaml"),
    _folder: ("a folder stands in its place", "prompts/drafts/d.yaml"),
    _linked_folder: ("a symbolic link stands where its folder must be", "prompts/drafts"),
    _file_for_its_folder: ("a file stands where its folder must be", "prompts/drafts"),
}


def _on_disk(root: Path) -> dict[str, str | None]:
    """What stands there: texts of files, and where links lead to."""
    top = root / "prompts/drafts"
    found = {}
    for place in (top, *sorted(top.glob("*")), root / "elsewhere/d.yaml"):
        text = place.read_text() if place.is_file() else None
        found[str(place)] = str(place.readlink()) if place.is_symlink() else text
    return found


@pytest.mark.parametrize("put", IN_THE_WAY, ids=lambda put: put.__name__)
def test_one_thing_in_the_way_stops_no_other_pull(
    rig: Rig, acme: MemoryWorkspace, put: Callable[[Path], None], tmp_path: Path
) -> None:
    (rig.root / ".gitignore").write_text("prompts/drafts/\n")
    commit(rig.root, {"q": chat("q")})
    rig.sync()
    put(rig.root)
    acme.edit("d", "theirs", folder="drafts")
    acme.edit("q", "q, edited there")
    before = _on_disk(rig.root)
    result = rig.sync()
    reason, path = IN_THE_WAY[put]
    assert (kinds(result.done), result.errors) == (["update-local q"], [])
    assert file_of(rig, "q") == chat("q, edited there")
    assert [(held.slug, held.reason, held.hint) for held in result.plan.held] == [
        ("drafts/d", f"waiting: {reason}", f"move {path} away, then run `promptstore sync`")
    ]
    refs = git(rig.root, "for-each-ref")
    again = rig.sync()
    assert (again.done, again.errors, git(rig.root, "for-each-ref")) == ([], [], refs)
    assert _on_disk(rig.root) == before
    (rig.root / path).rename(tmp_path / "aside")
    if put is _link:
        git(rig.root, "commit", "-q", "-a", "-m", "Take the link away")
    assert kinds(rig.sync().done) == ["create-local drafts/d"]
    assert "content: theirs" in file_of(rig, "drafts/d")


def test_a_link_in_the_way_is_not_replaced_in_a_commit_where_nothing_is_checked_out(
    rig: Rig, acme: MemoryWorkspace
) -> None:
    commit(rig.root, {"q": chat("q")})
    (rig.root / "prompts/l.yaml").symlink_to("q.yaml")
    commit(rig.root, {})
    git(rig.root, "checkout", "-q", "-b", "elsewhere")
    acme.edit("l", "theirs")
    result = rig.until_quiet()
    assert [(held.slug, held.reason) for held in result.plan.held] == [
        ("l", "waiting: a symbolic link stands in its place")
    ]
    assert git(rig.root, "ls-tree", "main", "prompts/l.yaml").startswith("120000")


def test_prompts_in_a_folder_that_was_made_a_link_wait(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {"team/p": chat("p"), "q": chat("q")})
    rig.sync()
    (rig.root / "prompts/team").rename(rig.root / "elsewhere")
    (rig.root / "prompts/team").symlink_to("../elsewhere")
    acme.edit("team/p", "p, edited there")
    acme.edit("q", "q, edited there")
    result = rig.sync()
    assert kinds(result.done) == ["update-local q"]
    assert [held.slug for held in result.plan.held] == ["team/p"]
    assert (rig.root / "elsewhere/p.yaml").read_text() == chat("p")


def test_a_link_put_for_a_prompts_file_is_not_replaced(rig: Rig, acme: MemoryWorkspace) -> None:
    """What it leads to says the same as the branch, so that it looks like no edit."""
    commit(rig.root, {"p": chat("p"), "q": chat("q")})
    rig.sync()
    (rig.root / "prompts/p.yaml").rename(rig.root / "p.yaml")
    (rig.root / "prompts/p.yaml").symlink_to("../p.yaml")
    acme.edit("p", "p, edited there")
    acme.edit("q", "q, edited there")
    assert kinds(rig.sync().done) == ["update-local q"]
    assert (rig.root / "prompts/p.yaml").is_symlink()


def test_a_deletion_goes_out_though_the_file_stays_here_ignored(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {"p": chat("p"), "q": chat("q")})
    rig.sync()
    git(rig.root, "rm", "-q", "--cached", "prompts/p.yaml")
    (rig.root / ".gitignore").write_text("prompts/p.yaml\n")
    commit(rig.root, {})
    assert kinds(rig.sync(allow_delete=True).done) == ["delete-remote p"]
    assert file_of(rig) == chat("p")


# --- tags


def test_equal_tags_are_agreed_on(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {"p": chat("one")})
    tag(rig, "p", "production")
    acme.edit("p", "one", label="production")
    rig.sync()
    acme.edit("p", "two", label="production")
    rig.until_quiet()
    assert rig.store.tags("p") == {"production": 2}
    delete_tag(rig.store, "p", "production")
    rig.until_quiet()
    assert acme.by_name("p").labels == {}  # type: ignore[union-attr]
    assert rig.store.tags("p") == {}


def test_a_tag_whose_reply_was_lost_is_agreed_on(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {"p": chat("one")})
    tag(rig, "p", "production")
    acme.after["set_tag"] = lost_reply
    assert [error.slug for error in rig.sync().errors] == ["p"]
    acme.after.clear()
    rig.until_quiet()
    delete_tag(rig.store, "p", "production")
    rig.until_quiet()
    assert acme.by_name("p").labels == {}  # type: ignore[union-attr]


def test_a_tag_taken_away_on_both_sides_may_come_back(rig: Rig, acme: MemoryWorkspace) -> None:
    acme.edit("p", "one", label="production")
    rig.until_quiet()
    acme.label("p", "production", None)
    delete_tag(rig.store, "p", "production")
    rig.until_quiet()
    acme.label("p", "production", 1)
    rig.until_quiet()
    assert rig.store.tags("p") == {"production": 1}


def test_a_tag_on_a_broken_older_text_stops_nothing(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {"p": chat("one")})
    rig.sync()
    commit(rig.root, {"p": "messages: ["})
    tag(rig, "p", "oops")
    commit(rig.root, {"p": chat("two"), "q": chat("q")})
    assert sorted(kinds(rig.sync().done)) == ["create-remote q", "update-remote p"]


def test_a_label_on_a_version_whose_text_only_another_clone_has_written_is_followed(
    rig: Rig, acme: MemoryWorkspace
) -> None:
    """It never came to the branch; this clone wrote it otherwise, when it saw it."""
    commit(rig.root, {"p": chat("First.\n\nSecond.")})
    rig.sync()
    commit(rig.root, {"p": chat("First.\n\n2nd.")})
    acme.edit("p", "First!\n\nSecond.")
    acme.edit("p", "1st.\n\nSecond.")
    rig.until_quiet()
    (session,) = rig.engine().sessions()
    session.load()
    agreed = session.agreement.prompts["p"]
    theirs = {**agreed.link.versions, "2": replace(agreed.link.versions["2"], blob="a" * 40)}
    changed = replace(agreed, link=replace(agreed.link, versions=theirs))
    session.agreements.write(session.agreement, {"p": changed}, rig.store.user())
    acme.label("p", "production", 2)
    assert rig.until_quiet().errors == []
    assert "First!" in git(rig.root, "show", "refs/prompts/p/-/production:prompts/p.yaml")


def test_older_tagged_texts_are_not_sent_after_a_merge(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {"p": chat("zero")})
    commit(rig.root, {"p": chat(TEXT)})
    rig.sync()
    tag(rig, "p@1", "old")
    commit(rig.root, {"p": chat(OURS)})
    acme.edit("p", THEIRS)
    rig.until_quiet()
    assert [r.document["prompt_template"]["messages"][0]["content"][0]["text"] for r in _versions(acme)] == [
        TEXT,
        THEIRS,
        BOTH,
    ]


def _versions(acme: MemoryWorkspace, name: str = "p") -> list:  # type: ignore[type-arg]
    kept = acme.by_name(name)
    assert kept is not None
    return kept.versions


# --- gone, archived, renamed


def test_a_prompt_gone_before_it_was_agreed_on_is_forgotten(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {f"x{n}": chat("x") for n in range(8)} | {"p": chat("ours")})
    acme.edit("p", "theirs")
    rig.sync()
    kept = acme.by_name("p")
    del acme.prompts[kept.id]  # type: ignore[union-attr]
    result = rig.until_quiet()
    assert result.plan.conflicts == ()
    assert acme.text("p") == "ours"
    acme.edit("p", "edited")
    rig.until_quiet()
    assert file_of(rig) == chat("edited")


def test_one_that_went_before_it_was_agreed_on_halts_nothing_for_long(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {"p": chat("ours"), "q": chat("q")})
    acme.edit("p", "theirs")
    rig.sync()
    acme.archive("p")
    assert len(rig.sync().plan.halted) == 1
    result = rig.until_quiet()
    assert result.plan.halted == ()
    assert ["archived" in held.reason for held in result.plan.held] == [True]


def test_an_archived_namesake_holds_a_first_publish(rig: Rig, acme: MemoryWorkspace) -> None:
    acme.edit("p", "once upon a time")
    acme.archive("p")
    commit(rig.root, {"p": chat("one"), "q": chat("q")})
    result = rig.sync()
    assert kinds(result.done) == ["create-remote q"]
    assert [held.slug for held in result.plan.held] == ["p"]
    assert "archived" in result.plan.held[0].reason
    assert acme.requests.count("find") <= 4


def test_a_rename_during_doubt_keeps_one_link(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {"old": chat("one")})
    rig.sync()
    commit(rig.root, {"old": chat("two")})
    acme.before["publish"] = lost_reply
    rig.sync()
    acme.before.clear()
    git(rig.root, "mv", "prompts/old.yaml", "prompts/new.yaml")
    git(rig.root, "commit", "-q", "-m", "Rename")
    rig.now += 100
    rig.until_quiet()
    assert [kept.name for kept in acme.prompts.values()] == ["old"]
    assert len(_versions(acme, "old")) == 2


def test_a_rename_while_the_first_publish_is_in_doubt_makes_no_second_prompt(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {"old": chat("one")})
    acme.after["publish"] = lost_reply
    acme.before["find"] = lambda *_: unreachable() if "publish" in acme.requests else None
    rig.sync()
    acme.after.clear()
    acme.before.clear()
    git(rig.root, "mv", "prompts/old.yaml", "prompts/new.yaml")
    git(rig.root, "commit", "-q", "-m", "Rename")
    rig.until_quiet()
    assert [kept.name for kept in acme.prompts.values()] == ["old"]
    assert not (rig.root / "prompts/old.yaml").exists()


def test_a_write_in_doubt_ends_when_its_prompt_is_deleted(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {f"x{n}": chat("x") for n in range(8)} | {"p": chat("one")})
    rig.sync()
    commit(rig.root, {"p": chat("two")})
    acme.before["publish"] = lost_reply
    rig.sync()
    acme.before.clear()
    acme.archive("p")
    rig.now += 100
    result = rig.sync()
    assert result.errors == []
    assert [c.slug for c in result.plan.conflicts] == ["p"]


# --- one failing read


@pytest.mark.parametrize("arrived", [True, False])
def test_a_prompt_brought_back_is_not_deleted_by_our_own_deletion_in_doubt(
    rig: Rig, acme: MemoryWorkspace, arrived: bool
) -> None:
    """Nobody at the vendor deleted it: that it is gone there answers to a commit that was reverted since."""
    commit(rig.root, {"p": chat("one"), "q": chat("q")})
    rig.sync()
    git(rig.root, "rm", "-q", "prompts/p.yaml")
    git(rig.root, "commit", "-q", "-m", "Delete")
    (acme.after if arrived else acme.before)["delete"] = lost_reply
    assert [error.slug for error in rig.sync(allow_delete=True).errors] == ["p"]
    acme.after.clear()
    acme.before.clear()
    git(rig.root, "revert", "--no-edit", "HEAD")
    if not arrived:
        assert [error.slug for error in rig.sync(allow_delete=True).errors] == ["p"]
        rig.now += 100
    result = rig.until_quiet(allow_delete=True)
    assert (rig.root / "prompts/p.yaml").exists()
    assert [held.slug for held in result.plan.held] == (["p"] if arrived else [])
    assert (acme.by_name("p") is None) == arrived


def test_a_deletion_in_doubt_that_arrived_is_recorded(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {"p": chat("one"), "q": chat("q")})
    rig.sync()
    git(rig.root, "rm", "-q", "prompts/p.yaml")
    git(rig.root, "commit", "-q", "-m", "Delete")
    acme.after["delete"] = lost_reply
    rig.sync(allow_delete=True)
    acme.after.clear()
    rig.until_quiet(allow_delete=True)
    (session,) = rig.engine().sessions()
    session.load()
    assert (set(session.all_agreed()), set(session.tracked.prompts)) == ({"q"}, {"q"})
    assert acme.writes.count("delete") == 1


def test_a_version_that_cannot_be_read_concludes_nothing(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {"p": chat("one"), "q": chat("q")})
    rig.sync()
    acme.edit("p", "theirs")
    commit(rig.root, {"p": chat("ours"), "q": chat("q2")})
    heads = [kept.id for kept in acme.prompts.values() if kept.name == "p"]
    real = acme.read

    def read(prompt_id: str, version: str | None = None) -> object:
        if prompt_id in heads:
            unreachable()
        return real(prompt_id, version)

    acme.read = read  # type: ignore[method-assign, assignment]
    result = rig.sync()
    assert kinds(result.done) == ["update-remote q"]
    assert [(error.slug, error.retry) for error in result.errors] == [("p", True)]
    assert [action.slug for action in result.plan.actions] == ["q"]
    acme.read = real  # type: ignore[method-assign]
    assert [c.slug for c in rig.sync().plan.conflicts] == ["p"]


def test_a_busy_checkout_does_not_stop_publishing(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {"p": chat("one"), "q": chat("q")})
    rig.sync()
    acme.edit("p", "theirs")
    commit(rig.root, {"q": chat("q2")})
    (rig.root / ".git/MERGE_HEAD").write_text("")
    result = rig.sync()
    assert kinds(result.done) == ["update-remote q"]
    assert [error.retry for error in result.errors] == [True]
    (rig.root / ".git/MERGE_HEAD").unlink()
    assert kinds(rig.sync().done) == ["update-local p"]


def test_a_document_no_lens_can_read_is_one_prompts_trouble(
    rig: Rig, acme: MemoryWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    from promptstore.vendors.document_lens import DocumentLens

    commit(rig.root, {"p": chat("one"), "q": chat("q")})
    rig.sync()
    acme.edit("p", "poison")
    acme.edit("q", "q2")
    real = DocumentLens.lift

    def lift(self: DocumentLens, document: dict[str, object], *rest: object) -> object:
        if "poison" in str(document):
            raise BadResponse("not a document")
        return real(self, document, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(DocumentLens, "lift", lift)
    result = rig.sync()
    assert kinds(result.done) == ["update-local q"]
    assert [error.slug for error in result.errors] == ["p"]


def test_a_lens_that_fails_in_planning_is_one_prompts_trouble(
    rig: Rig, acme: MemoryWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    from promptstore.vendors.document_lens import DocumentLens

    commit(rig.root, {"p": chat("one"), "q": chat("q")})
    rig.sync()
    acme.edit("p", "poison")
    acme.edit("q", "q2")
    engine = rig.engine()
    from promptstore.sync.observe import Depth

    engine.observe(Depth())
    real = DocumentLens.lift

    def lift(self: DocumentLens, document: dict[str, object], *rest: object) -> object:
        if "poison" in str(document):
            raise BadResponse("not a document")
        return real(self, document, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(DocumentLens, "lift", lift)
    result = engine.run()
    assert kinds(result.done) == ["update-local q"]
    assert [held.slug for held in result.plan.held] == ["p"]


# --- acknowledged, but not shown


def test_an_acknowledged_version_that_is_not_shown_is_never_sent_again(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {"p": chat("one")})
    rig.sync()
    commit(rig.root, {"p": chat("two")})
    kept = acme.by_name("p")
    real = acme.read
    stale = real(kept.id)  # type: ignore[union-attr]
    acme.read = lambda *_: stale  # type: ignore[method-assign, assignment]
    for _ in range(3):
        assert [error.retry for error in rig.sync().errors] == [True]
        rig.now += 1000
    assert len(_versions(acme)) == 2
    acme.read = real  # type: ignore[method-assign]
    rig.until_quiet()
    assert len(_versions(acme)) == 2


def test_another_normal_form_of_the_vendors_is_found_by_the_intent(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {"p": chat("one")})
    rig.sync()
    commit(rig.root, {"p": chat("two")})

    def rewrite(publication: object) -> None:
        acme.after.clear()
        _versions(acme)[-1].document["tags"] = ["added by the vendor"]
        lost_reply()

    acme.after["publish"] = rewrite
    rig.sync()
    rig.now += 1000
    rig.until_quiet()
    assert len(_versions(acme)) == 2


def test_an_older_head_than_the_known_one_is_not_believed(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {"p": chat("one")})
    rig.sync()
    commit(rig.root, {"p": chat("two")})
    rig.sync()
    commit(rig.root, {"p": chat("three")})
    real = acme.read
    acme.read = lambda prompt_id, version=None: real(prompt_id, "1")  # type: ignore[method-assign, assignment]
    result = rig.sync()
    assert acme.writes == ["publish", "publish"]
    assert [error.retry for error in result.errors] == [True]


# --- the wrong key


def test_another_workspace_changes_nothing_that_is_known(rig: Rig, acme: MemoryWorkspace) -> None:
    acme.workspace_id = "1"
    commit(rig.root, {"p": chat("one")})
    rig.sync()
    seen = git(rig.root, "rev-parse", "refs/remotes/acme/main")
    other = MemoryWorkspace()
    other.workspace_id = "2"
    other.edit("p", "another world")
    rig.workspaces = {"acme": other}
    result = rig.sync()
    assert [halt.remote for halt in result.plan.halted] == ["acme"]
    again = rig.sync(accept=result.plan.plan_id)
    assert (again.done, other.writes) == ([], [])
    assert git(rig.root, "rev-parse", "refs/remotes/acme/main") == seen
    rig.workspaces = {"acme": acme}
    assert rig.sync().plan.halted == ()


def test_a_listing_that_shrinks_during_the_run_is_guarded_too(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {f"p{n}": chat(f"text {n}") for n in range(4)})
    rig.sync()
    commit(rig.root, {"p0": chat("edited")})
    calls = []

    def vanish(*_: object) -> None:
        calls.append(1)
        if "versions" not in acme.requests and len(calls) == 1:
            acme.edit("p0", "foreign")
            for n in range(1, 4):
                acme.archive(f"p{n}")

    acme.before["read"] = vanish
    result = rig.sync()
    assert [kind for kind in kinds(result.done) if "delete" in kind] == []
    assert all((rig.root / f"prompts/p{n}.yaml").exists() for n in range(4))


def test_a_ref_that_moved_elsewhere_is_read_again(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {"p": chat("one")})
    rig.sync()
    commit(rig.root, {"p": chat("two")})

    def elsewhere(*_: object) -> None:
        acme.after.clear()
        base = "refs/promptstore/acme/base"
        old = rig.store.refs.read(base)
        new = git(rig.root, "commit-tree", f"{old}^{{tree}}", "-p", str(old), "-m", "the same, elsewhere")
        rig.store.refs.move([RefMove(base, new, old)], "test")

    acme.after["publish"] = elsewhere
    rig.sync()
    rig.until_quiet()
    assert len(_versions(acme)) == 2


def test_a_disk_that_is_full_when_the_agreement_is_noted_is_told_and_loses_nothing(
    rig: Rig, acme: MemoryWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(rig.root, {"p": chat("one")})

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Disk, "replace", full)
        assert [error.message for error in rig.sync().errors] == [
            "witness.json cannot be written: No space left on device"
        ]
    assert rig.sync().errors == []
    assert acme.writes == ["publish"]
    assert rig.sync().done == []


def test_an_amended_merge_is_an_edit(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {"p": chat(TEXT)})
    rig.sync()
    commit(rig.root, {"p": chat(OURS)})
    acme.edit("p", THEIRS)
    rig.sync()
    assert file_of(rig) == chat(BOTH)
    (rig.root / "prompts/p.yaml").write_text(chat(BOTH.replace("Second", "2nd")))
    git(rig.root, "commit", "-q", "-a", "--amend", "-m", "Say it better")
    result = rig.sync()
    assert (kinds(result.done), result.plan.held) == (["update-remote p"], ())
    assert acme.text("p") == BOTH.replace("Second", "2nd")


def test_a_text_is_witnessed_before_it_is_agreed_on(
    rig: Rig, acme: MemoryWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(rig.root, {"p": chat("one")})

    write = Agreements.write

    def killed(self: Agreements, before: Agreement, changes: dict[str, Agreed | None], *more: Any, **named: Any) -> Any:
        if changes:
            raise Killed
        return write(self, before, changes, *more, **named)

    with monkeypatch.context() as patch:
        patch.setattr(Agreements, "write", killed)
        with pytest.raises(Killed):
            rig.sync()
    blob = git(rig.root, "rev-parse", "HEAD:prompts/p.yaml")
    assert Witness(str(rig.root / ".git/promptstore/witness.json")).of("acme") == {("p", blob)}
    assert rig.sync().errors == []


def test_a_prompt_whose_same_text_was_saved_again_there_can_be_deleted_here(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {"p": chat("one"), "q": chat("two")})
    rig.sync()
    acme.edit("p", "one")
    commit(rig.root, {"p": None})
    assert kinds(rig.sync(allow_delete=True).done) == ["delete-remote p"]
    assert acme.by_name("p") is None


def test_what_came_before_the_agreed_version_is_no_edit_to_be_merged(rig: Rig, acme: MemoryWorkspace) -> None:
    """A first publish landed late, on a namesake that had been pulled by then."""
    acme.edit("p", TEXT)
    acme.edit("p", OURS)
    rig.sync()
    kept = acme.edit("p", "ours, sent long ago")
    engine = rig.engine()
    session = next(iter(engine.sessions()))
    session.load()
    first, ours = acme.read(kept.id, "1"), acme.read(kept.id, "3")
    blob = git(rig.root, "rev-parse", "HEAD:prompts/p.yaml")
    intent = Intent("late", "acme", "p", blob, digest_of(ours.document), None, "done", rig.now, kept.id, "3")
    pusher = engine._pusher(session, read_local(rig.store))
    pusher.record("p", Published(ours, intent, (first,)))
    agreed = session.agreed("p")
    assert agreed is not None
    assert (agreed.link.head, agreed.link.unmerged) == ("3", ())
    another = replace(agreed.link, id="another", head="7")
    session.agree("p", Agreed(blob, another))
    pusher.record("p", Published(ours, intent, (first,)))
    anew = session.agreed("p")
    assert anew is not None
    assert anew.link.unmerged == (Unmerged("1", blob),)


def test_a_label_moved_there_while_the_run_was_busy_is_a_conflict(rig: Rig, acme: MemoryWorkspace) -> None:
    for text in ("one", "two", "three"):
        commit(rig.root, {"p": chat(text)})
        rig.sync()
    tag(rig, "p@1", "production")
    rig.until_quiet()
    tag(rig, "p@2", "production")
    commit(rig.root, {"q": chat("q")})
    acme.before["publish"] = lambda *_: (acme.before.clear(), acme.label("p", "production", 3))
    conflicts = rig.until_quiet().plan.conflicts
    assert [(conflict.slug, conflict.field, conflict.theirs) for conflict in conflicts] == [("p", "tag:production", 3)]


def given_another_name_before_it_is_read_back(rig: Rig, acme: MemoryWorkspace, patch: pytest.MonkeyPatch) -> None:
    commit(rig.root, {f"x{n}": chat(f"x {n}") for n in range(5)} | {"p": chat(TEXT)})
    rig.sync()
    commit(rig.root, {"p": chat(OURS)})
    patch.setattr(Publisher, "_read_back", _dies)
    with pytest.raises(Killed):
        rig.sync()
    patch.undo()
    kept = acme.by_name("p")
    assert kept is not None
    kept.name = "given there"
    for record in kept.versions:
        record.document["prompt_name"] = "given there"


def test_a_name_given_there_before_ours_is_read_back_comes_here(
    rig: Rig, acme: MemoryWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_another_name_before_it_is_read_back(rig, acme, monkeypatch)
    rig.until_quiet()
    assert file_of(rig) == "name: given there\n" + chat(OURS)


def test_so_it_does_where_the_prompt_was_deleted_here_meanwhile(
    rig: Rig, acme: MemoryWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_another_name_before_it_is_read_back(rig, acme, monkeypatch)
    commit(rig.root, {"p": None})
    assert [(conflict.slug, conflict.field) for conflict in rig.sync().plan.conflicts] == [("p", "")]
    rig.resolve("p", "theirs")
    rig.until_quiet()
    assert file_of(rig) == "name: given there\n" + chat(OURS)
