"""Carrying out the vendor's part of a plan: publish, delete, move tags."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from promptstore.errors import HaltedError, NotRepresentable, PromptStoreError, RemoteRejected
from promptstore.model.digest import digest_of
from promptstore.store.store import Store
from promptstore.sync.actions import REMOTE_KINDS, REMOTE_TAG_KINDS, Action, Held
from promptstore.sync.agreement import Agreed
from promptstore.sync.journal import Intent, Journal
from promptstore.sync.local import Local
from promptstore.sync.publish import Moved, Published, Publisher, Wanted
from promptstore.sync.session import Pool, Session
from promptstore.sync.team.lead import Lead
from promptstore.sync.trees import EMPTY_LINK, KnownVersion, Link, Unmerged
from promptstore.vendors.base import Document, RemoteVersion, Workspace

ANNOUNCED_AT_ONCE = 50
"""Prompts published after one word to the other clones: it costs a push to the git remote, and keeps the lease."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one action; ``again`` asks for another round of planning."""

    action: Action
    done: bool
    again: bool = False


class Pusher:
    """Sends one remote what the plan says, prompt by prompt; one that fails stops no other."""

    def __init__(
        self,
        store: Store,
        session: Session,
        local: Local,
        publisher: Publisher,
        journal: Journal,
        pool: Pool,
        lead: Lead,
    ) -> None:
        self._store = store
        self._session = session
        self._local = local
        self._publisher = publisher
        self._journal = journal
        self._pool = pool
        self._lead = lead
        self._announced: dict[tuple[str, str], str] = {}
        """(slug, blob) -> the intent id under which other clones heard of it."""

    @property
    def _workspace(self) -> Workspace:
        return self._publisher.workspace

    def push(self, actions: Sequence[Action]) -> list[Outcome]:
        """Publish and delete: the actions of one prompt in order, several prompts at once."""
        by_slug: dict[str, list[Action]] = {}
        for action in actions:
            if action.kind in REMOTE_KINDS:
                by_slug.setdefault(action.slug, []).append(action)
        waiting = list(by_slug.values())
        size = ANNOUNCED_AT_ONCE if self._lead.shared else max(len(waiting), 1)
        outcomes: list[Outcome] = []
        for start in range(0, len(waiting), size):
            batch = waiting[start : start + size]
            if not self._announce(batch):
                break
            outcomes += [outcome for group in self._pool.map(self._prompt, batch) for outcome in group]
        return outcomes

    def _announce(self, batch: Sequence[Sequence[Action]]) -> bool:
        """Let other clones know what comes, so that none of it is sent twice if this one dies; False: not led."""
        publishes = [action for actions in batch for action in actions if action.kind != "delete-remote"]
        if not self._lead.shared or not publishes:
            return True
        try:
            intents = [intent for action in publishes if (intent := self._intent(action)) is not None]
            self._lead.announce(self._session.name, intents)
        except PromptStoreError as error:
            self._session.fail(error)
            self._session.observer = True
            return False
        self._announced |= {(intent.slug, intent.blob): intent.intent for intent in intents}
        return True

    def _intent(self, action: Action) -> Intent | None:
        try:
            return self._publisher.intent(self._wanted(action))
        except NotRepresentable:
            return None  # it fails by itself when its turn comes, before anything is sent

    def _prompt(self, actions: Sequence[Action]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for action in actions:
            outcome = self._one(action)
            outcomes.append(outcome)
            if not outcome.done or outcome.again:
                break  # what follows must not overtake it, nor bury what others saved meanwhile
        return outcomes

    def _one(self, action: Action) -> Outcome:
        try:
            if action.kind == "delete-remote":
                return self._delete(action)
            return self._publish(action)
        except NotRepresentable as error:
            self._session.fail(HaltedError(error.message, hint=error.hint), action.slug)
        except PromptStoreError as error:
            self._session.fail(error, action.slug)
        return Outcome(action, done=False)

    # --- publishing

    def _publish(self, action: Action) -> Outcome:
        wanted = self._wanted(action)
        result = self._publisher.publish(wanted)
        if isinstance(result, Moved):
            if result.by is not None:
                self._session.blocked[action.slug] = result.by.id
            return Outcome(action, done=False, again=True)
        self.record(action.slug, result)
        version = self._session.vendor.shown(result.version.version)
        return Outcome(replace(action, version=version), done=True, again=bool(result.foreign))

    def _wanted(self, action: Action) -> Wanted:
        slug, blob = action.slug, action.blob or ""
        agreed = self._session.agreed(slug)
        link = agreed.link if agreed else None
        return Wanted(
            slug,
            blob,
            self._document(slug, blob),
            self._message(slug, blob),
            link.id if link else action.remote_id,
            self._newest(link.head if link else None, action.expected),
            self._session.known(slug),
            self._announced.get((slug, blob), ""),
        )

    def _document(self, slug: str, blob: str, called: str = "") -> Document:
        """What a text of the prompt is sent as."""
        prompt = self._store.contents.prompt(blob, self._store.layout.path(slug))
        return self._session.vendor.lens.project(prompt, called or self._session.called(slug))

    def _newest(self, *versions: str | None) -> str | None:
        """The newest version taken into account: the agreed one, or one with the same text that the plan saw."""
        return max((v for v in versions if v is not None), key=self._session.vendor.version_key, default=None)

    def _message(self, slug: str, blob: str) -> str:
        """The subject of the commit that brought this text."""
        version = next((v for v in self._local.numbering.of(slug) if v.blob == blob), None)
        found = self._store.objects.read(version.commit) if version else None
        if found is None:
            return f"Publish {slug}"
        _, _, message = found.data.decode("utf-8", "replace").partition("\n\n")
        return message.strip().split("\n", 1)[0]

    def record(self, slug: str, published: Published, called: str = "") -> None:
        """Agree on what was read back; a foreign version that came between is noted as still to be merged."""
        version, intent = published.version, published.intent
        owner = self._session.linked_to(version.id) or slug
        if owner != slug:
            self._stray(owner, published)
            return
        self._session.place(version.id, slug)  # it may have been seen under an old slug meanwhile
        agreed = self._session.agreed(slug)
        # What is known of versions and tags is known of that very prompt, not of one that took its place.
        link = agreed.link if agreed and agreed.link.id == version.id else EMPTY_LINK
        known = KnownVersion(intent.blob, digest_of(version.document))
        is_behind = agreed is not None and self._is_behind(version, link)
        # What is agreed on by now came after that, and is not what the two came from.
        base = "" if agreed is None or is_behind else agreed.blob
        unmerged = self._unmerged(link, [Unmerged(unseen, base) for unseen in self._unseen(published, link)])
        versions = {**link.versions, version.version: known}
        called = called or self._session.called(slug)
        document = self._agreed(version.document, intent.blob, slug, called)
        if agreed is not None and is_behind:
            others = tuple(one for one in unmerged if one.version != version.version)
            self._session.agree(slug, replace(agreed, link=replace(link, versions=versions, unmerged=others)))
        else:
            name, digest = self._session.vendor.lens.key(document), digest_of(document)
            new = Link(version.id, name, version.version, digest, versions, link.tags, unmerged, called=called)
            self._session.agree(slug, Agreed(intent.blob, new))
        self._session.published.append(replace(published, edited=document != version.document))
        self._session.is_there(slug)

    def _is_behind(self, version: RemoteVersion, link: Link) -> bool:
        """Whether a later version is agreed on already: two publishes in doubt may have come to one prompt."""
        key = self._session.vendor.version_key
        return bool(link.head) and key(version.version) < key(link.head)

    def _agreed(self, made: Document, blob: str, slug: str, called: str) -> Document:
        """What the vendor made of what was sent; what can be changed there without a version, as it was sent: if that
        is otherwise, somebody has edited it since."""
        unversioned = self._session.vendor.unversioned
        if not unversioned:
            return made
        sent = self._document(slug, blob, called)
        kept = {key: value for key, value in made.items() if key not in unversioned}
        return kept | {key: value for key, value in sent.items() if key in unversioned}

    def _stray(self, owner: str, published: Published) -> None:
        """A first publish that came upon another prompt of ours, which had got its name meanwhile: nobody's edit of
        that one. What the branch says of it stays its newest text, and goes out again."""
        before = self._session.agreed(owner)
        if before is None or published.version.version in before.link.versions:
            self._journal.move(published.intent, "recorded", published.intent.at)
            return
        self.record(owner, replace(published, slug=owner))
        after = self._session.agreed(owner)
        if after is not None and not self._is_behind(published.version, before.link):
            # Under the name that is agreed on: that it has another one there is somebody's edit, and comes here.
            document = digest_of(self._document(owner, after.blob))
            link = replace(after.link, document=document, proof=before.link.proof or before.blob)
            self._session.agree(owner, replace(after, link=link))

    def _unseen(self, published: Published, link: Link) -> list[str]:
        """Others' versions that ours went on top of, oldest first: nobody looked at them when it was made. What lies
        deeper was seen by whoever saved the next; what came before a version that is known has been taken in.

        What lies beneath an equal one counts, too, unless a person saved that: it has no mark, where ours has one. So
        does what the vendor lists there and does not show (yet).
        """
        key, ours = self._session.vendor.version_key, published.version
        row, is_marked = [*published.foreign, ours], ours.intent == published.intent.intent
        sent = {v.version for v in row if v.document == ours.document and (v.intent or not is_marked)} | {ours.version}
        pairs = pairwise(row)
        beneath = {below.version for below, above in pairs if above.version in sent and below.document != ours.document}
        every = sorted([*(version.version for version in row), *published.hidden], key=key)
        beneath |= {below for below, above in pairwise(every) if above in sent and below in published.hidden}
        known = [key(version) for version in link.versions if key(version) < key(ours.version)]
        return [name for name in sorted(beneath, key=key) if not known or key(name) > max(known)]

    def _unmerged(self, link: Link, found: Sequence[Unmerged]) -> tuple[Unmerged, ...]:
        """All that is still to be merged, each once, oldest first."""
        known = {one.version for one in link.unmerged}
        every = [*link.unmerged, *(one for one in found if one.version not in known)]
        return tuple(sorted(every, key=lambda one: self._session.vendor.version_key(one.version)))

    # --- deleting

    def _delete(self, action: Action) -> Outcome:
        agreed = self._session.agreed(action.slug)
        remote_id = agreed.link.id if agreed else action.remote_id
        if remote_id is None:
            return Outcome(action, done=False)
        expected = self._newest(agreed.link.head, action.expected) if agreed else None
        intent = self._publisher.delete(action.slug, agreed.blob if agreed else "", remote_id, expected)
        if intent is None:
            return Outcome(action, done=False, again=True)  # somebody edited it meanwhile
        self._session.deleted.append(intent)
        self._session.agree(action.slug, None)
        return Outcome(action, done=True)

    # --- tags

    def push_tags(self, actions: Sequence[Action]) -> list[Outcome]:
        """Move and take away tags at the vendor; one whose version is not there yet waits for the next round."""
        refused = self._session.refused_tags
        wanted = [
            action
            for action in actions
            if action.kind in REMOTE_TAG_KINDS and (action.slug, action.tag or "") not in refused
        ]
        return self._pool.map(self._tag, wanted)

    def _tag(self, action: Action) -> Outcome:
        try:
            return self._move_tag(action, action.tag or "")
        except RemoteRejected as error:
            # Nothing was changed, and the vendor says why: an environment that is not there, a plan that has none.
            reason, hint = f"tag '{action.tag}': {error.message}", error.hint or "see `promptstore remote check`"
            held = Held(self._session.name, action.slug, reason, hint)
            self._session.refused_tags[(action.slug, action.tag or "")] = held
            return Outcome(action, done=False)
        except PromptStoreError as error:
            self._session.fail(error, action.slug)
            return Outcome(action, done=False)

    def _move_tag(self, action: Action, tag: str) -> Outcome:
        agreed = self._session.agreed(action.slug)
        if agreed is None:
            return Outcome(action, done=False)
        if not self._is_where_it_was(action.slug, agreed.link.id, tag):
            return Outcome(action, done=False, again=True)  # somebody moved it meanwhile
        if action.kind == "untag-remote":
            self._publisher.confirm()
            self._workspace.delete_tag(agreed.link.id, tag)
            self._tell(action.slug, tag, None)
            return Outcome(action, done=True)
        version = action.expected or agreed.link.version_of(action.blob or "", self._session.vendor.version_key)
        if version is None:
            return Outcome(action, done=False)
        self._publisher.confirm()
        self._workspace.set_tag(agreed.link.id, tag, version)
        self._tell(action.slug, tag, version)
        seen = self._session.tracked.prompts.get(action.slug)
        unread = seen is None or version not in seen.versions  # what a tag names is read, and kept, in this very run
        return Outcome(replace(action, version=self._session.vendor.shown(version)), done=True, again=unread)

    def _is_where_it_was(self, slug: str, remote_id: str, tag: str) -> bool:
        """Whether the vendor still has a tag where the plan saw it; asked last of all before it is moved."""
        listing = self._workspace.tags([], [remote_id])
        seen = self._session.tracked.prompts.get(slug)
        before = seen.tags.get(tag) if seen else None
        return not listing.knows(remote_id, tag) or listing.tags.get(remote_id, {}).get(tag) == before

    def _tell(self, slug: str, tag: str, version: str | None) -> None:
        self._session.relink_tag(slug, tag, version)
        self._session.moved_tags[(slug, tag)] = version
