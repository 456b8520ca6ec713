"""When each remote was last brought together with the store."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from datetime import datetime


class LastSync:
    """A small file of the clone's: remote -> time (ISO 8601, Z). Losing it loses nothing else."""

    def __init__(self, path: str) -> None:
        self._path = path

    def read(self) -> dict[str, str]:
        try:
            with open(self._path, encoding="utf-8") as file:
                content = json.load(file)
        except (FileNotFoundError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}

    def note(self, remotes: Iterable[str], when: datetime) -> None:
        times = {**self.read(), **dict.fromkeys(remotes, when.strftime("%Y-%m-%dT%H:%M:%SZ"))}
        os.makedirs(os.path.dirname(self._path), exist_ok=True)
        scratch = f"{self._path}.{os.getpid()}"
        with open(scratch, "w", encoding="utf-8") as file:
            json.dump(times, file)
        os.replace(scratch, self._path)
