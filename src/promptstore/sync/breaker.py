"""The breaker: publishes that answer only to each other end after the second one.

Two vendors, or a vendor that rewrites what it is sent, could keep an engine writing for ever. A third write to one
prompt at one remote within an hour needs somebody's doing since: a commit of a person's, or a vendor version that is
not our own publish come back.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

from promptstore.sync.journal import Intent

WINDOW = 3600.0
"""Seconds in which writes are counted, and for which the journal remembers them."""
MOST = 2

_ORIGIN = re.compile(r"^Remote: (?P<remote>.+)\nRemote-Version: (?P<version>.+)$", re.MULTILINE)


def recent_writes(intents: Iterable[Intent], now: float) -> list[Intent]:
    """Every version that was sent within the window and may be there, oldest first."""
    sent = (i for i in intents if not i.is_deletion and i.state not in {"prepared", "failed"})
    return sorted((intent for intent in sent if now - intent.at < WINDOW), key=lambda intent: intent.at)


def is_runaway(writes: Sequence[Intent], since: Iterable[str], ours: Collection[tuple[str, str, str]]) -> bool:
    """Whether one more write would only answer our own.

    ``writes`` are those of one prompt at one remote, ``since`` the messages of the commits that changed the prompt
    after the earliest of the last `MOST` of them, ``ours`` every (remote, slug, version) that we published.
    """
    return len(writes) >= MOST and all(_is_echo(message, ours) for message in since)


def _is_echo(message: str, ours: Collection[tuple[str, str, str]]) -> bool:
    """Whether a commit only brought back what we had published ourselves."""
    slug = re.search(r"^Prompt: (.+)$", message, re.MULTILINE)
    origin = _ORIGIN.search(message)
    return bool(slug and origin) and (origin["remote"], slug[1], origin["version"]) in ours  # type: ignore[index]
