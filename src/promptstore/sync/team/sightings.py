"""Since when this clone has seen a lease: a holder's clock may be so wrong that its lease would never run out."""

from __future__ import annotations

import json

from promptstore.sync.files import DISK, Files


class Sightings:
    """One lease a remote, with the time of its first sighting by this clone's own clock; kept beside the clone."""

    def __init__(self, path: str, files: Files = DISK) -> None:
        self._path = path
        self._files = files

    def first(self, remote: str, lease: str, now: float) -> float:
        """When this very lease was first seen (seconds since the epoch): now, where it is a new one."""
        known = self._read()
        seen, since = known.get(remote, ("", now))
        if seen == lease and since <= now:
            return since
        self._files.replace(self._path, json.dumps({**known, remote: (lease, now)}).encode())
        return now

    def _read(self) -> dict[str, tuple[str, float]]:
        try:
            rows = json.loads(self._files.read(self._path) or b"{}")
            return {str(remote): (str(lease), float(since)) for remote, (lease, since) in rows.items()}
        except (ValueError, TypeError, AttributeError):
            return {}
