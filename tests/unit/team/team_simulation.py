"""Random programs for several clones of one bare origin: people edit, pull, push, tag and review in each of them and at
the vendor, while processes die, answers get lost and the origin is away; an oracle that knows nothing of leases, plans
or bases then asks what became of every edit.

Every edit puts a word of its own into one paragraph. A word may leave a text only by the hand of somebody who had it
before the eyes; git and the engine may drop none.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from engines import Rig
from memory_vendor import MemoryWorkspace
from repos import CONFIG, chat, commit, git

from promptstore.errors import GitError, PromptStoreError, RemoteUnreachable, WriteInDoubt
from promptstore.store.address import parse_address
from promptstore.store.git.refs import Refs
from promptstore.store.git.transport import Transport
from promptstore.store.store import Store
from promptstore.store.tagging import set_tag
from promptstore.sync.journal import Journal

SLUGS = ("p", "q")
TAGS = ("production", "staging")
MODES = {
    "commit": "",
    "push": "\n[git]\npush = true\n",
    "review": '\n[sync]\nintegrate = "branch"\n\n[git]\npush = true\n',
}
_PARAGRAPH = re.compile(r"(\d) ((?:w\d+ ?)+)")
_WORD = re.compile(r"w\d+")


class Killed(BaseException):
    """The machine dies."""


def words(text: str) -> set[str]:
    return set(_WORD.findall(text))


def paragraphs(text: str) -> list[str]:
    found = {int(place): said.strip() for place, said in _PARAGRAPH.findall(text)}
    return [found.get(place, "") for place in range(4)]


def joined(parts: list[str]) -> str:
    return "\n\n".join(f"{place} {said}" for place, said in enumerate(parts))


@dataclass
class Team:
    """One origin, its clones, one vendor, and everything that was done."""

    where: Path
    seed: int
    clones: int = 2
    log: list[str] = field(default_factory=list)
    superseded: set[str] = field(default_factory=set)
    born: set[str] = field(default_factory=set)
    steps: int = 0
    dies_at: int = 0
    trouble: float = 0.0
    held: set[str] = field(default_factory=set)
    at_work: str = ""

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.mode = self.random.choice(list(MODES))
        self.log.append(f"mode {self.mode}")
        self.now = 1_000_000.0
        self.acme = MemoryWorkspace()
        self.origin = self.where / "origin.git"
        self.where.mkdir()
        git(self.where, "init", "-q", "--bare", "-b", "main", str(self.origin))
        self.rigs = {name: self.rig(name) for name in ("ann", "ben", "cleo")[: self.clones]}

    def rig(self, name: str) -> Rig:
        where = self.where / name
        git(self.where, "clone", "-q", str(self.origin), str(where))
        for key, value in {"user.name": name, "user.email": f"{name}@example.com", "gc.auto": "0"}.items():
            git(where, "config", key, value)
        if name == "ann":
            git(where, "checkout", "-q", "-B", "main")
            (where / ".promptstore.toml").write_text(CONFIG + MODES[self.mode])
            commit(where, {slug: chat(self.fresh()) for slug in SLUGS}, "Start")
            git(where, "push", "-q", "-u", "origin", "main")
        rig = Rig(Store.open(where), {"acme": self.acme}, shares=True)
        rig.keeps_lease = self.random.random() < 0.3
        return rig

    # --- words

    def word(self) -> str:
        made = f"w{len(self.born) + 1}"
        self.born.add(made)
        return made

    def fresh(self) -> str:
        return joined([self.word() for _ in range(4)])

    def changed(self, text: str) -> str:
        """One paragraph said anew, by somebody who has read it."""
        parts = paragraphs(text)
        place = self.random.randrange(4)
        self.superseded |= words(parts[place])
        parts[place] = self.word()
        return joined(parts)

    # --- people in a clone

    def anyone(self) -> str:
        return self.random.choice(list(self.rigs))

    def root(self, name: str) -> Path:
        return self.where / name

    def can_work(self, name: str) -> bool:
        """Git lets nobody commit on a checkout that a killed process left locked."""
        return not (self.root(name) / ".git" / "index.lock").exists()

    def text(self, name: str, slug: str) -> str:
        path = self.root(name) / "prompts" / f"{slug}.yaml"
        return path.read_text() if path.exists() else ""

    def edit(self) -> None:
        name, slug = self.anyone(), self.random.choice(SLUGS)
        if self.can_work(name) and self.text(name, slug):
            commit(self.root(name), {slug: chat(self.changed(self.text(name, slug)))}, "Edit")
            self.log.append(f"{name}: edit {slug} {sorted(words(self.text(name, slug)))}")

    def edit_and_push(self) -> None:
        name, slug = self.anyone(), self.random.choice(SLUGS)
        if self.pull(name) and self.text(name, slug):
            commit(self.root(name), {slug: chat(self.changed(self.text(name, slug)))}, "Edit")
            git(self.root(name), "push", "-q", "origin", "main")
            self.log.append(f"{name}: edit and push {slug} {sorted(words(self.text(name, slug)))}")

    def push(self) -> None:
        name = self.anyone()
        if self.pull(name):
            git(self.root(name), "push", "-q", "origin", "main")
            self.log.append(f"{name}: push")

    def fetch(self) -> None:
        name = self.anyone()
        git(self.root(name), "fetch", "-q")
        self.log.append(f"{name}: an editor fetches")

    def pull(self, name: str) -> bool:
        """Fetch and merge; where both changed a paragraph, the words of both stay."""
        if not self.can_work(name):
            return False
        git(self.root(name), "fetch", "-q")
        self.merge(name, "origin/main")
        return True

    def merge(self, name: str, other: str) -> None:
        root = self.root(name)
        before = {slug: (self.shown(name, "HEAD", slug), self.shown(name, other, slug)) for slug in SLUGS}
        try:
            git(root, "merge", "-q", "--no-edit", other)
        except AssertionError:
            for path in git(root, "diff", "--name-only", "--diff-filter=U").split():
                slug = path.removeprefix("prompts/").removesuffix(".yaml")
                ours, theirs = (paragraphs(text) for text in before[slug])
                both = [" ".join(sorted(words(f"{one} {two}"))) for one, two in zip(ours, theirs, strict=True)]
                (root / path).write_text(chat(joined(both)))
            git(root, "add", "-A")
            git(root, "commit", "-q", "-m", f"Merge {other}")

    def shown(self, name: str, rev: str, slug: str) -> str:
        try:
            return git(self.root(name), "show", f"{rev}:prompts/{slug}.yaml")
        except AssertionError:
            return ""

    def review(self) -> None:
        """Somebody merges the branch that waits, or first puts a word of their own on it."""
        name = self.anyone()
        if not self.can_work(name):
            return
        git(self.root(name), "fetch", "-q", "--prune")
        there = "origin/promptstore/acme"
        if not git(self.root(name), "for-each-ref", f"refs/remotes/{there}"):
            return
        if self.random.random() < 0.4:
            self.edit_on_branch(name, there)
            return
        self.pull(name)
        self.merge(name, there)
        git(self.root(name), "push", "-q", "origin", "main")
        self.log.append(f"{name}: merged the branch for review")

    def edit_on_branch(self, name: str, there: str) -> None:
        slug, desk = self.random.choice(SLUGS), self.where / "desk"
        git(self.root(name), "worktree", "add", "-q", "--detach", str(desk), there)
        text = (desk / "prompts" / f"{slug}.yaml").read_text()
        made = self.changed(text)
        commit(desk, {slug: chat(made)}, "A word in review")
        git(desk, "push", "-q", "origin", "HEAD:refs/heads/promptstore/acme")
        git(self.root(name), "worktree", "remove", "--force", str(desk))
        self.log.append(f"{name}: on the branch for review: {slug} {sorted(words(made))}")

    def tag(self) -> None:
        name, slug, tag = self.anyone(), self.random.choice(SLUGS), self.random.choice(TAGS)
        store = self.rigs[name].store
        if self.can_work(name) and slug in store.prompts_at(store.tip):
            set_tag(store, store.locate(parse_address(slug)), tag)
            self.log.append(f"{name}: tag {slug} {tag}")

    # --- people at the vendor

    def edit_there(self) -> None:
        slug = self.random.choice(SLUGS)
        if self.acme.by_name(slug):
            made = self.changed(self.acme.text(slug))
            self.acme.edit(slug, made)
            self.log.append(f"vendor: edit {slug} {sorted(words(made))}")

    def label_there(self) -> None:
        kept = self.acme.by_name(self.random.choice(SLUGS))
        if kept:
            tag = self.random.choice(TAGS)
            self.acme.label(kept.name, tag, self.random.randrange(1, len(kept.versions) + 1))
            self.log.append(f"vendor: label {kept.name} {tag} {kept.labels[tag]}")

    # --- faults

    def die(self, step: str) -> None:
        self.steps += 1
        if self.steps == self.dies_at:
            self.log.append(f"  killed {step}")
            raise Killed

    def chaos(self, step: str) -> None:
        self.die(step)
        if step == "before publish" and self.random.random() < 2 * self.trouble:
            self.log.append("  about to publish:")
            self.sync_elsewhere()
        chance = self.random.random()
        if chance >= self.trouble:
            return
        if chance < self.trouble / 3:
            self.log.append(f"  meanwhile, {step}:")
            racing = [self.edit_there, self.edit_and_push_elsewhere, self.sync_elsewhere, self.sync_elsewhere]
            self.random.choice(racing)()
        elif step in {"before publish", "after publish"}:
            self.log.append(f"  lost {step}")
            raise WriteInDoubt("no answer")
        elif step.startswith("before"):
            self.log.append(f"  unreachable {step}")
            raise RemoteUnreachable("no route")

    def edit_and_push_elsewhere(self) -> None:
        """Another clone's, since this one is at work."""
        if not self.origin.exists():
            return
        others = {name: rig for name, rig in self.rigs.items() if name != self.at_work}
        everyone, self.rigs = self.rigs, others
        self.edit_and_push()
        self.rigs = everyone

    def sync_elsewhere(self) -> None:
        """Another clone's run begins and ends in the middle of this one."""
        name = self.random.choice([name for name in self.rigs if name != self.at_work])
        weather, self.trouble, self.dies_at = (self.trouble, self.dies_at), 0.0, 0
        rig = self.rigs[name]
        rig.now = self.now + self.random.choice([-8, 0, 8])
        pulled = self.origin.exists() and self.random.random() < 0.7 and self.pull(name)
        self.log.append(f"  {name}: " + ("pull, sync" if pulled else "sync"))
        try:
            self.told(rig.sync())
        except PromptStoreError as error:
            self.log.append(f"  {error!r}")
        self.trouble, self.dies_at = weather

    def git_fails(self, when: str, what: str) -> None:
        self.die(f"{when} {what}")
        if self.random.random() < self.trouble / 4:
            self.log.append(f"  no answer {when} {what}")
            raise GitError(f"git {what}: the remote end hung up unexpectedly")

    def sync(self) -> None:
        """One run in bad weather."""
        self.at_work = name = self.anyone()
        rig = self.rigs[name]
        rig.now = self.now + self.random.choice([-8, 0, 8])
        self.steps, self.trouble = 0, self.random.choice([0.0, 0.1, 0.3])
        self.dies_at = self.random.randrange(1, 60) if self.random.random() < 0.4 else 0
        away = self.random.random() < 0.1
        self.log.append(f"{name}: sync" + (", the origin is away" if away else ""))
        if away:
            self.origin.rename(self.where / "away.git")
        self.acme.chaos = self.chaos
        with deadly(self):
            try:
                self.told(rig.sync())
            except (Killed, PromptStoreError) as error:
                self.log.append(f"  {error!r}")
        self.acme.chaos = lambda _: None
        if away:
            (self.where / "away.git").rename(self.origin)
        self.now += self.random.choice([1, 10, 50, 200])

    def told(self, result: object) -> None:
        self.log += [f"  {a.remote} {a.kind} {a.slug} {a.version} {a.tag or ''}" for a in result.done]  # type: ignore[attr-defined]
        self.log += [f"  ! {e.slug} {e.message}" for e in result.errors]  # type: ignore[attr-defined]

    # --- the program

    def run(self, length: int) -> None:
        people: list[Callable[[], None]] = [
            *[self.edit] * 2,
            *[self.edit_and_push] * 3,
            self.push,
            self.fetch,
            *[self.edit_there] * 4,
            self.label_there,
            *[self.tag] * 2,
            *[self.review] * 3 * (self.mode == "review"),
        ]
        for _ in range(length):
            for _ in range(self.random.randrange(1, 4)):
                self.random.choice(people)()
            self.sync()
        self.settle()

    def settle(self) -> None:
        """Good weather, and everybody pulls, pushes and reviews, until nothing moves any more."""
        for rig in self.rigs.values():
            rig.keeps_lease = False
            rig.store.checkout.mend()
        for _ in range(14):
            self.now += 400
            if not self.everybody():
                break
        else:
            raise AssertionError("never quiet")
        self.check_quiet()
        self.check_nothing_lost()
        self.check_published_once()
        self.check_converged()

    def everybody(self) -> bool:
        """One round; returns whether anything moved."""
        before, writes = self.state(), len(self.acme.requests)
        for name, rig in self.rigs.items():
            rig.now = self.now
            self.pull(name)
            git(self.root(name), "push", "-q", "origin", "main")
            self.log.append(f"{name}: pull, push, sync")
            result = rig.sync()
            self.told(result)
            self.log += [f"  held {h.slug}: {h.reason}" for h in result.plan.held]
            self.held = {h.slug for h in result.plan.held}
            self.resolve(rig, name, {c.slug for c in result.plan.conflicts})
            if self.mode == "review":
                self.merge_review(name)
        done = {call for call in self.acme.requests[writes:] if call in {"publish", "set_tag", "delete_tag"}}
        return bool(done) or self.state() != before

    def resolve(self, rig: Rig, name: str, slugs: set[str]) -> None:
        for slug in sorted(slugs):
            side = self.random.choice(["ours", "theirs"])
            seen = words(self.text(name, slug)) | words(self.acme.text(slug))
            rig.resolve(slug, side)  # type: ignore[arg-type]
            self.superseded |= seen - words(self.text(name, slug))
            self.log.append(f"{name}: resolve {slug} {side}")
            self.pull(name)
            git(self.root(name), "push", "-q", "origin", "main")

    def merge_review(self, name: str) -> None:
        git(self.root(name), "fetch", "-q", "--prune")
        if git(self.root(name), "for-each-ref", "refs/remotes/origin/promptstore/acme"):
            self.merge(name, "origin/promptstore/acme")
            git(self.root(name), "push", "-q", "origin", "main")
            self.log.append(f"{name}: merged the branch for review")

    def state(self) -> str:
        """Everything that lasts, but the leases, which each run takes and gives up."""
        places = [self.origin, *(self.root(name) for name in self.rigs)]
        rows = (row for place in places for row in git(place, "for-each-ref").splitlines())
        return "\n".join(row for row in rows if not row.endswith("/lease"))

    # --- the oracle

    def at_origin(self, slug: str) -> str:
        return git(self.origin, "show", f"main:prompts/{slug}.yaml")

    def check_quiet(self) -> None:
        before = self.state()
        self.acme.requests.clear()
        for rig in self.rigs.values():
            result = rig.sync()
            assert (result.done, result.errors) == ([], [])
        assert self.acme.writes == []
        assert self.state() == before

    def check_nothing_lost(self) -> None:
        standing = set().union(*(words(self.at_origin(slug)) | words(self.acme.text(slug)) for slug in SLUGS))
        lost = self.born - self.superseded - standing
        assert not lost, f"lost: {lost}"

    def check_published_once(self) -> None:
        for kept in self.acme.prompts.values():
            intents = [version.intent for version in kept.versions if version.intent]
            assert len(intents) == len(set(intents)), "one intent, two versions"
            for older, newer in zip(kept.versions, kept.versions[1:], strict=False):
                assert not newer.intent or newer.document != older.document, f"{kept.name} published twice"
        assert sorted(kept.name for kept in self.acme.prompts.values()) == sorted(SLUGS)

    def check_converged(self) -> None:
        tips = {git(self.root(name), "rev-parse", "main") for name in self.rigs}
        assert tips == {git(self.origin, "rev-parse", "main")}
        tags = {git(place, "for-each-ref", "refs/prompts") for place in [self.origin, *map(self.root, self.rigs)]}
        assert len(tags) == 1
        store = next(iter(self.rigs.values())).store
        for slug in SLUGS:
            kept = self.acme.by_name(slug)
            assert kept is not None
            assert words(self.at_origin(slug)) == words(self.acme.text(slug)), slug
            if slug in self.held:
                continue  # a tag on a text that was merged away is no version of the branch
            there = {tag: words(self.acme.text(slug, number)) for tag, number in kept.labels.items()}
            assert there == {tag: words(str(store.get(slug, tag=tag).render())) for tag in store.tags(slug)}
        branches = git(self.origin, "for-each-ref", "--format=%(refname)", "refs/heads")
        assert branches == "refs/heads/main"


