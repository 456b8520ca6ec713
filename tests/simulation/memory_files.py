"""The engine's own files in memory: they can be torn, and the disk can be full."""

from __future__ import annotations

import errno
import os
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from life import Life


@dataclass
class MemoryFiles:
    """Implements ``Files``."""

    dice: random.Random
    content: dict[str, bytes] = field(default_factory=dict)
    life: Life = field(default_factory=Life)
    full: bool = False
    torn: int = 0
    """How many lines were cut by a death in the middle of writing."""

    def read(self, path: str) -> bytes | None:
        return self.content.get(path)

    def ending(self, path: str) -> bytes:
        return self.content.get(path, b"")[-1:]

    def append(self, path: str, data: bytes) -> None:
        name = os.path.basename(path)
        self._check(f"before the {name}")
        if self.life.steps + 1 == self.life.dies_at:  # it dies while it writes
            self.torn += 1
            self.content[path] = self.content.get(path, b"") + data[: self.dice.randrange(len(data))]
            self.life.steps += 1
            self.life.die(f"in the middle of the {name}")
        self.life.step(f"while the {name} is written")
        self.content[path] = self.content.get(path, b"") + data
        self.life.step(f"after the {name}")

    def replace(self, path: str, data: bytes) -> None:
        name = os.path.basename(path)
        self._check(f"before the {name}")
        self.content[path] = data
        self.life.step(f"after the {name}")

    def remove(self, path: str) -> None:
        self.life.step(f"before the {os.path.basename(path)} is removed")
        self.content.pop(path, None)

    def _check(self, what: str) -> None:
        self.life.step(what)
        if self.full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class MemoryCache:
    """``Cache`` in memory."""

    path = ""

    def __init__(self) -> None:
        self._facts: dict[tuple[str, str], bytes] = {}

    def get(self, kind: str, key: str) -> bytes | None:
        return self._facts.get((kind, key))

    def get_many(self, kind: str, keys: Sequence[str]) -> dict[str, bytes]:
        return {key: self._facts[kind, key] for key in keys if (kind, key) in self._facts}

    def put(self, kind: str, key: str, value: bytes) -> None:
        self._facts[kind, key] = value

    def put_many(self, kind: str, pairs: Iterable[tuple[str, bytes]]) -> None:
        self._facts.update({(kind, key): value for key, value in pairs})

    def close(self) -> None:
        pass
