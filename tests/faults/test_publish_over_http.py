"""The publish protocol over real HTTP: whatever becomes of a request or its answer, one change makes one version.

PromptLayer keeps an intent id in a version's metadata; at Braintrust only the text can tell a version of ours.
"""

from __future__ import annotations

import json
import random
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from engines import Rig
from proxy import (
    DROP_REPLY,
    DROP_REQUEST,
    EMPTY,
    GARBAGE,
    HTML,
    TRUNCATE,
    Asked,
    Fault,
    FaultyProxy,
    chaos,
    delayed,
    error_after,
    error_before,
    limited,
)
from repos import chat, commit, git, make_store

from promptstore.serve.server import embedded
from promptstore.store.store import Store
from promptstore.sync.engine import Result
from promptstore.vendors import http
from promptstore.vendors.base import Connection, Workspace
from promptstore.vendors.http import Timing
from promptstore.vendors.registry import vendors

KEY = "k"
VENDORS = ("promptlayer", "braintrust")
PUBLISH = {"promptlayer": ("POST", "/rest/prompt-templates"), "braintrust": ("PUT", "/v1/prompt")}
SETTLED = 100.0

TAKEN = {
    "no reply": DROP_REPLY,
    "half a reply": TRUNCATE,
    "garbage": GARBAGE,
    "a login page": HTML,
    "an empty object": EMPTY,
    "500 after the fact": error_after(500),
    "502 after the fact": error_after(502),
    "504 after the fact": error_after(504),
}
LOST = {"no request": DROP_REQUEST, "500 before": error_before(500), "503 before": error_before(503)}


@dataclass
class Wire:
    """A store, its vendor, and the wire between them."""

    vendor: str
    rig: Rig
    proxy: FaultyProxy
    there: Store

    @property
    def where(self) -> Path:
        return Path(self.rig.store.root)

    def spoil(self, fault: Fault, times: int = 1) -> None:
        """The next publishes meet this."""
        method, path = PUBLISH[self.vendor]
        self.proxy.next(fault, method, path, times)

    def sync(self) -> Result:
        return self.rig.sync()

    def sent(self) -> int:
        method, path = PUBLISH[self.vendor]
        return sum(asked.method == method and path in asked.path for asked in self.proxy.asked)

    def versions(self, slug: str = "p") -> list[str]:
        """What every version at the vendor says, oldest first."""
        numbering = self.there.history.numbering(self.there.tip)
        texts = [self.there.objects.blob(version.blob).decode() for version in numbering.of(slug)]
        return [" ".join(re.findall(r"w\d+", text)) for text in texts]

    def states(self) -> list[str]:
        """What the journal says, line by line."""
        text = (self.where / ".git/promptstore/journal").read_text()
        return [json.loads(line)["state"] for line in text.splitlines()]

    def check_quiet(self) -> None:
        """A run after all is done finds nothing to do and sends nothing."""
        sent, refs = len(self.proxy.writes()), git(self.where, "for-each-ref")
        result = self.sync()
        assert (result.done, result.errors, result.plan.conflicts, result.plan.held) == ([], [], (), ())
        assert len(self.proxy.writes()) == sent
        assert git(self.where, "for-each-ref") == refs


