"""The engine: observe → plan → check → apply → record, one pass, the same for the command line and the daemon.

Contents before tags, our side before the vendors': what is pulled from one vendor is planned anew for the others, so a
change goes round in one run. Rounds repeat until one changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from promptstore.errors import LeasedElsewhere, OriginRefuses, OriginUnreachable, PromptStoreError, RefMoved, StoreBusy
from promptstore.store.store import Store
from promptstore.store.tagging import settle_renames
from promptstore.sync.actions import LOCAL_KINDS, LOCAL_TAG_KINDS, Action, Plan, SyncError
from promptstore.sync.breaker import WINDOW
from promptstore.sync.journal import UNFINISHED, Journal
from promptstore.sync.local import Local, read_local
from promptstore.sync.observe import Counts, Depth, Observer
from promptstore.sync.planning import Planning
from promptstore.sync.policy import Policy
from promptstore.sync.publish import Publisher, new_intent
from promptstore.sync.pull import Puller
from promptstore.sync.push import Outcome, Pusher
from promptstore.sync.record import Recorder
from promptstore.sync.recover import Recovery
from promptstore.sync.review import ReviewBranch
from promptstore.sync.session import Pool, Session, Threads
from promptstore.sync.taken_in import take_in
from promptstore.sync.team.lead import Alone, Lead
from promptstore.sync.witness import Witness

ROUNDS = 8
"""A run ends by itself long before; the bound is for a vendor that changes under every step."""


@dataclass
class Result:
    """What a run did, and what is left."""

    plan: Plan = field(default_factory=Plan)
    done: list[Action] = field(default_factory=list)
    failed: list[Action] = field(default_factory=list)
    errors: list[SyncError] = field(default_factory=list)


class Engine:
    """Brings one store and its remotes together. Everything outside is passed in."""

    def __init__(
        self,
        store: Store,
        sessions: Sequence[Session],
        journal: Journal,
        witness: Witness,
        policy: Callable[[Session], Policy],
        *,
        seconds: Callable[[], float],
        pool: Pool | None = None,
        new_id: Callable[[], str] = new_intent,
        lead: Lead | None = None,
        ref: str | None = None,
        progress: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._store = store
        self._sessions = sessions
        self._journal = journal
        self._witness = witness
        self._seconds = seconds
        self._pool: Pool = pool or Threads()
        self._new_id = new_id
        self._lead: Lead = lead or Alone()
        self._progress = progress
        self._planning = Planning(store, journal, witness, policy, seconds)
        self._recorder = Recorder(store, journal, witness, seconds)
        self._moved: list[Action] = []
        self._asked_ref = ref
        self._ref = ref
        """The ref that is L, asked once a run."""
        self._accepted = False
        """Whether a person has passed this run's plan in spite of the guards."""

    # --- observe

    def observe(self, depth: Depth) -> dict[str, Counts]:
        """Look at every remote; one that fails is left out of the run and told about."""
        self._ref = self._asked_ref
        self._journal.refresh()
        self._store.checkout.mend()
        settle_renames(self._store)
        counts = {}
        for session in self._sessions:
            session.load()
            self._ask_lead(session)
            if not session.observer:
                self._follow_moves(session)
            if session.down:
                continue
            session.busy = False
            try:
                if self._has_unfinished(session) and self._leads(session):
                    self._recover(session)
                counts[session.name] = self._observe(session, depth)
                self._take_in(session, self._local())
            except PromptStoreError as error:
                session.fail(error)
                session.down = True
        return counts

    def load(self) -> None:
        """Take every remote as last seen, without a network, as a run does that is halted and notes nothing."""
        for session in self._sessions:
            session.load()
        local = self._local()
        for session in self._sessions:
            self._take_in(session, local)

    def _local(self) -> Local:
        """L as it stands now."""
        local = read_local(self._store, self._ref)
        self._ref = local.ref
        return local

    def _observe(self, session: Session, depth: Depth) -> Counts:
        self._progress(f"looking at {session.name}")
        intents = (intent for intent in self._journal.intents().values() if intent.remote == session.name)
        left = (intent for intent in intents if intent.state in UNFINISHED)
        session.awaited = frozenset(one.intent for one in left if not session.is_settled(one))
        return Observer(self._store, session, self._local(), self._pool, depth).observe()

    def _take_in(self, session: Session, local: Local) -> None:
        """Agree on what L has taken in by now; only who leads may."""
        if not session.observer:
            take_in(self._store, session, local, self._witness.of(session.name))

    def _ask_lead(self, session: Session) -> None:
        """Another clone may lead this remote: then we only look."""
        try:
            self._lead.check(session.name)
        except PromptStoreError as error:
            self._only_look(session, error)

    def _leads(self, session: Session) -> bool:
        """Whether this clone may write to the remote, and to what is agreed with it; asked before the first write."""
        if not session.observer:
            try:
                self._lead.take(session.name)
            except PromptStoreError as error:
                self._only_look(session, error)
        return not session.observer

    def _only_look(self, session: Session, error: PromptStoreError) -> None:
        session.fail(error)
        session.observer = True
        session.leader = error.message if isinstance(error, LeasedElsewhere) else ""
        session.forget_pending()

    def _has_unfinished(self, session: Session) -> bool:
        """Whether a publish of an earlier run, or of the last leader, is not recorded yet. Alone, looking once more
        costs nothing."""
        if not self._lead.shared or self._lead.inherits(session.name):
            return True
        intents = (intent for intent in self._journal.intents().values() if intent.remote == session.name)
        return any(intent.state in UNFINISHED for intent in intents)

    def _recover(self, session: Session) -> None:
        local = self._local()
        pusher = self._pusher(session, local)
        Recovery(self._store, session, local, self._journal, self._publisher(session), pusher).run()
        self._recorder.record(session)

    def _follow_moves(self, session: Session) -> None:
        """Links follow prompts that were renamed on the branch."""
        local = self._local()
        agreed = session.all_agreed()
        for new in local.numbering.moves:
            older = local.numbering.names_of(new)[1:]
            old = next((name for name in older if name in agreed and name not in local.prompts), None)
            if old is None or not local.numbering.went_on(old, new, agreed[old].link.proof or agreed[old].blob):
                continue
            if new in local.prompts and new not in agreed:
                session.rename(old, new)
                self._moved.append(Action(session.name, new, "move", reason=f"moved here from '{old}'", origin=old))

    # --- plan

    def plan(self) -> Plan:
        """The plans of all remotes together."""
        joined = Plan()
        local = self._local()
        ours = self._planning.ours(local)
        for session in self._sessions:
            joined = joined.joined(self._planning.plan(session, local, ours))
        return Plan(tuple(self._moved)).joined(joined)

    def sessions(self) -> Sequence[Session]:
        """The remotes of this run."""
        return self._sessions

    def record(self) -> None:
        """Make lasting what the sessions learned."""
        for session in self._sessions:
            self._recorder.record(session)

    # --- apply

    def run(self, accept: str | None = None) -> Result:
        """Plan, check, and carry out, round by round. Expects `observe` to have been called."""
        result = Result(self.plan(), done=list(self._moved))
        self._accepted = accept is not None and accept == result.plan.plan_id
        halted = {halt.remote for halt in result.plan.halted if not self._accepted}
        active = [s for s in self._sessions if not s.down and not s.observer and s.name not in halted]
        active = [s for s in active if not s.pending or self._leads(s)]
        self._tidy_review(active)
        if result.plan.actions:
            for _ in range(ROUNDS):
                if not self._round(active, result):
                    break
            self._leave(result)
        for session in active:
            self._record(session)
        if any(action.kind in LOCAL_KINDS for action in result.done):
            with suppress(PromptStoreError):  # the next run begins with it, and tells what keeps it from being done
                settle_renames(self._store)
        result.errors = [error for session in self._sessions for error in session.errors]
        self._journal.forget_settled(self._seconds() - WINDOW)
        return result

    def _tidy_review(self, sessions: Sequence[Session]) -> None:
        if self._store.config.sync.integrate == "branch":
            local = self._local()
            for session in sessions:
                ReviewBranch(self._store, local, session.name).tidy()

    def _round(self, sessions: Sequence[Session], result: Result) -> bool:
        """One round over all remotes; returns whether it changed anything."""
        before = len(result.done)
        again = False
        for session in sessions:
            again |= self._pull(session, result)
        for session in sessions:
            again |= self._push(session, result)
        return len(result.done) > before or again

    def _pull(self, session: Session, result: Result) -> bool:
        local, plan = self._replan(session)
        if not plan.actions or not self._leads(session):
            return False
        try:
            done = Puller(self._store, session, local).pull(plan.actions)
            if done:
                result.done += done
                self._record(session)
                local, plan = self._replan(session)
            result.done += Puller(self._store, session, local).pull_tags(plan.actions)
            self._record(session)
        except RefMoved:
            return True  # the user committed meanwhile: plan again on what stands now
        except (StoreBusy, OriginRefuses, OriginUnreachable) as error:
            session.busy = True
            session.fail(error)
        return False

    def _push(self, session: Session, result: Result) -> bool:
        local, plan = self._replan(session)
        if not plan.actions or not self._leads(session):
            return False
        outcomes = self._pusher(session, local).push(plan.actions)
        if outcomes:
            self._record(session)
            local, plan = self._replan(session)
        if self._leads(session):  # publishing may have taken long
            outcomes += self._pusher(session, local).push_tags(plan.actions)
        self._record(session)
        return self._note(outcomes, session, result)

    def _record(self, session: Session) -> None:
        """Make lasting what was done. Where that fails the remote is left for the next run, which finds out from the
        journal and from the vendor what was done."""
        if session.down or session.observer:
            return
        try:
            self._recorder.record(session)
        except PromptStoreError as error:
            session.fail(error)
            session.down = True

    def _note(self, outcomes: Sequence[Outcome], session: Session, result: Result) -> bool:
        result.done += [outcome.action for outcome in outcomes if outcome.done]
        result.failed += [o.action for o in outcomes if not o.done and o.action.slug in session.failed]
        moved = [outcome.action.slug for outcome in outcomes if outcome.again]
        if moved:
            self._observe_again(session)
        return bool(moved)

    def _observe_again(self, session: Session) -> None:
        """The vendor moved under us: look once more before planning again."""
        try:
            self._observe(session, Depth())
        except PromptStoreError as error:
            session.fail(error)
            session.down = True

    def _replan(self, session: Session) -> tuple[Local, Plan]:
        """The plan of one remote on what stands now, without the prompts that already failed in this run.

        Guards hold in every round: what was found out only during the run was not accepted by anyone, either.
        """
        local = self._local()
        self._take_in(session, local)  # what was committed meanwhile counts
        plan = self._planning.plan(session, local, self._planning.ours(local))
        if plan.halted and not self._accepted:
            return local, Plan()
        ours = LOCAL_KINDS | LOCAL_TAG_KINDS if session.busy else frozenset()
        kept = (action for action in plan.actions if action.slug not in session.failed and action.kind not in ours)
        return local, Plan(tuple(kept))

    def _leave(self, result: Result) -> None:
        """What is left when no round changes anything any more."""
        left = self.plan()
        halted = {halt.remote: halt for halt in (*left.halted, *result.plan.halted)}
        refused = [held for session in self._sessions for held in session.refused_tags.values()]
        result.plan = Plan(result.plan.actions, left.conflicts, (*left.held, *refused), tuple(halted.values()))

    def _pusher(self, session: Session, local: Local) -> Pusher:
        return Pusher(self._store, session, local, self._publisher(session), self._journal, self._pool, self._lead)

    def _publisher(self, session: Session) -> Publisher:
        if session.workspace is None:
            raise PromptStoreError(f"remote '{session.name}' is not connected")
        settle = self._store.config.sync.settle
        confirm = partial(self._lead.confirm, session.name)
        return Publisher(
            session.name, session.vendor, session.workspace, self._journal, self._seconds, settle, self._new_id, confirm
        )
