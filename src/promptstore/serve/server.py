"""Running the twin: in front until it is told to stop, or embedded in a thread for demo and tests."""

from __future__ import annotations

import secrets
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from promptstore.errors import ConfigError, UsageError
from promptstore.store.store import Store

if TYPE_CHECKING:
    import uvicorn

_BACKLOG = 512
_STOP = 2.0
_LAST_PORT = 65_535


@dataclass(frozen=True, slots=True)
class Running:
    """An embedded twin: its base URL and the key it takes."""

    url: str
    key: str


def serve(
    store: Store,
    *,
    host: str,
    port: int,
    key: str | None,
    auth: bool,
    read_only: bool,
    announce: Callable[[str, str], None],
) -> None:
    """Serve the store until SIGINT or SIGTERM.

    ``announce(url, key)`` is called once the port is open (0 picks a free one); without ``auth`` the key is empty,
    without a ``key`` one is made up. Raises ConfigError where the extra is not installed, UsageError for an address
    that cannot be served at or a key that no header can hold.
    """
    key = (_checked_key(key) if key is not None else new_key()) if auth else None
    with _listening(host, port) as listener:
        server = _server(store, key, read_only, host)
        announce(_url(listener, host), key or "")
        with _gentle_termination():
            server.run(sockets=[listener])


@contextmanager
def embedded(
    store: Store, *, host: str = "127.0.0.1", port: int = 0, key: str | None = None, read_only: bool = False
) -> Iterator[Running]:
    """The twin in a thread of this process; stopped when the block is left."""
    key = key or new_key()
    with _listening(host, port) as listener:
        server = _server(store, key, read_only, host)
        thread = threading.Thread(
            target=server.run, kwargs={"sockets": [listener]}, name="promptstore-serve", daemon=True
        )
        thread.start()
        try:
            _await_start(server, thread)
            yield Running(_url(listener, host), key)
        finally:
            server.should_exit = True
            thread.join(_STOP)
            server.force_exit = True
            thread.join(_STOP)


def new_key() -> str:
    return f"pl_{secrets.token_hex(20)}"


def _checked_key(key: str) -> str:
    if not key or not key.isascii() or not key.isprintable() or key != key.strip():
        raise UsageError("the key holds what no header can", hint="use letters and digits, or leave --key out")
    return key


def _server(store: Store, key: str | None, read_only: bool, host: str) -> uvicorn.Server:
    try:
        import uvicorn

        from promptstore.serve.app import build_app
    except ModuleNotFoundError as missing:
        if missing.name not in {"uvicorn", "starlette"}:
            raise
        raise ConfigError(
            f"the local twin needs {missing.name}, which is not installed",
            hint="pip install 'promptstore[serve]'",
        ) from None
    from promptstore.serve.guards import Access
    from promptstore.vendors.registry import vendors

    app = build_app(store, vendors().values(), Access(key, read_only, host))
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=1,
        ws="none",
    )
    return uvicorn.Server(config)


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    """A socket that takes connections, so that the real port is known before anyone is told."""
    if not 0 <= port <= _LAST_PORT:
        raise UsageError(f"cannot serve at port {port}", hint=f"ports are 0 to {_LAST_PORT}; 0 picks a free one")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError) as problem:
        raise UsageError(f"cannot serve at {host}:{port}: {problem}", hint="give another --host or --port") from None
    with socket.socket(family, kind, protocol) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
            listener.listen(_BACKLOG)
        except OSError as problem:
            hint = "give another --port; 0 picks a free one"
            raise UsageError(f"cannot serve at {host}:{port}: {problem.strerror}", hint=hint) from None
        yield listener


def _url(listener: socket.socket, host: str) -> str:
    port = listener.getsockname()[1]
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"


@contextmanager
def _gentle_termination() -> Iterator[None]:
    """SIGINT and SIGTERM end the server, and then the command as if it had come to its end."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    # uvicorn takes the signals while it runs, and once it has stopped hands them on to whoever had them before.
    before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with suppress(KeyboardInterrupt):
            yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _await_start(server: uvicorn.Server, thread: threading.Thread) -> None:
    until = time.monotonic() + 10
    while not server.started:
        if not thread.is_alive() or time.monotonic() > until:
            raise ConfigError("the local server did not start", hint="see its log")
        time.sleep(0.005)
