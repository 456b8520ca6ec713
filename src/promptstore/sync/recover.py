"""After an interruption: find out what became of every publish that the journal does not know the end of."""

from __future__ import annotations

from promptstore.errors import PromptStoreError, WriteInDoubt
from promptstore.store.store import Store
from promptstore.sync.journal import Intent, Journal
from promptstore.sync.publish import Published, Publisher
from promptstore.sync.push import Pusher
from promptstore.sync.session import Session
from promptstore.vendors.base import Document


class Recovery:
    """Settles one remote's open intents before anything else is planned for it."""

    def __init__(self, store: Store, session: Session, journal: Journal, publisher: Publisher, pusher: Pusher) -> None:
        self._store = store
        self._session = session
        self._journal = journal
        self._publisher = publisher
        self._pusher = pusher

    def run(self) -> None:
        """Adopt what arrived, forget what provably did not; what stays in doubt is left out of this run."""
        for intent in self._journal.intents().values():
            if intent.remote != self._session.name:
                continue
            try:
                self._settle(intent)
            except PromptStoreError as error:
                self._session.in_doubt.add(intent.slug)
                self._session.fail(_in_doubt(error), intent.slug)

    def _settle(self, intent: Intent) -> None:
        if intent.state == "done":
            self._adopt_done(intent)
        elif intent.is_open:
            agreed = self._session.agreed(intent.slug)
            known = frozenset(agreed.link.versions) if agreed else frozenset()
            result = self._publisher.settle_one(intent, self._document(intent), known)
            if isinstance(result, Published):
                self._pusher.record(intent.slug, result)

    def _adopt_done(self, intent: Intent) -> None:
        """Done at the vendor, but the process died before it was recorded."""
        agreed = self._session.agreed(intent.slug)
        if agreed is not None and intent.version in agreed.link.versions:
            self._journal.move(intent, "recorded", intent.at)
            return
        version = self._publisher.workspace.read(intent.id or "", intent.version)
        self._pusher.record(intent.slug, Published(version, intent))

    def _document(self, intent: Intent) -> Document | None:
        """What was sent, made again from the text it was made of."""
        prompt = self._store.contents.prompt(intent.blob, self._store.layout.path(intent.slug))
        return self._session.vendor.lens.project(prompt, self._session.called(intent.slug))


def _in_doubt(error: PromptStoreError) -> PromptStoreError:
    """Whatever keeps us from knowing leaves the write in doubt."""
    return error if isinstance(error, WriteInDoubt) else WriteInDoubt(error.message, hint=error.hint)
