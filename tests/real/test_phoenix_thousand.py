"""A thousand prompts, published and imported; runs last, as every later listing would hold them."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from proxy import FaultyProxy
from real_phoenix import Team

from promptstore.cli.phoenix_server import PhoenixServer

pytestmark = [pytest.mark.real, pytest.mark.timeout(600)]

COUNT = 1000


def test_a_thousand_prompts(
    phoenix: PhoenixServer, team: Callable[..., Team], capsys: pytest.CaptureFixture[str]
) -> None:
    texts = {f"g{number % 10}/p{number:04}": f"text {number} for {{{{name}}}}" for number in range(COUNT)}
    with FaultyProxy(phoenix.url) as proxy:
        here, there = team(proxy.url), team(proxy.url)
        here.write_all(texts)
        told = {}
        for what, one in (("publish", here), ("import", there), ("nothing to do", there)):
            proxy.asked.clear()
            began = time.monotonic()
            actions = one.sync()
            told[what] = (time.monotonic() - began, len(proxy.asked), len(proxy.writes()), len(actions))
    with capsys.disabled():
        for what, (seconds, requests, writes, actions) in told.items():
            print(f"\n{what}: {seconds:.1f} s, {requests} requests, {writes} of them writes, {actions} actions", end="")
    assert told["publish"][2] == COUNT
    assert told["import"][3] == COUNT
    assert told["nothing to do"][1] <= 10
    assert told["nothing to do"][2:] == (0, 0)
    assert there.text("g3/p0003") == texts["g3/p0003"]
