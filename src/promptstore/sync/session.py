"""One remote during one run: its workspace, what was agreed, what is seen, and what went wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeVar

from promptstore.errors import PromptStoreError
from promptstore.store.config import RemoteConfig
from promptstore.sync.actions import Held, SyncError
from promptstore.sync.agreement import Agreed, Agreement, Agreements
from promptstore.sync.journal import Intent
from promptstore.sync.publish import Published
from promptstore.sync.tracking import Tracked, Tracking
from promptstore.sync.trees import RemoteEntry, SeenVersion
from promptstore.vendors.base import Vendor, Workspace

T = TypeVar("T")
R = TypeVar("R")

TRY_LATER = 75
"""The exit code of everything that may go well the next time."""


class Pool(Protocol):
    """Runs independent calls, perhaps at once; results keep the order of their inputs."""

    def map(self, call: Callable[[T], R], items: Sequence[T]) -> list[R]: ...


class Serial:
    """One after another: for simulations, and where order must be the same each time."""

    def map(self, call: Callable[[T], R], items: Sequence[T]) -> list[R]:
        return [call(item) for item in items]


class Threads:
    """A few at once, within what a vendor bears."""

    def __init__(self, workers: int = 8) -> None:
        self._workers = workers

    def map(self, call: Callable[[T], R], items: Sequence[T]) -> list[R]:
        if len(items) < 2:
            return [call(item) for item in items]
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(min(self._workers, len(items))) as pool:
            return list(pool.map(call, items))


@dataclass
class Session:
    """Mutable on purpose: the one place where a run's knowledge of a remote grows."""

    config: RemoteConfig
    vendor: Vendor
    workspace: Workspace | None
    agreements: Agreements
    tracking: Tracking
    agreement: Agreement = field(default_factory=Agreement)
    tracked: Tracked = field(default_factory=Tracked)
    vanished: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    awaited: frozenset[str] = frozenset()
    """The ids of publishes that are not recorded yet: a version with such a mark is nobody's edit."""
    in_doubt: set[str] = field(default_factory=set)
    """Prompts of which this run concludes nothing: a write in doubt, a version that could not be read."""
    errors: list[SyncError] = field(default_factory=list)
    failed: set[str] = field(default_factory=set)
    """Prompts about which nothing more is done in this run."""
    busy: bool = False
    """Whether the checkout was busy when a commit was to be made: then nothing more is pulled in this run."""
    identity: str = ""
    down: bool = False
    """Whether the remote could not be observed: then nothing is concluded or sent in this run."""
    observer: bool = False
    """Whether another clone leads this remote: then it is observed, and nothing of it is agreed on, sent or pulled."""
    leader: str = ""
    """Who leads it instead, in words, where that is known."""
    pending: dict[str, Agreed | None] = field(default_factory=dict)
    """Agreements reached but not yet recorded."""
    anew: set[str] = field(default_factory=set)
    """Those of them that ended as another prompt took the place of the one agreed on: what was seen of it stays."""
    published: list[Published] = field(default_factory=list)
    """Publishes that are done but not yet recorded."""
    deleted: list[Intent] = field(default_factory=list)
    """Deletions that are done but not yet recorded."""
    blocked: dict[str, str] = field(default_factory=dict)
    """Prompts whose key a first publish found taken at the vendor -> the id of what holds it."""
    moved: set[str] = field(default_factory=set)
    """Slugs that a move was followed from or to in this run: R says something else of them now."""
    moved_tags: dict[tuple[str, str], str | None] = field(default_factory=dict)
    """Tags moved at the vendor in this run: what R must say from now on."""
    refused_tags: dict[tuple[str, str], Held] = field(default_factory=dict)
    """Tags that the vendor refused to move in this run, with its words."""

    @property
    def name(self) -> str:
        return self.config.name

    def load(self) -> None:
        """Read B and R as recorded."""
        self.agreement = self.agreements.read()
        self.tracked = self.tracking.read()
        self._follow_links()
        self.gone = {slug for slug, entry in self.tracked.prompts.items() if entry.gone}
        self.vanished = set(self.gone)

    def _follow_links(self) -> None:
        """A prompt stands where it is linked: a run that died after R had followed a rename left it elsewhere."""
        agreed, was = self.agreement.prompts, self.tracked.prompts
        linked = {made.link.id: slug for slug, made in agreed.items()}
        there: dict[str, RemoteEntry] = {}
        for slug, entry in was.items():
            home = linked.get(entry.id, slug)
            if home not in agreed or agreed[home].link.id == entry.id:  # else another clone linked another one there
                there[home] = self._newer(entry, there.get(home))
            self.moved |= {slug, home} if home != slug else set()
        self.tracked = replace(self.tracked, prompts=there)

    def place(self, remote_id: str, slug: str) -> None:
        """A prompt of the vendor's stands at this slug, wherever it was seen before."""
        other = self.tracked.by_id().get(remote_id, slug)
        if other != slug:
            self._move_seen(other, slug)

    def _move_seen(self, old: str, new: str) -> None:
        """Whatever else was seen there gets another slug when it is seen again: a link comes first."""
        prompts = dict(self.tracked.prompts)
        prompts[new] = self._newer(prompts.pop(old), prompts.get(new))
        self.tracked = replace(self.tracked, prompts=prompts)
        self.moved |= {old, new}

    def _newer(self, seen: RemoteEntry, there: RemoteEntry | None) -> RemoteEntry:
        """The same prompt may stand at two places, where a run died between writing what it saw and that it moved."""
        key = self.vendor.version_key
        if there is None or there.id != seen.id or key(there.version) <= key(seen.version):
            return seen
        return there

    def agreed(self, slug: str) -> Agreed | None:
        """The newest agreement on a prompt, recorded or not."""
        return self.pending[slug] if slug in self.pending else self.agreement.prompts.get(slug)

    def all_agreed(self) -> dict[str, Agreed]:
        merged = {**self.agreement.prompts, **self.pending}
        return {slug: agreed for slug, agreed in merged.items() if agreed is not None}

    def linked_to(self, remote_id: str) -> str | None:
        """The slug that is linked with a prompt of the vendor's."""
        return next((slug for slug, agreed in self.all_agreed().items() if agreed.link.id == remote_id), None)

    def agree(self, slug: str, agreed: Agreed | None) -> None:
        self.pending[slug] = agreed

    def meet_anew(self, slug: str) -> None:
        """Another prompt stands under the id of the linked one: nothing is agreed on about it yet."""
        self.agree(slug, None)
        self.anew.add(slug)

    def forget_pending(self) -> None:
        """Agreements that were recorded, or never may be by this clone."""
        self.pending.clear()
        self.anew.clear()

    def has_agreed_on(self, intent: Intent, slug: str) -> bool:
        """Whether what a publish became is agreed on already, be it by the clone that sent it."""
        agreed = self.agreed(slug)
        if agreed is None or intent.id not in (None, agreed.link.id):
            return False
        key, since = self.vendor.version_key, intent.expected
        newer = {name: known for name, known in agreed.link.versions.items() if since is None or key(name) > key(since)}
        if intent.version is not None:
            return intent.version in newer
        return any(known.blob == intent.blob and known.document == intent.document for known in newer.values())

    def is_settled(self, intent: Intent) -> bool:
        """The same, wherever its prompt is by now."""
        owner = self.linked_to(intent.id) if intent.id is not None else None
        return self.has_agreed_on(intent, owner or intent.slug)

    def known(self, slug: str) -> dict[str, SeenVersion | None]:
        """The agreed versions of a prompt at the vendor, as each was seen, if it was."""
        agreed, seen = self.agreed(slug), self.tracked.prompts.get(slug)
        if agreed is None:
            return {}
        made = seen.versions if seen is not None and seen.id == agreed.link.id else {}
        if agreed.link.head not in made:
            made = {}  # of another prompt, perhaps, that was made anew under the id
        return {version: made.get(version) for version in agreed.link.versions}

    def called(self, slug: str) -> str:
        """The slug by which the lens knows a prompt: the one it was linked under."""
        agreed = self.agreed(slug)
        return (agreed.link.called if agreed else "") or slug

    def rename(self, old: str, new: str) -> None:
        """A prompt was moved on the branch: its agreement and what was seen of it follow."""
        agreed = self.agreed(old)
        if agreed is None:
            return
        link = replace(agreed.link, called=self.called(old))
        self.agree(old, None)
        self.agree(new, Agreed(agreed.blob, link))
        if old in self.tracked.prompts:
            self._move_seen(old, new)

    def relink_tag(self, slug: str, tag: str, version: str | None) -> None:
        """Agree on where one tag stands."""
        agreed = self.agreed(slug)
        if agreed is None:
            return
        tags = {name: place for name, place in agreed.link.tags.items() if name != tag}
        if version is not None:
            tags[tag] = version
        self.agree(slug, Agreed(agreed.blob, replace(agreed.link, tags=tags)))

    def is_there(self, slug: str) -> None:
        """A prompt that was just published: whatever was found out about its absence is over."""
        self.gone.discard(slug)
        self.vanished.discard(slug)
        self.blocked.pop(slug, None)

    def fail(self, error: PromptStoreError, slug: str | None = None, *, stops: bool = True) -> None:
        """Note what went wrong; nothing else is stopped by it. With ``stops`` the prompt is left out of the rest."""
        error.at(remote=self.name, slug=slug)
        retry = error.exit_code == TRY_LATER
        later = "run it again later" if retry else f"see `promptstore remote check {self.name}`"
        self.errors.append(SyncError(self.name, slug, error.message, retry, error.kind, error.hint or later))
        if slug and stops:
            self.failed.add(slug)
