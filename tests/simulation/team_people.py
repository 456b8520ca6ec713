"""What people of a team do besides: they push, pull and merge, and other clones are at work in the middle of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from memory_merge import merged_files
from people import COMMENT, People
from team_world import MAIN, UPSTREAM, Member, TeamWorld
from world import CALM, Bad, Clone

ASLEEP = ("before the fetch", "after the fetch", "before list", "before read", "before tags", "after set", "after del")
"""Steps at which a machine may fall asleep: none that comes between the last look and a write."""


class TeamPeople(People):
    """Everybody in one world with an origin."""

    world: TeamWorld

    def __init__(self, world: TeamWorld) -> None:
        super().__init__(world)
        together: list[Callable[[Clone], None]] = [
            *[self.push] * 12,
            *[self.pull] * 4,
            *[self.edit_and_push] * 6,
            *[self.look] * 2,
            self.stop_daemon,
        ]
        self.here += together

    # --- with the origin

    def _is_clean(self, clone: Clone) -> bool:
        return not clone.repository.edits.uncommitted(MAIN, "prompts")

    def look(self, clone: Clone) -> None:
        """An editor fetches."""
        if not self.world.away:
            clone.repository.transport.away = False
            clone.repository.transport.bring(clone.repository.transport.refspecs("origin"))
            self.world.tell(f"{clone.name}: an editor fetches")

    def pull(self, clone: Clone) -> bool:
        """``git pull``; returns whether the branch has everything that the origin has now."""
        if self.world.away or clone.repository.tree.locked:
            return False
        if not self._is_clean(clone):
            self.commit_all(clone)
        self.look(clone)
        repository = clone.repository
        ours, theirs = repository.tip, repository.refs.read(UPSTREAM)
        if theirs is None or (ours and theirs in repository.database.reach(ours)):
            return True
        if ours is None or ours in repository.database.reach(theirs):
            repository.reset_hard(theirs)
            self.world.tell(f"{clone.name}: pull")
            return True
        before = self._comments(repository.committed()) | self._comments(repository.committed(theirs))
        repository.tree.files.clear()
        repository.tree.files.update(merged_files(repository, theirs))
        self.world.superseded |= before - clone.before_the_eyes()  # a comment goes with the field that it stands at
        repository.stage_all()
        repository.commit(clone.who(), "Merge branch 'main'", merged=[theirs])
        self.world.tell(f"{clone.name}: pull and merge")
        self.world.counts["merges by hand"] += 1
        return True

    def _comments(self, files: Mapping[str, bytes]) -> set[str]:
        return set().union(*(COMMENT.findall(text.decode()) for text in files.values()))

    def push(self, clone: Clone) -> None:
        """``git pull`` and ``git push``."""
        if not self.pull(clone):
            return
        tip = clone.repository.tip
        if tip is not None and tip != self.world.origin.names.get(MAIN):
            clone.repository.transport.send(MAIN, tip)
            clone.repository.refs.names[UPSTREAM] = tip
            self.world.tell(f"{clone.name}: push")

    def edit_and_push(self, clone: Clone) -> None:
        if self.pull(clone):
            self.edit(clone)
            self.push(clone)

    def stop_daemon(self, clone: Clone) -> None:
        if isinstance(clone, Member) and clone.has_daemon and not self.world.away and clone not in self.world.busy:
            clone.let_go()
            self.world.tell(f"{clone.name}: the daemon is stopped")

    # --- in the middle of a run

    def _meanwhile(self, clone: Clone, what: str) -> None:
        here_or_there = super()._meanwhile
        self.dice.choice([self._elsewhere, self._elsewhere, self._sleep, here_or_there])(clone, what)

    def _elsewhere(self, clone: Clone, what: str) -> None:
        """Another clone's people push, or its run begins and ends."""
        others = [other for other in self.world.clones if other not in self.world.busy]
        other = self.dice.choice(others)
        if self.dice.random() < 0.5:
            self.dice.choice([self.push, self.edit_and_push])(other)
        if self.dice.random() < 0.7:
            self.world.counts["runs in the middle of another"] += 1
            self.run(other, CALM)

    def _sleep(self, clone: Clone, what: str) -> None:
        """The machine sleeps: not between the last look and a write, where no lease helps."""
        if not what.startswith(ASLEEP):
            return
        self.world.counts["fault: machine asleep"] += 1
        self.world.pass_time(self.dice.choice([20, 60, 140, 300]))
        self._elsewhere(clone, what)

    def run(self, clone: Clone, bad: Bad) -> None:
        """A run of a command, or of the daemon, which keeps its leases."""
        assert isinstance(clone, Member)
        clone.keeps = clone.has_daemon and self.dice.random() < 0.7
        self.world.sync(clone, bad, allow_delete=self.dice.random() < 0.5)
        clone.keeps = False
