"""What a person said with sight of a vendor's edit stands: the edit came to the branch first, though no run has agreed
on it, since it was pushed together with the person's commit, or merged with it, or since the run died."""

from __future__ import annotations

from dataclasses import replace

import pytest
from engines import Rig
from late import Killed, dies, saves, sent_into_the_dark
from memory_vendor import MemoryWorkspace
from repos import chat, commit, git

from promptstore.store.git.revisions import Revisions
from promptstore.store.store import Store
from promptstore.sync.pull import Puller

ONE, OURS, THEIRS = "First.\n\nSecond.", "First.\n\n2nd.", "1st.\n\nSecond."
EDITED = "First.\n\n2nd!"
"""A person's, who saw theirs: the first paragraph is put back, the second edited."""

BENEATH = pytest.mark.parametrize("beneath", [True, False], ids=["beneath ours", "after ours"])


def an_edit_there(rig: Rig, acme: MemoryWorkspace, *, beneath: bool) -> None:
    """Somebody saves in the vendor's page; ``beneath``: while ours is on its way, so that it goes on top."""
    if beneath:
        commit(rig.root, {"p": chat(OURS)})
        acme.before["publish"] = saves(acme, THEIRS)
    else:
        acme.edit("p", THEIRS)


def file(rig: Rig) -> str:
    return (rig.root / "prompts/p.yaml").read_text()


def with_upstream(rig: Rig) -> None:
    """Only what was pushed counts; p was, and is agreed on."""
    origin = rig.root.parent / "origin.git"
    git(rig.root.parent, "init", "-q", "--bare", "-b", "main", str(origin))
    git(rig.root, "remote", "add", "origin", str(origin))
    commit(rig.root, {"p": chat(ONE)})
    git(rig.root, "push", "-q", "-u", "origin", "main")
    rig.sync()


@BENEATH
def test_pushed_together(rig: Rig, acme: MemoryWorkspace, beneath: bool) -> None:
    with_upstream(rig)
    an_edit_there(rig, acme, beneath=beneath)
    git(rig.root, "push", "-q")
    rig.sync()
    assert "1st." in file(rig), "it was brought here, and is not pushed yet"
    commit(rig.root, {"p": chat(EDITED)})
    git(rig.root, "push", "-q")
    assert rig.until_quiet().plan.conflicts == ()
    assert file(rig) == chat(EDITED)
    assert acme.text("p") == EDITED


@BENEATH
def test_the_run_died(rig: Rig, acme: MemoryWorkspace, beneath: bool) -> None:
    commit(rig.root, {"p": chat(ONE)})
    rig.sync()
    an_edit_there(rig, acme, beneath=beneath)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Puller, "_agree", dies)
        with pytest.raises(Killed):
            rig.sync()
    assert "1st." in file(rig)
    commit(rig.root, {"p": chat(EDITED)})
    assert rig.until_quiet().plan.conflicts == ()
    assert file(rig) == chat(EDITED)
    assert acme.text("p") == EDITED


@BENEATH
@pytest.mark.parametrize("how", [["--ff-only"], ["--no-ff", "--no-edit"], ["--squash"]])
def test_reviewed(rig: Rig, acme: MemoryWorkspace, beneath: bool, how: list[str]) -> None:
    """However the branch for review is merged, and edited before the next run."""
    config = rig.root / ".promptstore.toml"
    config.write_text(config.read_text() + '\n[sync]\nintegrate = "branch"\n')
    rig.store = Store.open(rig.root)
    commit(rig.root, {"p": chat(ONE)})
    rig.sync()
    an_edit_there(rig, acme, beneath=beneath)
    rig.sync()
    git(rig.root, "merge", "-q", *how, "promptstore/acme")
    if how == ["--squash"]:
        git(rig.root, "commit", "-q", "--no-edit")
    assert "1st." in file(rig)
    commit(rig.root, {"p": chat(EDITED)})
    assert rig.until_quiet().plan.held == ()
    assert acme.text("p") == EDITED


def test_taken_back_and_pushed_together(rig: Rig, acme: MemoryWorkspace) -> None:
    with_upstream(rig)
    acme.edit("p", THEIRS)
    rig.sync()
    git(rig.root, "revert", "--no-edit", "HEAD")
    git(rig.root, "push", "-q")
    rig.until_quiet()
    assert file(rig) == chat(ONE)
    assert acme.text("p") == ONE


def test_merged_before_an_older_one_that_nobody_can_read(rig: Rig, acme: MemoryWorkspace) -> None:
    commit(rig.root, {"p": chat("First.\n\nSecond.\n\nThird.")})
    rig.sync()
    commit(rig.root, {"p": chat(ours := "First.\n\n2nd.\n\nThird.")})
    late = sent_into_the_dark(rig, acme)
    acme.save("p", {"prompt_template": {"type": "nonsense"}})
    acme.publish(replace(late[0], intent=""))
    acme.edit("p", "First.\n\n2nd.\n\n3rd.")
    acme.edit("p", ours)
    rig.now += 100
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Puller, "_agree", dies)
        with pytest.raises(Killed):
            rig.sync()
    rig.now += 100
    assert "3rd." in file(rig)
    commit(rig.root, {"p": chat("First.\n\n2nd!\n\nThird.")})
    for _ in range(4):
        rig.now += 100
        rig.sync()
    assert file(rig) == chat("First.\n\n2nd!\n\nThird.")


def test_a_long_branch_is_asked_once_what_it_brought(
    rig: Rig, acme: MemoryWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    slugs = [f"s{number}" for number in range(8)]
    commit(rig.root, {slug: chat("one") for slug in slugs})
    rig.sync()
    git(rig.root, "checkout", "-q", "-b", "feature")
    commit(rig.root, {slug: chat("feature") for slug in slugs})
    git(rig.root, "checkout", "-q", "main")
    git(rig.root, "merge", "-q", "--no-ff", "--no-edit", "feature")
    for slug in slugs:
        acme.edit(slug, "theirs")
    rig.sync()
    asked: list[str] = []
    messages = Revisions.messages

    def counted(self: Revisions, known: str, tip: str) -> list[tuple[str, str]]:
        asked.append(tip)
        return messages(self, known, tip)

    monkeypatch.setattr(Revisions, "messages", counted)
    assert len(rig.offline().conflicts) == len(slugs)
    assert len(asked) == 1