@contextmanager
def deadly(team: Team) -> Iterator[None]:
    """Lets the machine die, and the origin's answers get lost, before or after anything that lasts."""
    saved = (Journal.write, Refs.move, Transport.push, Transport.fetch)

    def write(self: Journal, intent: object) -> object:
        team.die("before the journal")
        made = saved[0](self, intent)  # type: ignore[arg-type]
        team.die("after the journal")
        return made

    def move(self: Refs, moves: object, reason: str) -> None:
        team.die("before a ref moves")
        saved[1](self, moves, reason)  # type: ignore[arg-type]
        if "pull" not in reason:
            team.die("after a ref moved")

    def push(self: Transport, *arguments: object, **options: object) -> object:
        team.git_fails("before", "push")
        left = saved[2](self, *arguments, **options)  # type: ignore[arg-type]
        team.git_fails("after", "push")
        return left

    def fetch(self: Transport, *arguments: object) -> None:
        team.git_fails("before", "fetch")
        saved[3](self, *arguments)  # type: ignore[arg-type]

    Journal.write, Refs.move = write, move  # type: ignore[method-assign, assignment]
    Transport.push, Transport.fetch = push, fetch  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        Journal.write, Refs.move, Transport.push, Transport.fetch = saved  # type: ignore[method-assign]
