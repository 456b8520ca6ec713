"""What others saved at the vendor, and ours was published on top of unseen: all of it is merged, or shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from engines import Rig
from late import Killed, dies, fails_once, rename, saves, sent_into_the_dark
from memory_vendor import MemoryWorkspace
from repos import chat, commit, git

from promptstore.errors import (
    BadResponse,
    ConflictError,
    PromptStoreError,
    RemoteMissing,
    RemoteUnreachable,
    WriteInDoubt,
)
from promptstore.store.refnames import remote_ref
from promptstore.sync.journal import Intent
from promptstore.sync.publish import Publisher
from promptstore.vendors.base import Publication, RemoteVersion


def lands_without_a_mark(rig: Rig, acme: MemoryWorkspace, *saved: str | None) -> None:
    """One is on its way while others save; None: it arrives."""
    late = sent_into_the_dark(rig, acme)
    for text in saved:
        if text is None:
            acme.publish(replace(late[0], intent=""))
        else:
            acme.edit("p", text)
    rig.now += 100
    rig.sync()


@pytest.mark.parametrize("answers", [True, False])
def test_what_was_seen_by_whoever_said_our_text_again_is_no_conflict(
    rig: Rig, acme: MemoryWorkspace, answers: bool
) -> None:
    """Ours has its mark: the equal one was saved by somebody, with sight of what is beneath."""
    commit(rig.root, {"p": chat("one")})
    rig.sync()
    commit(rig.root, {"p": chat("ours")})
    others = ("theirs", "ours", "theirs again")
    if answers:
        acme.before["publish"] = saves(acme, *others)
    else:
        late = sent_into_the_dark(rig, acme)
        saves(acme, *others)()
        acme.publish(*late)
        rig.now += 100
    assert [conflict.theirs for conflict in rig.until_quiet().plan.conflicts] == ["theirs again"]


@pytest.mark.parametrize(("first", "second"), [("ours", "ours"), ("ours", "theirs"), ("theirs", "ours")])
def test_all_that_one_without_a_mark_may_have_come_upon_is_settled_in_turn(
    rig: Rig, acme: MemoryWorkspace, first: str, second: str
) -> None:
    commit(rig.root, {"p": chat("ours")})
    lands_without_a_mark(rig, acme, "theirs", None, "theirs again", "ours")
    shown = []
    for side in (first, second):
        shown += [conflict.theirs for conflict in rig.sync().plan.conflicts]
        rig.resolve("p", side)  # type: ignore[arg-type]
    assert shown == ["theirs", "theirs again"]
    assert rig.until_quiet().plan.conflicts == ()
    assert acme.text("p") == ("theirs again" if second == "theirs" else first)


def test_all_that_one_without_a_mark_may_have_come_upon_is_merged(rig: Rig, acme: MemoryWorkspace) -> None:
    """Each onto what was agreed on before ours was sent; what lies deeper was seen by whoever saved the next."""
    commit(rig.root, {"p": chat("First.\n\nSecond.\n\nThird.")})
    rig.sync()
    commit(rig.root, {"p": chat(ours := "First.\n\n2nd.\n\nThird.")})
    deeper, theirs, again = "Oops.", "1st.\n\nSecond.\n\nThird.", "First.\n\n2nd.\n\n3rd."
    lands_without_a_mark(rig, acme, deeper, theirs, None, again, ours)
    rig.until_quiet()
    assert acme.text("p") == "1st.\n\n2nd.\n\n3rd."
    assert rig.plan().conflicts == ()


def test_one_whose_text_somebody_saved_again_does_not_hide_what_it_came_upon(rig: Rig, acme: MemoryWorkspace) -> None:
    """Without a mark nobody can tell which of two equal versions is ours."""
    commit(rig.root, {"p": chat("ours")})
    late = sent_into_the_dark(rig, acme)
    acme.edit("p", "theirs")
    acme.publish(replace(late[0], intent=""))
    acme.edit("p", "ours")
    rig.now += 100
    rig.sync()
    assert [conflict.theirs for conflict in rig.plan().conflicts] == ["theirs"]


def found_newest_first(
    rig: Rig, acme: MemoryWorkspace, first: Sequence[Publication], then: Sequence[Publication]
) -> None:
    """Both arrive, on top of somebody's text; what became of the first is found out in a later run."""
    saves(acme, "theirs", then=(*first, *then))()
    rig.now += 100
    settle = Publisher.settle_one

    def but_for_the_first(self: Publisher, intent: Intent, *more: object) -> object:
        if intent.intent == first[0].intent:
            raise WriteInDoubt("it could not be read")
        return settle(self, intent, *more)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Publisher, "settle_one", but_for_the_first)
        rig.sync()
    rig.sync()


