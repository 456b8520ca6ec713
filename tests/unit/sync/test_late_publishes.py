"""A first publish whose request lands late: by then its name may belong to another prompt, or its prompt to another
name."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from engines import Rig
from late import Killed, dies, fails_once, rename, saves, sent_into_the_dark, unreachable
from memory_vendor import MemoryWorkspace
from repos import chat, commit, git

from promptstore.errors import BadResponse, RemoteMissing
from promptstore.model.digest import digest_of
from promptstore.store.refnames import remote_ref
from promptstore.sync.journal import Intent, Journal
from promptstore.sync.observe import Depth
from promptstore.sync.planning import Planning
from promptstore.sync.publish import Publisher
from promptstore.sync.push import Pusher
from promptstore.vendors.base import Publication, RemoteVersion
from promptstore.vendors.promptlayer import VENDOR
from promptstore.vendors.registry import vendors


def lands_on_another(rig: Rig, acme: MemoryWorkspace) -> None:
    """A first publish of ``p`` arrives late, on ``other``, which has got its name meanwhile."""
    commit(rig.root, {"other": chat("other's text")})
    rig.sync()
    commit(rig.root, {"p": chat("p's text")})
    late = sent_into_the_dark(rig, acme)
    rename(acme, "other", "p")
    acme.publish(*late)


def test_one_is_found_on_the_living_of_two_namesakes(rig: Rig, acme: MemoryWorkspace) -> None:
    """The prompt was archived and made anew while nobody knew what became of ours; it landed on top of the new one."""
    commit(rig.root, {"p": chat("ours")})
    late = sent_into_the_dark(rig, acme)
    acme.edit("p", "archived")
    acme.archive("p")
    acme.edit("p", "made anew")
    acme.publish(*late)
    rig.now += 100
    rig.sync()
    assert [(c.field, c.theirs) for c in rig.plan().conflicts] == [("messages[0].content", "made anew")]


def test_one_that_only_the_listing_shows_yet_is_not_given_up(
    rig: Rig, acme: MemoryWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A read that lags behind the listing proves nothing; what ours went on top of would be in no conflict."""
    commit(rig.root, {"p": chat("ours")})
    late = sent_into_the_dark(rig, acme)
    acme.edit("p", "theirs")
    acme.publish(*late)
    rig.now += 100
    read = acme.read
    with monkeypatch.context() as patch:
        patch.setattr(acme, "read", lambda prompt_id, version=None: read(prompt_id, version or "1"))
        assert [error.retry for error in rig.sync().errors] == [True]
    rig.sync()
    assert [(c.field, c.theirs) for c in rig.plan().conflicts] == [("messages[0].content", "theirs")]


def test_one_that_was_renamed_before_it_was_seen_is_found_by_its_mark(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {"p": chat("ours")})
    acme.publish(*sent_into_the_dark(rig, acme))
    rename(acme, "p", "elsewhere")
    rig.now += 100
    rig.until_quiet()
    assert [(kept.name, len(kept.versions)) for kept in acme.prompts.values()] == [("elsewhere", 1)]
    assert [path.name for path in (rig.root / "prompts").glob("*.yaml")] == ["p.yaml"]


def test_a_text_beneath_one_that_was_renamed_is_not_buried(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {"p": chat("ours")})
    late = sent_into_the_dark(rig, acme)
    acme.edit("p", "theirs")
    acme.publish(*late)
    rename(acme, "p", "elsewhere")
    rig.now += 100
    rig.sync()
    assert "theirs" in [conflict.theirs for conflict in rig.plan().conflicts]


def test_one_that_was_renamed_is_found_though_another_has_its_name_now(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {"p": chat("ours")})
    late = sent_into_the_dark(rig, acme)
    acme.edit("p", "theirs")
    acme.publish(*late)
    rename(acme, "p", "elsewhere")
    acme.edit("p", "another one")
    rig.now += 100
    rig.sync()
    assert "theirs" in [conflict.theirs for conflict in rig.plan().conflicts]
    assert [(kept.name, len(kept.versions)) for kept in acme.prompts.values()] == [("elsewhere", 2), ("p", 1)]


def test_one_that_came_upon_another_prompt_of_ours_is_no_edit_of_that(rig: Rig, acme: MemoryWorkspace) -> None:
    lands_on_another(rig, acme)
    rig.now += 100
    rig.until_quiet()
    assert "other's text" in (rig.root / "prompts/other.yaml").read_text()
    assert "p's text" in (rig.root / "prompts/p.yaml").read_text()
    assert acme.text("p") == "other's text"
    assert [held.slug for held in rig.plan().held] == ["p"]


