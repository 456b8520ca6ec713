"""Publishing one version: the protocol that never makes it twice.

PREPARED (on disk) → read the vendor's newest: moved? then plan again; our document already among the newer ones?
then adopt it → SENT (on disk) → one POST → read back → DONE (on disk). A refusal is *not done*; anything else is
UNKNOWN: look for the intent id, then for the document; not found, wait out the settle window, look again, and only
then is it *not done*. What the vendor acknowledged is written down with its version, and never counts as not done.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from promptstore.errors import (
    AuthError,
    BadResponse,
    PromptStoreError,
    RemoteError,
    RemoteMissing,
    RemoteRejected,
    RemoteUnreachable,
    WriteInDoubt,
)
from promptstore.model.digest import digest_of
from promptstore.sync.journal import Intent, Journal
from promptstore.sync.trees import SeenVersion
from promptstore.vendors.base import Document, Publication, RemoteHead, RemoteVersion, Vendor, Workspace

_NOT_DONE = (RemoteUnreachable, RemoteRejected, AuthError)

FRESH = 5.0
"""Seconds for which a look at the vendor's newest version may be trusted: a laptop may sleep before the write."""

Known = Mapping[str, SeenVersion | None]
"""Vendor versions of a prompt that are ours or taken into account already, as each was seen, if it was."""

RECENT = 10
"""Versions of another prompt among which a first publish is looked for: it was sent just now."""


def new_intent() -> str:
    """An id that nobody ever gave to a publish."""
    return secrets.token_hex(8)


class _Older(RemoteUnreachable):
    """The vendor shows an older state than was seen ``before``."""

    def __init__(self, message: str, *, hint: str, before: str) -> None:
        super().__init__(message, hint=hint)
        self.before = before


@dataclass(frozen=True, slots=True)
class Newer:
    """Versions that are not accounted for, oldest first, and those of them that the vendor lists and does not show."""

    versions: tuple[RemoteVersion, ...] = ()
    hidden: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Published:
    """The version the vendor has now, as read back, and versions of others that came before it, and after."""

    version: RemoteVersion
    intent: Intent
    foreign: tuple[RemoteVersion, ...] = ()
    later: tuple[RemoteVersion, ...] = ()
    hidden: tuple[str, ...] = ()
    """Versions that the vendor lists before it, and does not show."""
    slug: str = ""
    """The prompt's slug now, where it was renamed after the intent."""
    edited: bool = False
    """Whether somebody has changed what makes no version there, before it was read back."""


@dataclass(frozen=True, slots=True)
class Moved:
    """The vendor's newest version is not the one the plan knew: plan again. ``by`` holds the key of a first publish."""

    reason: str
    by: RemoteHead | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """One version to publish."""

    slug: str
    blob: str
    document: Document
    message: str
    id: str | None
    expected: str | None
    known: Known = field(default_factory=dict)
    intent: str = ""
    """The id that other clones heard of; empty for a new one."""


