"""The faulty proxy does what it says: everything else in this folder leans on it."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from proxy import (
    DROP_REPLY,
    DROP_REQUEST,
    GARBAGE,
    NONE,
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


class Echo(BaseHTTPRequestHandler):
    """Answers with what it was sent, and remembers it."""

    protocol_version = "HTTP/1.1"
    seen: list[str]

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.seen.append(f"{self.command} {self.path} {self.headers['Host']} {self.headers['X-Key']}")
        text = body or b"nothing was sent"
        self.send_response(200)
        self.send_header("X-Echo", "yes")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = handle_any  # noqa: N815 - the names http.server calls

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def seen() -> list[str]:
    return []


@pytest.fixture
def echo(seen: list[str]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Seen", (Echo,), {"seen": seen}))
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def proxy(echo: str) -> Iterator[FaultyProxy]:
    with FaultyProxy(echo + "/api/") as made:
        yield made


def test_without_a_fault_nothing_is_changed(proxy: FaultyProxy, echo: str, seen: list[str]) -> None:
    with httpx.Client(base_url=proxy.url, headers={"X-Key": "k"}) as client:
        for _ in range(2):
            answer = client.post("/a?b=%2Fc", content=b"hello")
            assert (answer.status_code, answer.content, answer.headers["X-Echo"]) == (200, b"hello", "yes")
        assert client.post("/chunks", content=iter([b"one ", b"two"])).content == b"one two"
        assert client.get("/plain").content == b"nothing was sent"
    host = echo.removeprefix("http://")
    assert seen == [
        *[f"POST /api/a?b=%2Fc {host} k"] * 2,
        f"POST /api/chunks {host} k",
        f"GET /api/plain {host} k",
    ]
    assert [asked.body for asked in proxy.writes()] == [b"hello", b"hello", b"one two"]


@pytest.mark.parametrize(
    ("fault", "told", "reached"),
    [
        (DROP_REQUEST, None, False),
        (DROP_REPLY, None, True),
        (TRUNCATE, None, True),
        (error_before(500), 500, False),
        (error_after(504), 504, True),
        (limited(3), 429, False),
        (GARBAGE, 200, True),
        (delayed(before=0.01, after=0.01), 200, True),
    ],
)
def test_each_fault(proxy: FaultyProxy, seen: list[str], fault: Fault, told: int | None, reached: bool) -> None:
    proxy.next(fault, "POST", "/spoilt")
    assert httpx.get(proxy.url + "/spoilt").status_code == 200
    seen.clear()
    if told is None:
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.post(proxy.url + "/spoilt", content=b"x" * 100)
    else:
        answer = httpx.post(proxy.url + "/spoilt", content=b"x" * 100)
        assert answer.status_code == told
        assert answer.headers.get("Retry-After") == ("3" if told == 429 else None)
    assert len(seen) == reached
    assert httpx.post(proxy.url + "/spoilt", content=b"again").content == b"again"


def test_a_server_that_is_gone_breaks_the_connection(proxy: FaultyProxy) -> None:
    with FaultyProxy("http://127.0.0.1:9") as lonely, pytest.raises(httpx.RemoteProtocolError):
        httpx.get(lonely.url)


def test_somebody_acts_between_the_deed_and_its_answer(proxy: FaultyProxy, seen: list[str]) -> None:
    moments: list[str] = []
    proxy.on_request = lambda asked: moments.append(f"before {len(seen)}")
    proxy.on_answer = lambda asked, reply: moments.append(f"after {len(seen)} {reply.status}")
    httpx.post(proxy.url + "/x", content=b"1")
    assert moments == ["before 0", "after 1 200"]


def test_chaos_is_the_same_each_time() -> None:
    def drawn(seed: int) -> list[Fault]:
        rule = chaos(random.Random(seed), 0.3)
        return [rule(Asked(number, "GET", "/")) for number in range(200)]

    assert drawn(1) == drawn(1) != drawn(2)
    assert 30 < sum(fault is not NONE for fault in drawn(1)) < 90
