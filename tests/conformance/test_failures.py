"""No failure of a call is ever taken for an absence or for a shorter list, and no write is sent twice: whichever
request of an operation it is that fails, and however."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from grounds import ground_at, opened
from twins import copy_store

from promptstore.errors import BadResponse, PromptStoreError, RemoteError, RemoteMissing, RemoteRejected, WriteInDoubt
from promptstore.serve.server import Running, embedded
from promptstore.vendors.base import Publication, Vendor, Workspace
from promptstore.vendors.conformance import Ground
from promptstore.vendors.conformance.ground import Made

pytestmark = pytest.mark.slow

Call = Callable[[Workspace], Any]
UNKNOWN = "unknown"
Fault = Callable[[httpx.Request], httpx.Response]


def raising(kind: type[httpx.TransportError]) -> Fault:
    def fail(request: httpx.Request) -> httpx.Response:
        raise kind("broken on purpose", request=request)

    return fail


def answering(status: int, content: str, kind: str = "application/json") -> Fault:
    return lambda _: httpx.Response(status, content=content.encode(), headers={"content-type": kind})


LOGIN = "<html><title>Please log in</title></html>"
FAULTS: dict[str, Fault] = {
    "refused": raising(httpx.ConnectError),
    "silent": raising(httpx.ReadTimeout),
    "torn": raising(httpx.RemoteProtocolError),
    "limiting": answering(429, '{"message": "slow down"}'),
    "broken": answering(500, '{"message": "oops"}'),
    "gateway": answering(502, LOGIN, "text/html"),
    "unavailable": answering(503, ""),
    "unauthorized": answering(401, '{"error": "no"}'),
    "forbidden": answering(403, '{"error": "no"}'),
    "moved": answering(308, "", "text/html"),
    "elsewhere": answering(302, "", "text/html"),
    "page": answering(200, LOGIN, "text/html"),
    "nothing": answering(200, ""),
    "null": answering(200, "null"),
    "list": answering(200, "[]"),
    "object": answering(200, "{}"),
    "cut": answering(200, '{"objects": ['),
}
PROVES_NOTHING_DONE = {"refused", "limiting", "unauthorized", "forbidden", "moved"}


@dataclass
class Faulty(httpx.BaseTransport):
    """Answers the requests after the first ``good`` ones by the fault, all of them: a retry meets it too."""

    inner: httpx.BaseTransport
    fault: Fault | None = None
    good: int = 0
    seen: list[httpx.Request] = field(default_factory=list)
    known: dict[tuple[str, bytes], httpx.Response] | None = None
    """Answers that do not change while only reads are sent."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        if self.fault is not None and len(self.seen) > self.good:
            return self.fault(request)
        if self.known is None:
            return self.inner.handle_request(request)
        asked = (f"{request.method} {request.url}", request.read())
        if asked not in self.known:
            answer = self.inner.handle_request(request)
            self.known[asked] = httpx.Response(answer.status_code, headers=answer.headers, content=answer.read())
        answer = self.known[asked]
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


@dataclass
class Rig:
    """A ground with one prompt of two versions, and a way to break any request."""

    ground: Ground
    faulty: Faulty
    running: Running
    made: Made

    def run(self, call: Call, good: int, fault: Fault | None) -> Any:
        """What a fresh client gives, or the error that it raises."""
        self.faulty.fault, self.faulty.good, self.faulty.seen = fault, good, []
        workspace = opened(self.ground.vendor, self.running, self.faulty)
        try:
            return call(workspace)
        except PromptStoreError as problem:
            return problem
        finally:
            self.faulty.fault = None
            workspace.close()

    def requests(self, call: Call) -> list[httpx.Request]:
        """The requests of a run in which nothing fails."""
        outcome = self.run(call, 0, None)
        assert not isinstance(outcome, PromptStoreError), outcome
        return self.faulty.seen


