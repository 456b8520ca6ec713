"""Random programs against the whole engine: people here and at the vendors edit, move, tag and delete while requests
get lost and processes die; an oracle that knows nothing of the planner then asks what became of every edit.

Every edit puts a word of its own into one paragraph. A word may leave a text only by the hand of somebody who had it
before the eyes (*superseded with sight*); the engine alone may drop none.
"""

from __future__ import annotations

import random
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from engines import Rig
from memory_vendor import MemoryWorkspace
from repos import chat, git, make_store

from promptstore.errors import RemoteRejected, RemoteUnreachable, WriteInDoubt
from promptstore.store.address import parse_address
from promptstore.store.git import checkout
from promptstore.store.git.commits import Commits
from promptstore.store.git.refs import Refs
from promptstore.store.tagging import delete_tag, set_tag
from promptstore.sync.actions import Plan
from promptstore.sync.journal import Journal

WORD = re.compile(r"w\d+")
NAMES = ("a", "b", "c/d")
TAGS = ("production", "staging")


class Killed(BaseException):
    """The process dies."""


def words(text: str) -> set[str]:
    return set(WORD.findall(text))


@dataclass
class Program:
    """One world, and everything that was done in it."""

    where: Path
    seed: int
    vendors: int = 1
    log: list[str] = field(default_factory=list)
    superseded: set[str] = field(default_factory=set)
    born: set[str] = field(default_factory=set)
    calls: int = 0
    kills: int = 0

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        names = ["acme", "beta"][: self.vendors]
        config = '[store]\nprompts = "prompts"\nbranch = "main"\n' + "".join(
            f'\n[remotes.{name}]\nvendor = "promptlayer"\n' for name in names
        )
        self.spaces = {name: MemoryWorkspace() for name in names}
        self.rig = Rig(make_store(self.where, config), self.spaces)
        self.rig.options["max_delete"] = self.random.choice([0.2, 1.0, 1.0, 1.0])
        git(self.where, "config", "gc.auto", "0")
        git(self.where, "add", "-A")
        git(self.where, "commit", "-q", "-m", "Start")

    # --- what there is

    def here(self) -> dict[str, str]:
        """The committed prompts."""
        store = self.rig.store
        found = store.prompts_at(store.refs.read(store.branch))
        return {slug: store.objects.blob(blob).decode() for slug, blob in found.items()}

    def there(self, space: MemoryWorkspace) -> dict[str, str]:
        return {kept.name: space.text(kept.name) for kept in space.prompts.values() if not kept.deleted}

    # --- people

    def word(self) -> str:
        made = f"w{len(self.born) + 1}"
        self.born.add(made)
        return made

    def changed(self, text: str) -> str:
        paragraphs = text.split("\n\n")
        place = self.random.randrange(len(paragraphs))
        paragraphs[place] = f"{place} {self.word()}"
        return "\n\n".join(paragraphs)

    def fresh(self) -> str:
        return "\n\n".join(f"{place} {self.word()}" for place in range(5))

    def text_here(self, slug: str) -> str:
        return "\n\n".join(re.findall(r"\d+ w\d+", self.here()[slug]))

    @contextmanager
    def by_hand(self, what: str) -> Iterator[None]:
        """Somebody does something in the repository with its texts before the eyes."""
        before = self.before_the_eyes()
        yield
        self.superseded |= before - self.before_the_eyes()
        self.log.append(f"here: {what}")

    def before_the_eyes(self) -> set[str]:
        """The words in the work tree."""
        return set().union(*(words(path.read_text()) for path in (self.where / "prompts").rglob("*.yaml")), set())

    def write(self, slug: str, text: str | None) -> None:
        path = self.where / "prompts" / f"{slug}.yaml"
        if text is None:
            path.unlink()
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(chat(text))

    def commit(self, *more: str) -> None:
        git(self.where, "add", "-A")
        git(self.where, "commit", "-q", "--allow-empty", "-m", "Change", *more)

    def edit_here(self) -> None:
        slug = self.random.choice(NAMES)
        with self.by_hand(f"edit {slug}"):
            self.write(slug, self.changed(self.text_here(slug)) if slug in self.here() else self.fresh())
            self.commit()

    def leave_uncommitted(self) -> None:
        slug = self.random.choice(NAMES)
        with self.by_hand(f"edit {slug}, without a commit"):
            path = self.where / "prompts" / f"{slug}.yaml"
            there = "\n\n".join(re.findall(r"\d+ w\d+", path.read_text())) if path.exists() else ""
            self.write(slug, self.changed(there) if there else self.fresh())

    def commit_all(self) -> None:
        with self.by_hand("commit everything"):
            self.commit()

    def amend(self) -> None:
        slug = self.random.choice(NAMES)
        if slug in self.here():
            with self.by_hand(f"amend {slug}"):
                self.write(slug, self.changed(self.text_here(slug)))
                self.commit("--amend")

    def revert(self) -> None:
        if int(git(self.where, "rev-list", "--count", "--first-parent", "main")) > 2:
            with self.by_hand("revert the last commit"):
                git(self.where, "checkout", "-q", "HEAD~1", "--", ".")
                before = set(git(self.where, "ls-tree", "-r", "--name-only", "HEAD~1").split())
                for path in set(git(self.where, "ls-files").split()) - before:
                    (self.where / path).unlink()
                self.commit()

    def reset(self) -> None:
        if int(git(self.where, "rev-list", "--count", "--first-parent", "main")) > 2:
            with self.by_hand("reset --hard HEAD~1"):
                git(self.where, "reset", "-q", "--hard", "HEAD~1")

    def rename_here(self) -> None:
        old = self.random.choice(NAMES)
        new = self.random.choice(["e", "f/g", *NAMES])
        if old in self.here() and not (self.where / "prompts" / f"{new}.yaml").exists():
            with self.by_hand(f"rename {old} to {new}"):
                text = self.text_here(old)
                (self.where / "prompts" / f"{new}.yaml").parent.mkdir(parents=True, exist_ok=True)
                git(self.where, "mv", f"prompts/{old}.yaml", f"prompts/{new}.yaml")
                if self.random.random() < 0.3:
                    self.write(new, self.changed(text))
                self.commit()

    def delete_here(self) -> None:
        slug = self.random.choice(NAMES)
        if slug in self.here():
            with self.by_hand(f"delete {slug}"):
                self.write(slug, None)
                self.commit()

    def tag_here(self) -> None:
        slug, tag = self.random.choice(NAMES), self.random.choice(TAGS)
        if slug not in self.here():
            return
        if self.random.random() < 0.25 and tag in self.rig.store.tags(slug):
            delete_tag(self.rig.store, slug, tag)
            self.log.append(f"here: untag {slug} {tag}")
        else:
            set_tag(self.rig.store, self.rig.store.locate(parse_address(slug)), tag)
            self.log.append(f"here: tag {slug} {tag}")

    def edit_there(self) -> None:
        space = self.random.choice(list(self.spaces.values()))
        name = self.random.choice([*NAMES, *self.there(space)])
        old = self.there(space).get(name)
        if old is not None and self.random.random() < 0.1:
            made = old
        else:
            made = self.changed(old) if old is not None else self.fresh()
        self.superseded |= words(old or "") - words(made)
        space.edit(name, made, label=self.random.choice([None, None, *TAGS]))
        self.log.append(f"there: edit {name} v{len(space.by_name(name).versions)} {sorted(words(made))}")  # type: ignore[union-attr]

    def label_there(self) -> None:
        space = self.random.choice(list(self.spaces.values()))
        if not self.there(space):
            return
        name, tag = self.random.choice(list(self.there(space))), self.random.choice(TAGS)
        count = len(space.by_name(name).versions)  # type: ignore[union-attr]
        version = self.random.choice([None, *range(1, count + 1)])
        space.label(name, tag, version)
        self.log.append(f"there: label {name} {tag} {version}")

    def archive_there(self) -> None:
        space = self.random.choice(list(self.spaces.values()))
        if len(self.there(space)) > 1:
            name = self.random.choice(list(self.there(space)))
            self.superseded |= words(self.there(space)[name])
            space.archive(name)
            self.log.append(f"there: archive {name}")

    def rename_there(self) -> None:
        space = self.random.choice(list(self.spaces.values()))
        if self.there(space):
            name = self.random.choice(list(self.there(space)))
            new = f"renamed {self.random.randrange(3)}"
            if space.by_name(new) is None:
                kept = space.by_name(name)
                assert kept is not None
                kept.name = new
                kept.versions[-1].document["prompt_name"] = new
                self.log.append(f"there: rename {name} to {new}")

    # --- faults

    def chaos(self, step: str) -> None:
        self.calls += 1
        if self.calls == self.dies_at:
            self.kills += 1
            self.log.append(f"  killed {step}")
            raise Killed
        chance = self.random.random()
        if chance >= self.trouble:
            return
        if chance < self.trouble / 4:
            racing = self.random.choice([self.edit_there, self.edit_there, self.edit_here, self.label_there])
            self.log.append(f"  meanwhile, {step}:")
            racing()
        elif step == "after publish" or (step == "before publish" and chance < self.trouble / 2):
            self.log.append(f"  lost {step}")
            raise WriteInDoubt("no answer")
        elif step in {"before publish", "before set_tag"} and chance < 0.7 * self.trouble:
            self.log.append(f"  rejected {step}")
            raise RemoteRejected("no", status=400)
        elif step.startswith("before"):
            self.log.append(f"  unreachable {step}")
            raise RemoteUnreachable("no route")

    def sync(self, **options: object) -> None:
        """One run in bad weather."""
        self.calls, self.trouble = 0, self.random.choice([0.0, 0.0, 0.05, 0.2])
        self.dies_at = self.random.randrange(1, 60) if self.random.random() < 0.4 else 0
        for space in self.spaces.values():
            space.chaos = self.chaos
        self.log.append("sync")
        with deadly(self.die):
            try:
                result = self.rig.sync(**options)
            except Killed:
                pass
            else:
                self.log += [f"  {a.remote} {a.kind} {a.slug} {a.version} {a.tag or ''}" for a in result.done]
        for space in self.spaces.values():
            space.chaos = lambda _: None
        self.rig.now += self.random.choice([1, 1, 50, 200])

    def die(self, step: str) -> None:
        self.calls += 1
        if self.calls == self.dies_at:
            self.kills += 1
            self.log.append(f"  killed {step}")
            raise Killed

    # --- the program

    def act(self, action: Callable[[], None]) -> None:
        """One thing that somebody does; git lets nobody commit on a checkout that a killed process left locked."""
        locked = (self.where / ".git" / "index.lock").exists()
        if not locked or action.__name__.endswith("there"):
            action()

    def run(self, length: int = 10) -> None:
        people: list[Callable[[], None]] = [
            *[self.edit_here] * 5,
            self.amend,
            self.revert,
            self.reset,
            self.rename_here,
            self.delete_here,
            self.leave_uncommitted,
            self.commit_all,
            *[self.tag_here] * 2,
            *[self.edit_there] * 5,
            *[self.label_there] * 2,
            self.archive_there,
            self.rename_there,
        ]
        for _ in range(length):
            for _ in range(self.random.randrange(1, 4)):
                self.act(self.random.choice(people))
            self.sync(allow_delete=self.random.random() < 0.5)
        self.settle()

    def settle(self) -> None:
        """Good weather until nothing happens; conflicts are settled by hand, then once more."""
        self.rig.now += 1000
        self.rig.store.checkout.mend()
        self.commit_all()
        for _ in range(6):
            result = self.rig.until_quiet()
            self.log += [f"held: {h.slug}: {h.reason}" for h in result.plan.held]
            self.log += [f"conflict: {c.remote} {c.slug} {c.field} {c.ours} {c.theirs}" for c in result.plan.conflicts]
            self.log += [f"halted: {h.reason}" for h in result.plan.halted]
            assert result.errors == [], result.errors
            self.check_nothing_lost(result.plan)
            if result.plan.conflicts:
                self.resolve(result.plan.conflicts[0].slug)
            elif result.plan.halted:
                self.log.append("accept")
                self.rig.sync(accept=result.plan.plan_id)
            else:
                break
        self.check_quiet()
        self.check_published_once()
        self.check_converged(result.plan)

    def resolve(self, slug: str) -> None:
        side = self.random.choice(["ours", "theirs", "edit"])
        before = set().union(*map(words, self.here().values()), set())

        def editor(text: str) -> str:
            return chat("\n\n".join(f"{place} {word}" for place, word in enumerate(sorted(words(text)))))

        conflicts = self.rig.plan().conflicts
        if side == "edit" and any(c.field.startswith("tag:") for c in conflicts if c.slug == slug):
            side = "ours"
        self.rig.resolve(slug, side, editor)  # type: ignore[arg-type]
        after = set().union(*map(words, self.here().values()), set())
        shown = {word for c in conflicts if c.slug == slug for word in words(f"{c.ours} {c.theirs}")}
        self.superseded |= (before | shown) - after
        self.log.append(f"resolve {slug} {side}")

    # --- the oracle

    def check_nothing_lost(self, plan: Plan) -> None:
        shown = [f"{conflict.ours} {conflict.theirs}" for conflict in plan.conflicts]
        heads = [*self.here().values(), *(t for space in self.spaces.values() for t in self.there(space).values())]
        standing = set().union(*map(words, [*heads, *shown]), set())
        assert self.born - self.superseded <= standing, f"lost: {self.born - self.superseded - standing}"
        reachable = git(self.where, "rev-list", "--objects", "--all", "--no-object-names")
        blobs = subprocess.run(
            ["git", "cat-file", "--batch"],
            cwd=self.where,
            input=reachable.encode() + b"\n",
            capture_output=True,
            check=True,
        ).stdout.decode("latin-1")
        for space in self.spaces.values():
            for text in self.there(space).values():
                assert words(text) <= words(blobs)

    def check_quiet(self) -> None:
        refs = git(self.where, "for-each-ref")
        for space in self.spaces.values():
            space.requests.clear()
        result = self.rig.sync()
        assert (result.done, result.errors) == ([], [])
        assert all(space.writes == [] for space in self.spaces.values())
        assert git(self.where, "for-each-ref") == refs
        assert git(self.where, "status", "--porcelain") == ""

    def check_published_once(self) -> None:
        for space in self.spaces.values():
            intents = [v.intent for kept in space.prompts.values() for v in kept.versions if v.intent]
            assert len(intents) == len(set(intents)), "one intent, two versions"
            names = [kept.name for kept in space.prompts.values() if not kept.deleted]
            assert len(names) == len(set(names)), f"one name, two prompts: {names}"
            for kept in space.prompts.values():
                for older, newer in zip(kept.versions, kept.versions[1:], strict=False):
                    assert not newer.intent or newer.document != older.document, f"{kept.name} published twice"

    def check_converged(self, plan: Plan) -> None:
        left = {h.slug for h in plan.held} | {c.slug for c in plan.conflicts}
        if left:
            return
        store = self.rig.store
        for session in self.rig.engine().sessions():
            space = self.spaces[session.name]
            session.load()
            linked = {slug: agreed.link for slug, agreed in session.agreement.prompts.items()}
            assert {link.id for link in linked.values()} == {k.id for k in space.prompts.values() if not k.deleted}
            assert set(linked) == set(self.here())
            for slug, link in linked.items():
                kept = space.prompts[link.id]
                assert words(self.here()[slug]) == words(space.text(kept.name)), slug
                there = {tag: str(kept.versions[v - 1].document["prompt_template"]) for tag, v in kept.labels.items()}
                assert set(there) == set(store.tags(slug)), f"tags of {slug}: {there.keys()} {store.tags(slug)}"
                for tag, text in there.items():
                    assert words(text) == words(str(store.get(slug, tag=tag).render())), (slug, tag)


@contextmanager
def deadly(die: Callable[[str], None]) -> Iterator[None]:
    """Lets the process die before or after anything that lasts."""
    saved = (Journal.write, Refs.move, Commits.write, checkout._Step.finish)

    def write(self: Journal, intent: object) -> object:
        die("before the journal")
        made = saved[0](self, intent)  # type: ignore[arg-type]
        die("after the journal")
        return made

    def move(self: Refs, moves: object, reason: str) -> None:
        die("before a ref moves")
        saved[1](self, moves, reason)  # type: ignore[arg-type]
        if "pull" not in reason:
            die("after a ref moved")

    def commits(self: Commits, *arguments: object, **options: object) -> object:
        die("before commits")
        return saved[2](self, *arguments, **options)  # type: ignore[arg-type]

    def finish(self: object) -> None:
        die("before files follow the branch")
        saved[3](self)  # type: ignore[arg-type]

    Journal.write, Refs.move = write, move  # type: ignore[method-assign, assignment]
    Commits.write, checkout._Step.finish = commits, finish  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        Journal.write, Refs.move, Commits.write, checkout._Step.finish = saved  # type: ignore[method-assign]
