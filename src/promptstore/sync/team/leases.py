"""Taking, keeping and giving up leases: pushes that move a ref at the git remote only from where it was seen."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from promptstore.errors import LeasedElsewhere, OriginUnreachable, Where
from promptstore.store.git.refs import RefMove
from promptstore.store.history import system_identity
from promptstore.store.sharing import Names, fetch_refs, push_refs
from promptstore.store.sharing.failures import refuses
from promptstore.store.store import Store
from promptstore.sync.journal import Intent, Journal
from promptstore.sync.team.clone import Clone
from promptstore.sync.team.lease import Lease, lease_ref, read_lease
from promptstore.sync.team.sightings import Sightings

_MARGIN = 8  # a lease's eighth is what clocks may differ


class Leases:
    """The leases of one store's remotes, as one clone sees them."""

    def __init__(
        self,
        store: Store,
        names: Names,
        clone: Clone,
        journal: Journal,
        *,
        seconds: Callable[[], float],
        duration: float,
        sightings: Sightings,
        keep: bool = False,
    ) -> None:
        """``seconds`` is the wall clock, ``duration`` (seconds) how long a lease lasts; ``keep``: as a daemon does."""
        self._store = store
        self._names = names
        self._clone = clone
        self._journal = journal
        self._seconds = seconds
        self._duration = duration
        self._sightings = sightings
        self._keep = keep
        self._lock = threading.Lock()
        self._read: dict[str, tuple[str | None, Lease | None]] = {}

    # --- asking

    def standing(self, remote: str) -> Lease | None:
        """The lease as last fetched."""
        oid = self._oid(remote)
        known, lease = self._read.get(remote, (None, None))
        if oid != known:  # it is asked before every write, and a commit never says anything else
            lease = read_lease(self._store, oid)
            self._read[remote] = (oid, lease)
        return lease

    def check(self, remote: str) -> None:
        lease = self.standing(remote)
        if lease is not None and self._is_others(remote, lease):
            raise self._leased(remote, lease)

    def holds(self, remote: str) -> bool:
        """Whether this clone leads, for a good while yet."""
        lease = self.standing(remote)
        left = lease.until - self._seconds() if lease is not None and lease.holder == self._clone.id else 0.0
        return left > self._duration / 2

    def inherits(self, remote: str) -> bool:
        """Whether the last leader left writes of which nobody knows the end."""
        lease = self.standing(remote)
        return lease is not None and lease.holder != self._clone.id and bool(lease.intents)

    # --- moving

    def take(self, remote: str) -> None:
        self.check(remote)
        if not self.holds(remote):
            self._push({remote: self._own(remote, (*self._open(remote), *self._inherit(remote)))})

    def announce(self, remote: str, intents: Sequence[Intent]) -> None:
        self.check(remote)
        self._push({remote: self._own(remote, (*self._open(remote), *intents))})

    def release(self, remotes: Sequence[str]) -> None:
        """Let others have these at once, in one push. What is still in doubt stays announced."""
        mine = [remote for remote in remotes if self._may_release(remote)]
        if mine:
            self._push({name: Lease(self._clone.id, self._clone.host, 0, self._open(name)) for name in mine})

    def _may_release(self, remote: str) -> bool:
        lease = self.standing(remote)
        if lease is None or lease.holder != self._clone.id:
            return False
        return lease.until > 0 and not self._is_daemons(lease)

    def confirm(self, remote: str) -> None:
        """Make sure, right before a write, that this clone still leads: a long run may outlast its lease. Threads may
        ask at once. What was announced stays announced."""
        with self._lock:
            lease = self.standing(remote)
            if lease is None or lease.holder != self._clone.id:
                raise self._leased(remote, lease)
            left = lease.until - self._seconds()
            if left > self._duration / 4:
                return
            try:
                self._push({remote: self._own(remote, lease.intents)})
            except OriginUnreachable:
                if left <= 0:
                    raise

    def _own(self, remote: str, intents: tuple[Intent, ...]) -> Lease:
        until, before = round(self._seconds() + self._duration, 3), self.standing(remote)
        kept = self._keep or (before is not None and before.holder == self._clone.id and self._is_daemons(before))
        return Lease(self._clone.id, self._clone.host, until, intents, self._duration, kept)

    def _is_daemons(self, lease: Lease) -> bool:
        """Whether a daemon of this clone has it, which a command beside it leaves in its hands."""
        return lease.kept and not self._keep and lease.until > self._seconds()

    def _open(self, remote: str) -> tuple[Intent, ...]:
        """What of ours nobody knows the end of."""
        return tuple(
            intent for intent in self._journal.intents().values() if intent.remote == remote and intent.is_open
        )

    def _inherit(self, remote: str) -> tuple[Intent, ...]:
        """Whatever another holder was about to send counts as in doubt: it stands in our journal before we lead.

        It may have been sent in the lease's last moment, by another clock: it is waited for from now on.
        """
        lease = self.standing(remote)
        if lease is None or lease.holder == self._clone.id:
            return ()
        known = self._journal.intents()
        fresh = (intent for intent in lease.intents if intent.intent not in known)
        return tuple(self._journal.move(intent, "unknown", self._seconds(), inherited=True) for intent in fresh)

    def _push(self, leases: Mapping[str, Lease]) -> None:
        who = system_identity(datetime.fromtimestamp(self._seconds(), UTC))
        commits = self._store.commits.write([lease.commit(who) for lease in leases.values()])
        told = zip(leases, commits, strict=True)
        moves = [RefMove(lease_ref(remote), commit, self._oid(remote)) for remote, commit in told]
        sent = push_refs(self._store, self._names, moves)
        if sent.refused:
            raise refuses(next(iter(sent.refused.values())), self._names.remote)
        if sent.outdated:
            fetch_refs(self._store, self._names)
            lost = next(remote for remote in leases if lease_ref(remote) == sent.outdated[0].name)
            raise self._leased(lost, self.standing(lost))

    # --- whose it is

    def _oid(self, remote: str) -> str | None:
        return self._store.refs.read(self._names.tracking(lease_ref(remote)))

    def _is_others(self, remote: str, lease: Lease) -> bool:
        now, margin = self._seconds(), self._duration / _MARGIN
        if not lease.readable:
            return True
        if lease.holder == self._clone.id or lease.is_over(now, margin):
            return False
        return not self._has_stood_too_long(remote, max(lease.seconds, self._duration) + margin, lease.until - now)

    def _has_stood_too_long(self, remote: str, most: float, left: float) -> bool:
        """Whether a lease that ends later than any can was not renewed in the time that it was given for: it was made
        by a clock that is ahead, and would be waited for in vain."""
        oid, now = self._oid(remote), self._seconds()
        return left > most and oid is not None and now - self._sightings.first(remote, oid, now) >= most

    def _leased(self, remote: str, lease: Lease | None) -> LeasedElsewhere:
        if lease is not None and not lease.readable:
            return self._unreadable(remote)
        who = f"another clone, on '{lease.host}'," if lease is not None and lease.until else "another machine"
        until = datetime.fromtimestamp(lease.until, UTC).strftime("%H:%M:%SZ") if lease and lease.until else ""
        return LeasedElsewhere(
            f"{who} syncs this remote" + (f" until {until} at least" if until else ""),
            where=Where(remote=remote),
            hint="what is pushed to the git remote goes out from there; or run it again later",
        )

    def _unreadable(self, remote: str) -> LeasedElsewhere:
        ref = lease_ref(remote)
        return LeasedElsewhere(
            f"nobody can tell who syncs this remote: {ref} at {self._names.remote} cannot be read",
            where=Where(remote=remote),
            hint="it may be a newer promptstore's: update this one; where no other clone syncs any more, "
            f"`git push {self._names.remote} --delete {ref}`",
        )
