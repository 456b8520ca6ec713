"""One program: a seed's whole story, from an empty repository to a world at rest, judged by the oracle."""

from __future__ import annotations

from collections.abc import Collection

from oracle import Oracle
from people import COMMENT, NAMES, People
from words import new_file, words
from world import CALM, Bad, Clone, World

from promptstore.sync.actions import Halted, Plan
from promptstore.sync.engine import Result

LATELY = 9
"""More commits than one run and the people in the middle of it make."""


class Program:
    """``run`` raises AssertionError, naming the law, where one is broken."""

    length = 3
    """Runs in bad weather."""

    def __init__(self, seed: int, clones: int = 1) -> None:
        """``clones`` that know of each other only through the vendors."""
        self.world = World(seed, clones)
        self.dice = self.world.dice
        self.people = People(self.world)
        self.oracle = Oracle(self.world)
        self.world.between = self.people.race

    def run(self) -> None:
        self._begin()
        for _ in range(self.length):
            for _ in range(self.dice.randrange(1, 5)):
                self.people.act()
            self._mishap()
            self._somebody_syncs()
        self._rest()

    def _begin(self) -> None:
        for clone in self.world.clones[1:]:
            clone.repository.commit(clone.who(), "Start")
        for clone in self.world.clones[:1]:
            with self.world.by_hand(clone, "start"):
                for slug in NAMES[: self.dice.randrange(len(NAMES) + 1)]:
                    text = new_file(self.world.word, self.dice)
                    clone.repository.tree.files[f"prompts/{slug}.yaml"] = text.encode()
                clone.repository.stage_all()
                clone.repository.commit(clone.who(), "Start")
            if self.dice.random() < 0.7:
                self.world.sync(clone, Bad(lossy=self.dice.choice([0.0, 0.6])))

    def _mishap(self) -> None:
        clone = self.dice.choice(self.world.clones)
        chance = self.dice.random()
        if chance < 0.03:
            self.people.lose_base(clone)
        elif chance < 0.06:
            clone.offset -= self.dice.choice([5, 3600, 86400])
            self.world.counts["fault: clock set back"] += 1
        elif chance < 0.12:
            clone.forget()
            self.world.counts["fault: cache lost"] += 1

    # --- bad weather

    def _somebody_syncs(self) -> None:
        self._sync(self.dice.choice(self.world.clones))

    def _sync(self, clone: Clone) -> None:
        killed = self._sync_once(clone, self._weather())
        if killed and self.dice.random() < 0.5:
            self.world.counts["fault: kill during recovery"] += 1
            self._sync_once(clone, Bad(dies_at=self.dice.randrange(1, 25)))
        self.world.pass_time(self.dice.choice([1, 1, 10, 50, 200]))

    def _weather(self) -> Bad:
        dies_at = self.dice.randrange(1, 90) if self.dice.random() < 0.5 else 0
        full_at = self.dice.randrange(1, 60) if self.dice.random() < 0.05 else 0
        trouble = self.dice.choice([0.0, 0.03, 0.06, 0.15])
        return Bad(trouble, self.dice.choice([0.0, 0.5, 0.7]), dies_at, full_at)

    def _sync_once(self, clone: Clone, bad: Bad) -> bool:
        """Whether the process was killed."""
        before, kills = clone.prompts(), self.world.counts["kills"]
        result = self.world.sync(clone, bad, allow_delete=self.dice.random() < 0.5)
        if not self.world.interrupted:
            self.oracle.nothing_deleted(clone, set(before), set(clone.prompts()))
        done = result.done if result is not None else []
        self._let_comments_go(clone, before, {action.slug for action in done if action.kind == "delete-local"})
        if result is not None and not result.errors:
            self._seen()
        return self.world.counts["kills"] > kills

    def _let_comments_go(self, clone: Clone, before: dict[str, str], deleted: Collection[str] = ()) -> None:
        """A comment keeps no prompt alive that was archived at a vendor, be it committed during the run, and be there
        another prompt under that name now."""
        gone = (before.keys() - clone.prompts().keys()) | (before.keys() & deleted)
        if gone:
            lately = [clone.repository.committed(commit) for commit in clone.repository.first_parents()[:LATELY]]
            texts = [files.get(f"prompts/{slug}.yaml", b"").decode() for slug in gone for files in lately]
            self.world.superseded |= set(COMMENT.findall("\n".join([*texts, *(before[slug] for slug in gone)])))

    def _seen(self) -> None:
        """A run that came to its end has kept what it was shown."""
        for cloud in self.world.clouds.values():
            there = {key: document for key, document in cloud.seen.items() if not cloud.prompts[key[0]].deleted}
            cloud.kept.update(there)

    # --- rest

    def _rest(self) -> None:
        """Good weather until nothing happens; people settle what is left to them."""
        self.world.pass_time(1000)
        for clone in self.world.clones:
            clone.repository.checkout.mend()
            self.people.mend_files(clone)
            self.people.commit_all(clone)
        for _ in range(8):
            before = [cloud.state() for cloud in self.world.clouds.values()]
            for clone in self.world.clones:
                self._come_to_rest(clone)
            if len(self.world.clones) == 1 or before == [cloud.state() for cloud in self.world.clouds.values()]:
                break
        else:
            self.world.fail("law 3", "the clones never come to rest")
        self._judge()

    def _come_to_rest(self, clone: Clone) -> None:
        for _ in range(12):
            result = self._until_quiet(clone)
            if len(self.world.clones) == 1:
                self.oracle.nothing_lost(result.plan)
            if not self._settle(clone, result.plan):
                return
        self.world.fail("law 3", "people never get to an end")

    def _judge(self) -> None:
        plans = self.world.shown
        joined = Plan()
        for clone in self.world.clones:
            joined = joined.joined(plans[clone.name])
        self.oracle.nothing_lost(joined)
        self.oracle.all_reachable()
        self.oracle.published_once()
        for clone in self.world.clones:
            self.oracle.converged(clone, plans[clone.name])

    def _until_quiet(self, clone: Clone) -> Result:
        """Runs until one, right after another that no guard halted, has nothing to do; that one must not write
        anything, either."""
        halted: tuple[Halted, ...] | None = None
        for number in range(12):
            before, texts = self.oracle.writings(clone), clone.prompts()
            result = self.world.sync(clone, allow_delete=True, republish=True)
            self._let_comments_go(clone, texts)
            if number == 0 and result is not None and result.errors and self._only_waits(result):
                self.world.pass_time(100)
                continue
            if result is None or result.errors:
                self.world.fail("law 3", f"a run in good weather failed: {result and result.errors}")
            self._seen()
            if not result.done and result.plan.halted == halted:
                self.oracle.quiet(clone, before)
                return result
            halted = result.plan.halted
            self.world.pass_time(100)
        raise AssertionError("law 3: it never comes to rest")

    def _only_waits(self, result: Result) -> bool:
        """Whether a clock that was set back makes it wait out a settle window once more."""
        return bool(self.world.counts["fault: clock set back"]) and all(error.retry for error in result.errors)

    def _settle(self, clone: Clone, plan: Plan) -> bool:
        """People do what only they can do; False when nothing is left to them."""
        if plan.conflicts:
            self._resolve(clone, plan.conflicts[0].slug)
            return True
        unseen = [(held.remote, held.slug) for held in plan.held if "not in this branch's history" in held.reason]
        if unseen:
            self.people.take_up(clone, *unseen[0])
            return True
        if plan.halted and plan.actions:
            texts = clone.prompts()
            result = self.world.sync(clone, CALM, accept=plan.plan_id, allow_delete=True, republish=True)
            self._let_comments_go(clone, texts)
            return bool(result and result.done)
        return False

    def _resolve(self, clone: Clone, slug: str) -> None:
        conflicts = [c for c in self.world.plan(clone).conflicts if c.slug == slug]
        side = self.dice.choice(["ours", "theirs", "edit"])
        if side == "edit" and any(c.field.startswith("tag:") for c in conflicts):
            side = "ours"
        before = self._before_the_eyes(clone, slug)
        shown = set().union(*(words(f"{c.ours} {c.theirs}") for c in conflicts))
        self.world.tell(f"{clone.name}: resolve {slug} {side}: {[(c.remote, c.field) for c in conflicts]}")
        self.world.resolve(clone, slug, side, self._edited)  # type: ignore[arg-type]
        self.world.superseded |= (before | shown) - self._before_the_eyes(clone, slug)
        self.world.note_state()

    def _before_the_eyes(self, clone: Clone, slug: str) -> set[str]:
        """What stands in a clone whose prompt is looked at. Clones that know of each other only through the vendors may
        have linked two prompts there crosswise: whoever takes words out of one takes them out of all."""
        texts = clone.prompts()
        return words("".join(texts.values()) if len(self.world.clones) == 1 else texts.get(slug, ""))

    def _edited(self, text: str) -> str:
        """Both sides of every mark are kept, in one text."""
        body = "\n\n".join(f"      p {word}" for word in sorted(words(text)))
        return f"template_format: jinja2\nmessages:\n  - role: system\n    content: |-\n{body}\n"
