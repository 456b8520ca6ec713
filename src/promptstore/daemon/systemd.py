"""Talking to systemd: readiness and the watchdog, by the protocol of sd_notify(3)."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping


class Supervisor:
    """systemd, where it started us with a notification socket; nobody elsewhere."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self.watchdog = _watchdog(environ)
        """Seconds within which a sign of life is due; None where nobody waits for one."""

    def tell(self, *assignments: str) -> None:
        """Send such as ``READY=1``, ``WATCHDOG=1``, ``STATUS=...``. A supervisor that is gone is no reason to fail."""
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | getattr(socket, "SOCK_CLOEXEC", 0)) as sender:
            try:
                sender.connect(self._address)
                sender.sendall("\n".join(assignments).encode())
            except OSError:
                return


def _watchdog(environ: Mapping[str, str]) -> float | None:
    text, owner = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", "")
    if not text.isdigit() or (owner.isdigit() and int(owner) != os.getpid()):
        return None
    return int(text) / 1e6 or None
