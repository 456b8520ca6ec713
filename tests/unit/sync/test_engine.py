"""The engine pass over a real git store and a vendor in memory."""

from __future__ import annotations

import pytest
from engines import Rig, kinds
from memory_vendor import MemoryWorkspace, lost_reply
from repos import chat, commit, git, make_store


def quiet(rig: Rig, acme: MemoryWorkspace) -> None:
    """The law of quiescence: one more run does nothing and sends nothing."""
    writes = list(acme.writes)
    result = rig.sync()
    assert kinds(result.done) == []
    assert result.errors == []
    assert acme.writes == writes


def test_import_into_an_empty_repository(rig: Rig, acme: MemoryWorkspace) -> None:
    acme.edit("greeting", "Hello v1", label="production")
    acme.edit("greeting", "Hello v2")
    acme.edit("Summarizer", "Sum it up.", folder="Support")
    result = rig.sync()
    assert result.errors == []
    assert kinds(result.done) == ["create-local greeting", "create-local support/summarizer", "tag-local greeting"]
    assert rig.store.get("greeting").render() == [{"role": "system", "content": "Hello v2"}]
    assert rig.store.get("greeting", tag="production").render() == [{"role": "system", "content": "Hello v1"}]
    assert rig.store.get("greeting").version == 2
    assert rig.store.get("support/summarizer").name == "Summarizer"
    assert git(rig.root, "log", "--format=%an %s", "main").splitlines() == [
        "dana@vendor.example edited in the page",
        "dana@vendor.example edited in the page",
        "dana@vendor.example edited in the page",
    ]
    assert git(rig.root, "status", "--porcelain").splitlines() == ["?? .promptstore.toml"]
    quiet(rig, acme)


def test_publish_a_new_prompt_with_its_tags(rig: Rig, acme: MemoryWorkspace) -> None:
    from promptstore.store.address import parse_address
    from promptstore.store.tagging import set_tag

    commit(rig.root, {"support/triage": chat("one")})
    set_tag(rig.store, rig.store.locate(parse_address("support/triage@1")), "production")
    commit(rig.root, {"support/triage": chat("two")})
    result = rig.sync()
    assert result.errors == []
    assert [acme.text("support/triage", 1), acme.text("support/triage", 2)] == ["one", "two"]
    assert acme.by_name("support/triage").labels == {"production": 1}  # type: ignore[union-attr]
    quiet(rig, acme)


def test_edits_go_both_ways(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {"a": chat("a1"), "b": "# keep me\n" + chat("b1")})
    rig.sync()
    commit(rig.root, {"a": chat("a2")})
    acme.edit("b", "b2")
    result = rig.sync()
    assert sorted(kinds(result.done)) == ["update-local b", "update-remote a"]
    assert acme.text("a") == "a2"
    assert (rig.root / "prompts/b.yaml").read_text() == "# keep me\n" + chat("b2")
    quiet(rig, acme)


def test_first_meeting_links_copies_and_shows_conflicts(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {"same": chat("same"), "mine": chat("mine"), "both": chat("ours")})
    acme.edit("same", "same")
    acme.edit("theirs", "theirs")
    acme.edit("both", "theirs too")
    result = rig.sync()
    assert sorted(kinds(result.done)) == ["create-local theirs", "create-remote mine", "link same"]
    assert [(c.slug, c.field, c.base, c.ours, c.theirs) for c in result.plan.conflicts] == [
        ("both", "messages[0].content", None, "ours", "theirs too")
    ]
    assert len(acme.prompts) == 4
    quiet(rig, acme)


def test_changes_in_different_places_are_merged(rig: Rig, acme: MemoryWorkspace) -> None:
    text = "First paragraph.\n\nSecond paragraph.\n\nThird paragraph."
    commit(rig.root, {"p": chat(text)})
    rig.sync()
    commit(rig.root, {"p": chat(text.replace("First", "1st"))})
    acme.edit("p", text.replace("Third", "3rd"))
    result = rig.sync()
    assert kinds(result.done) == ["merge p", "update-remote p"]
    merged = text.replace("First", "1st").replace("Third", "3rd")
    assert acme.text("p") == merged
    assert (rig.root / "prompts/p.yaml").read_text() == chat(merged)
    quiet(rig, acme)


def test_the_same_field_changed_on_both_sides_is_a_conflict(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {"p": chat("base"), "q": chat("q")})
    rig.sync()
    commit(rig.root, {"p": chat("ours"), "q": chat("q2")})
    acme.edit("p", "theirs")
    result = rig.sync()
    assert [(c.slug, c.base, c.ours, c.theirs) for c in result.plan.conflicts] == [("p", "base", "ours", "theirs")]
    assert acme.text("q") == "q2"
    assert acme.text("p") == "theirs"
    quiet(rig, acme)


