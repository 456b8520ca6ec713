"""The agreed texts that this clone itself wrote: kept beside it, so that amending or rebasing them is an edit."""

from __future__ import annotations

import json
from collections.abc import Iterable

from promptstore.sync.files import DISK, Files, unwritable

LASTING = 2
"""Texts kept a prompt: the newest is noted before the agreement moves, and the one before it may still be agreed on."""


class Witness:
    """A set of (remote, slug, blob), in one file that is replaced whole."""

    def __init__(self, path: str, files: Files = DISK) -> None:
        self._path = path
        self._files = files

    def of(self, remote: str) -> set[tuple[str, str]]:
        """(slug, blob) pairs of one remote."""
        return set(self._read().get(remote, []))

    def add(self, remote: str, pairs: Iterable[tuple[str, str]]) -> None:
        """Note texts, before they are agreed on. Raises StateUnwritable."""
        everything = self._read()
        before = everything.get(remote, [])
        rows = _newest([*before, *pairs])
        if rows == before:
            return
        everything[remote] = rows
        try:
            self._files.replace(self._path, json.dumps(everything).encode())
        except OSError as error:
            raise unwritable(self._path, error) from None

    def _read(self) -> dict[str, list[tuple[str, str]]]:
        """Remote -> pairs; what cannot be one is left out."""
        try:
            content = json.loads(self._files.read(self._path) or b"{}")
        except ValueError:
            return {}
        rows = content.items() if isinstance(content, dict) else ()
        return {remote: [tuple(pair) for pair in pairs if _is_pair(pair)] for remote, pairs in rows if _is_list(pairs)}


def _is_list(value: object) -> bool:
    return isinstance(value, list)


def _is_pair(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(isinstance(part, str) for part in value)


def _newest(rows: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The last rows of each prompt, by prompt; a repeated one counts where it stands last."""
    by_slug: dict[str, dict[str, None]] = {}
    for slug, blob in rows:
        blobs = by_slug.setdefault(slug, {})
        blobs.pop(blob, None)
        blobs[blob] = None
    return [(slug, blob) for slug, blobs in sorted(by_slug.items()) for blob in list(blobs)[-LASTING:]]