@dataclass
class Publisher:
    """Publishes to one remote."""

    remote: str
    vendor: Vendor
    workspace: Workspace
    journal: Journal
    clock: Callable[[], float]
    settle: float
    new_id: Callable[[], str]
    confirm: Callable[[], None] = lambda: None
    """Raises where this clone may not write any more; asked last of all before a publish or a deletion."""

    def publish(self, wanted: Wanted) -> Published | Moved:
        """Make one version. Raises what the vendor refused, or WriteInDoubt when nobody knows."""
        intent = self.journal.write(self.intent(wanted))
        while True:
            self.confirm()
            looked = self.clock()
            ready = self._check_head(wanted, intent)
            if ready is not None:
                return ready
            if abs(self.clock() - looked) <= FRESH:
                return self._send(wanted, intent)

    def intent(self, wanted: Wanted) -> Intent:
        """What is going to be published, as the journal and other clones write it down."""
        digest = digest_of(wanted.document)
        name = wanted.intent or self.new_id()
        head, at = wanted.expected, self.clock()
        return Intent(name, self.remote, wanted.slug, wanted.blob, digest, head, "prepared", at, wanted.id)

    def delete(self, slug: str, blob: str, remote_id: str, expected: str | None) -> Intent | None:
        """Take a prompt away; None where its newest version is not the ``expected`` one.

        It is written down before the last look, so that nothing comes between that and the request. Raises what the
        vendor refused, or WriteInDoubt when nobody knows.
        """
        self.confirm()
        made = Intent(self.new_id(), self.remote, slug, blob, "", expected, "sent", self.clock(), remote_id)
        intent = self.journal.write(made)
        if not self._is_at(intent, remote_id, expected):
            self.journal.move(intent, "failed", self.clock())
            return None
        try:
            self.workspace.delete(remote_id)
        except _NOT_DONE:
            self.journal.move(intent, "failed", self.clock())
            raise
        return self.journal.move(intent, "done", self.clock())

    def _is_at(self, intent: Intent, remote_id: str, expected: str | None) -> bool:
        try:
            return self.workspace.read(remote_id).version == expected or expected is None
        except PromptStoreError:
            self.journal.move(intent, "failed", self.clock())
            raise

    def settle_deletion(self, intent: Intent) -> bool:
        """Whether a deletion that was sent has been done; False: it was not, and never will be.

        Raises WriteInDoubt while the settle window is open.
        """
        try:
            self.workspace.read(intent.id or "")
        except RemoteMissing:
            return True
        self._give_up(self._dated(intent), "the prompt is still there")
        return False

    def _check_head(self, wanted: Wanted, intent: Intent) -> Published | Moved | None:
        """The last look before sending; None says that nothing is in the way."""
        if wanted.id is None:
            other = self.workspace.find(wanted.slug, wanted.document)
            return Moved(f"'{other.name}' is at the vendor already", other) if other else None
        newer = self._newer(wanted.id, wanted.expected, wanted.known)
        ours = self._adoptable(newer.versions, intent)
        if ours is not None:
            return self._done(intent, ours, newer)
        return Moved("a newer version came to the vendor") if newer.versions else None

    def _newer(self, remote_id: str, expected: str | None, known: Known, listed: str | None = None) -> Newer:
        """What is there after ``expected`` and not accounted for; read fresh.

        Raises RemoteUnreachable where the vendor shows an older state than was seen before, or than it ``listed`` just
        now: nothing follows from it.
        """
        head = self.workspace.read(remote_id)
        for before in filter(None, (expected, listed)):
            if self.vendor.version_key(head.version) < self.vendor.version_key(before):
                raise _Older(
                    f"{self.vendor.title} shows version {head.version}, but {before} was there before",
                    hint="run sync again later",
                    before=before,
                )
        if head.version == expected:
            return Newer()
        between = self.workspace.versions(remote_id, head.version, expected)
        read = {name: self._read(remote_id, name, head) for name in between if name not in known}
        shown = (version for version in read.values() if version is not None)
        return Newer(tuple(shown), tuple(name for name, version in read.items() if version is None))

    def _read(self, remote_id: str, version: str, head: RemoteVersion) -> RemoteVersion | None:
        return head if version == head.version else self._there(remote_id, version)

    def _adoptable(self, versions: Sequence[RemoteVersion], intent: Intent) -> RemoteVersion | None:
        """The version that is this very publish: by number or intent id, else (newest first) by what it says.

        An edit in the vendor's page may copy our intent id, so the oldest of several is ours.
        """
        told = [v for v in versions if v.version == intent.version]
        marked = [v for v in versions if v.intent == intent.intent]
        same = [v for v in versions if digest_of(v.document) == intent.document]
        return next(iter([*told, *marked]), None) or next(reversed(same), None)

    def _send(self, wanted: Wanted, intent: Intent) -> Published | Moved:
        intent = self.journal.move(intent, "sent", self.clock())
        publication = Publication(wanted.id, wanted.slug, wanted.document, wanted.message, intent.intent)
        try:
            receipt = self.workspace.publish(publication)
        except _NOT_DONE:
            self.journal.move(intent, "failed", self.clock())
            raise
        except WriteInDoubt:
            intent = self.journal.move(intent, "unknown", self.clock())
            return self.settle_one(intent, wanted.document, lambda _id: wanted.known)
        intent = self.journal.move(intent, "sent", self.clock(), id=receipt.id, version=receipt.version)
        try:
            return self._read_back(wanted, intent, receipt.id)
        except RemoteError as error:
            raise WriteInDoubt(
                f"published, but it could not be read back: {error.message}", hint="run sync again later"
            ) from error

    def _read_back(self, wanted: Wanted, intent: Intent, remote_id: str) -> Published:
        newer = self._newer(remote_id, wanted.expected, wanted.known, intent.version)
        ours = self._adoptable(newer.versions, intent)
        if ours is None:
            raise BadResponse(f"the vendor accepted it, but version {intent.version or '?'} cannot be found there")
        return self._done(intent, ours, newer)

    def _done(self, intent: Intent, ours: RemoteVersion, newer: Newer) -> Published:
        done = self.journal.move(intent, "done", self.clock(), id=ours.id, version=ours.version)
        key = self.vendor.version_key
        before = (version for version in newer.versions if key(version.version) < key(ours.version))
        after = (version for version in newer.versions if key(version.version) > key(ours.version))
        hidden = (name for name in newer.hidden if key(name) < key(ours.version))
        return Published(ours, done, tuple(before), tuple(after), tuple(hidden))

    def settle_one(
        self,
        intent: Intent,
        document: Document,
        known: Callable[[str], Known],
        others: Callable[[RemoteHead], bool] | None = None,
    ) -> Published | Moved:
        """Find out what became of a write in doubt.

        ``known`` tells the versions of a prompt, by its id, that are taken into account already. ``others`` says of
        which prompts it is known that a first publish is not on them; where it is given, it is looked for on all the
        rest, too: somebody may have renamed it before it was seen.

        Raises WriteInDoubt while the settle window is open, and while the vendor does not show what it acknowledged.
        """
        intent, gone = self._dated(intent), False
        try:
            found = self._found(intent, document, known, others)
        except RemoteMissing:
            found, gone = None, True
        except _Older as older:
            if not self._was_made_anew(intent, older.before, known):
                raise
            found, gone = None, True
        if found is not None and (self._is_marked(found[1], intent) or not self._is_awaited(intent)):
            newer, ours = found
            return self._done(intent, ours, newer)
        if found is None and intent.version is not None and not gone and not self._was_taken_away(intent):
            raise WriteInDoubt(
                f"the vendor took it as version {intent.version}, but does not show it (yet)",
                hint="run sync again later; nothing is sent twice",
            )
        self._give_up(self._dated(intent), "the version is not there (yet)")
        return Moved("a write that was in doubt never arrived")

    def _was_taken_away(self, intent: Intent) -> bool:
        """Whether the vendor has no version any more that it had acknowledged, and has newer ones."""
        if intent.id is None or intent.version is None:
            return False
        head, key = self.workspace.read(intent.id).version, self.vendor.version_key
        return key(head) > key(intent.version) and self._there(intent.id, intent.version) is None

    def _was_made_anew(self, intent: Intent, before: str, known: Callable[[str], Known]) -> bool:
        """Whether another prompt has taken the id, for which nothing was ever sent; where ours is on that one, it is
        left in doubt."""
        if not self.vendor.reuses_ids or intent.id is None or self._there(intent.id, before) is not None:
            return False
        head = self.workspace.read(intent.id)
        if self._is_as_known(head, known(intent.id)):
            return False  # an old answer about the same prompt
        names = self.workspace.versions(intent.id, head.version)
        now = [version for name in names if (version := self._read(intent.id, name, head)) is not None]
        return self._adoptable(now, intent) is None

    def _is_as_known(self, head: RemoteVersion, known: Known) -> bool:
        """Whether the newest known version that may be shown is the very one that was known."""
        key = self.vendor.version_key
        last = max((version for version in known if key(version) <= key(head.version)), key=key, default=None)
        shown = self._read(head.id, last, head) if last is not None else None
        before = known[shown.version] if shown is not None else None
        return shown is not None and before is not None and before.is_the_same(shown)

    def _give_up(self, intent: Intent, seen: str) -> None:
        """What was sent never arrived. Raises WriteInDoubt while the settle window is open."""
        if self._is_awaited(intent):
            raise WriteInDoubt(
                f"the vendor did not answer, and {seen}",
                hint=f"run sync again after {int(self.settle)} seconds; nothing is sent twice",
            )
        self.journal.move(intent, "failed", self.clock())

    def _is_marked(self, version: RemoteVersion, intent: Intent) -> bool:
        """Whether a version is surely this publish, and not somebody's who said the same while ours was on its way."""
        if not self.vendor.capabilities.intent:
            return True  # nothing tells the two apart
        return version.intent == intent.intent or version.version == intent.version

    def _is_awaited(self, intent: Intent) -> bool:
        """Whether what was sent may still arrive."""
        return self.clock() - intent.at < self.settle

    def _dated(self, intent: Intent) -> Intent:
        """The intent; one from the future was sent before the clock was set back, and its window starts anew."""
        now = self.clock()
        return self.journal.move(intent, intent.state, now) if intent.at > now else intent

    def _found(
        self,
        intent: Intent,
        document: Document,
        known: Callable[[str], Known],
        others: Callable[[RemoteHead], bool] | None,
    ) -> tuple[Newer, RemoteVersion] | None:
        """What is new on the prompt that the write was for, and which of it is this publish."""
        if intent.id is not None:
            return self._find(intent, intent.id, known(intent.id))
        for head in self._places(intent, document, known, others):
            with suppress(RemoteMissing):  # an archived namesake
                found = self._find(intent, head.id, known(head.id), head.version)
                if found is not None:
                    return found
        return None

    def _find(
        self, intent: Intent, remote_id: str, known: Known, listed: str | None = None
    ) -> tuple[Newer, RemoteVersion] | None:
        newer = self._newer(remote_id, intent.expected, known, listed or intent.version)
        ours = self._adoptable(newer.versions, intent)
        return (newer, ours) if ours else None

    def _places(
        self,
        intent: Intent,
        document: Document,
        known: Callable[[str], Known],
        others: Callable[[RemoteHead], bool] | None,
    ) -> Iterator[RemoteHead]:
        """Where a first publish in doubt may be: at the prompt of its name, else wherever it is seen."""
        key, heads = self.vendor.lens.key(document), self.workspace.list()
        live = next((head for head in heads if head.name == key), None)
        named = live or self.workspace.find(intent.slug, document)  # which may tell of an archived namesake, too
        if named is not None:
            yield named
        strangers = [] if others is None else [head for head in heads if head != named and not others(head)]
        unreadable: BadResponse | None = None
        for head in strangers:
            try:
                if self._has(head, intent, known(head.id)):
                    yield head
            except BadResponse as error:  # it may be on that one, and may as well be on the next
                unreadable = BadResponse(
                    f"'{head.name}' there may be what was sent, and cannot be read: {error.message}",
                    hint="repair or archive that one there, then run sync again; nothing is sent twice",
                )
        if unreadable is not None:
            raise unreadable

    def _has(self, head: RemoteHead, intent: Intent, known: Known) -> bool:
        """Whether a prompt, under whatever name, has this very publish among its newest versions. On one of which
        anything is known already, only a mark tells."""
        names = self.workspace.versions(head.id, head.version) if self.vendor.capabilities.history else [head.version]
        recent = [name for name in reversed(names[-RECENT:]) if name not in known]
        found = (version for name in recent if (version := self._there(head.id, name)) is not None)
        ours = (version for version in found if self._adoptable([version], intent))
        return any(not known or self._is_marked(version, intent) for version in ours)

    def _there(self, remote_id: str, version: str) -> RemoteVersion | None:
        try:
            return self.workspace.read(remote_id, version)
        except RemoteMissing:
            return None