@pytest.fixture(scope="module")
def rig(vendor: Vendor, template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    faulty = Faulty(httpx.HTTPTransport())
    where = tmp_path_factory.mktemp(vendor.name) / "store"
    with copy_store(template, where) as store, embedded(store) as running:
        ground = ground_at(vendor, running, store, faulty, "broken")
        first, second = (ground.put(ground.slug("one"), ground.prompt(text)) for text in ("one", "two"))
        if vendor.capabilities.tags:
            ground.workspace.set_tag(first.id, ground.tag, first.version)
        yield Rig(ground, faulty, running, second)
        faulty.inner.close()


def reads(made: Made, tag: str) -> dict[str, Call]:
    def tags(workspace: Workspace) -> Any:
        workspace.list()
        found = workspace.tags([tag], [made.id])
        place = found.tags.get(made.id, {}).get(tag)
        return place if found.knows(made.id, tag) else UNKNOWN

    return {
        "list": lambda workspace: sorted((head.id, head.version) for head in workspace.list()),
        "read": lambda workspace: workspace.read(made.id).document,
        "read-version": lambda workspace: workspace.read(made.id, made.version).document,
        "versions": lambda workspace: list(workspace.versions(made.id, made.version)),
        "find": lambda workspace: getattr(workspace.find(made.slug, made.document), "id", None),
        "tags": tags,
    }


SLOW = pytest.param("tags", marks=pytest.mark.slow)
"""Some vendors ask for each tag of each prompt."""


@pytest.mark.parametrize("name", ["list", "read", "read-version", "versions", "find", SLOW])
def test_no_failure_is_an_absence(rig: Rig, name: str) -> None:
    rig.faulty.known = {}
    call = reads(rig.made, rig.ground.tag)[name]
    wanted = rig.run(call, 0, None)
    assert wanted not in (None, []) or not rig.ground.vendor.capabilities.tags
    for good in range(len(rig.requests(call))):
        for fault, fails in FAULTS.items():
            outcome = rig.run(call, good, fails)
            if isinstance(outcome, PromptStoreError):
                assert isinstance(outcome, RemoteError), (good, fault, outcome)
                assert not isinstance(outcome, RemoteMissing), (good, fault, outcome)
                assert outcome.hint or isinstance(outcome, RemoteRejected | BadResponse), (good, fault, outcome)
            else:
                assert outcome in (wanted, UNKNOWN), (good, fault, outcome)
    rig.faulty.known = None


def writes(rig: Rig) -> dict[str, Call]:
    """Each writes something new every time it is called."""
    made, ground = rig.made, rig.ground
    turn = iter(range(10_000))

    def publish(workspace: Workspace) -> Any:
        document = ground.project(ground.prompt(f"text {next(turn)}"), made.slug)
        return workspace.publish(Publication(made.id, made.slug, document, "why", "intent"))

    def create(workspace: Workspace) -> Any:
        slug = ground.slug(f"new-{next(turn)}")
        document = ground.project(ground.prompt("new"), slug)
        return workspace.publish(Publication(None, slug, document, "why", "intent"))

    def tag(workspace: Workspace) -> Any:
        return workspace.set_tag(made.id, f"tag-{next(turn)}", made.version)

    can = ground.vendor.capabilities
    return {**({"publish": publish, "create": create} if can.write else {}), **({"tag": tag} if can.tags else {})}


@pytest.mark.slow
def test_no_write_is_sent_twice_and_doubt_is_told(rig: Rig) -> None:
    for name, call in writes(rig).items():
        for good in range(len(rig.requests(call))):
            for fault, fails in FAULTS.items():
                outcome = rig.run(call, good, fails)
                sent = [f"{one.method} {one.url}" for one in rig.faulty.seen if one.method != "GET"]
                assert len(sent) == len({*sent}), (name, good, fault, sent)
                assert not isinstance(outcome, RemoteMissing), (name, good, fault, outcome)
                failed = rig.faulty.seen[good] if len(rig.faulty.seen) > good else None
                if failed is None or failed.method == "GET":
                    continue
                if fault in PROVES_NOTHING_DONE:
                    assert isinstance(outcome, RemoteError), (name, good, fault, outcome)
                    assert not isinstance(outcome, WriteInDoubt), (name, good, fault, outcome)
                elif name != "tag":  # to set a tag again does no harm
                    assert isinstance(outcome, WriteInDoubt), (name, good, fault, outcome)
