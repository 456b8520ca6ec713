"""An HTTP transport that keeps what went through it, so that a probe can show what a vendor really answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from promptstore.vendors.answers import parsed

MAX_KEPT = 256 * 1024
"""Bytes of an answer that are kept; a longer one goes through whole all the same."""


@dataclass
class Exchange:
    """One request and what came of it. ``status`` is 0, and ``error`` says why, where no answer came."""

    method: str
    url: httpx.URL
    request_headers: httpx.Headers
    request_body: bytes
    status: int = 0
    headers: httpx.Headers = field(default_factory=httpx.Headers)
    body: bytes = b""
    whole: bool = True
    error: str = ""

    @property
    def path(self) -> str:
        return self.url.path

    def json(self) -> Any:
        """The answer's value; None for what is no JSON."""
        try:
            return parsed(self.body) if self.whole else None
        except ValueError:
            return None


class Recorder(httpx.BaseTransport):
    """Passes requests on to ``inner`` and remembers each in ``exchanges``."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner
        self.exchanges: list[Exchange] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.headers["Accept-Encoding"] = "identity"  # what is kept is to be read by people
        exchange = Exchange(request.method, request.url, request.headers, request.read())
        self.exchanges.append(exchange)
        try:
            response = self._inner.handle_request(request)
        except httpx.RequestError as problem:
            exchange.error = type(problem).__name__
            raise
        exchange.status, exchange.headers = response.status_code, response.headers
        assert isinstance(response.stream, httpx.SyncByteStream)
        stream = _Kept(response.stream, exchange)
        return httpx.Response(response.status_code, headers=response.headers, stream=stream)

    def close(self) -> None:
        """Nothing: the clients of one recorder share it, and the first that closes must not end it for the others."""

    def end(self) -> None:
        """Release the connections."""
        self._inner.close()

    def sent(self) -> int:
        """Requests so far that no GET was."""
        return sum(exchange.method != "GET" for exchange in self.exchanges)

    def ask(self, method: str, url: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Exchange:
        """A request of our own, with the headers of the last one of the vendor's client that was served.

        Any status is an answer. Raises httpx.RequestError where there is none.
        """
        served = [exchange for exchange in self.exchanges if 200 <= exchange.status < 300]
        known = served[-1].request_headers if served else httpx.Headers()
        kept = {name: value for name, value in known.items() if name not in _OF_ONE_REQUEST}
        request = httpx.Request(method, url, headers={**kept, **(headers or {})}, json=body)
        response = self.handle_request(request)
        response.read()
        response.close()
        return self.exchanges[-1]


_OF_ONE_REQUEST = frozenset({"host", "content-length", "content-type", "transfer-encoding", "connection"})


class _Kept(httpx.SyncByteStream):
    """A stream that leaves the beginning of what it gives in the exchange."""

    def __init__(self, inner: httpx.SyncByteStream, exchange: Exchange) -> None:
        self._inner = inner
        self._exchange = exchange

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._inner:
            room = MAX_KEPT - len(self._exchange.body)
            self._exchange.body += chunk[:room]
            self._exchange.whole = self._exchange.whole and len(chunk) <= room
            yield chunk

    def close(self) -> None:
        self._inner.close()
