"""`resolve SLUG` settles what is held until a side is chosen, and `--all` leaves it to a `git pull`."""

from __future__ import annotations

from pathlib import Path

import pytest
from hubs import PromptLayerPage, done, hub
from repos import chat, commit, git

from promptstore.cli.run import run


@pytest.mark.slow
def test_a_branch_put_back_is_settled_by_name(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with hub(tmp_path, "promptlayer") as made:
        page = made.twins["promptlayer"]
        assert isinstance(page, PromptLayerPage)
        commit(made.root, {"p": chat("one")})
        made.settle(capfd)
        commit(made.root, {"p": chat("two")})
        made.settle(capfd)
        git(made.root, "reset", "-q", "--hard", "HEAD~1")
        [held] = made.sync(capfd)["held"]
        assert "promptstore resolve p" in held["hint"]
        assert run(["-C", str(made.root), "resolve", "--all", "--ours"]) == 0
        assert "no conflicts" in capfd.readouterr().out
        assert run(["-C", str(made.root), "resolve", "p", "--ours"]) == 0
        assert "settled p (promptlayer): the whole prompt: ours" in capfd.readouterr().out
        assert done(made.sync(capfd)) == ["promptlayer update-remote p"]
        assert page.texts("p") == ["one"]
        assert made.quiet(capfd)["held"] == []
