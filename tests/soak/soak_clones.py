"""A clone with a real daemon, which may be stopped, killed, and put to sleep; and how much it holds meanwhile."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PATIENCE = 60.0


@dataclass
class Life:
    """One process: ``samples`` are (seconds since its start, kilobytes resident, open files)."""

    clone: str
    pid: int
    samples: list[tuple[float, int, int]] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        return self.samples[-1][0] if self.samples else 0.0


@dataclass
class Clone:
    """One member of the team: a clone of the origin."""

    name: str
    root: Path
    lives: list[Life] = field(default_factory=list)
    endings: list[int] = field(default_factory=list)
    """Exit codes of daemons that were asked to end."""

    def __post_init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.asleep = False
        self._since = 0.0

    # --- git, as a person types it

    def git(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run git; while somebody else has git's lock, again and again, as a person would."""
        until = time.monotonic() + 10
        while True:
            done = subprocess.run(
                ["git", *arguments], cwd=self.root, capture_output=True, text=True, check=False, timeout=PATIENCE
            )
            if not done.returncode or ".lock'" not in done.stderr or time.monotonic() > until:
                return done
            time.sleep(0.1)

    def out(self, *arguments: str) -> str:
        done = self.git(*arguments)
        if done.returncode:
            raise AssertionError(f"{self.name}: git {arguments}: {done.stderr}{done.stdout}")
        return done.stdout.rstrip("\n")

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A command of promptstore's."""
        line = [sys.executable, "-m", "promptstore", "-C", str(self.root), *words]
        return subprocess.run(line, capture_output=True, text=True, check=False, timeout=3 * PATIENCE)

    # --- the daemon

    @property
    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        if self.is_alive:
            return
        self._mend()
        with (self.root.parent / f"{self.name}.err").open("ab") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "promptstore", "-C", str(self.root), "daemon", "run"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=err,
                start_new_session=True,
            )
        self._since = time.monotonic()
        self.lives.append(Life(self.name, self.process.pid))

    def kill(self, *, everything: bool) -> None:
        """SIGKILL; with ``everything`` the git commands that it had in hand die too, as in a power failure."""
        assert self.process is not None
        if everything:
            os.killpg(self.process.pid, signal.SIGKILL)
        else:
            self.process.kill()
        self.process.wait(PATIENCE)
        self.asleep = False

    def end(self) -> None:
        """SIGTERM, and wait. One that is only starting does not listen yet, and just dies."""
        assert self.process is not None
        self.wake()
        listens = bool(self.status())
        self.process.terminate()
        code = self.process.wait(PATIENCE)
        if listens:
            self.endings.append(code)

    def sleep(self) -> None:
        """The machine sleeps."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGSTOP)
        self.asleep = True

    def wake(self) -> None:
        if self.asleep and self.process is not None:
            os.killpg(self.process.pid, signal.SIGCONT)
        self.asleep = False

    def _mend(self) -> None:
        """After a power failure git's own locks are left, as `doctor` tells; nobody has them any more."""
        locks = [path for path in (self.root / ".git").rglob("*.lock") if path.name != "lock"]
        for lock in locks:
            os.utime(lock, (time.time() - 3600, time.time() - 3600))
        if locks:
            self.command("doctor", "--fix")

    def status(self) -> dict[str, dict[str, Any]]:
        """How each remote stands, as the daemon tells."""
        try:
            told = json.loads((self.root / ".git/promptstore/daemon.json").read_text())
        except (OSError, ValueError):
            return {}
        return dict(told["remotes"]) if told.get("pid") == getattr(self.process, "pid", None) else {}

    # --- gauges

    def measure(self) -> None:
        if not self.is_alive or self.asleep:
            return
        life = self.lives[-1]
        try:
            fields = Path(f"/proc/{life.pid}/status").read_text()
            resident = next(int(line.split()[1]) for line in fields.splitlines() if line.startswith("VmRSS"))
            files = len(os.listdir(f"/proc/{life.pid}/fd"))
        except (OSError, StopIteration):
            return  # it died this very moment
        life.samples.append((time.monotonic() - self._since, resident, files))
