"""A run among several clones: first take what the others sent, at the end send them what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from promptstore.errors import GitError, OriginRefuses, OriginUnreachable, PromptStoreError
from promptstore.store.sharing import Names, fetch_shared, send_shared
from promptstore.store.store import Store
from promptstore.sync.actions import SyncError
from promptstore.sync.journal import Intent
from promptstore.sync.review import review_refspec
from promptstore.sync.session import TRY_LATER, Session
from promptstore.sync.team.bases import join_agreements
from promptstore.sync.team.lead import Alone
from promptstore.sync.team.leases import Leases


class Exchange:
    """The lead over remotes that clones share through one git remote."""

    shared = True

    def __init__(
        self, store: Store, names: Names, leases: Leases, note: Callable[[str], None], *, keep: bool = False
    ) -> None:
        """``note`` tells people what else happened; ``keep``: hold on to the leases after the run, as a daemon does."""
        self._store = store
        self._names = names
        self._leases = leases
        self._note = note
        self._keep = keep
        self._away: GitError | None = None

    # --- before and after a run

    def begin(self, sessions: Sequence[Session]) -> None:
        """Take tags, numbers and agreements. Where the git remote is away, only a lease still held lets us write."""
        try:
            found = fetch_shared(self._store, self._names.remote, *self._upstream(), *self._reviews())
        except GitError as error:
            self._away = error
            return
        for name in found.conflicts:
            self._note(f"warning: {_tag(name)} was moved at {self._names.remote} too; that one counts")
        if found.restored:
            self._note(f"warning: {self._names.remote} has none of its {found.restored} tags any more; they are kept")
        for session in sessions:
            join_agreements(self._store, self._names, session)

    def _upstream(self) -> list[str]:
        """The synced branch itself is fetched only where pushing it is wanted, too."""
        ref = self._store.git.revisions.upstream(self._store.branch) if self._store.config.git.push else None
        branch = self._names.branch(ref) if ref else None
        return [f"+{branch}:{ref}"] if branch else []

    def _reviews(self) -> list[str]:
        config = self._store.config
        return [review_refspec(self._names)] if config.git.push and config.sync.integrate == "branch" else []

    def end(self, sessions: Sequence[Session]) -> list[SyncError]:
        """Send what is new and let the leases go. What cannot be sent now goes with the next run."""
        if self._away is not None:
            return []
        errors = self._tried(lambda: send_shared(self._store, self._names.remote), sessions)
        if not self._keep:
            errors += self._tried(partial(self.leave, [session.name for session in sessions]), sessions)
        return errors[:1]

    def leave(self, remotes: Sequence[str]) -> None:
        self._leases.release(remotes)

    def _tried(self, step: Callable[[], None], sessions: Sequence[Session]) -> list[SyncError]:
        """What keeps one step from being done is told, once; it keeps no other from being done."""
        try:
            step()
        except PromptStoreError as error:
            retry = error.exit_code == TRY_LATER
            said = any(error.hint == other.hint for session in sessions for other in session.errors)
            return [] if said else [SyncError(self._names.remote, None, error.message, retry, error.kind, error.hint)]
        return []

    # --- the lead

    def check(self, remote: str) -> None:
        if self._away is not None and not self._leases.holds(remote):
            raise self._unknown(self._away)
        if self._keep and self._away is None:
            self._leases.take(remote)  # who stays around leads from now on, whether there is anything to do or not
        self._leases.check(remote)

    def inherits(self, remote: str) -> bool:
        return self._leases.inherits(remote)

    def take(self, remote: str) -> None:
        self.check(remote)
        if self._away is None:
            self._leases.take(remote)

    def announce(self, remote: str, intents: Sequence[Intent]) -> None:
        self._leases.announce(remote, intents)

    def confirm(self, remote: str) -> None:
        self._leases.confirm(remote)

    def _unknown(self, error: GitError) -> GitError:
        if not isinstance(error, OriginUnreachable):
            return error
        hint = f'without {self._names.remote} nobody knows who may publish; `[git] remote = ""` keeps to this clone'
        return OriginUnreachable(error.message, hint=hint)


def _tag(name: str) -> str:
    slug, _, tag = name.partition("/-/")
    return f"tag {tag} of {slug}"


class Publisher(Alone):
    """The one clone that writes where the git remote takes no refs of ours: `git config promptstore.publisher true`."""

    def __init__(self, store: Store, names: Names) -> None:
        self._store = store
        self._names = names

    def begin(self, sessions: Sequence[Session]) -> None:  # noqa: ARG002 - the protocol's
        """Take what is there; that the git remote is away matters to nobody."""
        try:
            fetch_shared(self._store, self._names.remote)
        except (OriginRefuses, OriginUnreachable):
            return
