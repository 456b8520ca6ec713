"""The command line in processes that can be killed: imported once, forked for every run.

As a script it reads one JSON request a line, runs it in a forked child and tells the child's id, then how it ended.
`Engines` is the other end of it. A child is reaped only when the next one is asked for, so its id stays its own.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import pkgutil
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

KILLED = -signal.SIGKILL


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended: its exit code (`KILLED` for a killed one) and what it printed."""

    code: int
    out: str
    err: str
    steps: int
    """How many lasting things it did (only counted where it was to die at one)."""

    @property
    def document(self) -> dict[str, Any]:
        found = json.loads(self.out)
        assert isinstance(found, dict)
        return found


class Engines:
    """Starts runs of ``promptstore``; one at a time."""

    def __init__(self, folder: Path, env: Mapping[str, str]) -> None:
        self._folder = folder
        self._process = subprocess.Popen(
            [sys.executable, __file__, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **env},
        )
        self.pid = 0

    def start(self, *arguments: str, later: float = 0.0, die_at: int | None = None) -> int:
        """Start a run whose clock is ``later`` seconds ahead, and which kills itself before lasting step ``die_at``."""
        self._tell({"arguments": arguments, "later": later, "die_at": die_at})
        self.pid = self._hear()["pid"]
        return self.pid

    def wait(self) -> Ended:
        """Wait for the end of the run."""
        told = self._hear()
        return Ended(
            told["code"],
            (self._folder / "out").read_text(),
            (self._folder / "err").read_text(),
            int((self._folder / "steps").read_text() or 0),
        )

    def run(self, *arguments: str, later: float = 0.0, die_at: int | None = None) -> Ended:
        self.start(*arguments, later=later, die_at=die_at)
        return self.wait()

    def kill(self, *, group: bool) -> None:
        """SIGKILL to the run, or to it and every git it started (as when the power fails)."""
        with contextlib.suppress(ProcessLookupError):
            (os.killpg if group else os.kill)(self.pid, signal.SIGKILL)

    def close(self) -> None:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.close()
        self._process.wait()
        stdout.close()

    def __enter__(self) -> Engines:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _tell(self, request: Mapping[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()

    def _hear(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        told = json.loads(self._process.stdout.readline())
        assert isinstance(told, dict)
        return told


def _main(folder: Path) -> None:
    _import_all()
    answers = os.fdopen(os.dup(1), "w")
    unreaped = 0
    for line in sys.stdin:
        request = json.loads(line)
        if unreaped:
            os.waitpid(unreaped, 0)
        child = os.fork()
        if not child:
            _child(folder, request)
        answers.write(json.dumps({"pid": child}) + "\n")
        answers.flush()
        ended = os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
        assert ended is not None
        code = ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status
        answers.write(json.dumps({"code": code}) + "\n")
        answers.flush()
        unreaped = child


def _import_all() -> None:
    for name in ("cli", "sync", "store", "merge", "model", "vendors.promptlayer"):
        package = importlib.import_module(f"promptstore.{name}")
        for module in pkgutil.walk_packages(package.__path__, f"promptstore.{name}."):
            importlib.import_module(module.name)
    importlib.import_module("keyring.backends.null")


def _child(folder: Path, request: Mapping[str, Any]) -> None:
    code = 1
    try:
        os.setsid()
        for descriptor, name in ((1, "out"), (2, "err")):
            os.dup2(os.open(folder / name, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o644), descriptor)
        (folder / "steps").write_text("0")
        _shift_clock(request["later"])
        if request["die_at"] is not None:
            _count_down(folder / "steps", request["die_at"])
        code = importlib.import_module("promptstore.cli.run").run(request["arguments"])
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def _shift_clock(later: float) -> None:
    now = time.time
    time.time = lambda: now() + later


def _count_down(steps: Path, moment: int) -> None:
    """Die right before the ``moment``-th thing that lasts."""
    done = 0

    def deadly(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            nonlocal done
            if done == moment:
                os.kill(os.getpid(), signal.SIGKILL)
            done += 1
            with open(steps, "w") as file:
                file.write(str(done))
            return function(*arguments, **options)

        return call

    for module, name in (
        (os, "replace"),
        (os, "unlink"),
        (os, "link"),
        (os, "open"),
        (os, "fsync"),
        (shutil, "rmtree"),
        (shutil, "copyfile"),
        (subprocess, "run"),
    ):
        setattr(module, name, deadly(getattr(module, name)))


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
