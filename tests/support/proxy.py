"""A plain forwarding HTTP proxy on loopback that loses, spoils and delays what passes it.

It stands before any server: give a client ``proxy.url`` as its base URL. Nothing is changed unless a `Fault` says so.

    with FaultyProxy(server_url) as proxy:
        proxy.next(DROP_REPLY, "POST")          # the next POST is done, and nobody is told
        proxy.always(limited(7))                # everything is answered 429
        proxy.rule = lambda asked: ...          # or decide for each request
"""

from __future__ import annotations

import http.client
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from urllib.parse import SplitResult, urlsplit

_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "proxy-connection"})
_REWRITTEN = _HOP | {"host", "content-length"}
WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came to the proxy. ``number`` counts from 1."""

    number: int
    method: str
    path: str
    body: bytes = b""

    @property
    def writes(self) -> bool:
        return self.method in WRITES


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: the server's own, or what the client is told in its place."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to one exchange.

    ``forward``: does the request reach the server. ``replaced``: what the client gets for the server's answer.
    ``answer``: is there one at all, or does the connection break. ``cut``: only this part of the body comes through,
    while the length promises all of it. ``before``/``after``: seconds to wait, before the request goes on and before
    its answer does.
    """

    forward: bool = True
    answer: bool = True
    replaced: Reply | None = None
    cut: float | None = None
    before: float = 0.0
    after: float = 0.0


NONE = Fault()
DROP_REQUEST = Fault(forward=False, answer=False)
DROP_REPLY = Fault(answer=False)
TRUNCATE = Fault(cut=0.5)
GARBAGE = Fault(replaced=Reply(200, b"\x00\xff<garbage", (("Content-Type", "application/json"),)))
HTML = Fault(replaced=Reply(200, b"<html><body>Please log in</body></html>", (("Content-Type", "text/html"),)))
EMPTY = Fault(replaced=Reply(200, b"{}", (("Content-Type", "application/json"),)))


def error_before(status: int = 503) -> Fault:
    """The server never sees the request."""
    return Fault(forward=False, replaced=Reply(status, b'{"message": "the proxy is not well"}'))


def error_after(status: int = 502) -> Fault:
    """The server does it, and the client is told of an error."""
    return Fault(replaced=Reply(status, b'{"message": "the proxy is not well"}'))


def limited(seconds: float | str = 1) -> Fault:
    """429 with ``Retry-After``; the server never sees the request."""
    return Fault(forward=False, replaced=Reply(429, b'{"message": "slow down"}', (("Retry-After", str(seconds)),)))


def delayed(*, before: float = 0.0, after: float = 0.0) -> Fault:
    return Fault(before=before, after=after)


ALL = (DROP_REQUEST, DROP_REPLY, TRUNCATE, GARBAGE, HTML, EMPTY, error_before(), error_after(), limited())


def chaos(dice: random.Random, rate: float, *faults: Fault) -> Callable[[Asked], Fault]:
    """A rule that spoils about ``rate`` of all exchanges."""
    return lambda _: dice.choice(faults or ALL) if dice.random() < rate else NONE


@dataclass
class _Waiting:
    fault: Fault
    method: str | None
    part: str
    times: int

    def takes(self, asked: Asked) -> bool:
        return self.times > 0 and self.method in {None, asked.method} and self.part in asked.path


