"""What the daemon's one worker does: look at this clone, and run the engine's pass over remotes."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from promptstore.daemon.autocommit import Burst, commit, ready
from promptstore.daemon.following import follow
from promptstore.daemon.scan import Busy, sandwiched
from promptstore.daemon.standing import Outcome, judged, observed
from promptstore.errors import PromptStoreError, StoreBusy
from promptstore.store.config import Config
from promptstore.store.git.process import run
from promptstore.store.git.repository import Repository, require_repository
from promptstore.store.refnames import TAGS
from promptstore.store.store import Store
from promptstore.sync.actions import SyncError
from promptstore.sync.engine import Engine
from promptstore.sync.engine_lock import EngineLock
from promptstore.sync.journal import Journal
from promptstore.sync.last_sync import LastSync
from promptstore.sync.local import published_ref, uncommitted
from promptstore.sync.observe import Depth
from promptstore.sync.session import Session
from promptstore.sync.team.joining import team_of

_AWAY = "the store's folder is not there"


class Assembled(Protocol):
    """An engine and its sessions, as the command line makes them."""

    @property
    def engine(self) -> Engine: ...

    @property
    def sessions(self) -> Sequence[Session]: ...

    def errors(self) -> list[SyncError]: ...

    def close(self) -> None: ...


Assemble = Callable[[Store, Sequence[str], bool], Assembled]
"""``(store, remotes, online)``: an engine over these remotes (all, where none is named)."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What in this clone decides whether there is anything to do: equal snapshots, nothing new."""

    branch: str | None
    published: str | None
    tags: str
    uncommitted: frozenset[str]


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look found. ``wanted`` are the remotes for which something here is new."""

    config: Config
    wanted: frozenset[str] = frozenset()
    committed: tuple[str, ...] = ()
    """Slugs that were committed."""
    left: Mapping[str, str] = field(default_factory=dict)
    """Slugs that were not, and why."""
    busy: str | None = None
    again: float | None = None
    """Seconds until files that are too young now may be looked at again."""
    fault: str | None = None
    """Why the config in L's commit cannot be used; the one before it still counts."""


