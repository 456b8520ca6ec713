"""Observing a remote: one complete listing, reads of what changed, tags as far as they were asked; R is moved to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from promptstore.errors import NotRepresentable, PromptStoreError, RemoteMissing, RemoteUnreachable, WriteInDoubt
from promptstore.model.digest import digest_of
from promptstore.store.history import system_identity
from promptstore.store.store import Store
from promptstore.sync.agreement import Agreed
from promptstore.sync.guards import wrong_workspace
from promptstore.sync.local import Local
from promptstore.sync.naming import assign_slugs
from promptstore.sync.seen import author_of, joined_tags, merged_tags, seen_entry, stamp_of
from promptstore.sync.session import Pool, Session
from promptstore.sync.successors import successors
from promptstore.sync.texts import text_of
from promptstore.sync.tracking import Sighting, Tracked
from promptstore.sync.trees import RemoteEntry, SeenVersion
from promptstore.vendors.base import RemoteHead, RemoteVersion, TagListing, Workspace

SWEEP = 10
"""Prompts whose tags are all asked in one run, in turn: how tags nobody told us about are found."""


@dataclass(frozen=True, slots=True)
class Depth:
    """How much to look at: every version the vendor still gives, every prompt's tags."""

    history: bool = False
    full: bool = False


@dataclass(frozen=True, slots=True)
class Counts:
    created: int = 0
    updated: int = 0
    deleted: int = 0
    unchanged: int = 0

    def as_json(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in self.__slots__}