def test_one_that_came_upon_another_prompt_of_ours_is_found_though_that_was_renamed(
    rig: Rig, acme: MemoryWorkspace
) -> None:
    lands_on_another(rig, acme)
    rename(acme, "p", "elsewhere")
    rig.now += 100
    rig.until_quiet()
    assert "other's text" in (rig.root / "prompts/other.yaml").read_text()
    assert acme.text("elsewhere") == "other's text"


def test_no_stranger_is_linked_while_a_first_publish_may_be_on_it(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {"p": chat("ours")})
    acme.publish(*sent_into_the_dark(rig, acme))
    rename(acme, "p", "elsewhere")
    fails_once(acme, "read")
    assert rig.sync().done == []
    rig.now += 100
    rig.until_quiet()
    assert [(kept.name, len(kept.versions)) for kept in acme.prompts.values()] == [("elsewhere", 1)]
    assert [path.name for path in (rig.root / "prompts").glob("*.yaml")] == ["p.yaml"]


def test_an_edit_beneath_one_that_came_upon_another_prompt_is_merged(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {"other": chat("First.\n\nSecond.")})
    rig.sync()
    commit(rig.root, {"p": chat("p's text")})
    late = sent_into_the_dark(rig, acme)
    rename(acme, "other", "p")
    acme.edit("p", "First.\n\n2nd.")
    acme.publish(*late)
    rig.now += 100
    rig.until_quiet()
    assert acme.text("p") == "First.\n\n2nd."


def renamed_and_another_takes_its_name(rig: Rig, acme: MemoryWorkspace) -> list[Publication]:
    """The first publish of p is in doubt, p is f now, and a run has begun when another p comes."""
    commit(rig.root, {"p": chat("sent first")})
    late = sent_into_the_dark(rig, acme)
    git(rig.root, "mv", "prompts/p.yaml", "prompts/f.yaml")
    git(rig.root, "commit", "-q", "-m", "Rename")

    def another(*_: object) -> None:
        acme.before.clear()
        commit(rig.root, {"p": chat("another one")})

    acme.before["list"] = another
    return late


def test_what_takes_the_name_of_one_in_doubt_waits(rig: Rig, acme: MemoryWorkspace) -> None:
    late = renamed_and_another_takes_its_name(rig, acme)
    assert rig.sync().done == []
    acme.publish(*late)
    rig.now += 100
    assert rig.until_quiet().plan.conflicts == ()
    assert [acme.text("p", number) for number in (1, 2)] == ["sent first", "another one"]
    assert {kept.name: len(kept.versions) for kept in acme.prompts.values()} == {"p": 2, "f": 1}
    assert acme.text("f") == "sent first"