class Work:
    """The hands of the daemon. Used by one thread; ``store`` is open between jobs, its helpers are not."""

    def __init__(
        self, root: str, assemble: Assemble, *, branch: str | None = None, wall: Callable[[], float] = time.time
    ) -> None:
        """``branch`` is the synced branch as an earlier daemon knew it: what is checked out now has no say in it."""
        self._repository: Repository = require_repository(root)
        self._assemble = assemble
        self._wall = wall
        self._examined: Snapshot | None = None
        self._uncommitted: frozenset[str] = frozenset()
        self._fault: str | None = None
        self.store, self.source = follow(root, self._repository, branch)

    def close(self) -> None:
        self.store.close()

    # --- this clone

    def look(self, files: bool, reload: bool = False) -> Looked:
        """Look at refs, and with ``files`` at the work tree, where saved files are committed if that is configured."""
        if self._is_away():
            return Looked(self.store.config, busy=_AWAY)
        try:
            return self._look(files, reload)
        finally:
            self.store.close()

    def _look(self, files: bool, reload: bool) -> Looked:
        if reload or self._snapshot() != self._examined:
            self._reconfigure()
        looked = self._commit_saved() if files and self.store.config.daemon.autocommit else Looked(self.store.config)
        busy = looked.busy or (self._look_at_files() if files else None)
        return replace(looked, busy=busy, wanted=self._news(), fault=self._fault)

    def _reconfigure(self) -> None:
        """Follow the config in L's commit. A broken one changes nothing."""
        try:
            store, source = follow(self.store.root, self._repository, self.store.config.branch)
        except PromptStoreError as error:
            self._fault = f"the config was not taken over: {error}" + (f"; {error.hint}" if error.hint else "")
            return
        self._fault = None
        if store.config == self.store.config:
            store.close()
            return
        self.store.close()
        self.store, self.source, self._examined = store, source, None

    def _commit_saved(self) -> Looked:
        config = self.store.config
        burst = ready(self.store, self._wall(), config.daemon.debounce)
        if burst is None:
            return Looked(config)
        if isinstance(burst, Busy):
            return Looked(config, busy=burst.reason)
        again = max(config.daemon.debounce, 0.05) if burst.young else None
        if not burst.blobs:
            return Looked(config, left=dict(burst.left), again=again)
        return self._committed(burst, again)

    def _committed(self, burst: Burst, again: float | None) -> Looked:
        try:
            done = commit(self.store, burst)
        except PromptStoreError as error:  # a key to sign with that is locked, a full disk
            return Looked(self.store.config, left=dict(burst.left) | dict.fromkeys(burst.blobs, str(error)))
        if done is None:
            return Looked(self.store.config, busy="the branch moved, or a file was saved meanwhile")
        return Looked(self.store.config, frozenset(), tuple(sorted(burst.blobs)), dict(burst.left), again=again)

    def _look_at_files(self) -> str | None:
        seen = sandwiched(self.store, lambda _: frozenset(uncommitted(self.store)))
        if isinstance(seen, Busy):
            return seen.reason
        self._uncommitted = seen
        return None

    def _news(self) -> frozenset[str]:
        """The remotes that the offline plan has something to do for, if anything changed since it was last made."""
        snapshot = self._snapshot()
        if snapshot == self._examined:
            return frozenset()
        self._examined = snapshot
        try:
            return self._planned_for()
        except PromptStoreError:
            return frozenset(self.store.config.remotes)  # their pass finds the same in the way, and says so

    def _planned_for(self) -> frozenset[str]:
        assembled = self._assemble(self.store, (), False)
        try:
            assembled.engine.load()
            plan = assembled.engine.plan()
        finally:
            assembled.close()
        return frozenset(action.remote for action in plan.actions)

    def _snapshot(self) -> Snapshot:
        refs = self.store.refs
        listing = run([*self.store.repository.arguments, "for-each-ref", "--format=%(objectname) %(refname)", TAGS])
        tags = hashlib.sha256(listing).hexdigest()
        published = refs.read(published_ref(self.store))
        return Snapshot(refs.read(self.store.branch), published, tags, self._uncommitted)

    # --- remotes

    def run(self, remotes: Sequence[str]) -> list[Outcome] | None:
        """One pass over these remotes, and how each stands after it.

        None where another sync is at work in this clone. Whether this machine may write to a remote is for the
        engine's lead to say: one that may not only observes.
        """
        if self._is_away():
            return [Outcome(name, "waiting", _AWAY, reached=False) for name in remotes]
        try:
            with self._lock():
                return self._tried(remotes)
        except StoreBusy:  # the lock's own: whatever goes wrong under it is an outcome
            return None
        except PromptStoreError as error:
            return _failed(remotes, error)
        finally:
            self.store.close()

    def let_go(self) -> None:
        """Give up the leases of this clone, so that another one takes over at once.

        Where that fails (no git remote to be reached, a command at work here that leads by them) they run out.
        """
        if self._is_away():
            return
        journal = Journal(self._state("journal"))
        try:
            with self._lock():
                team = team_of(self.store, journal, seconds=self._wall, note=lambda _: None, keep=True)
                team.leave([*self.store.config.remotes])
        except PromptStoreError:
            return
        finally:
            self.store.close()

    def _tried(self, remotes: Sequence[str]) -> list[Outcome]:
        try:
            return self._synced(remotes)
        except PromptStoreError as error:
            return _failed(remotes, error)

    def _is_away(self) -> bool:
        """A network drive may come back."""
        return not (os.path.isdir(self.store.root) and os.path.isdir(self._repository.common_dir))

    def _synced(self, remotes: Sequence[str]) -> list[Outcome]:
        assembled = self._assemble(self.store, remotes, True)
        try:
            assembled.engine.observe(Depth())
            result = assembled.engine.run()
        finally:
            assembled.close()
        reached = [session.name for session in assembled.sessions if not session.down]
        LastSync(self._state("last-sync.json")).note(reached, self.store.clock())
        observing = {session.name for session in assembled.sessions if session.observer and not session.down}
        found = [judged(name, result.plan, result.done, assembled.errors()) for name in remotes]
        return [observed(outcome) if outcome.remote in observing else outcome for outcome in found]

    def _lock(self) -> EngineLock:
        return EngineLock(self._state("lock"))

    def _state(self, name: str) -> str:
        return os.path.join(self._repository.state_dir, name)


def _failed(remotes: Sequence[str], error: PromptStoreError) -> list[Outcome]:
    """What stopped the whole pass."""
    text = f"{error}; {error.hint}" if error.hint else str(error)
    return [Outcome(name, "failing", text, reached=False) for name in remotes]
