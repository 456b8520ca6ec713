"""What goes wrong between an engine and a vendor, told to the engine by the real HTTP client.

A call that goes well takes no detour. One that does not is sent through ``Http`` over a transport that plays the fault,
so that the client's own judgement (retry? not done? in doubt?) is part of what is simulated.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

import httpx
from life import Life

from promptstore.vendors.http import Http, Timing

T = TypeVar("T")

READ_FAULTS = (
    "refused",
    "refused once",
    "timeout",
    "reset",
    "500",
    "503 once",
    "429",
    "429 for an hour",
    "truncated",
    "garbage",
    "redirect",
    "401",
    "stale",
    "stale",
    "stale",
)
WRITE_FAULTS = (
    "refused",
    "lost request",
    *["lost reply"] * 8,
    "500 before",
    "500 after",
    "502 before",
    "429",
    "400",
    "slow",
    "slow",
    "truncated reply",
    "garbage reply",
)
LOST_REPLIES = frozenset({"lost reply", "500 after", "truncated reply", "garbage reply"})

Weather = Callable[[str, tuple[str, ...]], str | None]
"""(what is called, what may go wrong) -> what does."""


class Player:
    """Plays one fault at a time to the one client of this process."""

    def __init__(self) -> None:
        self.act: Callable[[httpx.Request], httpx.Response] = lambda _: httpx.Response(200, json={})
        timing = Timing(sleep=lambda _: None, random=lambda: 0.5, monotonic=lambda: 0.0, now=lambda: 0.0)
        transport = httpx.MockTransport(lambda request: self.act(request))  # noqa: PLW0108 - it changes
        self.http = Http("Vendor", "http://vendor.test", headers={}, secret=None, transport=transport, timing=timing)


@cache
def _player() -> Player:
    return Player()


class Wire:
    """The connection of one engine's run to one vendor."""

    def __init__(self, life: Life, weather: Weather, later: Callable[[Callable[[], Any]], None]) -> None:
        self._life = life
        self._weather = weather
        self._later = later
        self.told: Counter[str] = Counter()

    def read(self, what: str, answer: Callable[[bool], T]) -> T:
        """``answer`` is told whether it may be out of date."""
        self._life.step(f"before {what}")
        fault = self._weather(what, READ_FAULTS)
        if fault is not None:
            self.told[fault] += 1
        if fault not in (None, "stale"):
            _play_read(fault)
        return answer(fault == "stale")

    def write(self, what: str, apply: Callable[[], T]) -> T:
        self._life.step(f"before {what}")
        fault = self._weather(what, WRITE_FAULTS)
        if fault is None:
            made = apply()
        else:
            self.told[fault] += 1
            made = self._play_write(fault, apply)
        self._life.step(f"after {what}")
        return made

    def _play_write(self, fault: str, apply: Callable[[], T]) -> T:
        done: list[T] = []

        def act(request: httpx.Request) -> httpx.Response:
            if fault == "slow":
                self._later(apply)
            elif fault in LOST_REPLIES:
                done.append(apply())
            return _outcome(fault, request)

        player = _player()
        player.act = act
        player.http.send("POST", "/write")
        raise AssertionError(f"{fault}: the client took this for an answer")


def _play_read(fault: str) -> None:
    tries = 0

    def act(request: httpx.Request) -> httpx.Response:
        nonlocal tries
        tries += 1
        if fault.endswith(" once") and tries > 1:
            return httpx.Response(200, json={})
        return _outcome(fault.removesuffix(" once"), request)

    player = _player()
    player.act = act
    player.http.get("/read")
    assert fault.endswith(" once"), f"{fault}: the client took this for an answer"


def _outcome(fault: str, request: httpx.Request) -> httpx.Response:
    if fault == "refused":
        raise httpx.ConnectError("connection refused", request=request)
    if fault in {"timeout", "lost request", "slow"}:
        raise httpx.ReadTimeout("timed out", request=request)
    if fault in {"reset", "lost reply"}:
        raise httpx.ReadError("connection reset", request=request)
    if fault.startswith(("truncated", "garbage")):
        return httpx.Response(200, content=b'{"items": [{"id"' if fault[0] == "t" else b"<html>Welcome</html>")
    if fault == "redirect":
        return httpx.Response(302, headers={"location": "http://login.test"})
    if fault.startswith("429"):
        return httpx.Response(429, headers={"retry-after": "3600" if "hour" in fault else "1"})
    return httpx.Response(int(fault[:3]), json={"message": fault})