@dataclass
class FaultyProxy:
    """Forwards to ``upstream`` (a base URL, a path prefix allowed).

    ``on_request`` is called before a request goes on, ``on_answer`` when the server has done it and the client does
    not know yet; both run in the thread of that request, so the client waits for them.
    """

    upstream: str
    rule: Callable[[Asked], Fault] = lambda _: NONE
    on_request: Callable[[Asked], None] = lambda _: None
    on_answer: Callable[[Asked, Reply], None] = lambda _, __: None
    asked: list[Asked] = field(default_factory=list)
    timeout: float = 60.0

    def __post_init__(self) -> None:
        self._waiting: list[_Waiting] = []
        self._lock = threading.Lock()
        self._under_way = 0
        self._http = _Server(self)
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        self._target = urlsplit(self.upstream)
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def next(self, fault: Fault, method: str | None = None, part: str = "", times: int = 1) -> None:
        """Spoil the next ``times`` exchanges of this method whose path holds ``part``."""
        with self._lock:
            self._waiting.append(_Waiting(fault, method, part, times))

    def always(self, fault: Fault) -> None:
        self.rule = lambda _: fault

    def heal(self) -> None:
        """From now on everything passes as it is."""
        with self._lock:
            self._waiting.clear()
        self.rule = lambda _: NONE
        self.on_request = lambda _: None
        self.on_answer = lambda _, __: None

    def writes(self) -> list[Asked]:
        """The writes that were sent here."""
        return [asked for asked in self.asked if asked.writes]

    def wait_until_idle(self) -> None:
        """Wait for requests whose senders may be dead already."""
        time.sleep(0.01)
        while self._under_way:
            time.sleep(0.005)

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()

    def __enter__(self) -> FaultyProxy:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- one exchange

    def take(self, method: str, path: str, body: bytes) -> tuple[Asked, Fault]:
        with self._lock:
            asked = Asked(len(self.asked) + 1, method, path, body)
            self.asked.append(asked)
            planned = next((waiting for waiting in self._waiting if waiting.takes(asked)), None)
            if planned is not None:
                planned.times -= 1
        return asked, planned.fault if planned else self.rule(asked)

    def exchange(self, asked: Asked, headers: list[tuple[str, str]], fault: Fault) -> Reply | None:
        """The answer for the client, None where the connection is to break."""
        with self._lock:
            self._under_way += 1
        try:
            return self._exchanged(asked, headers, fault)
        finally:
            with self._lock:
                self._under_way -= 1

    def _exchanged(self, asked: Asked, headers: list[tuple[str, str]], fault: Fault) -> Reply | None:
        time.sleep(fault.before)
        self.on_request(asked)
        reply = _forwarded(self._target, asked, headers, self.timeout) if fault.forward else fault.replaced
        if reply is not None and fault.forward:
            self.on_answer(asked, reply)
        time.sleep(fault.after)
        return (fault.replaced or reply) if fault.answer else None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, proxy: FaultyProxy) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.proxy = proxy

    def handle_error(self, *_: object) -> None:
        """A client that was killed, or hung up on us."""


def _forwarded(target: SplitResult, asked: Asked, headers: list[tuple[str, str]], timeout: float) -> Reply | None:
    """What the server answers; None where it does not."""
    kind = http.client.HTTPSConnection if target.scheme == "https" else http.client.HTTPConnection
    connection = kind(target.netloc, timeout=timeout)
    try:
        connection.putrequest(
            asked.method, target.path.rstrip("/") + asked.path, skip_host=True, skip_accept_encoding=True
        )
        for name, value in headers:
            connection.putheader(name, value)
        connection.putheader("Host", target.netloc)
        if asked.body or asked.writes:
            connection.putheader("Content-Length", str(len(asked.body)))
        connection.endheaders(asked.body)
        answer = connection.getresponse()
        kept = tuple((name, value) for name, value in answer.getheaders() if name.lower() not in _REWRITTEN)
        return Reply(answer.status, answer.read(), kept)
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server

    def handle_any(self) -> None:
        headers = [(name, value) for name, value in self.headers.items() if name.lower() not in _REWRITTEN]
        asked, fault = self.server.proxy.take(self.command, self.path, self._body())
        reply = self.server.proxy.exchange(asked, headers, fault)
        if reply is None or fault.cut is not None:
            self.close_connection = True
        if reply is not None:
            self._send(reply, fault.cut)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = handle_any  # noqa: N815

    def _body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return b"".join(iter(self._chunk, b""))
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _chunk(self) -> bytes:
        size = int(self.rfile.readline().split(b";")[0], 16)
        data = self.rfile.read(size)
        self.rfile.readline()
        return data

    def _send(self, reply: Reply, cut: float | None) -> None:
        self.send_response_only(reply.status)
        for name, value in reply.headers:
            self.send_header(name, value)
        if reply.status >= 200 and reply.status not in {204, 304}:
            self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body if cut is None else reply.body[: int(len(reply.body) * cut)])
        self.wfile.flush()

    def log_message(self, *_: object) -> None:
        return
