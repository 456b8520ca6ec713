"""The whole engine over a real git store and vendors in memory."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from memory_vendor import MemoryWorkspace

from promptstore.store.store import Store
from promptstore.sync.actions import Action, Plan
from promptstore.sync.engine import Engine, Result
from promptstore.sync.journal import Journal
from promptstore.sync.local import read_local
from promptstore.sync.observe import Depth
from promptstore.sync.policy import Policy
from promptstore.sync.remotes import chosen, open_sessions
from promptstore.sync.resolve import Resolver, Side, in_turn
from promptstore.sync.session import Serial
from promptstore.sync.team.joining import team_of
from promptstore.sync.team.lead import Alone, Team
from promptstore.sync.witness import Witness


@dataclass
class Rig:
    """A store and its vendors; each call is one run of a fresh engine, as each command is."""

    store: Store
    workspaces: Mapping[str, MemoryWorkspace]
    now: float = 1_000_000.0
    options: dict[str, object] = field(default_factory=dict)
    shares: bool = False
    """Whether the runs exchange with the git remote, as the commands do."""
    keeps_lease: bool = False
    team: Team = field(default_factory=Alone)
    notes: list[str] = field(default_factory=list)

    def engine(self, **options: object) -> Engine:
        sessions = open_sessions(self.store, chosen(self.store, []), lambda config, _: self.workspaces[config.name])
        state = self.store.repository.state_dir
        journal = Journal(os.path.join(state, "journal"))
        if self.shares:
            self.team = team_of(
                self.store, journal, seconds=lambda: self.now, note=self.notes.append, keep=self.keeps_lease
            )
        self.team.begin(sessions)
        return Engine(
            self.store,
            sessions,
            journal,
            Witness(os.path.join(state, "witness.json")),
            lambda session: Policy(
                covers=session.config.covers,
                covers_tag=session.config.covers_tag,
                **{**self.options, **options},  # type: ignore[arg-type]
            ),
            seconds=lambda: self.now,
            pool=Serial(),
            lead=self.team,
        )

    @property
    def root(self) -> Path:
        return Path(self.store.root)

    def sync(self, accept: str | None = None, history: bool = False, **options: object) -> Result:
        engine = self.engine(**options)
        engine.observe(Depth(history=history))
        result = engine.run(accept)
        result.errors += self.team.end(engine.sessions())
        return result

    def resolve(self, slug: str, side: Side, editor: Callable[[str], str | None] = lambda text: text) -> None:
        """Settle one prompt's conflicts as the command does: without a network."""
        engine = self.engine()
        engine.load()
        found = list(engine.plan().conflicts)
        assert slug in {conflict.slug for conflict in found}
        wanted = [conflict for conflict in found if conflict.slug == slug]
        for session, mine in in_turn(self.store, engine.sessions(), wanted, engine.plan):
            if mine:
                Resolver(self.store, session, read_local(self.store), side, editor).resolve(slug, mine)
            engine.record()

    def take(self, slug: str, side: Side, editor: Callable[[str], str | None] = lambda text: text) -> None:
        """Choose a side for a prompt that is held until one is chosen, as ``resolve SLUG`` does."""
        engine = self.engine()
        engine.load()
        assert slug in {held.slug for held in engine.plan().held if held.can_resolve}
        for session in engine.sessions():
            Resolver(self.store, session, read_local(self.store), side, editor).take(slug)
        engine.record()

    def pass_over(self, slug: str, side: Side = "ours") -> None:
        """Go on without a vendor version that nobody can read."""
        engine = self.engine()
        engine.load()
        assert slug in {held.slug for held in engine.plan().held if held.unread}
        for session in engine.sessions():
            Resolver(self.store, session, read_local(self.store), side, lambda text: text).pass_over(slug)
        engine.record()

    def offline(self) -> Plan:
        """What is known without a network."""
        engine = self.engine()
        engine.load()
        return engine.plan()

    def until_quiet(self, limit: int = 12, **options: object) -> Result:
        """Run until a run does nothing; returns that last run."""
        for _ in range(limit):
            writes = [list(workspace.writes) for workspace in self.workspaces.values()]
            result = self.sync(**options)
            if not result.done and writes == [workspace.writes for workspace in self.workspaces.values()]:
                return result
            self.now += 100
        raise AssertionError(f"never quiet: {[(a.kind, a.slug, a.tag) for a in result.done]} {result.errors}")

    def plan(self, **options: object) -> Plan:
        engine = self.engine(**options)
        engine.observe(Depth())
        return engine.plan()


def kinds(actions: Iterable[Action]) -> list[str]:
    return [f"{action.kind} {action.slug}" for action in actions]
