"""Listening for vendors' webhooks. They are hints: who proves that it knows the secret makes us look, and no more."""

from __future__ import annotations

import hmac
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote

from promptstore.errors import ConfigError

MAX_BODY = 1024 * 1024
MAX_SECONDS = 5.0
"""How long a sender may take over its request."""
MAX_SENDERS = 16

Signed = Callable[[Mapping[str, str], bytes, str], bool]
"""``(headers with lower-case names, body, secret)``: whether a vendor's webhook is signed with the secret."""


@dataclass(frozen=True, slots=True)
class Bell:
    """Who may ring, and for which remotes. ``signatures``: remote -> how its vendor signs, None where it does not."""

    secret: str = field(repr=False)
    signatures: Mapping[str, Signed | None]

    def rung_for(self, target: str, headers: Mapping[str, str], body: bytes) -> tuple[str, ...]:
        """The remotes that a request is a good hint for; none where it proves nothing.

        The path may name a remote (``/promptlayer``), and may hold the secret as a part of its own or as ``?secret=``,
        for vendors that do not sign.
        """
        path, _, query = target.partition("?")
        words = [unquote(word) for word in path.split("/") if word]
        wanted = [name for name in self.signatures if name in words] or list(self.signatures)
        if self._knows_secret([*words, *parse_qs(query).get("secret", [])]):
            return tuple(wanted)
        return tuple(name for name in wanted if self._is_signed(self.signatures[name], headers, body))

    def _knows_secret(self, words: list[str]) -> bool:
        ours = self.secret.encode()
        fitting = [hmac.compare_digest(word.encode("utf-8", "surrogateescape"), ours) for word in words]
        return any(fitting)

    def _is_signed(self, signed: Signed | None, headers: Mapping[str, str], body: bytes) -> bool:
        return signed is not None and signed(headers, body, self.secret)


class Listener:
    """A small HTTP server in threads of its own; ``hint`` is called with the remotes of each good request."""

    def __init__(self, address: str, bell: Bell, hint: Callable[[tuple[str, ...]], None]) -> None:
        """Listen at ``address`` (``host:port``, port 0 picks one). Raises ConfigError."""
        host, port = _parsed(address)
        try:
            self._server = _Server((host, port), bell, hint)
        except (OSError, OverflowError) as error:
            raise ConfigError(
                f"cannot listen at [daemon] webhook = '{address}': {error}", hint="name a free address and port"
            ) from None
        shown = f"[{host}]" if ":" in host else host
        self.url = f"http://{shown}:{self._server.server_address[1]}/"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="webhook", daemon=True)
        self._thread.start()

    def ring_with(self, bell: Bell) -> None:
        """Other remotes are rung for from now on."""
        self._server.bell = bell

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _parsed(address: str) -> tuple[str, int]:
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdigit():
        raise ConfigError(f"[daemon] webhook = '{address}' is no address", hint='write it as "127.0.0.1:8790"')
    return host.strip("[]") or "127.0.0.1", int(port)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], bell: Bell, hint: Callable[[tuple[str, ...]], None]) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.bell = bell
        self.hint = hint
        self._places = threading.BoundedSemaphore(MAX_SENDERS)
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve it in a thread; where too many are at it, the caller is sent away."""
        if not self._places.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A sender that went away is not worth a word."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = MAX_SECONDS
    server_version = "promptstore"
    sys_version = ""

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdigit():
            return self._answer(411, "say how long the body is")
        if int(length) > MAX_BODY:
            return self._answer(413, "too long")
        body = self.rfile.read(int(length))
        headers = {name.lower(): value for name, value in self.headers.items()}
        remotes = self.server.bell.rung_for(self.path, headers, body)
        if not remotes:
            return self._answer(401, "neither signed nor at the secret address")
        self.server.hint(remotes)
        return self._answer(202, "thank you")

    def do_GET(self) -> None:
        self._answer(405, "webhooks are sent by POST")

    do_PUT = do_DELETE = do_HEAD = do_GET  # noqa: N815 - the names that http.server looks for

    def _answer(self, status: int, words: str) -> None:
        text = f"{words}\n".encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(text)))
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Addresses may hold the secret: nothing of a request is ever logged."""