def test_one_that_came_upon_another_prompt_hides_nothing_beneath_it(rig: Rig, acme: MemoryWorkspace) -> None:
    """A newer one of that very prompt is found before it."""
    commit(rig.root, {"other": chat("other's text")})
    rig.sync()
    commit(rig.root, {"p": chat("p's text")})
    first = sent_into_the_dark(rig, acme)
    commit(rig.root, {"other": chat("other's newest")})
    then = sent_into_the_dark(rig, acme)
    rename(acme, "other", "p")
    found_newest_first(rig, acme, first, then)
    told = [(conflict.slug, conflict.field, conflict.theirs) for conflict in rig.plan().conflicts]
    assert told == [("other", "name", "p"), ("other", "messages[0].content", "theirs")]
    rig.resolve("other", "ours")
    assert rig.until_quiet().plan.conflicts == ()
    assert acme.text("p") == "other's newest"


def test_what_the_older_of_two_in_doubt_came_upon_is_not_hidden_by_the_newer(rig: Rig, acme: MemoryWorkspace) -> None:
    """The newer is found first; what the two sides of the older came from is not known any more by then."""
    commit(rig.root, {"p": chat("sent first")})
    first = sent_into_the_dark(rig, acme)
    git(rig.root, "mv", "prompts/p.yaml", "prompts/f.yaml")
    git(rig.root, "commit", "-q", "-m", "Rename")
    then: list[Publication] = []

    def slow(publication: Publication) -> None:
        then.append(publication)
        raise WriteInDoubt("no answer")

    def another(*_: object) -> None:
        acme.before.clear()
        commit(rig.root, {"p": chat("sent then")})
        acme.before["publish"] = slow

    acme.before["list"] = another
    rig.sync()
    acme.before.clear()
    found_newest_first(rig, acme, first, then)
    assert [(conflict.slug, conflict.theirs) for conflict in rig.plan().conflicts] == [("p", "theirs")]
    rig.resolve("p", "ours")
    assert rig.until_quiet().plan.conflicts == ()
    assert acme.text("p") == "sent then"


