"""The whole engine over a real git store and vendors in memory."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from memory_vendor import MemoryWorkspace

from promptstore.store.store import Store
from promptstore.sync.actions import Plan
from promptstore.sync.engine import Engine, Result
from promptstore.sync.journal import Journal
from promptstore.sync.observe import Depth
from promptstore.sync.policy import Policy
from promptstore.sync.remotes import chosen, open_sessions
from promptstore.sync.session import Serial
from promptstore.sync.witness import Witness


@dataclass
class Rig:
    """A store and its vendors; each call is one run of a fresh engine, as each command is."""

    store: Store
    workspaces: Mapping[str, MemoryWorkspace]
    now: float = 1_000_000.0
    options: dict[str, object] = field(default_factory=dict)

    def engine(self, **options: object) -> Engine:
        sessions = open_sessions(
            self.store, chosen(self.store, []), lambda config, _: self.workspaces[config.name]
        )
        state = self.store.repository.state_dir
        return Engine(
            self.store,
            sessions,
            Journal(os.path.join(state, "journal")),
            Witness(os.path.join(state, "witness.json")),
            lambda session: Policy(
                covers=session.config.covers,
                covers_tag=session.config.covers_tag,
                **options,  # type: ignore[arg-type]
            ),
            seconds=lambda: self.now,
            pool=Serial(),
        )

    def sync(self, accept: str | None = None, history: bool = False, **options: object) -> Result:
        engine = self.engine(**options)
        engine.observe(Depth(history=history))
        return engine.run(accept)

    def plan(self, **options: object) -> Plan:
        engine = self.engine(**options)
        engine.observe(Depth())
        return engine.plan()