def test_a_label_moved_at_the_vendor_moves_the_tag(rig: Rig, acme: MemoryWorkspace) -> None:
    acme.edit("p", "one", label="production")
    acme.edit("p", "two")
    rig.sync()
    acme.by_name("p").labels["production"] = 2  # type: ignore[union-attr]
    result = rig.sync()
    assert kinds(result.done) == ["tag-local p"]
    assert rig.store.tags("p") == {"production": 2}
    quiet(rig, acme)


def test_a_lost_reply_makes_no_second_version(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {"p": chat("one")})
    acme.after["publish"] = lost_reply
    result = rig.sync()
    assert result.errors == []
    assert kinds(result.done) == ["create-remote p"]
    assert len(acme.by_name("p").versions) == 1  # type: ignore[union-attr]
    acme.after.clear()
    quiet(rig, acme)


def test_a_lost_request_is_sent_again_only_after_the_settle_window(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {"p": chat("one")})
    acme.before["publish"] = lost_reply
    result = rig.sync()
    assert [(error.slug, error.retry) for error in result.errors] == [("p", True)]
    acme.before.clear()
    assert [error.slug for error in rig.sync().errors] == ["p"]
    assert acme.writes == ["publish"]
    rig.now += 91
    assert kinds(rig.sync().done) == ["create-remote p"]
    assert len(acme.by_name("p").versions) == 1  # type: ignore[union-attr]
    quiet(rig, acme)


def test_the_settle_window_starts_anew_when_the_clock_is_set_back(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {"p": chat("one")})
    acme.before["publish"] = lost_reply
    rig.sync()
    acme.before.clear()
    rig.now -= 86_400
    assert [error.slug for error in rig.sync().errors] == ["p"]
    rig.now += 80
    assert [error.slug for error in rig.sync().errors] == ["p"]
    rig.now += 11
    assert kinds(rig.sync().done) == ["create-remote p"]


def test_a_foreign_version_in_between_is_merged_not_buried(rig: Rig, acme: MemoryWorkspace) -> None:
    text = "First paragraph.\n\nSecond paragraph.\n\nThird paragraph."
    commit(rig.root, {"p": chat(text)})
    rig.sync()
    commit(rig.root, {"p": chat(text.replace("First", "1st"))})

    def racing(_: object) -> None:
        acme.before.clear()
        acme.edit("p", text.replace("Third", "3rd"))

    acme.before["publish"] = racing
    result = rig.sync()
    assert result.errors == []
    merged = text.replace("First", "1st").replace("Third", "3rd")
    assert acme.text("p") == merged
    assert (rig.root / "prompts/p.yaml").read_text() == chat(merged)
    quiet(rig, acme)


def test_deletions_need_permission_and_proof(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {f"p{n}": chat(f"text {n}") for n in range(12)})
    rig.sync()
    commit(rig.root, {"p1": None})
    result = rig.sync()
    assert [held.slug for held in result.plan.held] == ["p1"]
    assert kinds(rig.sync(allow_delete=True).done) == ["delete-remote p1"]
    acme.by_name("p2").deleted = True  # type: ignore[union-attr]
    assert kinds(rig.sync().done) == ["delete-local p2"]
    assert not (rig.root / "prompts/p2.yaml").exists()
    quiet(rig, acme)


def test_a_shrunken_listing_halts_until_accepted(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {f"p{n}": chat(f"text {n}") for n in range(4)})
    rig.sync()
    for n in range(3):
        acme.by_name(f"p{n}").deleted = True  # type: ignore[union-attr]
    result = rig.sync()
    assert [halt.remote for halt in result.plan.halted] == ["acme"]
    assert result.done == []
    assert rig.sync(accept="something else").done == []
    done = rig.sync(accept=result.plan.plan_id).done
    assert kinds(done) == ["delete-local p0", "delete-local p1", "delete-local p2"]


def test_a_moved_file_keeps_link_tags_and_numbers(rig: Rig, acme: MemoryWorkspace) -> None:
    acme.edit("old", "one", label="production")
    acme.edit("other", "other")
    rig.sync()
    git(rig.root, "mv", "prompts/old.yaml", "prompts/new.yaml")
    git(rig.root, "commit", "-q", "-m", "Rename")
    result = rig.sync()
    assert kinds(result.done) == ["move new"]
    assert acme.writes == []
    assert rig.store.get("new", tag="production").version == 1
    acme.edit("old", "two")
    assert kinds(rig.sync().done) == ["update-local new"]
    assert rig.store.get("new").version == 2
    quiet(rig, acme)


