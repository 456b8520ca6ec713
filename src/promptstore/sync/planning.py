"""What the planner is asked about one remote: B, L and R of every prompt, put together from the store, the journal and
what was seen; and the guards over its answer."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass

from promptstore.errors import PromptStoreError
from promptstore.model.prompt_file import PromptFile
from promptstore.store.store import Store
from promptstore.sync.actions import Halted, Held, Plan
from promptstore.sync.agreement import Agreed
from promptstore.sync.breaker import MOST, is_runaway, recent_writes
from promptstore.sync.guards import mass_deletion, shrunken, wrong_workspace
from promptstore.sync.in_the_way import things_in_the_way
from promptstore.sync.journal import UNFINISHED, Intent, Journal
from promptstore.sync.local import Local, base_entries, local_entries, waiting_texts
from promptstore.sync.planner.contents import plan_contents
from promptstore.sync.planner.tags import plan_tags
from promptstore.sync.policy import Policy
from promptstore.sync.review import ReviewBranch
from promptstore.sync.session import Session
from promptstore.sync.trees import BaseEntry, LocalEntry, RemoteEntry, Trees
from promptstore.sync.witness import Witness


@dataclass(frozen=True, slots=True)
class Ours:
    """L as the planner sees it, and what nothing may be pulled over."""

    entries: dict[str, LocalEntry]
    waiting: Mapping[str, str]


class Planning:
    """Asks the planner. Everything outside is passed in; nothing is changed."""

    def __init__(
        self,
        store: Store,
        journal: Journal,
        witness: Witness,
        policy: Callable[[Session], Policy],
        seconds: Callable[[], float],
    ) -> None:
        self._store = store
        self._journal = journal
        self._witness = witness
        self._policy = policy
        self._seconds = seconds

    def ours(self, local: Local) -> Ours:
        """L, the same for every remote."""
        return Ours(local_entries(self._store, local), waiting_texts(self._store, local))

    def plan(self, session: Session, local: Local, ours: Ours) -> Plan:
        """The plan of one remote, contents before tags, and what halts it."""
        if session.down:
            return Plan()
        policy = self._policy(session)
        foreign = wrong_workspace(session.name, session.agreement.workspace, session.identity)
        if foreign is not None:
            return Plan(halted=(foreign,))
        in_doubt = self._in_doubt(session, local)
        trees = self._trees(session, local, ours, frozenset(in_doubt))
        contents = plan_contents(trees, session.vendor, policy)
        tags = plan_tags(trees, session.vendor, policy, contents)
        halted = self._halts(session, local, policy, contents)
        told = in_doubt.keys() if session.observer else session.failed
        waiting = {slug: why for slug, why in sorted(in_doubt.items()) if why and slug not in told}
        later = "run it again later; nothing is sent twice"
        held = tuple(Held(session.name, slug, why, later) for slug, why in waiting.items() if policy.covers(slug))
        return contents.joined(tags).joined(Plan(held=held, halted=halted))

    def _halts(self, session: Session, local: Local, policy: Policy, contents: Plan) -> tuple[Halted, ...]:
        """A listing is compared with what is here: what both sides have let go is nobody's loss any more."""
        known = {*session.tracked.prompts, *session.all_agreed(), *session.vanished}
        here = known & local.prompts.keys()
        halts = (
            shrunken(session.name, len(here), len(session.vanished & here), policy),
            mass_deletion(session.name, len(known), contents, policy),
        )
        return tuple(halt for halt in halts if halt is not None)

    def _trees(self, session: Session, local: Local, ours: Ours, in_doubt: frozenset[str]) -> Trees:
        entries = ours.entries
        base = base_entries(self._store, local, session.all_agreed(), self._witness.of(session.name))
        seen = dict(session.tracked.prompts)
        prompts = self._store.contents.known(self._blobs(base, entries, seen), self._store.layout.folder)
        lost = self._unreadable(base, entries, seen, prompts)
        pulled = _perhaps_pulled(base, entries, seen, session.gone)
        return Trees(
            session.name,
            {slug: entry for slug, entry in base.items() if slug not in lost},
            entries,
            seen,
            prompts,
            {slug: {v.blob: v.number for v in local.numbering.of(slug)} for slug in entries},
            frozenset(session.vanished),
            frozenset(session.gone),
            in_doubt,
            {**ours.waiting, **self._in_review(session, local)},
            things_in_the_way(self._store, local, pulled, ours.waiting),
            session.blocked,
            self._runaway(session, local),
        )

    def _in_doubt(self, session: Session, local: Local) -> dict[str, str]:
        """Prompts of which nothing is concluded, and why, where no error of this run tells it: while nobody has found
        out what became of a publish, it may be the newest version there, or lie beneath it. A stranger that a publish
        of ours made, or came upon, is no stranger once that is recorded; while a first publish may be anywhere, any
        stranger may be it."""
        mine = [intent for intent in self._journal.intents().values() if intent.remote == session.name]
        left = [intent for intent in mine if intent.state in UNFINISHED]
        ids = {intent.id: intent for intent in left}
        first = [one for one in mine if one.is_first and one.is_open and not session.has_agreed_on(one, one.slug)]
        linked, prompts = session.all_agreed(), session.tracked.prompts
        perhaps: dict[str, Intent | None] = {}
        for slug, agreed in linked.items():
            own = (one for one in left if _is_of(one, agreed) and not session.has_agreed_on(one, slug))
            perhaps[slug] = next((one for one in own if not self._is_over(session, one, agreed)), None)
        for slug in prompts.keys() - linked.keys():
            perhaps[slug] = ids.get(prompts[slug].id) or next(iter(first), None)
        perhaps |= self._namesakes(session, local, first)
        found = {slug: _why(slug, intent) for slug, intent in perhaps.items() if intent is not None}
        return found | dict.fromkeys(session.in_doubt, "")

    def _is_over(self, session: Session, intent: Intent, agreed: Agreed) -> bool:
        """Whether another clone leads, which finds out what became of it, or has done so, and gone on from there."""
        key, before = session.vendor.version_key, intent.expected
        return session.observer or (before is not None and key(agreed.link.head) > key(before))

    def _namesakes(self, session: Session, local: Local, first: Sequence[Intent]) -> dict[str, Intent]:
        """Prompts that bear the name of one that is on its way: what is linked may have got its text, and what is new
        here would go to the very same prompt there."""
        names = {name: one for one in first if (name := self._name(session, one.slug, one.blob)) is not None}
        if not names:
            return {}
        linked, prompts = session.all_agreed(), session.tracked.prompts
        called = {slug: prompts[slug].name for slug in prompts.keys() & linked.keys()}
        new = ((slug, blob) for slug, blob in local.prompts.items() if slug not in linked)
        called |= {slug: name for slug, blob in new if (name := self._name(session, slug, blob)) is not None}
        return {slug: names[name] for slug, name in called.items() if name in names}

    def _name(self, session: Session, slug: str, blob: str) -> str | None:
        """What the vendor calls a prompt with this text; None of what cannot be sent (what was, and was thrown away
        here, the next recovery gives up)."""
        lens = session.vendor.lens
        try:
            return lens.key(lens.project(self._store.contents.prompt(blob, self._store.layout.path(slug)), slug))
        except PromptStoreError:
            return None

    def _in_review(self, session: Session, local: Local) -> dict[str, str]:
        """Prompts whose newest vendor version waits on the branch for review."""
        if self._store.config.sync.integrate != "branch":
            return {}
        branch = ReviewBranch(self._store, local, session.name)
        waiting = branch.waiting().items()
        return {slug: f"it is on {branch.name} for review" for slug, v in waiting if v in _to_come(session, slug)}

    def _runaway(self, session: Session, local: Local) -> frozenset[str]:
        """Prompts whose next publish would only answer our own: see `breaker`."""
        recent = recent_writes(self._journal.intents().values(), self._seconds())
        ours = {(write.remote, write.slug, write.version) for write in recent if write.version}
        writes: dict[str, list[Intent]] = {}
        for write in recent:
            if write.remote == session.name:
                writes.setdefault(write.slug, []).append(write)
        return frozenset(
            slug
            for slug, found in writes.items()
            if len(found) >= MOST and is_runaway(found, self._messages(local, slug, found[-MOST].blob), ours)
        )

    def _messages(self, local: Local, slug: str, blob: str) -> list[str]:
        """The messages of the commits that changed a prompt after it said ``blob``."""
        versions = local.numbering.of(slug)
        start = max((place for place, version in enumerate(versions, 1) if version.blob == blob), default=0)
        found = [self._store.objects.read(version.commit) for version in versions[start:]]
        return [commit.data.decode("utf-8", "replace") for commit in found if commit is not None]

    def _blobs(
        self, base: dict[str, BaseEntry], local: dict[str, LocalEntry], seen: dict[str, RemoteEntry]
    ) -> set[str]:
        """The texts that the planner may want to look into: those of every prompt on which anything differs."""
        blobs: set[str] = set()
        for slug in {*base, *local, *seen}:
            b, here, there = base.get(slug), local.get(slug), seen.get(slug)
            if _settled(b, here, there):
                continue
            blobs |= {b.blob} if b else set()
            blobs |= {one.base for one in b.link.unmerged} - {""} if b else set()
            blobs |= {here.blob, *(tag.blob for tag in here.tags.values())} if here and not here.problem else set()
            blobs |= {version.blob for version in there.versions.values()} if there else set()
        return blobs

    def _unreadable(
        self,
        base: dict[str, BaseEntry],
        local: dict[str, LocalEntry],
        seen: dict[str, RemoteEntry],
        prompts: Mapping[str, PromptFile],
    ) -> set[str]:
        """Agreements whose text can no longer be read: they count as lost, which deletes nothing."""
        return {
            slug
            for slug, entry in base.items()
            if entry.blob not in prompts and not _settled(entry, local.get(slug), seen.get(slug))
        }


