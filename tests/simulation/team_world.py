"""A world whose clones share one git origin: each run leads, announces, sends and takes as the commands do.

``Origin`` tells who took the lease from whom. Nobody may write to a vendor but whoever leads it there.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from clouds import Kept
from life import Life
from memory_git import Database, MemoryRefs, MemoryRepository
from wire import WRITE_FAULTS, Wire
from world import CALM, Bad, Clone, World

from promptstore.errors import GitError, PromptStoreError
from promptstore.store.config import GitConfig
from promptstore.sync.engine import Result
from promptstore.sync.observe import Depth
from promptstore.sync.publish import FRESH
from promptstore.sync.team.joining import team_of
from promptstore.sync.team.lead import Team

MAIN = "refs/heads/main"
UPSTREAM = "refs/remotes/origin/main"
URL = "https://git.test/acme/prompts.git"
APART = 7
"""Seconds by which a clock may be wrong: two then differ by less than what leases allow for."""
_GIT = ("before the fetch", "after the fetch", "before the push", "after the push")


class Origin(MemoryRefs):
    """The refs at the git remote."""

    def __init__(self) -> None:
        super().__init__()
        self.on_move: Callable[[str, str | None, str | None], None] = lambda _name, _old, _new: None

    def set(self, name: str, oid: str | None) -> None:
        old = self.names.get(name)
        super().set(name, oid)
        if oid != old:
            self.on_move(name, old, oid)


@dataclass(frozen=True)
class Led:
    """What a lease says, read without promptstore."""

    holder: str
    until: float
    intents: tuple[str, ...]


def led(database: Database, commit: str | None) -> Led | None:
    entry = database.flat(commit).get("lease") if commit else None
    if entry is None:
        return None
    said: Mapping[str, Any] = json.loads(database.objects[entry.oid].data)
    return Led(said["holder"], said["until"], tuple(intent["intent"] for intent in said["intents"]))


class Member(Clone):
    """One clone of the team."""

    world: TeamWorld

    def __init__(self, world: TeamWorld, name: str, repository: MemoryRepository) -> None:
        super().__init__(world, name, repository)
        self.files.content[f"{self.place}/clone"] = f"{name}\n".encode()
        repository.revisions.user = (name, f"{name}@example.com")
        repository.revisions.settings["remote.origin.url"] = URL
        repository.revisions.upstreams[MAIN] = UPSTREAM
        self.has_daemon = False
        self.keeps = False
        """Whether the next run is the daemon's, which holds on to its leases."""

    def team(self) -> tuple[Any, Team]:
        journal = self.journal()
        return journal, team_of(
            self.store,
            journal,
            seconds=self.now,
            note=lambda words: self.world.tell(f"  {words}"),
            keep=self.keeps,
            files=self.files,
            host=lambda: self.name,
        )

    def run(self, wires: dict[str, Wire], depth: Depth, accept: str | None, **options: object) -> Result:
        journal, team = self.team()
        engine = self.engine(wires, journal, team, **options)
        team.begin(engine.sessions())
        unsent = []
        try:
            engine.observe(depth)
            result = engine.run(accept)
        finally:
            unsent += team.end(engine.sessions())
        result.errors += unsent
        return result

    def let_go(self) -> None:
        """The daemon is stopped; a lease that it cannot give up runs out."""
        self.open(Life(), lambda _what, _faults: None)
        self.keeps = True
        with suppress(PromptStoreError):
            self.team()[1].leave(list(self.world.clouds))
        self.has_daemon = self.keeps = False

    def open(self, life: Life, weather: Callable[[str, tuple[str, ...]], str | None]) -> dict[str, Wire]:
        super().open(life, weather)
        watch = self.world.watch
        return {
            name: Wire(life, partial(watch, self, name, weather), self.world.later(cloud))
            for name, cloud in self.world.clouds.items()
        }

    def upstream(self) -> str | None:
        return self.repository.refs.read(UPSTREAM)

    def published(self) -> dict[str, str]:
        """The prompts that count as ours: what was pushed, as last fetched."""
        found = self.repository.committed(self.upstream()) if self.upstream() else {}
        return {path[len("prompts/") : -len(".yaml")]: text.decode() for path, text in found.items()}


