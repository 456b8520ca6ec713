"""One program of a team: clones that share an origin, from its first push to a world at rest."""

from __future__ import annotations

from typing import Literal

from oracle import Oracle
from people import NAMES
from program import Program
from team_people import TeamPeople
from team_world import MAIN, Member, TeamWorld
from words import new_file, words
from world import CALM, Bad, Clone

from promptstore.errors import ConflictError
from promptstore.store.refnames import TAGS
from promptstore.sync.actions import Plan
from promptstore.sync.engine import Result

ROUNDS = 16


class TeamOracle(Oracle):
    """Judges a team."""

    world: TeamWorld

    def _private(self) -> set[str]:
        """Nothing: all that is in a file reaches everybody."""
        return set()

    def everything(self) -> list[object]:
        """All that can be written, at the origin, in each clone and at the vendors."""
        return [dict(self.world.origin.names), *(self.writings(clone) for clone in self.world.clones)]

    def nothing_written(self, before: list[object], plan: Plan) -> None:
        """Runs that have nothing to do write nothing anywhere; but that a name is taken at a vendor is found out anew
        by each, and it leads for that."""
        pairs = zip(_facts(before), _facts(self.everything()), strict=False)
        looks = any("is used by" in held.reason for held in plan.held)
        changed = [(one, other) for one, other in pairs if one != other and not (looks and "/lease" in one)]
        if changed:
            self.world.fail("law 3", f"runs that have nothing to do write: {changed[:6]}")

    def together(self) -> None:
        """Once everybody has pulled and pushed, all clones and the origin are the same."""
        there = self._shared(self.world.origin.names)
        for clone in self.world.clones:
            here = self._shared(clone.repository.refs.names)
            if here != there:
                apart = sorted(name for name in {*here, *there} if here.get(name) != there.get(name))
                self.world.fail("law 4", f"{clone.name} and the origin differ in {apart}")

    def _shared(self, refs: dict[str, str]) -> dict[str, str]:
        return {name: oid for name, oid in refs.items() if name == MAIN or name.startswith(TAGS) or _is_base(name)}


def _facts(everything: object) -> list[str]:
    return repr(everything).split(", ")


def _is_base(name: str) -> bool:
    return name.startswith("refs/promptstore/") and name.endswith("/base")


class TeamProgram(Program):
    """``run`` raises AssertionError, naming the law, where one is broken."""

    length = 4
    world: TeamWorld
    people: TeamPeople
    oracle: TeamOracle

    def __init__(self, seed: int, clones: int = 2) -> None:
        self.world = TeamWorld(seed, clones)
        self.dice = self.world.dice
        self.people = TeamPeople(self.world)
        self.oracle = TeamOracle(self.world)
        self.world.between = self.people.race

    def _begin(self) -> None:
        first, *others = self.world.clones
        with self.world.by_hand(first, "start"):
            for slug in NAMES[: self.dice.randrange(len(NAMES) + 1)]:
                first.repository.tree.files[f"prompts/{slug}.yaml"] = new_file(self.world.word, self.dice).encode()
            first.repository.stage_all()
            first.repository.commit(first.who(), "Start")
        self.people.push(first)
        for clone in others:
            self.people.pull(clone)
        if self.dice.random() < 0.7:
            self.world.sync(first, Bad(lossy=self.dice.choice([0.0, 0.6])))

    def _mishap(self) -> None:
        clone = self.dice.choice(self.world.clones)
        chance = self.dice.random()
        if chance < 0.03:
            self.people.lose_base(clone)
        elif chance < 0.12:
            clone.forget()
            self.world.counts["fault: cache lost"] += 1

    def _somebody_syncs(self) -> None:
        self.world.away = self.dice.random() < 0.08
        super()._somebody_syncs()
        self.world.away = False

    def _sync_once(self, clone: Clone, bad: Bad) -> bool:
        before, kills = clone.prompts(), self.world.counts["kills"]
        self.people.run(clone, bad)
        self._let_comments_go(clone, before)
        return self.world.counts["kills"] > kills

    # --- rest

    def _rest(self) -> None:
        """Good weather: everybody pulls, pushes, syncs and settles, until a whole round changes nothing."""
        self.world.pass_time(1000)
        for clone in self.world.clones:
            clone.has_daemon = False
            clone.repository.checkout.mend()
            self.people.mend_files(clone)
            self.people.commit_all(clone)
        for _ in range(ROUNDS):
            before = self.oracle.everything()
            for clone in self.world.clones:
                self._everybody(clone)
            self.world.pass_time(400)
            if self._without_leases(before) == self._without_leases(self.oracle.everything()):
                break
        else:
            self.world.fail("law 3", "the team never comes to rest")
        self._judge()

    def _without_leases(self, everything: list[object]) -> str:
        return "\n".join(row for row in _facts(everything) if "/lease" not in row)

    def _everybody(self, clone: Member) -> None:
        for _ in range(8):
            self.people.push(clone)
            result = self._run(clone)
            self.people.push(clone)
            if not self._settle(clone, result.plan):
                return
        self.world.fail("law 3", "people never get to an end")

    def _run(self, clone: Member) -> Result:
        texts = clone.prompts()
        result = self.world.sync(clone, CALM, allow_delete=True, republish=True)
        self._let_comments_go(clone, texts)
        if result is None:
            self.world.fail("law 3", "a run in good weather failed")
        assert result is not None
        if not result.errors:
            self._seen()
        return result

    def _settle(self, clone: Clone, plan: Plan) -> bool:
        if plan.halted and self._pass(clone, plan):
            return True
        chosen = [held for held in plan.held if held.can_resolve and "not in this branch's history" in held.reason]
        if plan.conflicts or not chosen:
            return super()._settle(clone, plan)
        self._take(clone, chosen[0].remote, chosen[0].slug)
        return True

    def _pass(self, clone: Clone, plan: Plan) -> bool:
        """Somebody passes a plan that the guards halt."""
        texts = clone.prompts()
        result = self.world.sync(clone, CALM, accept=plan.plan_id, allow_delete=True, republish=True)
        self._let_comments_go(clone, texts)
        return bool(result and result.done)

    def _take(self, clone: Clone, remote: str, slug: str) -> None:
        """Somebody chooses a side of a prompt whose agreed text this branch never had."""
        before = words("".join(clone.prompts().values()))
        side: Literal["ours", "theirs"] = self.dice.choice(["ours", "theirs"])
        try:
            shown = self.world.take(clone, remote, slug, side)
        except ConflictError:  # it was never here: there is no side of ours
            shown = self.world.take(clone, remote, slug, "theirs")
        self.world.superseded |= (before | shown) - words("".join(clone.prompts().values()))
        self.world.tell(f"{clone.name}: take {slug} of {side}")

    def _judge(self) -> None:
        before = self.oracle.everything()
        joined = Plan()
        for clone in self.world.clones:
            result = self._run(clone)
            if result.done or result.errors:
                self.world.fail("law 3", f"{clone.name}: a run in good weather has {result.done} {result.errors}")
            self.oracle.quiet(clone, self.oracle.writings(clone))
            joined = joined.joined(result.plan)
        self.oracle.nothing_written(before, joined)
        self.oracle.together()
        self.oracle.nothing_lost(joined)
        self.oracle.all_reachable()
        self.oracle.published_once()
        for clone in self.world.clones:
            self.oracle.converged(clone, self.world.shown[clone.name])
