"""What a person said with sight of a vendor's edit stands: the edit came to the branch first, though no run has agreed
on it, since it was pushed together with the person's commit, or merged with it, or since the run died."""

from __future__ import annotations

import pytest
from engines import Rig
from late import Killed, dies, saves
from memory_vendor import MemoryWorkspace
from repos import chat, commit, git

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


@BENEATH
def test_pushed_together(rig: Rig, acme: MemoryWorkspace, beneath: bool) -> None:
    origin = rig.root.parent / "origin.git"
    git(rig.root.parent, "init", "-q", "--bare", "-b", "main", str(origin))
    git(rig.root, "remote", "add", "origin", str(origin))
    commit(rig.root, {"p": chat(ONE)})
    git(rig.root, "push", "-q", "-u", "origin", "main")
    rig.sync()
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
