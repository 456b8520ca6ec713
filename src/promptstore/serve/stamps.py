"""Commits as stamps of editions; notes of a publish travel as the last line of its commit's message."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from promptstore.store.git.objects import Objects
from promptstore.vendors.serving import Stamp

_NOTES = "Published-Through-Twin: "
_AUTHOR = re.compile(r"^author (.*) <(.*)> (\d+) ([+-])(\d\d)(\d\d)$", re.MULTILINE)
_MEMORY = 20_000


def with_notes(message: str, notes: Mapping[str, Any] | None) -> str:
    """A commit message that `stamp_of` takes apart again."""
    if not notes and _NOTES not in message:
        return message
    return f"{message.rstrip()}\n\n{_NOTES}{json.dumps(notes or {}, separators=(',', ':'), sort_keys=True)}\n"


def stamp_of(data: bytes) -> Stamp:
    """The stamp that a commit object gives."""
    header, _, message = data.decode("utf-8", "replace").partition("\n\n")
    words, notes = _taken_apart(message)
    author = _AUTHOR.search(header)
    if author is None:
        return Stamp(message=words, notes=notes)
    name, email, seconds, sign, hours, minutes = author.groups()
    offset = timedelta(hours=int(hours), minutes=int(minutes)) * (-1 if sign == "-" else 1)
    return Stamp(name, email, _moment(int(seconds), offset), words, notes)


def _moment(seconds: int, offset: timedelta) -> datetime:
    return datetime.fromtimestamp(seconds, UTC).astimezone(timezone(offset))


def _taken_apart(message: str) -> tuple[str, Mapping[str, Any]]:
    body, found, line = message.rstrip().rpartition(_NOTES)
    if not found or not (body == "" or body.endswith("\n")):
        return message.strip(), {}
    try:
        notes = json.loads(line)
    except ValueError:
        return message.strip(), {}
    return (body.strip(), notes) if isinstance(notes, dict) else (message.strip(), {})


class Stamps:
    """Stamps by commit, remembered: commits never change."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._known: dict[str, Stamp] = {}

    def of(self, commits: Sequence[str | None]) -> list[Stamp]:
        """The stamp of each commit; an empty one for None and for a commit that is not there."""
        known = dict(self._known)
        known.update(self._read({commit for commit in commits if commit is not None and commit not in known}))
        return [known.get(commit, Stamp()) if commit else Stamp() for commit in commits]

    def _read(self, commits: Iterable[str]) -> dict[str, Stamp]:
        ids = sorted(commits)
        found = zip(ids, self._objects.read_many(ids), strict=True)
        fresh = {oid: stamp_of(item.data) for oid, item in found if item is not None and item.kind == "commit"}
        if len(self._known) > _MEMORY:
            self._known = {}
        self._known = {**self._known, **fresh} if fresh else self._known
        return fresh
