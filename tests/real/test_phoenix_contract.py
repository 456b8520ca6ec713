"""The contract that every vendor's client keeps, against the real server."""

from __future__ import annotations

import httpx
import pytest

from promptstore.cli.phoenix_server import PhoenixServer
from promptstore.vendors.base import Connection, Workspace
from promptstore.vendors.conformance import CASES, Case, Ground, NotApplicable, Recorder
from promptstore.vendors.phoenix import VENDOR

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def ground(phoenix: PhoenixServer) -> Ground:
    recorder = Recorder(httpx.HTTPTransport())

    def opened(key: str | None = None) -> Workspace:
        workspace: Workspace = VENDOR.connect(Connection(phoenix.url, key, None, recorder))
        return workspace

    return Ground(VENDOR, opened, opened(), recorder, phoenix.url, "contract")


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.applies(VENDOR.capabilities)], ids=lambda one: one.name
)
def test_the_client_keeps_its_contract(ground: Ground, case: Case) -> None:
    try:
        case.run(ground)
    except NotApplicable as reason:
        pytest.skip(str(reason))