def test_two_in_doubt_on_one_prompt_leave_the_later_as_its_newest(
    rig: Rig, acme: MemoryWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first publish of one that was renamed meanwhile lands on that of another one with its old name, which went
    out where nobody knew of it."""
    late = renamed_and_another_takes_its_name(rig, acme)
    acme.after["publish"] = dies
    with monkeypatch.context() as patched:
        patched.setattr(Planning, "_namesakes", lambda *_: set())
        with pytest.raises(Killed):
            rig.sync()
    acme.after.clear()
    acme.publish(*late)
    rig.now += 100
    assert rig.until_quiet().plan.conflicts == ()
    assert acme.text("p") == "another one"
    assert "another one" in (rig.root / "prompts/p.yaml").read_text()
    assert acme.text("f") == "sent first"


def test_the_versions_of_a_predecessor_are_not_taken_for_known_ones(rig: Rig, acme: MemoryWorkspace) -> None:
    """Both prompts have a version 1: that of the new one was never seen."""
    commit(rig.root, {"p": chat("ours")})
    late = sent_into_the_dark(rig, acme)
    git(rig.root, "mv", "prompts/p.yaml", "prompts/f.yaml")
    git(rig.root, "commit", "-q", "-m", "Rename")
    acme.edit("p", "the first of its name")
    rig.sync()
    acme.archive("p")
    acme.edit("p", "made anew")
    acme.publish(*late)
    rig.now += 100
    rig.until_quiet()
    texts = [path.read_text() for path in (rig.root / "prompts").glob("*.yaml")]
    shown = [*texts, *(str(conflict.theirs) for conflict in rig.plan().conflicts)]
    assert any("made anew" in text for text in shown)


def test_a_link_takes_its_slug_from_what_was_only_seen_there(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {"q": chat("ours")})
    rig.sync()
    acme.edit("p", "theirs")
    rig.engine().observe(Depth())
    git(rig.root, "mv", "prompts/q.yaml", "prompts/p.yaml")
    git(rig.root, "commit", "-q", "-m", "Rename")
    engine = rig.engine()
    engine.observe(Depth())
    (session,) = engine.sessions()
    assert {entry.name: slug for slug, entry in session.tracked.prompts.items()} == {"q": "p", "p": "p-2"}
    rig.until_quiet()
    assert "ours" in (rig.root / "prompts/p.yaml").read_text()
    assert "theirs" in (rig.root / "prompts/p-2.yaml").read_text()


def test_one_that_was_sent_before_another_link_came_to_its_slug_keeps_its_name(
    rig: Rig, acme: MemoryWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The link of a pulled prompt follows a rename that came before it, to where a publish is in doubt."""
    commit(rig.root, {"a": chat("ours")})
    sent_into_the_dark(rig, acme)
    acme.edit("a", "theirs")
    git(rig.root, "mv", "prompts/a.yaml", "prompts/b.yaml")
    git(rig.root, "commit", "-q", "-m", "Rename")
    rig.sync()
    rig.now += 100
    with monkeypatch.context() as patched:
        patched.setattr(Pusher, "record", dies)
        with pytest.raises(Killed):
            rig.sync()
    git(rig.root, "reset", "-q", "--hard", "HEAD~1")
    rig.until_quiet()
    assert {name: acme.text(name) for name in ("a", "b")} == {"a": "theirs", "b": "ours"}
    (session,) = rig.engine().sessions()
    session.load()
    assert {slug: session.called(slug) for slug in ("a", "b")} == {"a": "a", "b": "b"}


def test_one_that_may_have_come_upon_another_prompt_keeps_that_from_being_pulled(
    rig: Rig, acme: MemoryWorkspace
) -> None:
    commit(rig.root, {"other": chat("other's text")})
    rig.sync()
    commit(rig.root, {"p": chat("p's text")})
    late = sent_into_the_dark(rig, acme)
    rename(acme, "other", "p")
    acme.edit("p", "theirs")
    acme.publish(*late)
    fails_once(acme, "list")
    assert rig.sync().done == []
    rig.now += 100
    rig.until_quiet()
    assert acme.text("p") == "theirs"
    assert "p's text" in (rig.root / "prompts/p.yaml").read_text()


def test_one_that_lands_between_two_looks_on_another_prompt_is_no_edit_of_that(rig: Rig, acme: MemoryWorkspace) -> None:
    """It is not there yet when it is looked for, and is when the prompts are looked at."""
    commit(rig.root, {"other": chat("other's text")})
    rig.sync()
    commit(rig.root, {"p": chat("p's text")})
    late = sent_into_the_dark(rig, acme)
    rename(acme, "other", "p")
    acme.edit("p", "theirs")
    looks = 0

    def lands(*_: object) -> None:
        nonlocal looks
        looks += 1
        if looks == 2:
            acme.publish(*late)

    acme.before["list"] = lands
    rig.sync()
    acme.before.clear()
    assert len(acme.prompts["1"].versions) == 3
    rig.now += 100
    rig.until_quiet()
    assert acme.text("p") == "theirs"
    assert "p's text" in (rig.root / "prompts/p.yaml").read_text()


def test_an_equal_text_without_its_mark_is_not_taken_for_one_that_is_still_on_its_way(
    rig: Rig, acme: MemoryWorkspace
) -> None:
    commit(rig.root, {"p": chat("one")})
    rig.sync()
    commit(rig.root, {"p": chat("two")})
    late = sent_into_the_dark(rig, acme)
    acme.edit("p", "two")
    assert [error.retry for error in rig.sync().errors] == [True]
    acme.edit("p", "three")
    acme.publish(*late)
    rig.now += 100
    rig.until_quiet()
    assert "three" in [acme.text("p"), *(conflict.theirs for conflict in rig.plan().conflicts)]


def test_an_older_text_of_ours_is_no_edit_of_one_that_another_clone_sent(rig: Rig, acme: MemoryWorkspace) -> None:
    """This clone took over, and found the other's version, before it pulled the commit that it was made of."""
    commit(rig.root, {"p": chat("one")})
    rig.sync()
    store, kept = rig.store, acme.by_name("p")
    assert kept is not None
    file = rig.root / "theirs.yaml"
    file.write_text(chat("two"))
    blob = git(rig.root, "hash-object", "-w", str(file)).strip()
    file.unlink()
    document = VENDOR.lens.project(store.contents.prompt(blob, "prompts/p.yaml"), "p")
    journal = Journal(os.path.join(store.repository.state_dir, "journal"))
    sent = Intent("theirs", "acme", "p", blob, digest_of(document), "1", "unknown", rig.now, kept.id, inherited=True)
    journal.write(sent)
    acme.publish(Publication(kept.id, "p", document, "Two", "theirs"))
    result = rig.until_quiet()
    assert [record.intent for record in kept.versions][1:] == ["theirs"]
    assert [held.slug for held in result.plan.held if held.can_resolve] == ["p"]


def test_one_that_landed_on_another_and_was_renamed_here_before_it_was_recorded(
    rig: Rig, acme: MemoryWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While its prompt cannot be read, what it came upon is no new prompt of the vendor's."""
    commit(rig.root, {"p": chat("ours, which is long enough to be known again")})
    late = sent_into_the_dark(rig, acme)
    acme.edit("p", "theirs")
    acme.publish(*late)
    rig.now += 100
    with monkeypatch.context() as patched:
        patched.setattr(Pusher, "record", dies)  # it is known to have landed, and not recorded
        with pytest.raises(Killed):
            rig.sync()
    git(rig.root, "mv", "prompts/p.yaml", "prompts/moved.yaml")
    git(rig.root, "commit", "-qm", "Move")
    acme.before["versions"] = unreachable
    rig.sync()
    acme.before.clear()
    assert not (rig.root / "prompts/p.yaml").exists()
    rig.sync()
    assert "theirs" in [conflict.theirs for conflict in rig.plan().conflicts]


def test_one_that_was_taken_away_there_before_it_was_read_back_is_over(
    rig: Rig, acme: MemoryWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(rig.root, {"p": chat("one")})
    rig.sync()
    commit(rig.root, {"p": chat("two")})
    with monkeypatch.context() as patched:
        patched.setattr(Publisher, "_read_back", dies)
        with pytest.raises(Killed):
            rig.sync()
    acme.edit("p", "three")
    read = acme.read

    def without_two(prompt_id: str, version: str | None = None) -> RemoteVersion:
        if version == "2":
            raise RemoteMissing("no such version", status=404)
        return read(prompt_id, version)

    monkeypatch.setattr(acme, "read", without_two)
    assert [error.slug for error in rig.sync().errors] == ["p"]
    rig.now += 100
    result = rig.sync()
    assert not result.errors
    assert [(conflict.ours, conflict.theirs) for conflict in result.plan.conflicts] == [("two", "three")]


@pytest.fixture
def reuses_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    """A vendor whose ids come back, and with them lower versions."""
    monkeypatch.setitem(vendors(), "promptlayer", replace(VENDOR, reuses_ids=True))


@pytest.mark.usefixtures("reuses_ids")
@pytest.mark.parametrize("answers", [True, False])
def test_one_whose_prompt_was_made_anew_meanwhile_is_over(
    rig: Rig, acme: MemoryWorkspace, monkeypatch: pytest.MonkeyPatch, answers: bool
) -> None:
    for text in ("one", "two"):
        commit(rig.root, {"p": chat(text)})
        rig.sync()
    commit(rig.root, {"p": chat("three")})
    if answers:
        with monkeypatch.context() as patched:
            patched.setattr(Publisher, "_read_back", dies)
            with pytest.raises(Killed):
                rig.sync()
    else:
        sent_into_the_dark(rig, acme)
    del acme.prompts["1"].versions[:]
    acme.edit("p", "made anew")
    rig.now += 100
    rig.sync()
    result = rig.sync()
    assert result.errors == []
    assert [(conflict.ours, conflict.theirs) for conflict in result.plan.conflicts] == [("three", "made anew")]


@pytest.mark.usefixtures("reuses_ids")
@pytest.mark.parametrize("answers", [True, False])
def test_one_that_landed_on_a_prompt_made_anew_is_no_text_that_was_always_there(
    rig: Rig, acme: MemoryWorkspace, answers: bool
) -> None:
    """It stays in doubt: somebody's text is beneath it."""
    for text in ("one", "two", "three"):
        commit(rig.root, {"p": chat(text)})
        rig.sync()
    commit(rig.root, {"p": chat("four")})

    def made_anew(*_: object) -> None:
        acme.before.clear()
        del acme.prompts["1"].versions[:]
        acme.edit("p", "fresh words")

    if answers:
        acme.before["publish"] = made_anew
        rig.sync()
    else:
        late = sent_into_the_dark(rig, acme)
        made_anew()
        acme.publish(*late)
    for _ in range(3):
        rig.now += 100
        result = rig.sync()
        assert result.done == []
        assert {error.slug for error in result.errors} == {"p"}


def test_a_stranger_that_nobody_can_read_keeps_no_other_prompt_waiting(
    rig: Rig, acme: MemoryWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A first publish may be on it, which leaves that one in doubt."""
    commit(rig.root, {"other": chat("other's text")})
    rig.sync()
    bad = acme.edit("bad", "x").id
    read = acme.read

    def garbage(prompt_id: str, version: str | None = None) -> RemoteVersion:
        if prompt_id == bad:
            raise BadResponse("it makes no sense")
        return read(prompt_id, version)

    monkeypatch.setattr(acme, "read", garbage)
    commit(rig.root, {"p": chat("p's text")})
    sent_into_the_dark(rig, acme)
    rename(acme, "other", "other, better named")
    acme.edit("other, better named", "theirs")
    rig.now += 100
    assert {error.slug for error in rig.sync().errors} == {"p", "bad"}
    assert "theirs" in (rig.root / "prompts/other.yaml").read_text()


def lags(acme: MemoryWorkspace, patched: pytest.MonkeyPatch) -> None:
    """From now on the vendor shows the first version of each prompt, and knows of no other."""
    read, heads = acme.read, acme.list

    def lagging(prompt_id: str, version: str | None = None) -> RemoteVersion:
        if version not in (None, "1"):
            raise RemoteMissing("no such version", status=404)
        return read(prompt_id, "1")

    patched.setattr(acme, "read", lagging)
    patched.setattr(acme, "list", lambda: [replace(head, version="1") for head in heads()])


@pytest.mark.usefixtures("reuses_ids")
def test_an_old_answer_is_no_prompt_made_anew(rig: Rig, acme: MemoryWorkspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was acknowledged is never sent again, however long reads lag."""
    commit(rig.root, {"p": chat("one")})
    rig.sync()
    commit(rig.root, {"p": chat("two")})
    with monkeypatch.context() as patched:
        lags(acme, patched)
        for _ in range(3):
            assert [error.retry for error in rig.sync().errors] == [True]
            rig.now += 1000
    rig.until_quiet()
    assert [acme.text("p", number) for number in range(1, len(acme.prompts["1"].versions) + 1)] == ["one", "two"]


@pytest.mark.usefixtures("reuses_ids")
def test_an_old_answer_forgets_no_edit_that_ours_went_on_top_of(
    rig: Rig, acme: MemoryWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(rig.root, {"p": chat("one")})
    rig.sync()
    commit(rig.root, {"p": chat("two")})
    acme.before["publish"] = saves(acme, "theirs")
    assert [conflict.theirs for conflict in rig.sync().plan.conflicts] == ["theirs"]
    with monkeypatch.context() as patched:
        lags(acme, patched)
        rig.sync()
    assert [conflict.theirs for conflict in rig.until_quiet().plan.conflicts] == ["theirs"]


@pytest.mark.parametrize("how", ["lands between two looks", "a failing look"])
def test_one_that_came_upon_another_prompt_is_no_edit_of_that_one(rig: Rig, acme: MemoryWorkspace, how: str) -> None:
    """Somebody had given that one its name, and has given it back its own by now."""
    commit(rig.root, {"other": chat("other's text")})
    rig.sync()
    commit(rig.root, {"p": chat("p's text")})
    late = sent_into_the_dark(rig, acme)
    looks = 0

    def lands(*_: object) -> None:
        nonlocal looks
        looks += 1
        if looks == (2 if how == "lands between two looks" else 1):
            rename(acme, "other", "p")
            acme.publish(*late)
            rename(acme, "p", "other")
        if looks == 1 and how == "a failing look":
            raise BadResponse("it makes no sense")

    acme.before["list"] = lands
    rig.sync()
    acme.before.clear()
    rig.now += 100
    rig.until_quiet()
    assert "other's text" in (rig.root / "prompts/other.yaml").read_text()
    assert acme.text("other") == "other's text"


@pytest.mark.parametrize("dies_in", [(Publisher, "_read_back"), (Pusher, "record")])
def test_a_name_given_there_comes_here_though_ours_came_upon_it_and_the_run_died(
    rig: Rig, acme: MemoryWorkspace, dies_in: tuple[type, str]
) -> None:
    """Somebody renames ``other`` to ``p`` between the look and the write, and the run dies."""
    commit(rig.root, {"other": chat("other's text")})
    rig.sync()
    commit(rig.root, {"p": chat("p's text")})

    def renamed(*_: object) -> None:
        acme.before.clear()
        rename(acme, "other", "p")

    acme.before["publish"] = renamed
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(*dies_in, dies)
        with pytest.raises(Killed):
            rig.sync()
    rig.now += 100
    rig.until_quiet()
    assert acme.text("p") == "other's text"
    assert (rig.root / "prompts/other.yaml").read_text() == chat("other's text", "name: p\n")


@pytest.mark.parametrize("died", [True, False])
def test_a_name_that_was_given_back_there_is_not_written_here(rig: Rig, acme: MemoryWorkspace, died: bool) -> None:
    commit(rig.root, {"other": chat("other's text")})
    rig.sync()
    commit(rig.root, {"p": chat("p's text")})
    late = sent_into_the_dark(rig, acme)
    rename(acme, "other", "p")
    acme.publish(*late)
    rename(acme, "p", "other")
    rig.now += 100
    if died:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(Pusher, "record", dies)
            with pytest.raises(Killed):
                rig.sync()
    rig.until_quiet()
    assert (rig.root / "prompts/other.yaml").read_text() == chat("other's text")


def test_what_waits_for_a_first_publish_in_doubt_is_told(
    rig: Rig, acme: MemoryWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be on one that nobody can read: that one keeps all that is new there waiting, and is named."""
    bad = acme.edit("bad", "x").id
    read = acme.read

    def garbage(prompt_id: str, version: str | None = None) -> RemoteVersion:
        if prompt_id == bad:
            raise BadResponse("it makes no sense")
        return read(prompt_id, version)

    with monkeypatch.context() as patched:
        patched.setattr(acme, "read", garbage)
        commit(rig.root, {"p": chat("p's text")})
        sent_into_the_dark(rig, acme)
        acme.edit("new", "somebody's new prompt")
        rig.now += 10_000
        result = rig.sync()
    assert [error.message for error in result.errors if error.slug == "p"] == [
        "'bad' there may be what was sent, and cannot be read: it makes no sense"
    ]
    assert {held.slug for held in result.plan.held} == {"new"}
    assert "sent as 'p'" in result.plan.held[0].reason
    rig.until_quiet()
    assert (rig.root / "prompts/new.yaml").exists()
    assert acme.text("p") == "p's text"


@pytest.mark.usefixtures("reuses_ids")
def test_one_made_anew_with_its_first_text_is_told_where_that_was_never_seen(rig: Rig, acme: MemoryWorkspace) -> None:
    """What is seen begins with the newest version; the agreement knows the older, but not when it was made."""
    for text in ("one", "two"):
        commit(rig.root, {"p": chat(text)})
        rig.sync()
    git(rig.root, "update-ref", "-d", remote_ref("acme"))
    rig.until_quiet()
    del acme.prompts["1"].versions[:]
    acme.edit("p", "one")
    result = rig.until_quiet()
    assert [(conflict.ours, conflict.theirs) for conflict in result.plan.conflicts] == [("two", "one")]


@pytest.mark.usefixtures("reuses_ids")
@pytest.mark.parametrize("restored", ["one", "something else"])
def test_an_edit_of_one_made_anew_is_not_taken_for_what_was_acknowledged(
    rig: Rig, acme: MemoryWorkspace, restored: str
) -> None:
    """Our version 2 was acknowledged, one read failed, and the prompt was made anew, perhaps as it was at first."""
    commit(rig.root, {"p": chat("one")})
    rig.sync()
    commit(rig.root, {"p": chat("two")})
    acme.after["publish"] = lambda *_: fails_once(acme, "read")
    rig.sync()
    acme.after.clear()
    del acme.prompts["1"].versions[:]
    acme.edit("p", restored)
    rig.now += 1000
    rig.until_quiet()
    acme.edit("p", "a person's edit")
    rig.now += 1000
    rig.until_quiet()
    assert "a person's edit" in (rig.root / "prompts/p.yaml").read_text()