class TeamWorld(World):
    """Everything there is, with one origin for all clones."""

    origin_kind = Origin
    origin: Origin
    clones: list[Member]  # type: ignore[assignment]

    def __init__(self, seed: int, clones: int) -> None:
        super().__init__(seed, clones)
        self.origin.on_move = self._moved_there
        self.away = False
        self.busy: list[Clone] = []
        """Whose runs are going on, outermost first."""
        pushes = self.dice.random() < 0.35
        self.config = replace(self.config, git=GitConfig(push=pushes))
        self.tell("pulls are pushed" if pushes else "people push")
        for member in self.clones:
            member.offset = self.dice.choice([-APART, 0, APART])
            member.has_daemon = self.dice.random() < 0.3
            member.forget()

    def clone(self, name: str, repository: MemoryRepository) -> Member:
        return Member(self, name, MemoryRepository(Database(), origin=self.origin, there=self.database))

    def apart(self, one: str, other: str) -> bool:
        return False

    # --- runs

    def sync(self, clone: Clone, bad: Bad = CALM, accept: str | None = None, **options: object) -> Result | None:
        clone.repository.transport.away = self.away
        self.counts["runs while the origin is away"] += self.away
        with self._inner(clone):
            return super().sync(clone, bad, accept, **options)

    @contextmanager
    def _inner(self, clone: Clone) -> Iterator[None]:
        """What is known of a run is kept while another clone's goes on in the middle of it."""
        saved = self.acting, self.interrupted
        clouds = [(cloud, dict(cloud.seen), cloud.linked) for cloud in self.clouds.values()]
        self.busy.append(clone)
        try:
            yield
        finally:
            self.busy.remove(clone)
            if self.busy:
                self.acting, self.interrupted = saved[0], True
                for cloud, seen, linked in clouds:
                    cloud.seen, cloud.linked = seen, linked

    def _meanwhile(self, clone: Clone, life: Life, bad: Bad, what: str) -> None:
        super()._meanwhile(clone, life, bad, what)
        chance = 2 * bad.trouble if what == "before publish" else bad.trouble / 4
        if bad.trouble and self.dice.random() < chance:
            self.between(clone, what)
        if what in _GIT and self.dice.random() < bad.trouble:
            lost = what.startswith("after")
            self.tell(f"  no answer {what}")
            self.counts[f"lost {what.rpartition(' ')[2]}es" if lost else f"fault: no answer {what}"] += 1
            raise GitError("git: the remote end hung up unexpectedly")

    def _count_result(self, clone: Clone, result: Result) -> None:
        super()._count_result(clone, result)
        elsewhere = [error for error in result.errors if "syncs this remote" in error.message]
        self.counts["runs led elsewhere"] += bool(elsewhere)

    # --- who leads

    def lease(self, remote: str) -> Led | None:
        return led(self.database, self.origin.names.get(f"refs/promptstore/{remote}/lease"))

    def _moved_there(self, name: str, old: str | None, new: str | None) -> None:
        if not name.endswith("/lease"):
            return
        before, after = led(self.database, old), led(self.database, new)
        if before is None or after is None or before.holder == after.holder:
            return
        self.counts["leases that changed hands"] += 1
        if before.until:
            self.counts["takeovers of a lease"] += 1
            self.tell(f"  {after.holder} takes over from {before.holder}")
        if before.intents:
            cloud = self.clouds[name.split("/")[2]]
            self.counts["announced intents found"] += len(before.intents)
            self.counts["announced intents that had arrived"] += sum(i in cloud.intents for i in before.intents)

    def watch(
        self,
        clone: Clone,
        remote: str,
        weather: Callable[[str, tuple[str, ...]], str | None],
        what: str,
        faults: tuple[str, ...],
    ) -> str | None:
        """Called right before every call of a vendor. Whoever writes leads there, and its lease lasted when it last
        looked."""
        if faults is WRITE_FAULTS:
            lease = self.lease(remote)
            if lease is None or lease.holder != clone.name or lease.until + FRESH < clone.now():
                self.fail("lease", f"{clone.name}: {what} at {remote}, which {lease} leads ({clone.now()})")
            self.counts["writes by a leader"] += 1
        return weather(what, faults)

    # --- the engine's doings

    def _archived(self, remote: str) -> Callable[[Kept], None]:
        """An engine archives a prompt: somebody must have deleted it in what was pushed."""

        def check(kept: Kept) -> None:
            clone = self.acting
            slug = self.linked(clone, remote).get(kept.id)
            here = clone.published() if isinstance(clone, Member) else {}
            if slug is not None and slug in here and not self.interrupted:
                self.fail("law 7", f"{remote} {kept.name} is archived, but {slug} is here")

        return check
