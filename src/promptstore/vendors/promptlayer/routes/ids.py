"""Numbers for what git knows by name: PromptLayer's ids are integers, and ours must be the same on every machine."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

_LARGEST = 0x7FFF_FFFF


def stable_id(*names: str | int | None) -> int:
    """A positive 31-bit number that only depends on the names."""
    digest = hashlib.sha256("\0".join(map(str, names)).encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:4], "big") % _LARGEST + 1


def distinct_ids(keys: Iterable[tuple[str, ...]], taken: Iterable[int] = ()) -> dict[tuple[str, ...], int]:
    """An id a key. Of two keys that fall on one number the later one in ``keys`` moves on, always to the same next."""
    used = set(taken)
    ids = {}
    for key in keys:
        number = stable_id(*key)
        attempt = 1
        while number in used:
            number = stable_id(*key, attempt)
            attempt += 1
        used.add(number)
        ids[key] = number
    return ids
