"""Telling a person: the configured command, once a change, never in the daemon's way."""

from __future__ import annotations

import logging
import subprocess
import threading
from collections.abc import Collection, Mapping, Sequence

MAX_SECONDS = 10.0


def filled(command: Sequence[str], message: str) -> list[str]:
    """The command with ``{message}`` put in, as one argument and never through a shell."""
    return [word.replace("{message}", message) for word in command]


class Notifier:
    """Runs the command in a thread of its own; what it does wrong is told in the log."""

    def __init__(self, environ: Mapping[str, str], private: Collection[str], log: logging.Logger) -> None:
        """``private`` are the variables (keys, secrets) that the command does not get."""
        self._environ = {name: value for name, value in environ.items() if name not in private}
        self._log = log

    def tell(self, command: Sequence[str], message: str) -> threading.Thread | None:
        """Tell ``message``; None where no command is configured."""
        if not command:
            return None
        thread = threading.Thread(target=self._run, args=(filled(command, message),), name="notify", daemon=True)
        thread.start()
        return thread

    def _run(self, command: Sequence[str]) -> None:
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=self._environ,
                timeout=MAX_SECONDS,
                check=False,
            )
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            self._log.warning("[notify] command failed: %s", error)
            return
        if done.returncode:
            self._log.warning("[notify] command ended with %s", done.returncode)
