"""After an interruption: find out what became of every publish that the journal does not know the end of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from promptstore.errors import PromptStoreError, WriteInDoubt
from promptstore.model.digest import digest_of
from promptstore.store.store import Store
from promptstore.sync.journal import UNFINISHED, Intent, Journal
from promptstore.sync.local import Local
from promptstore.sync.publish import Known, Published, Publisher
from promptstore.sync.push import Pusher
from promptstore.sync.session import Session
from promptstore.vendors.base import Document, RemoteHead


class Recovery:
    """Settles one remote's open intents before anything else is planned for it."""

    def __init__(
        self,
        store: Store,
        session: Session,
        local: Local,
        journal: Journal,
        publisher: Publisher,
        pusher: Pusher,
    ) -> None:
        self._store = store
        self._session = session
        self._local = local
        self._journal = journal
        self._publisher = publisher
        self._pusher = pusher

    def run(self) -> None:
        """Adopt what arrived, forget what provably did not; what stays in doubt is left out of this run."""
        for intent in self._journal.intents().values():
            if intent.remote != self._session.name:
                continue
            slug = self._slug_now(intent)
            try:
                self._settle(intent, slug)
            except PromptStoreError as error:
                self._session.in_doubt.add(slug)
                self._session.fail(_in_doubt(error), slug)

    def _slug_now(self, intent: Intent) -> str:
        """The slug of the prompt at the vendor that the intent is about, which may have been renamed since."""
        linked = self._session.linked_to(intent.id) if intent.id is not None else None
        return linked or self._own_slug(intent)

    def _own_slug(self, intent: Intent) -> str:
        """The slug, by now, of the prompt here that the intent is about."""
        there = self._local.prompts
        moved = (
            new
            for new in self._local.numbering.moves
            if new in there and intent.slug not in there and self._became(intent, new)
        )
        return next(moved, intent.slug)

    def _became(self, intent: Intent, new: str) -> bool:
        numbering = self._local.numbering
        return intent.slug in numbering.names_of(new) and numbering.went_on(intent.slug, new, intent.blob)

    def _settle(self, intent: Intent, slug: str) -> None:
        if not intent.is_deletion:
            self._settle_publish(intent, slug)
        elif intent.state in UNFINISHED and self._publisher.settle_deletion(intent):
            if self._session.linked_to(intent.id or "") is not None:
                self._session.agree(slug, None)  # what is here now was brought back, and is nobody's deletion
            self._session.deleted.append(intent)

    def _settle_publish(self, intent: Intent, slug: str) -> None:
        if intent.state != "recorded" and self._session.has_agreed_on(intent, slug):
            self._journal.move(intent, "recorded", intent.at)
        elif intent.state == "done" or intent.is_open:
            if not self._is_there(intent.blob):
                # Thrown away here (amended, reset, and gc): what the vendor has of it is an edit like any other there.
                self._journal.move(intent, "failed", intent.at)
                return
            if intent.expected is None:
                slug = self._own_slug(intent)  # what is linked may be another one of ours, which it came upon
            called = self._called(intent, slug)
            document = self._document(intent, called)
            result = self._publisher.settle_one(intent, document, self._known, self._others(intent))
            if isinstance(result, Published):
                self._pusher.record(slug, replace(result, slug=slug), called)

    def _called(self, intent: Intent, slug: str) -> str:
        """The slug by which the lens knew the prompt when it was sent: what is linked here now may be another one."""
        names = (self._session.called(slug), intent.slug)
        sent = (name for name in names if digest_of(self._document(intent, name)) == intent.document)
        return next(sent, names[0] if self._session.agreed(slug) else intent.slug)

    def _known(self, remote_id: str) -> Known:
        owner = self._session.linked_to(remote_id)
        return self._session.known(owner) if owner is not None else {}

    def _others(self, intent: Intent) -> Callable[[RemoteHead], bool]:
        """Prompts on which a first publish cannot be: another publish in the journal is about them, they were seen and
        are none of this store's, or they are linked and say nothing new. One that is linked may have got it where its
        name was free for a while; only a mark tells."""
        mine = (other for other in self._journal.intents().values() if other.remote == intent.remote)
        covers = self._session.config.covers
        outside = {entry.id for slug, entry in self._session.tracked.prompts.items() if not covers(slug)}
        taken = outside | {other.id for other in mine if other.id is not None}
        links = {agreed.link.id: agreed.link for agreed in self._session.all_agreed().values()}
        marks = self._session.vendor.capabilities.intent

        def is_other(head: RemoteHead) -> bool:
            link = links.get(head.id)
            return head.id in taken if link is None else not marks or head.version in link.versions

        return is_other

    def _is_there(self, blob: str) -> bool:
        found = self._store.objects.read(blob)
        return found is not None and found.kind == "blob"

    def _document(self, intent: Intent, called: str) -> Document:
        """What was sent, made again from the text it was made of."""
        prompt = self._store.contents.prompt(intent.blob, self._store.layout.path(intent.slug))
        return self._session.vendor.lens.project(prompt, called)


def _in_doubt(error: PromptStoreError) -> PromptStoreError:
    """Whatever keeps us from knowing leaves the write in doubt."""
    return error if isinstance(error, WriteInDoubt) else WriteInDoubt(error.message, hint=error.hint)
