"""When each remote was last brought together with the store."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime

from promptstore.store.atomic import replace_file


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
        replace_file(self._path, json.dumps(times))
