"""One process: every step that lasts is counted, and at one of them it may die."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


class Killed(BaseException):
    """The process is dead: nothing of it runs any more."""


@dataclass
class Life:
    """``dies_at`` is the number of the step at which the process is killed; 0 lets it live.

    ``between`` is called at every step, where something else may happen meanwhile; it may raise, too. A dead process
    takes no more steps: whatever handlers still run in it find every edge dead.
    """

    dies_at: int = 0
    between: Callable[[str], None] = lambda _: None
    steps: int = 0
    dead: bool = False
    last: list[str] = field(default_factory=list)

    def step(self, what: str) -> None:
        """Called before and after everything that lasts."""
        if self.dead:
            raise Killed
        self.steps += 1
        if self.steps == self.dies_at:
            self.die(what)
        self.between(what)

    def die(self, what: str) -> None:
        self.dead = True
        self.last.append(what)
        raise Killed


IMMORTAL = Life()