class Observer:
    """Looks at one remote and writes down what it saw."""

    def __init__(self, store: Store, session: Session, local: Local, pool: Pool, depth: Depth) -> None:
        self._store = store
        self._session = session
        self._local = local
        self._pool = pool
        self._depth = depth
        self._lens = session.vendor.lens
        self._key = session.vendor.version_key
        self._anew: set[str] = set()
        """Prompts that were made anew: what was known of the former one says nothing of them."""

    def observe(self) -> Counts:
        """Move R to what the vendor says now. Raises RemoteError when the listing is not complete.

        A key that opens another workspace than the one agreed with leaves R as it is.
        """
        workspace = self._workspace()
        heads = {head.id: head for head in workspace.list()}
        slugs = assign_slugs(list(heads.values()), self._known(), self._by_key())
        self._find_vanished(workspace, heads)
        self._anew = successors(self._session, workspace, {slugs[i]: head for i, head in heads.items()}, self._pool)
        listing = self._tags(workspace, heads)
        wanted = {head.id: self._wanted(workspace, head, slugs[head.id], listing) for head in heads.values()}
        read = self._read(workspace, slugs, [(i, v) for i, versions in wanted.items() for v in versions])
        before = self._session.tracked
        self._session.identity = workspace.identity()
        if wrong_workspace(self._session.name, self._session.agreement.workspace, self._session.identity):
            return Counts()
        sightings = self._sightings(heads, slugs, read, listing) + self._gone_sighting()
        tip = self._session.tracking.write(before, sightings, system_identity(self._store.clock()))
        latest = {**before.prompts, **{slug: entry for seen in sightings for slug, entry in seen.entries.items()}}
        merged = {slug: entry for slug, entry in latest.items() if entry is not None}
        self._session.tracked = Tracked(tip, merged, before.damaged and not sightings)
        self._leave_former({slugs[remote_id]: head.version for remote_id, head in heads.items()})
        self._doubt_what_is_behind()
        return self._counts(before, merged, heads)

    def _workspace(self) -> Workspace:
        if self._session.workspace is None:
            raise PromptStoreError(f"remote '{self._session.name}' is not connected")
        return self._session.workspace

    # --- names

    def _known(self) -> dict[str, str]:
        """Id -> slug; what was seen where another prompt is linked now needs another slug."""
        links = {slug: agreed.link for slug, agreed in self._session.all_agreed().items()}
        seen = {key: slug for key, slug in self._session.tracked.by_id().items() if slug not in links}
        return {**seen, **{link.id: slug for slug, link in links.items()}}

    def _by_key(self) -> dict[str, str]:
        """The vendor's name of each of our prompts that is not linked yet -> its slug."""
        agreed = self._session.all_agreed()
        keys: dict[str, str] = {}
        for slug, blob in self._local.prompts.items():
            if slug in agreed or not self._session.config.covers(slug):
                continue
            try:
                prompt = self._store.contents.prompt(blob, self._store.layout.path(slug))
                keys.setdefault(self._lens.key(self._lens.project(prompt, slug)), slug)
            except PromptStoreError:
                continue  # an invalid or unrepresentable file cannot claim a name; the planner tells of it
        return keys

    # --- absence

    def _find_vanished(self, workspace: Workspace, heads: Mapping[str, RemoteHead]) -> None:
        """Absence needs proof: a second complete listing, and a single read that says so."""
        known = {slug: remote_id for remote_id, slug in self._known().items()}
        vanished = {slug for slug, remote_id in known.items() if remote_id not in heads}
        self._session.vanished = vanished
        self._session.gone = set()
        if not vanished:
            return
        again = {head.id for head in workspace.list()}
        self._session.vanished = {slug for slug in vanished if known[slug] not in again}
        checked = sorted(self._session.vanished)
        gone = self._pool.map(lambda slug: self._is_gone(workspace, known[slug]), checked)
        self._session.gone = {slug for slug, is_gone in zip(checked, gone, strict=True) if is_gone}

    def _is_gone(self, workspace: Workspace, remote_id: str) -> bool:
        try:
            workspace.read(remote_id)
        except RemoteMissing:
            return True
        except PromptStoreError:
            return False
        return False

    def _gone_sighting(self) -> list[Sighting]:
        """One commit for everything that was proven to be gone; what was agreed on stays until that is settled, be it
        by another clone."""
        known = {slug: self._last_known(slug) for slug in sorted(self._session.gone)}
        entries = {
            slug: replace(entry, gone=True, stamp="") if self._session.agreed(slug) else None
            for slug, entry in known.items()
            if entry is not None and not (entry.gone and self._session.agreed(slug))
        }
        if not entries:
            return []
        message = f"{len(entries)} prompt{'s are' if len(entries) > 1 else ' is'} gone at {self._session.name}\n"
        return [Sighting(system_identity(self._store.clock()), message, entries)]

    def _last_known(self, slug: str) -> RemoteEntry | None:
        """What R says of a prompt, else what was agreed on about it."""
        seen, agreed = self._session.tracked.prompts.get(slug), self._session.agreed(slug)
        if agreed is None or (seen is not None and seen.id == agreed.link.id):
            return seen
        link = agreed.link
        versions = {link.head: SeenVersion(agreed.blob, link.document)}
        return RemoteEntry(link.id, link.name, "", link.head, "", {}, versions, link.tags)

    # --- tags

    def _tags(self, workspace: Workspace, heads: Mapping[str, RemoteHead]) -> TagListing:
        """Each known name and each swept prompt is asked on its own, several at once."""
        if not self._session.vendor.capabilities.tags:
            return TagListing()
        asked: list[tuple[list[str], list[str]]] = [([name], []) for name in self._tag_names()]
        asked += [([], [swept]) for swept in self._sweep(heads)]
        listings = self._pool.map(lambda ask: workspace.tags(*ask), asked)
        return joined_tags(listings)

    def _tag_names(self) -> list[str]:
        names = {tag for tags in self._local.tags.values() for tag in tags}
        names |= {tag for agreed in self._session.all_agreed().values() for tag in agreed.link.tags}
        names |= {tag for entry in self._session.tracked.prompts.values() for tag in entry.tags}
        return sorted(name for name in names if self._session.config.covers_tag(name))

    def _sweep(self, heads: Mapping[str, RemoteHead]) -> list[str]:
        """Prompts never seen before, and a few others in turn; all of them when asked for everything."""
        known = self._session.tracked.by_id()
        if self._depth.full:
            return sorted(heads)
        fresh = sorted(remote_id for remote_id in heads if remote_id not in known)
        return fresh + self._in_turn(sorted(remote_id for remote_id in heads if remote_id in known))

    def _in_turn(self, ids: Sequence[str]) -> list[str]:
        if len(ids) <= SWEEP:
            return list(ids)
        key = f"{self._session.name}"
        last = int(self._store.cache.get("sweep", key) or b"0") % len(ids)
        self._store.cache.put("sweep", key, str(last + SWEEP).encode())
        return [ids[(last + step) % len(ids)] for step in range(SWEEP)]

    # --- versions

    def _wanted(self, workspace: Workspace, head: RemoteHead, slug: str, listing: TagListing) -> list[str]:
        """The versions of one prompt that must be read: the newest when it changed, tagged ones, and those between."""
        seen = self._seen(slug)
        have = set(seen.versions) if seen else set()
        wanted = self._unmerged(slug) - have
        if seen is None or seen.stamp != stamp_of(head):
            wanted.add(head.version)
        last = self._last(slug, seen)
        if self._depth.history and self._session.vendor.capabilities.history:
            wanted |= set(workspace.versions(head.id, head.version)) - have
        elif last is not None and last != head.version and self._session.vendor.capabilities.history:
            wanted |= set(workspace.versions(head.id, head.version, last)) - have
        tagged = {version for tag, version in listing.tags.get(head.id, {}).items() if self._covers_tag(tag)}
        return sorted(wanted | (tagged - have), key=self._key)

    def _unmerged(self, slug: str) -> set[str]:
        agreed = self._agreed(slug)
        return {one.version for one in agreed.link.unmerged} if agreed else set()

    def _covers_tag(self, tag: str) -> bool:
        return self._session.config.covers_tag(tag)

    def _last(self, slug: str, seen: RemoteEntry | None) -> str | None:
        agreed = self._agreed(slug)
        return seen.version if seen else agreed.link.head if agreed else None

    def _read(
        self, workspace: Workspace, slugs: Mapping[str, str], wanted: Sequence[tuple[str, str]]
    ) -> dict[str, list[RemoteVersion]]:
        """Read versions, each failure standing for itself; a version that is missing is simply not there.

        What is newer than one that may come later waits for it, so that R has them all.
        """

        def one(asked: tuple[str, str]) -> RemoteVersion | PromptStoreError:
            try:
                return workspace.read(*asked)
            except PromptStoreError as error:
                return error

        found: dict[str, list[RemoteVersion]] = {}
        awaited: set[str] = set()
        for (remote_id, version), answer in zip(wanted, self._pool.map(one, wanted), strict=True):
            if isinstance(answer, RemoteVersion):
                if remote_id not in awaited:
                    found.setdefault(remote_id, []).append(answer)
            elif not isinstance(answer, RemoteMissing):
                self._tell(slugs[remote_id], version, answer)
                awaited |= {remote_id} if isinstance(answer, RemoteUnreachable) else set()
        return found

    def _doubt_what_is_behind(self) -> None:
        """A listing may be older than what another clone agreed on: that is nobody's edit."""
        for slug, agreed in self._session.all_agreed().items():
            seen, head = self._session.tracked.prompts.get(slug), agreed.link.head
            if seen is None or seen.id != agreed.link.id or slug in self._session.vanished:
                continue
            if self._key(seen.version) < self._key(head):
                told = f"{self._session.vendor.title} shows version {seen.version}, but {head} was there before"
                self._unsure(slug, RemoteUnreachable(told, hint="run sync again later"))

    def _tell(self, slug: str, version: str, error: PromptStoreError) -> None:
        """A version could not be read. One that is only to be merged yet keeps nothing else in doubt, unless it may be
        read later: the planner holds what cannot go on without it."""
        if version in self._unmerged(slug) and not isinstance(error, RemoteUnreachable):
            self._session.fail(error, slug, stops=False)
        else:
            self._unsure(slug, error)

    def _unsure(self, slug: str, error: PromptStoreError) -> None:
        """Nothing is concluded about a prompt of which something could not be read."""
        self._session.in_doubt.add(slug)
        self._session.fail(error, slug)

    def _await(self, slug: str, version: RemoteVersion) -> None:
        """What bears the mark of a publish in doubt is nobody's edit; the next run settles it."""
        if slug not in self._session.failed:
            told = f"version {self._session.vendor.shown(version.version)} is a publish of ours that is not settled yet"
            self._session.fail(WriteInDoubt(told, hint="run sync again later; nothing is sent twice"), slug)
        self._session.in_doubt.add(slug)

    # --- made anew

    def _seen(self, slug: str) -> RemoteEntry | None:
        """What R says of the prompt that stands there now."""
        return None if slug in self._anew else self._session.tracked.prompts.get(slug)

    def _agreed(self, slug: str) -> Agreed | None:
        """What was agreed on about the prompt that stands there now."""
        return None if slug in self._anew else self._session.agreed(slug)

    def _is_shown(self, slug: str, versions: Sequence[RemoteVersion]) -> bool:
        """Whether R tells of a prompt made anew already: a run that could not agree on anything has seen it before."""
        seen = self._session.tracked.prompts.get(slug) if slug in self._anew else None
        newest = max(versions, key=lambda version: self._key(version.version))
        return seen is not None and (seen.version, seen.digest) == (newest.version, digest_of(newest.document))

    def _forgotten(self, latest: Mapping[str, RemoteEntry]) -> list[Sighting]:
        """One commit that ends what R knew of the former ones; their texts stay in its history."""
        ended: dict[str, RemoteEntry | None] = {
            slug: None for slug in sorted(self._anew & latest.keys()) if slug in self._session.tracked.prompts
        }
        told = f"{len(ended)} prompt{'s were' if len(ended) > 1 else ' was'} made anew at {self._session.name}\n"
        return [Sighting(system_identity(self._store.clock()), told, ended)] if ended else []

    def _leave_former(self, listed: Mapping[str, str]) -> None:
        """What was agreed on about a prompt that is no more counts as lost, once its successor was read. Only who leads
        may say so."""
        if self._session.observer:
            return
        for slug in self._anew - self._session.in_doubt:
            seen = self._session.tracked.prompts.get(slug)
            if seen is not None and seen.version == listed[slug] and self._session.agreed(slug) is not None:
                self._session.meet_anew(slug)

    # --- what was seen, as commits

    def _sightings(
        self,
        heads: Mapping[str, RemoteHead],
        slugs: Mapping[str, str],
        read: Mapping[str, Sequence[RemoteVersion]],
        listing: TagListing,
    ) -> list[Sighting]:
        dated: list[tuple[tuple[str, str, Any], Sighting]] = []
        latest: dict[str, RemoteEntry] = {}
        for remote_id, versions in read.items():
            slug = slugs[remote_id]
            if self._is_shown(slug, versions):
                continue
            entry = self._seen(slug)
            for version in sorted(versions, key=lambda version: self._key(version.version)):
                step = self._step(slug, heads[remote_id], entry, version)
                if step is None:
                    continue
                entry, sighting = step
                created = version.created.isoformat() if version.created else ""
                dated.append(((created, remote_id, self._key(version.version)), sighting))
            if entry is not None:
                latest[slug] = entry
        ordered = [sighting for _, sighting in sorted(dated, key=lambda pair: pair[0])]
        return self._forgotten(latest) + ordered + self._tag_sighting(heads, slugs, latest, listing)

    def _step(
        self, slug: str, head: RemoteHead, entry: RemoteEntry | None, version: RemoteVersion
    ) -> tuple[RemoteEntry, Sighting] | None:
        agreed = self._agreed(slug)
        onto = agreed.blob if agreed else self._local.prompts.get(slug)
        try:
            text = self._text(version, slug, onto)
        except PromptStoreError as error:
            self._tell(slug, version.version, error)
            return None
        if version.intent in self._session.awaited:
            self._await(slug, version)
        blob = self._store.commits.blob_id(text)
        after = seen_entry(entry, version, blob, head.folder, self._key)
        message = version.message or f"{slug}: version {version.version} at {self._session.name}"
        return after, Sighting(author_of(version, self._session.vendor), message + "\n", {slug: after}, {blob: text})

    def _text(self, version: RemoteVersion, slug: str, onto: str | None) -> bytes:
        called = slug if slug in self._anew else self._session.called(slug)
        try:
            return text_of(self._store, self._lens, version.document, called, onto)
        except (NotRepresentable, PromptStoreError):
            return text_of(self._store, self._lens, version.document, called, None)

    def _tag_sighting(
        self,
        heads: Mapping[str, RemoteHead],
        slugs: Mapping[str, str],
        latest: Mapping[str, RemoteEntry],
        listing: TagListing,
    ) -> list[Sighting]:
        """One commit for every tag that was seen to move."""
        moved = {}
        for remote_id, head in heads.items():
            slug = slugs[remote_id]
            entry = latest.get(slug) or self._session.tracked.prompts.get(slug)
            if entry is None or head.version not in entry.versions:
                continue
            tags = merged_tags(entry, listing, self._covers_tag)
            if tags != dict(entry.tags):
                moved[slug] = replace(entry, tags=tags)
        if not moved:
            return []
        names = ", ".join(sorted(moved)[:3]) + (" ..." if len(moved) > 3 else "")
        return [Sighting(system_identity(self._store.clock()), f"Tags of {names} at {self._session.name}\n", moved)]

    def _counts(self, before: Tracked, after: Mapping[str, RemoteEntry], heads: Mapping[str, RemoteHead]) -> Counts:
        created = sum(slug not in before.prompts for slug in after)
        updated = sum(slug in before.prompts and before.prompts[slug] != entry for slug, entry in after.items())
        return Counts(created, updated, len(self._session.gone), len(heads) - created - updated)
