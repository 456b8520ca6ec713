"""One world: clones with their engines, vendors, people, a clock and the weather, all from one seed."""

from __future__ import annotations

import hashlib
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

from clouds import LATE, Braintrust, Cloud, Desk, Kept, PromptLayer
from life import Killed, Life
from memory_files import MemoryCache, MemoryFiles
from memory_git import Database, MemoryRefs, MemoryRepository
from remembering import RememberingLens
from wire import LOST_REPLIES, WRITE_FAULTS, Wire
from words import words

from promptstore.errors import PromptStoreError
from promptstore.store.config import Config, RemoteConfig
from promptstore.store.git.commits import Identity
from promptstore.store.git.repository import Repository
from promptstore.store.refnames import base_ref
from promptstore.store.store import Store
from promptstore.sync.actions import Plan
from promptstore.sync.agreement import Agreements
from promptstore.sync.engine import Engine, Result
from promptstore.sync.journal import Journal
from promptstore.sync.local import read_local
from promptstore.sync.observe import Depth
from promptstore.sync.policy import Policy
from promptstore.sync.remotes import chosen, open_sessions
from promptstore.sync.resolve import Resolver, Side, in_turn
from promptstore.sync.session import Serial
from promptstore.sync.team.lead import Alone, Lead
from promptstore.sync.trees import Link
from promptstore.sync.witness import Witness

CLOUDS: dict[str, type[Cloud]] = {"promptlayer": PromptLayer, "braintrust": Braintrust}
MEMORY = {name: RememberingLens(cloud.vendor.lens) for name, cloud in CLOUDS.items()}
START = 1_790_000_000.0


@dataclass
class Bad:
    """The weather of one run: how often something goes wrong, and when the process dies or the disk is full."""

    trouble: float = 0.0
    lossy: float = 0.0
    """How often a write goes wrong, beside that."""
    dies_at: int = 0
    full_at: int = 0


CALM = Bad()


class Clone:
    """One clone: its repository, its engine's files and its clock."""

    def __init__(self, world: World, name: str, repository: MemoryRepository) -> None:
        self.world = world
        self.name = name
        self.repository = repository
        self.files = MemoryFiles(world.dice)
        self.offset = 0.0
        """How wrong this machine's clock is, in seconds."""
        self.forget()

    def forget(self) -> None:
        """A new process, and an empty cache."""
        place = f"/sim/{self.name}"
        self.store = Store(
            place,
            self.world.config,
            Repository(place, f"{place}/.git", f"{place}/.git"),
            clock=lambda: datetime.fromtimestamp(self.now(), UTC),
            git=self.repository.git(),
            cache=MemoryCache(),  # type: ignore[arg-type]
        )

    def now(self) -> float:
        return self.world.now + self.offset

    def who(self) -> Identity:
        name, email = self.repository.revisions.user
        return Identity(name, email, datetime.fromtimestamp(self.now(), UTC))

    def prompts(self) -> dict[str, str]:
        """The committed prompts."""
        found = self.repository.committed()
        return {path[len("prompts/") : -len(".yaml")]: text.decode() for path, text in found.items()}

    def links(self, remote: str) -> dict[str, Link]:
        """Slug -> link, as agreed with one vendor."""
        store = self.store
        agreement = Agreements(remote, store.refs, store.objects, store.commits).read()
        return {slug: agreed.link for slug, agreed in agreement.prompts.items()}

    def before_the_eyes(self) -> set[str]:
        """The words in the work tree."""
        return set().union(*(words(text.decode()) for text in self.repository.tree.files.values()))

    def open(self, life: Life, weather: Callable[[str, tuple[str, ...]], str | None]) -> dict[str, Wire]:
        """Let a process live on this clone's edges; returns its wires."""
        self.repository.live(life)
        self.files.life = life
        return {name: Wire(life, weather, self.world.later(cloud)) for name, cloud in self.world.clouds.items()}

    @property
    def place(self) -> str:
        return self.store.repository.state_dir

    def journal(self) -> Journal:
        return Journal(f"{self.place}/journal", self.files)

    def run(self, wires: dict[str, Wire], depth: Depth, accept: str | None, **options: object) -> Result:
        """One run, as a command does it."""
        engine = self.engine(wires, self.journal(), Alone(), **options)
        engine.observe(depth)
        return engine.run(accept)

    def engine(self, wires: dict[str, Wire], journal: Journal, lead: Lead, **options: object) -> Engine:
        clouds = self.world.clouds
        sessions = open_sessions(
            self.store,
            chosen(self.store, []),
            lambda config, _: Desk(clouds[config.name], wires[config.name]),  # type: ignore[arg-type,return-value]
        )
        for session in sessions:
            session.vendor = replace(session.vendor, lens=MEMORY[session.vendor.name])
        return Engine(
            self.store,
            sessions,
            journal,
            Witness(f"{self.place}/witness.json", self.files),
            lambda session: Policy(
                covers=session.config.covers,
                covers_tag=session.config.covers_tag,
                **{"max_delete": self.world.max_delete, **options},  # type: ignore[arg-type]
            ),
            seconds=self.now,
            pool=Serial(),
            new_id=partial(self.world.new_intent, self),
            lead=lead,
        )