def test_uncommitted_edits_make_a_pull_wait(rig: Rig, acme: MemoryWorkspace) -> None:
    acme.edit("p", "one")
    rig.sync()
    (rig.root / "prompts/p.yaml").write_text(chat("in the editor"))
    acme.edit("p", "two")
    result = rig.sync()
    assert [held.reason for held in result.plan.held] == ["waiting: its file has uncommitted edits"]
    assert (rig.root / "prompts/p.yaml").read_text() == chat("in the editor")
    git(rig.root, "checkout", "-q", "prompts/p.yaml")
    assert kinds(rig.sync().done) == ["update-local p"]
    quiet(rig, acme)


def test_a_broken_file_stops_nothing_else(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {"bad": "messages: [", "good": chat("good")})
    result = rig.sync()
    assert kinds(result.done) == ["create-remote good"]
    assert [held.slug for held in result.plan.held] == ["bad"]


def test_a_reset_branch_never_sends_an_old_text_as_an_edit(rig: Rig, acme: MemoryWorkspace) -> None:
    first = commit(rig.root, {"p": chat("one")})
    rig.sync()
    commit(rig.root, {"p": chat("two")})
    rig.sync()
    git(rig.root, "reset", "-q", "--hard", first)
    result = rig.sync()
    assert acme.text("p") == "two"
    assert [held.slug for held in result.plan.held] == ["p"]


def test_an_amended_commit_is_an_edit(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {"p": chat("one")})
    commit(rig.root, {"p": chat("two")})
    rig.sync()
    (rig.root / "prompts/p.yaml").write_text(chat("two, amended"))
    git(rig.root, "commit", "-q", "-a", "--amend", "-m", "Amended")
    assert kinds(rig.sync().done) == ["update-remote p"]
    assert acme.text("p") == "two, amended"
    quiet(rig, acme)


def test_losing_the_base_loses_nothing(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {"same": chat("same"), "differs": chat("one")})
    rig.sync()
    acme.edit("differs", "two")
    git(rig.root, "update-ref", "-d", "refs/promptstore/acme/base")
    git(rig.root, "update-ref", "-d", "refs/remotes/acme/main")
    result = rig.sync()
    assert kinds(result.done) == ["link same"]
    assert [c.slug for c in result.plan.conflicts] == ["differs"]
    assert len(acme.prompts) == 2
    quiet(rig, acme)


def test_a_pull_with_history_brings_every_version(rig: Rig, acme: MemoryWorkspace) -> None:
    for number in range(1, 5):
        acme.edit("p", f"text {number}")
    acme.edit("q", "between", label="staging")
    assert rig.sync().errors == []
    assert rig.store.get("p").version == 1
    fresh = Rig(make_store(rig.root.parent / "other"), {"acme": acme})
    assert fresh.sync(history=True).errors == []
    assert [fresh.store.get("p", version=n).render()[0]["content"] for n in range(1, 5)] == [
        f"text {number}" for number in range(1, 5)
    ]
    assert git(fresh.root, "log", "--format=%ad", "--date=iso", "main").splitlines() == sorted(
        git(fresh.root, "log", "--format=%ad", "--date=iso", "main").splitlines(), reverse=True
    )
    quiet(fresh, acme)


def test_history_asked_for_later_is_kept_beside_the_branch(rig: Rig, acme: MemoryWorkspace) -> None:
    for number in range(1, 4):
        acme.edit("p", f"text {number}")
    rig.sync()
    before = git(rig.root, "rev-parse", "main")
    assert rig.sync(history=True).errors == []
    assert git(rig.root, "rev-parse", "main") == before
    assert "text 1" in git(rig.root, "show", "acme/main:.remote/p/-/1")
    acme.by_name("p").labels["rollback"] = 1  # type: ignore[union-attr]
    result = rig.sync()
    assert kinds(result.done) == ["tag-local p"]
    assert rig.store.get("p", tag="rollback").version is None
    assert rig.store.get("p", tag="rollback").render()[0]["content"] == "text 1"
    quiet(rig, acme)


def test_a_full_disk_sends_nothing(rig: Rig, acme: MemoryWorkspace, monkeypatch: pytest.MonkeyPatch) -> None:
    commit(rig.root, {"p": chat("one"), "q": chat("two")})

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("promptstore.sync.files.os.fsync", full)
        result = rig.sync()
    assert sorted((error.slug, error.retry) for error in result.errors) == [("p", False), ("q", False)]
    assert acme.writes == []
    assert sorted(kinds(rig.sync().done)) == ["create-remote p", "create-remote q"]
    quiet(rig, acme)


def test_what_a_file_spells_out_survives_a_pull(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {"p": chat("one", "description: ~\ntools: []   # none yet\n")})
    rig.sync()
    acme.edit("p", "two")
    assert kinds(rig.sync().done) == ["update-local p"]
    expected = chat("two", "description: ~\ntools: []   # none yet\n")
    assert (rig.root / "prompts/p.yaml").read_text() == expected
    quiet(rig, acme)