@pytest.fixture(scope="module")
def empty_vendor(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("vendor") / "store"
    make_store(where, '[store]\nbranch = "main"\n').close()
    git(where, "add", "-A")
    git(where, "commit", "-q", "-m", "Empty")
    git(where, "checkout", "-q", "--detach")
    return where


def connected(vendor: str, url: str) -> Workspace:
    found = vendors()[vendor]
    made: Workspace = found.connect(
        Connection(
            f"{url}/{vendor}", KEY, "support" if found.needs_project else None, timing=Timing(sleep=lambda _: None)
        )
    )
    return made


@pytest.fixture(params=VENDORS)
def wire(request: pytest.FixtureRequest, tmp_path: Path, empty_vendor: Path) -> Iterator[Wire]:
    """``p`` with the text ``w1`` waits to be published for the first time."""
    vendor = request.param
    shutil.copytree(empty_vendor, tmp_path / "vendor")
    project = 'project = "support"\n' if vendor == "braintrust" else ""
    config = f'[store]\nbranch = "main"\n\n[remotes.acme]\nvendor = "{vendor}"\n{project}'
    store = make_store(tmp_path / "here", config, {"p": text("w1")})
    with Store.open(tmp_path / "vendor") as there, embedded(there, key=KEY) as server, FaultyProxy(server.url) as proxy:
        workspace = connected(vendor, proxy.url)
        workspace.list()  # Braintrust's project is there
        yield Wire(vendor, Rig(store, {"acme": workspace}), proxy, there)  # type: ignore[dict-item]
        workspace.close()
    store.close()


def text(words: str) -> str:
    return chat(words).replace("template_format: jinja2", "template_format: mustache")


@pytest.mark.slow
@pytest.mark.parametrize(("fault", "update"), [*((fault, False) for fault in TAKEN), ("no reply", True)])
def test_what_the_vendor_took_is_adopted_and_never_sent_again(wire: Wire, fault: str, update: bool) -> None:
    if update:
        assert wire.sync().errors == []
        commit(wire.where, {"p": text("w2")})
    expected, sent = (["w1", "w2"] if update else ["w1"]), wire.sent()
    wire.spoil(TAKEN[fault])
    first = wire.sync()
    assert wire.versions() == expected
    assert first.errors == [], "the text itself is looked for at once"
    assert wire.sent() == sent + 1
    assert "unknown" in wire.states()
    wire.check_quiet()


@pytest.mark.slow
@pytest.mark.parametrize("fault", LOST)
def test_what_never_arrived_is_sent_again_only_when_the_settle_window_is_over(wire: Wire, fault: str) -> None:
    wire.spoil(LOST[fault])
    for _ in range(2):
        result = wire.sync()
        assert [(error.slug, error.retry) for error in result.errors] == [("p", True)]
        assert wire.sent() == 1
    assert wire.versions() == []
    wire.rig.now += SETTLED
    for _ in range(2):
        wire.sync()
    assert (wire.versions(), wire.sent()) == (["w1"], 2)
    wire.check_quiet()


@pytest.mark.slow
def test_a_refusal_is_not_done_and_may_be_tried_at_once(wire: Wire) -> None:
    for fault, retry in ((limited(1), True), (error_before(422), False)):
        wire.spoil(fault)
        result = wire.sync()
        assert [(error.slug, error.retry) for error in result.errors] == [("p", retry)]
    assert wire.versions() == []
    assert wire.sync().errors == []
    assert (wire.versions(), wire.sent()) == (["w1"], 3)
    wire.check_quiet()


@pytest.mark.slow
def test_a_write_that_arrives_long_after_the_client_gave_up(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "_TIMEOUT", httpx.Timeout(0.3))
    wire.rig.workspaces = {"acme": connected(wire.vendor, wire.proxy.url)}  # type: ignore[dict-item]
    wire.spoil(delayed(before=1.0))
    assert [error.retry for error in wire.sync().errors] == [True]
    assert wire.sent() == 1
    wire.proxy.wait_until_idle()
    assert wire.versions() == ["w1"]
    wire.rig.now += SETTLED
    assert wire.sync().errors == []
    assert (wire.versions(), wire.sent()) == (["w1"], 1)
    monkeypatch.undo()
    wire.check_quiet()


def test_what_cannot_be_read_back_is_adopted_later(wire: Wire) -> None:
    """The vendor says that it took it, and then answers no read any more."""

    def rule(asked: Asked) -> Fault:
        return error_before(503) if wire.versions() and not asked.writes else Fault()

    wire.proxy.rule = rule
    assert wire.sync().errors
    wire.proxy.heal()
    wire.rig.now += SETTLED
    assert wire.sync().errors == []
    assert (wire.versions(), wire.sent()) == (["w1"], 1)
    wire.check_quiet()


@pytest.mark.slow
def test_somebody_publishes_between_the_look_and_the_write(wire: Wire) -> None:
    """Theirs is not buried: it is found below ours and merged."""
    commit(wire.where, {"p": text("top w1\n\nmiddle w2\n\nend w3")})
    assert wire.sync().errors == []
    commit(wire.where, {"p": text("top w4\n\nmiddle w2\n\nend w3")})
    other = connected(wire.vendor, wire.proxy.upstream)
    method, path = PUBLISH[wire.vendor]
    done: list[int] = []

    def meanwhile(asked: Asked) -> None:
        if asked.method == method and asked.path.split("?")[0].endswith(path) and not done:
            done.append(asked.number)
            publish_there(wire, other, "top w1\n\nmiddle w2\n\nend w5")

    wire.proxy.on_request = meanwhile
    wire.sync()
    wire.proxy.on_request = lambda _: None
    assert done
    for _ in range(3):
        wire.rig.now += SETTLED
        wire.sync()
    assert wire.versions()[-1] == "w4 w2 w5"
    assert len(set(wire.versions())) == len(wire.versions())
    wire.check_quiet()
    other.close()


def publish_there(wire: Wire, workspace: Workspace, body: str) -> None:
    from promptstore.model.reading import parse_prompt
    from promptstore.vendors.base import Publication

    head = next(head for head in workspace.list() if head.name == "p")
    document = vendors()[wire.vendor].lens.project(parse_prompt(text(body).encode(), "p.yaml"), "p")
    workspace.publish(Publication(head.id, "p", document, "edited in the page", ""))


def test_the_journal_tells_every_step(wire: Wire) -> None:
    assert wire.sync().errors == []
    assert wire.states() == ["prepared", "sent", "sent", "done", "recorded"]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_a_wire_that_is_bad_all_the_time(wire: Wire, seed: int) -> None:
    dice = random.Random(seed)
    other = connected(wire.vendor, wire.proxy.upstream)
    assert wire.sync().errors == []
    here = there = 0
    wire.proxy.rule = chaos(dice, 0.15)
    for turn in range(8):
        here = turn + 10
        commit(wire.where, {"mine": text(f"w{here}")})
        if turn % 2:
            there = turn + 50
            publish_there(wire, other, f"w{there}")
        wire.sync()
        wire.rig.now += dice.choice([1.0, SETTLED])
    wire.proxy.heal()
    for _ in range(4):
        wire.rig.now += SETTLED
        result = wire.sync()
    assert result.errors == []
    for slug, last in (("mine", here), ("p", there)):
        said = wire.versions(slug)
        assert said[-1] == f"w{last}"
        assert len(said) == len(set(said)), "nothing was published twice"
        assert f"w{last}" in (wire.where / f"prompts/{slug}.yaml").read_text()
    wire.check_quiet()
    other.close()