def test_an_equal_text_is_not_taken_for_one_that_the_vendor_took_and_does_not_show_yet(
    rig: Rig, acme: MemoryWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody saved the same, and then another text, just before ours arrived."""
    commit(rig.root, {"p": chat("one")})
    rig.sync()
    commit(rig.root, {"p": chat("two")})
    read, versions = acme.read, acme.versions

    def saved(*_: object) -> None:
        acme.before.clear()
        acme.edit("p", "two")
        acme.edit("p", "three")
        monkeypatch.setattr(acme, "read", lambda prompt_id, version=None: read(prompt_id, version or "2"))
        monkeypatch.setattr(acme, "versions", lambda prompt_id, head, after=None: versions(prompt_id, "2", after))

    acme.before["publish"] = saved
    assert [error.slug for error in rig.sync().errors] == ["p"]
    monkeypatch.undo()
    assert [conflict.theirs for conflict in rig.until_quiet().plan.conflicts] == ["three"]


def is_lost(rig: Rig, acme: MemoryWorkspace, text: str | None) -> None:
    """Ours has gone on top of ``theirs``; the tracking ref was lost since, and our side goes on."""
    commit(rig.root, {"p": chat("one")})
    rig.sync()
    commit(rig.root, {"p": chat("two")})
    acme.before["publish"] = saves(acme, "theirs")
    rig.sync()
    git(rig.root, "update-ref", "-d", remote_ref("acme"))
    commit(rig.root, {"p": chat(text) if text else None})


def fails_on_the_second(acme: MemoryWorkspace, error: PromptStoreError, monkeypatch: pytest.MonkeyPatch) -> None:
    read = acme.read

    def failing(prompt_id: str, version: str | None = None) -> RemoteVersion:
        if version == "2":
            raise error
        return read(prompt_id, version)

    monkeypatch.setattr(acme, "read", failing)


@pytest.mark.parametrize("text", ["mine", None])
@pytest.mark.parametrize("error", [RemoteMissing("no such version", status=404), BadResponse("it makes no sense")])
def test_what_cannot_be_read_any_more_is_passed_over_by_a_person_alone(
    rig: Rig, acme: MemoryWorkspace, monkeypatch: pytest.MonkeyPatch, text: str | None, error: PromptStoreError
) -> None:
    is_lost(rig, acme, text)
    fails_on_the_second(acme, error, monkeypatch)
    result = rig.until_quiet(allow_delete=True)
    assert [(held.slug, held.unread) for held in result.plan.held] == [("p", True)]
    assert "version 2" in result.plan.held[0].reason
    rig.pass_over("p")
    assert rig.until_quiet(allow_delete=True).plan.held == ()
    assert acme.by_name("p") is None if text is None else acme.text("p") == text


def test_a_side_that_nobody_can_read_cannot_be_taken(
    rig: Rig, acme: MemoryWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_lost(rig, acme, "mine")
    fails_on_the_second(acme, BadResponse("it makes no sense"), monkeypatch)
    rig.sync()
    with pytest.raises(ConflictError, match="cannot be read"):
        rig.pass_over("p", "theirs")


@pytest.mark.parametrize("text", ["mine", None])
def test_what_could_not_be_read_again_yet_is_not_settled_with_the_rest(
    rig: Rig, acme: MemoryWorkspace, monkeypatch: pytest.MonkeyPatch, text: str | None
) -> None:
    is_lost(rig, acme, text)
    acme.edit("p", "four")
    with monkeypatch.context() as patched:
        fails_on_the_second(acme, RemoteUnreachable("timed out"), patched)
        result = rig.sync()
        assert [error.slug for error in result.errors] == ["p"]
        assert result.plan.conflicts == result.plan.held == ()
    assert rig.offline().conflicts == ()
    assert "theirs" in str([conflict.theirs for conflict in rig.until_quiet(allow_delete=True).plan.conflicts])


def test_what_no_lens_can_read_beneath_one_holds_that_prompt_alone(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {"p": chat("one")})
    rig.sync()
    commit(rig.root, {"p": chat("two")})

    def saved(*_: object) -> None:
        acme.before.clear()
        acme.save("p", {"prompt_template": {"type": "nonsense"}})

    acme.before["publish"] = saved
    rig.sync()
    commit(rig.root, {"p": chat("three"), "q": chat("q")})
    acme.edit("p", "theirs, later")
    result = rig.until_quiet()
    assert acme.by_name("q") is not None
    assert [error.slug for error in result.errors] == ["p"]
    assert [held.unread for held in result.plan.held] == [True]
    rig.pass_over("p")
    result = rig.until_quiet()
    assert result.errors == []
    assert [(conflict.ours, conflict.theirs) for conflict in result.plan.conflicts] == [("three", "theirs, later")]


def test_one_given_up_that_came_late_beneath_the_next_hides_nothing(rig: Rig, acme: MemoryWorkspace) -> None:
    """Two of ours with one text: nobody looked at what is beneath the first."""
    commit(rig.root, {"p": chat("one")})
    rig.sync()
    commit(rig.root, {"p": chat("two")})
    late = sent_into_the_dark(rig, acme)
    rig.now += 100
    acme.before["publish"] = saves(acme, "theirs", then=late)
    rig.sync()
    assert [conflict.theirs for conflict in rig.until_quiet().plan.conflicts] == ["theirs"]


def test_what_can_be_read_is_merged_though_another_cannot(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {"p": chat("First.\n\nSecond.\n\nThird.")})
    rig.sync()
    commit(rig.root, {"p": chat(ours := "First.\n\n2nd.\n\nThird.")})
    late = sent_into_the_dark(rig, acme)
    acme.save("p", {"prompt_template": {"type": "nonsense"}})
    acme.publish(replace(late[0], intent=""))
    acme.edit("p", "First.\n\n2nd.\n\n3rd.")
    acme.edit("p", ours)
    for _ in range(4):
        rig.now += 100
        rig.sync()
    assert "3rd." in (rig.root / "prompts/p.yaml").read_text()
    assert [held.unread for held in rig.offline().held] == [True], "the other waits for a person"


@pytest.mark.parametrize("error", [RemoteMissing("no such version", status=404), BadResponse("it makes no sense")])
def test_only_what_was_told_is_passed_over(
    rig: Rig, acme: MemoryWorkspace, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """Of two that cannot be read for now, a person was told of the first."""
    commit(rig.root, {"p": chat("ours")})
    lands_without_a_mark(rig, acme, "theirs", None, "theirs again", "ours")
    git(rig.root, "update-ref", "-d", remote_ref("acme"))
    read = acme.read

    def failing(prompt_id: str, version: str | None = None) -> RemoteVersion:
        if version in ("1", "3"):
            raise error
        return read(prompt_id, version)

    with monkeypatch.context() as patched:
        patched.setattr(acme, "read", failing)
        rig.sync()
        (held,) = rig.offline().held
        assert "version 1" in held.reason
        assert "version 3" not in held.reason
        rig.pass_over("p")
        assert "version 3" in rig.offline().held[0].reason
    assert "theirs again" in [conflict.theirs for conflict in rig.until_quiet().plan.conflicts]


def test_what_is_listed_and_not_shown_yet_is_not_buried(
    rig: Rig, acme: MemoryWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours, above it, is shown."""
    commit(rig.root, {"p": chat("one")})
    rig.sync()
    commit(rig.root, {"p": chat("two")})
    acme.before["publish"] = saves(acme, "theirs")
    read = acme.read

    def failing(prompt_id: str, version: str | None = None) -> RemoteVersion:
        if version == "2":
            raise RemoteMissing("no such version", status=404)
        return read(prompt_id, version)

    with monkeypatch.context() as patched:
        patched.setattr(acme, "read", failing)
        assert [held.unread for held in rig.sync().plan.held] == [True]
    assert [conflict.theirs for conflict in rig.until_quiet().plan.conflicts] == ["theirs"]


def test_a_text_that_is_missing_here_is_one_prompts_trouble(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {"p": chat("one"), "q": chat("q")})
    rig.sync()
    commit(rig.root, {"p": chat("two")})
    acme.before["publish"] = saves(acme, "theirs")
    rig.sync()
    (session,) = rig.engine().sessions()
    session.load()
    agreed = session.agreement.prompts["p"]
    lost = tuple(replace(one, base="a" * 40) for one in agreed.link.unmerged)
    session.agreements.write(
        session.agreement, {"p": replace(agreed, link=replace(agreed.link, unmerged=lost))}, rig.store.user()
    )
    commit(rig.root, {"q": chat("q2")})
    rig.sync()
    assert acme.text("q") == "q2"


@pytest.mark.parametrize("how", ["no answer", "died"])
def test_nothing_is_settled_while_a_publish_is_in_doubt(rig: Rig, acme: MemoryWorkspace, how: str) -> None:
    """Neither `sync` nor `conflicts` tells of one between ours and the newest there: another may be in between."""
    commit(rig.root, {"p": chat("one")})
    rig.sync()
    commit(rig.root, {"p": chat("two")})
    if how == "no answer":
        late = sent_into_the_dark(rig, acme)
        saves(acme, "theirs", then=late)()
    else:
        acme.before["publish"] = saves(acme, "theirs")
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(Publisher, "_read_back", dies)
            with pytest.raises(Killed):
                rig.sync()
    acme.edit("p", "newer")
    fails_once(acme, "read")
    assert rig.sync().plan.conflicts == ()
    offline = rig.offline()
    assert offline.conflicts == ()
    assert [held.reason for held in offline.held] == ["it is not known yet whether what was sent of it has arrived"]
    rig.now += 100
    assert "theirs" in [conflict.theirs for conflict in rig.until_quiet().plan.conflicts]


def test_of_what_is_not_shown_only_what_ours_is_right_on_top_of_waits(
    rig: Rig, acme: MemoryWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two versions were saved, and taken away; ours is numbered after them."""
    commit(rig.root, {"p": chat("one")})
    rig.sync()
    commit(rig.root, {"p": chat("ours")})
    acme.before["publish"] = saves(acme, "oops", "oops again")
    read = acme.read

    def taken_away(prompt_id: str, version: str | None = None) -> RemoteVersion:
        if version in {"2", "3"}:
            raise RemoteMissing("no such version", status=404)
        return read(prompt_id, version)

    monkeypatch.setattr(acme, "read", taken_away)
    rig.sync()
    assert ["version 3" in held.reason for held in rig.offline().held] == [True]
    rig.pass_over("p")
    assert rig.until_quiet().plan.held == ()