def _is_of(intent: Intent, agreed: Agreed) -> bool:
    """Whether it is a publish of the linked prompt."""
    return intent.id == agreed.link.id and not intent.is_deletion


def _why(slug: str, intent: Intent) -> str:
    """Why nothing is concluded about a prompt before it is known what became of that write."""
    if intent.is_deletion:
        return "it is not known yet whether it was deleted there"
    if intent.slug == slug:
        return "it is not known yet whether what was sent of it has arrived"
    return f"it may be what was sent as '{intent.slug}', of which it is not known yet whether it has arrived"


def _to_come(session: Session, slug: str) -> set[str]:
    """The vendor versions of a prompt that are still to come here: its newest (empty: it is gone), and those that
    ours went on top of."""
    seen, agreed = session.tracked.prompts.get(slug), session.agreed(slug)
    found = {seen.version if slug not in session.gone else ""} if seen else set()
    return found | ({one.version for one in agreed.link.unmerged} if agreed else set())


def _perhaps_pulled(
    base: Mapping[str, BaseEntry],
    local: Mapping[str, LocalEntry],
    seen: Mapping[str, RemoteEntry],
    gone: Container[str],
) -> list[str]:
    """The prompts whose file a pull may have to write, or to remove: in most runs none."""
    return [
        slug for slug, there in seen.items() if slug in gone or not _settled(base.get(slug), local.get(slug), there)
    ]


def _settled(base: BaseEntry | None, here: LocalEntry | None, there: RemoteEntry | None) -> bool:
    """Whether nothing about a prompt differs, by ids alone."""
    if base is None or here is None or there is None or base.link.unmerged:
        return False
    same_text = here.blob == base.blob and there.digest == base.link.document and there.version == base.link.head
    return same_text and _tags_settled(base, here, there)


def _tags_settled(base: BaseEntry, here: LocalEntry, there: RemoteEntry) -> bool:
    if dict(there.tags) != dict(base.link.tags) or there.tags.keys() != here.tags.keys():
        return False
    known = base.link.versions
    return all(tag in here.tags and known[v].blob == here.tags[tag].blob for tag, v in there.tags.items() if v in known)