class World:
    """Everything there is. ``log`` says what happened, ``counts`` how often."""

    origin_kind: type[MemoryRefs] = MemoryRefs

    def __init__(self, seed: int, clones: int = 1) -> None:
        self.seed = seed
        self.dice = random.Random(seed)
        self.now = START
        self.log: list[str] = []
        self.counts: Counter[str] = Counter()
        self.born: set[str] = set()
        self.superseded: set[str] = set()
        self.forgotten: set[str] = set()
        """What a lost base knew to be still merged, and nothing else does."""
        self.lapsed: dict[str, set[str]] = {}
        """Vendor id -> the words that a lost base had agreed on."""
        self.shown: dict[str, Plan] = {}
        self._digest = hashlib.sha256()
        for lens in MEMORY.values():
            lens.forget()
        self._intents = 0
        self.max_delete = self.dice.choice([0.2, 1.0, 1.0, 1.0])
        kinds = self.dice.choice([["promptlayer"], ["braintrust"], ["promptlayer", "braintrust"]])
        self.clouds: dict[str, Cloud] = {name: CLOUDS[name](lambda: self.now) for name in kinds}
        remotes = {name: RemoteConfig(name, name, project="sim") for name in kinds}
        self.config = Config(remotes=remotes)
        self.database = Database()
        self.origin = self.origin_kind()
        self.clones = [self.clone(name, MemoryRepository(self.database, origin=self.origin)) for name in "abc"[:clones]]
        for name, cloud in self.clouds.items():
            cloud.on_delete = self._archived(name)
        self.interrupted = False
        """Whether people did something in the middle of the run."""
        self.between: Callable[[Clone, str], None] = lambda _clone, _what: None
        self.acting: Clone = self.clones[0]

    # --- pieces

    def clone(self, name: str, repository: MemoryRepository) -> Clone:
        return Clone(self, name, repository)

    def word(self) -> str:
        made = f"w{len(self.born) + 1}"
        self.born.add(made)
        return made

    def new_intent(self, clone: Clone) -> str:
        self._intents += 1
        return f"{clone.name}-{self._intents}"

    def apart(self, one: str, other: str) -> bool:
        """Whether two intents are of clones that do not know of each other: nothing keeps two from sending one text at
        once."""
        return one[0] != other[0]

    def later(self, cloud: Cloud) -> Callable[[Callable[[], object]], None]:
        return lambda write: cloud.pending.append((self.now + self.dice.randrange(1, LATE), write))

    def tell(self, line: str) -> None:
        self.log.append(line)

    def pass_time(self, seconds: float) -> None:
        """Slow writes arrive each at its own time."""
        end = self.now + seconds
        on_their_way = [time for cloud in self.clouds.values() for time, _ in cloud.pending if time < end]
        for self.now in [*sorted({max(time, self.now) for time in on_their_way}), end]:
            for cloud in self.clouds.values():
                cloud.settle()

    @contextmanager
    def by_hand(self, clone: Clone, what: str) -> Iterator[None]:
        """Somebody does something in a clone with its texts before the eyes."""
        before = clone.before_the_eyes()
        yield
        self.superseded |= before - clone.before_the_eyes()
        self.tell(f"{clone.name}: {what}")

    def fail(self, law: str, told: str) -> None:
        raise AssertionError(f"{law}: {told}")

    # --- engines

    def sync(self, clone: Clone, bad: Bad = CALM, accept: str | None = None, **options: object) -> Result | None:
        """One run; None where it did not come to its end."""
        self._count_start(clone)
        life = Life(bad.dies_at, lambda what: self._meanwhile(clone, life, bad, what))
        self.acting, self.interrupted = clone, False
        wires = clone.open(life, lambda what, faults: self._weather(clone, bad, what, faults))
        depth = Depth(self.dice.random() < 0.1, self.dice.random() < 0.1) if bad is not CALM else Depth()
        for name, cloud in self.clouds.items():
            cloud.seen.clear()
            cloud.linked = frozenset(self.linked(clone, name))
        self.tell(f"{clone.name}: sync {options or ''}")
        try:
            result = clone.run(wires, depth, accept, **options)
        except Killed:
            self._count_kill(life)
            return None
        except PromptStoreError as error:
            self.tell(f"  it ended in {type(error).__name__}: {error.message}")
            self.counts["runs that failed"] += 1
            return None
        finally:
            self._after(clone, wires)
        self._count_result(clone, result)
        return result

    def _after(self, clone: Clone, wires: dict[str, Wire]) -> None:
        clone.open(Life(), lambda _what, _faults: None)
        clone.files.full = clone.repository.commits.full = False
        for wire in wires.values():
            for fault, count in wire.told.items():
                self.counts[f"fault: {fault}"] += count
                self.counts["lost replies"] += count if fault in LOST_REPLIES else 0
        self.note_state()

    def _meanwhile(self, clone: Clone, life: Life, bad: Bad, what: str) -> None:
        self.now += 0.01
        if bad.full_at and life.steps == bad.full_at:
            self.tell("  the disk is full now")
            self.counts["fault: full disk"] += 1
            clone.files.full = clone.repository.commits.full = True
        if self.dice.random() < bad.trouble / 4:
            self.between(clone, what)

    def _weather(self, clone: Clone, bad: Bad, what: str, faults: tuple[str, ...]) -> str | None:
        chance = bad.trouble + bad.lossy if faults is WRITE_FAULTS else bad.trouble
        if not chance or self.dice.random() >= chance:
            return None
        fault = self.dice.choice(faults)
        if fault == "slow" and what == "delete":
            return None  # an edit saved there before it lands would be archived unseen by anyone
        self.tell(f"  {what}: {fault}")
        return fault

    def _count_start(self, clone: Clone) -> None:
        self.counts["syncs"] += 1
        here = bool(clone.prompts())
        agreed = any(clone.repository.refs.read(base_ref(name)) for name in self.clouds)
        if here and agreed and any(cloud.live() for cloud in self.clouds.values()):
            self.counts["syncs with all sides non-empty"] += 1

    def _count_kill(self, life: Life) -> None:
        self.tell(f"  killed {life.last[-1]}")
        self.counts["kills"] += 1
        self.counts[f"fault: kill {_shortened(life.last[-1])}"] += 1
        if "list" not in life.last[-1] and "tags" not in life.last[-1] and "read" not in life.last[-1]:
            self.counts["interrupted writes"] += 1

    def _count_result(self, clone: Clone, result: Result) -> None:
        self.shown[clone.name] = result.plan
        self.counts["conflicts"] += len({(c.remote, c.slug) for c in result.plan.conflicts})
        self.counts["held"] += len(result.plan.held)
        self.counts["halted"] += len(result.plan.halted)
        for action in result.done:
            self.counts[f"done: {action.kind}"] += 1
            self.tell(f"  {action.remote} {action.kind} {action.slug} {action.version or ''} {action.tag or ''}")
        for error in result.errors:
            self.tell(f"  error: {error.remote} {error.slug}: {error.message}")

    def plan(self, clone: Clone) -> Plan:
        """The plan as last seen, without the network, as ``conflicts`` shows it."""
        return self._offline(clone).plan()

    def _offline(self, clone: Clone) -> Engine:
        engine = clone.engine(clone.open(Life(), lambda _what, _faults: None), clone.journal(), Alone())
        engine.load()
        return engine

    def resolve(self, clone: Clone, slug: str, side: Side, editor: Callable[[str], str | None]) -> None:
        engine = self._offline(clone)
        found = [conflict for conflict in engine.plan().conflicts if conflict.slug == slug]
        for session, mine in in_turn(clone.store, engine.sessions(), found, engine.plan):
            if mine:
                Resolver(clone.store, session, read_local(clone.store), side, editor).resolve(slug, mine)
            engine.record()

    def take(self, clone: Clone, remote: str, slug: str, side: Side) -> set[str]:
        """A side is chosen for a prompt that is held until one is; returns the words of the vendor's."""
        engine = self._offline(clone)
        session = next(session for session in engine.sessions() if session.name == remote)
        Resolver(clone.store, session, read_local(clone.store), side, lambda text: text).take(slug)
        engine.record()
        seen = session.tracked.prompts.get(slug)
        return words(json.dumps(seen.document)) if seen else set()

    def _archived(self, remote: str) -> Callable[[Kept], None]:
        """An engine archives a prompt: somebody must have deleted it here."""

        def check(kept: Kept) -> None:
            clone = self.acting
            slug = self.linked(clone, remote).get(kept.id)
            if slug is not None and slug in clone.prompts() and not self.interrupted:
                self.fail("law 7", f"{remote} {kept.name} is archived, but {slug} is here")

        return check

    def linked(self, clone: Clone, remote: str) -> dict[str, str]:
        """Vendor id -> slug, as the agreement ref says."""
        commit = clone.repository.refs.read(base_ref(remote))
        if commit is None:
            return {}
        found = {}
        database = clone.repository.database
        for path, entry in database.flat(commit).items():
            if path.endswith("/-/link"):
                found[json.loads(database.objects[entry.oid].data)["id"]] = path.removesuffix("/-/link")
        return found

    def agreed_words(self, cloud: Cloud, kept: Kept) -> set[str]:
        """The words of the text that the clones last agreed on for a vendor's prompt."""
        found = set(self.lapsed.get(kept.id, ()))
        for clone in self.clones:
            slug = self.slug_of(clone, cloud, kept)
            commit = clone.repository.refs.read(base_ref(self._name(cloud)))
            if slug and commit is not None:
                found |= words(clone.repository.committed(commit)[f"{slug}/-/prompt"].decode())
        return found

    def slug_of(self, clone: Clone, cloud: Cloud, kept: Kept) -> str:
        """The slug that a clone has linked with a vendor's prompt; empty where none is."""
        return self.linked(clone, self._name(cloud)).get(kept.id, "")

    def _name(self, cloud: Cloud) -> str:
        return next(name for name, known in self.clouds.items() if known is cloud)

    # --- the trace

    def note_state(self) -> None:
        """Everything that can be seen goes into the trace."""
        state = [
            [clone.repository.refs.names, sorted(clone.repository.tree.staged.items()), clone.files.content]
            for clone in self.clones
        ]
        clouds = [cloud.state() for cloud in self.clouds.values()]
        self._digest.update(repr([state, sorted(self.origin.names.items()), clouds, self.now]).encode())

    def trace(self) -> str:
        """A digest of all refs, all vendors' states and the log, at every run's end."""
        self.note_state()
        self._digest.update("\n".join(self.log).encode())
        return self._digest.hexdigest()


def _shortened(what: str) -> str:
    return " ".join(word for word in what.split() if "/" not in word).partition(" (")[0]
