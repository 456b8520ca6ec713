"""A real Phoenix of one's own: found on this machine, started on free ports, with its data in a folder."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from importlib.util import find_spec
from types import TracebackType

import httpx

from promptstore.errors import ConfigError, RemoteUnreachable

INSTALL = (
    "install it into an environment of its own: python3 -m venv ~/phoenix && ~/phoenix/bin/pip install arize-phoenix"
)
START_SECONDS = 300.0
"""Its first start makes a database, which takes half a minute, and longer on a busy machine."""


def find_phoenix(environ: Mapping[str, str]) -> list[str]:
    """The command of Phoenix: on the PATH, else the package of this Python. Raises ConfigError where there is none."""
    on_path = shutil.which("phoenix", path=environ.get("PATH"))
    if on_path:
        return [on_path]
    if find_spec("phoenix") is not None and find_spec("phoenix.server") is not None:
        return [sys.executable, "-m", "phoenix.server.main"]
    raise ConfigError("Arize Phoenix is not installed on this machine", hint=f"{INSTALL}, then put its bin on the PATH")


class PhoenixServer:
    """A server whose data outlives it: it may be killed and started again at the same address."""

    def __init__(self, command: list[str], folder: str, environ: Mapping[str, str]) -> None:
        self.folder = folder
        self._command = [*command, "serve"]
        port, grpc = free_ports(2)
        self.url = f"http://127.0.0.1:{port}"
        self._environ = {
            **environ,
            "PHOENIX_WORKING_DIR": folder,
            "PHOENIX_HOST": "127.0.0.1",
            "PHOENIX_PORT": str(port),
            "PHOENIX_GRPC_PORT": str(grpc),
            "PHOENIX_TELEMETRY_ENABLED": "false",
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        """The file that its output goes to."""
        return os.path.join(self.folder, "server.log")

    def start(self) -> None:
        """Start it and wait until it answers. Raises RemoteUnreachable."""
        os.makedirs(self.folder, exist_ok=True)
        with open(self.log, "ab") as log:
            self._process = subprocess.Popen(
                self._command, env=self._environ, stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        try:
            self._wait_for(self._process)
        except BaseException:  # also when somebody loses patience: no server stays behind
            self.kill()
            raise

    def _wait_for(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RemoteUnreachable("Phoenix did not start", hint=f"look into {self.log}")
            time.sleep(0.2)

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/v1/prompts", params={"limit": 1}, timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    def kill(self) -> None:
        """End it at once, as a power cut does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        """End it in order; at once where it does not end by itself."""
        if self._process is not None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):  # then it is killed below
                self._process.wait(20)
            self.kill()

    def __enter__(self) -> PhoenixServer:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody listens on now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]
    finally:
        for one in sockets:
            one.close()
