"""The engine with Phoenix, which knows prompts by their names: one that was deleted and made anew has the old one's id,
and may have a lower number. That is an edit, and no old answer. And its descriptions have no versions."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import httpx
import pytest
from engines import Rig
from phoenix_server import FakePhoenix
from repos import commit, git, make_store

from promptstore.store.refnames import base_ref, remote_ref
from promptstore.store.store import Store
from promptstore.sync.engine import Result
from promptstore.sync.observe import Depth
from promptstore.sync.publish import Publisher
from promptstore.vendors.base import Connection
from promptstore.vendors.http import Timing
from promptstore.vendors.phoenix import VENDOR
from promptstore.vendors.phoenix.names import PROMPT, VERSION

CONFIG = '[store]\nprompts = "prompts"\nbranch = "main"\n\n[remotes.ph]\nvendor = "phoenix"\n'
MODEL = "model:\n  provider: openai\n  name: gpt-4o\n"


class Fresh(dict[str, Any]):
    """A new connection each time it is asked for one, as each command makes."""

    def __init__(self, server: FakePhoenix) -> None:
        super().__init__()
        self.server = server

    def __missing__(self, name: str) -> Any:
        timing = Timing(sleep=lambda _: None, random=lambda: 0.5, monotonic=lambda: 0.0, now=lambda: 0.0)
        return VENDOR.connect(Connection(VENDOR.base_url, None, transport=self.server.transport, timing=timing))


def phoenix(text: str, description: str = "") -> str:
    said = f"description: {description}\n" if description else ""
    return f"{said}{MODEL}template_format: mustache\nmessages:\n  - role: user\n    content: {text}\n"


@pytest.fixture(scope="module", params=[True, False], ids=["graphql", "rest"])
def grown(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Rig, FakePhoenix]:
    """What each test gets a copy of, since it takes nine runs to get there."""
    server = FakePhoenix(graphql=request.param)
    rig = Rig(make_store(tmp_path_factory.mktemp("grown") / "r", CONFIG, {"x": phoenix("x")}), Fresh(server))
    runs(rig)
    for text in ("one", "two"):
        commit(rig.root, {"p": phoenix(text, "Old")})
        runs(rig)
    assert len(server.versions("p")) == 2
    return rig, server


@pytest.fixture
def server(grown: tuple[Rig, FakePhoenix]) -> FakePhoenix:
    return grown[1].copy()


@pytest.fixture
def rig(grown: tuple[Rig, FakePhoenix], server: FakePhoenix, tmp_path: Path) -> Rig:
    """The prompt p has the versions 2 and 3 there: `one` and `two`."""
    before, _ = grown
    shutil.copytree(before.root, tmp_path / "r")
    return Rig(Store.open(tmp_path / "r"), Fresh(server), before.now)


def runs(rig: Rig, count: int = 3) -> Result:
    """The last of some runs, hours apart."""
    for _ in range(count):
        result = rig.sync()
        rig.now += 10_000
    return result


def make_anew(server: FakePhoenix, *texts: str, **said: Any) -> None:
    """Somebody deletes p and makes it anew: SQLite gives its first version the number 2 again."""
    server.prompts.remove(server.named("p"))
    server._numbers = {PROMPT: 1, VERSION: 1}
    server.add("p", *texts, **said)


def text_there(server: FakePhoenix) -> str:
    return str(server.named("p")["versions"][-1]["template"]["messages"][0]["content"])


def file_of(rig: Rig) -> str:
    return (rig.root / "prompts/p.yaml").read_text()


def state(rig: Rig) -> list[str]:
    return [git(rig.root, "rev-parse", ref) for ref in ("main", base_ref("ph"), remote_ref("ph"))]


def test_one_made_anew_with_a_lower_number_is_an_edit(rig: Rig, server: FakePhoenix) -> None:
    make_anew(server, "made anew")
    result = rig.sync()
    assert not result.errors
    assert {conflict.slug for conflict in result.plan.conflicts} == {"p"}
    commit(rig.root, {"p": phoenix("three", "Old")})
    result = runs(rig, 6)
    assert not result.errors
    assert {conflict.slug for conflict in result.plan.conflicts} == {"p"}
    assert text_there(server) == "made anew", "nothing is overwritten before somebody chooses"


def test_one_made_anew_right_before_a_publish_is_met_by_the_next_run(rig: Rig, server: FakePhoenix) -> None:
    commit(rig.root, {"p": phoenix("three", "Old")})
    engine = rig.engine()
    engine.observe(Depth())
    make_anew(server, "made anew")
    assert {error.slug for error in engine.run().errors} == {"p"}
    result = runs(rig)
    assert not result.errors
    assert {conflict.slug for conflict in result.plan.conflicts} == {"p"}
    assert text_there(server) == "made anew"


def test_a_finished_run_is_followed_by_one_that_writes_nothing(rig: Rig, server: FakePhoenix) -> None:
    make_anew(server, "made anew")
    rig.sync()
    before, writes = state(rig), server.writes()
    asked = len(server.requests)
    assert rig.sync().plan.conflicts
    assert (state(rig), server.writes()) == (before, writes)
    former = [one for one in server.requests[asked:] if "cursor" in one.url.params]
    assert not former, "the former version is asked for once"


def test_either_side_can_be_chosen_and_goes_round(rig: Rig, server: FakePhoenix) -> None:
    make_anew(server, "made anew")
    rig.sync()
    rig.resolve("p", "ours")
    assert not runs(rig).errors
    assert text_there(server) == "two"
    assert len(server.versions("p")) == 2
    make_anew(server, "once more", description="New")
    rig.sync()
    rig.resolve("p", "theirs")
    result = runs(rig)
    assert result.errors == []
    assert result.plan.conflicts == ()
    assert "once more" in file_of(rig)
    assert text_there(server) == "once more"


def test_one_that_says_what_we_say_is_linked(rig: Rig, server: FakePhoenix) -> None:
    make_anew(server, "two", description="Old")
    result = rig.sync()
    assert result.errors == []
    assert result.plan.conflicts == ()
    commit(rig.root, {"p": phoenix("three", "Old")})
    assert not runs(rig).errors
    assert text_there(server) == "three"


def test_one_that_was_deleted_here_meanwhile_comes_back(rig: Rig, server: FakePhoenix) -> None:
    make_anew(server, "made anew")
    commit(rig.root, {"p": None})
    assert not runs(rig).errors
    assert "made anew" in file_of(rig)


def test_the_former_texts_stay_in_the_history_of_what_was_seen(rig: Rig, server: FakePhoenix) -> None:
    make_anew(server, "made anew")
    rig.sync()
    log = git(rig.root, "log", "-p", "--format=%s", remote_ref("ph"), "--", "prompts/p.yaml")
    assert all(text in log for text in ("one", "two", "made anew", "was made anew at ph"))
    seen = git(rig.root, "ls-tree", "-r", "--name-only", remote_ref("ph"), ".remote/p/")
    assert seen.split() == [".remote/p/-/seen"], "no version of the former one counts as one of the new"


def test_looking_alone_settles_nothing_and_writes_once(rig: Rig, server: FakePhoenix) -> None:
    make_anew(server, "made anew")
    agreed = git(rig.root, "rev-parse", base_ref("ph"))
    rig.engine().observe(Depth())
    before = state(rig)
    rig.engine().observe(Depth())
    assert state(rig) == before
    assert git(rig.root, "rev-parse", base_ref("ph")) == agreed
    assert rig.sync().plan.conflicts


def test_a_clone_that_does_not_lead_keeps_what_was_agreed_on(rig: Rig, server: FakePhoenix) -> None:
    make_anew(server, "made anew")
    agreed = git(rig.root, "rev-parse", base_ref("ph"))
    for _ in range(2):
        engine = rig.engine()
        (session,) = engine.sessions()
        session.observer = True
        engine.observe(Depth())
        assert not engine.run().done
        assert (session.pending, session.anew) == ({}, set())
    assert git(rig.root, "rev-parse", base_ref("ph")) == agreed
    assert rig.sync().plan.conflicts


@pytest.mark.parametrize("answer", [httpx.Response(500), httpx.Response(401), httpx.ConnectError("gone")])
def test_only_a_clear_answer_proves_it(rig: Rig, server: FakePhoenix, answer: Any) -> None:
    """The read of the former version fails: nothing follows."""
    make_anew(server, "made anew")
    agreed = git(rig.root, "rev-parse", base_ref("ph"))
    server.faults += [lambda request: answer if "cursor" in request.url.params else None] * 10
    result = rig.sync()
    assert result.done == []
    assert result.plan.conflicts == ()
    assert git(rig.root, "rev-parse", base_ref("ph")) == agreed
    server.faults.clear()
    assert rig.sync().plan.conflicts


def test_an_old_listing_is_no_prompt_made_anew(rig: Rig, server: FakePhoenix) -> None:
    """The newest version is not listed, but it is there."""
    agreed, kept = git(rig.root, "rev-parse", base_ref("ph")), server.named("p")
    newest = kept["versions"].pop()
    former = httpx.Response(200, json={"data": [newest], "next_cursor": None})
    server.faults.append(lambda request: former if request.url.params.get("cursor") == newest["id"] else None)
    result = rig.sync()
    assert result.done == []
    assert result.plan.conflicts == ()
    assert git(rig.root, "rev-parse", base_ref("ph")) == agreed
    kept["versions"].append(newest)
    assert not runs(rig).errors
    assert text_there(server) == "two"


def test_one_that_cannot_be_read_yet_changes_nothing(rig: Rig, server: FakePhoenix) -> None:
    make_anew(server, "made anew")
    agreed = state(rig)
    kept = server.named("p")["versions"][0]
    whole = dict(kept)
    kept["template"] = {"type": "unknown"}
    assert {error.slug for error in rig.sync().errors} == {"p"}
    assert state(rig) == agreed
    kept.update(whole)
    assert rig.sync().plan.conflicts


# --- descriptions


class Killed(BaseException):
    """The process dies here."""


def dies(*_: object) -> None:
    raise Killed


def test_a_description_edited_before_ours_is_read_back_is_an_edit(
    rig: Rig, server: FakePhoenix, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(rig.root, {"p": phoenix("three", "Old")})
    with monkeypatch.context() as patch:
        patch.setattr(Publisher, "_read_back", dies)
        with pytest.raises(Killed):
            rig.sync()
    server.named("p")["description"] = "Theirs"
    runs(rig)
    assert (rig.root / "prompts/p.yaml").read_text() == phoenix("three", "Theirs")
    commit(rig.root, {"p": phoenix("four", "Theirs")})
    runs(rig)
    assert server.named("p")["description"] == "Theirs"
