"""The lease of a remote, as it stands at the git remote in ``refs/promptstore/<remote>/lease``.

A commit without a parent: ``lease`` (JSON) says whose it is and until when; ``texts/<intent>`` are the texts that its
holder was about to publish, so that they travel with it. The clocks of machines differ: another's lease is honoured a
little longer than it says, and one's own is given up a little before.

Clones need not run the same version of promptstore. What a newer one says beside what is known here is passed over;
``format`` grows only when that would be wrong. A lease that cannot be read is somebody's all the same.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from promptstore.store.git.commits import Identity, NewCommit
from promptstore.store.sharing.names import LEASE, OURS
from promptstore.store.store import Store
from promptstore.sync.journal import Intent, intent_of

_FILE = "lease"
_TEXTS = "texts/"
_FORMAT = 1
_LATEST = 253_402_300_799
"""The last second of the year 9999, after which there are no dates."""


def lease_ref(remote: str) -> str:
    return f"{OURS}{remote}{LEASE}"


@dataclass(frozen=True, slots=True)
class Lease:
    """Who leads, ``until`` when (seconds since the epoch; 0: nobody), and what it was about to publish.

    ``seconds`` is for how long it was given, ``kept`` says that a daemon means to keep it. ``readable`` is False where
    nobody knows whose it is: it never ends then.
    """

    holder: str
    host: str
    until: float
    intents: tuple[Intent, ...] = ()
    seconds: float = 0
    kept: bool = False
    readable: bool = True

    def is_over(self, now: float, margin: float) -> bool:
        """Whether another clone may take it: never before ``margin`` seconds after its end."""
        return now >= self.until + (margin if self.until else 0)

    def announced(self, intents: tuple[Intent, ...]) -> Lease:
        return replace(self, intents=intents)

    def commit(self, who: Identity) -> NewCommit:
        """The commit that says it."""
        rows = [asdict(intent) for intent in self.intents]
        content = {"holder": self.holder, "host": self.host, "until": self.until, "intents": rows}
        content |= {"seconds": self.seconds, "kept": self.kept, "format": _FORMAT}
        files: dict[str, bytes | str | None] = {_FILE: json.dumps(content, indent=1).encode() + b"\n"}
        files |= {f"{_TEXTS}{intent.intent}": intent.blob for intent in self.intents}
        words = f"{self.host} leads" if self.until else "Nobody leads"
        return NewCommit(None, who, who, words + "\n", files)


UNREADABLE = Lease("", "", math.inf, readable=False)
"""The lease of somebody unknown: taken for free, what its holder announced would be published once more."""


def read_lease(store: Store, commit: str | None) -> Lease | None:
    """The lease that a commit says; None where there is none, `UNREADABLE` where nobody can tell what it says."""
    if commit is None:
        return None
    entry = store.objects.tree(commit).get(_FILE)
    try:
        content = json.loads(store.objects.blob(entry.oid)) if entry else None
        return _parse(content) or UNREADABLE
    except (ValueError, KeyError, TypeError, RecursionError):
        return UNREADABLE


def _parse(content: Any) -> Lease | None:
    if not isinstance(content, Mapping) or content.get("format", _FORMAT) != _FORMAT:
        return None
    intents = tuple(intent for row in content["intents"] if (intent := intent_of(row)) is not None)
    holder, host, until = str(content["holder"]), str(content["host"]), float(content["until"])
    if len(intents) < len(content["intents"]) or not 0 <= until <= _LATEST:
        return None
    return Lease(holder, host, until, intents, float(content.get("seconds", 0)), bool(content.get("kept")))
