"""How each remote stands, as passes find it: what is worth a line in the log, and what a person's attention. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from promptstore.sync.actions import Action, Plan, SyncError

State = Literal["starting", "ok", "conflict", "halted", "waiting", "unreachable", "failing", "observing"]
"""``waiting``: this checkout is in the middle of something; ``unreachable``: may pass; ``failing``: will not pass by
itself; ``observing``: another machine writes there (or may)."""

LASTING = 600.0
"""Seconds of failure after which somebody is told."""
MOST_HELD = 5
"""So many newly held prompts are named in the log at once."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one pass found out about one remote."""

    remote: str
    state: State
    error: str | None = None
    conflicts: frozenset[tuple[str, str]] = frozenset()
    """(slug, field) of each."""
    held: frozenset[tuple[str, str]] = frozenset()
    """(slug, reason) of each."""
    done: tuple[Action, ...] = ()
    reached: bool = True
    """Whether the remote answered, whatever became of single prompts."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a change of standing is worth: lines for the log, alerts for a person."""

    lines: tuple[str, ...] = ()
    alerts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """One remote over time. ``failing_since`` and ``synced`` are monotonic and wall seconds."""

    outcome: Outcome
    failing_since: float | None = None
    alerted: bool = False
    synced: float | None = None

    def after(self, outcome: Outcome, now: float, wall: float) -> tuple[Standing, Told]:
        """The standing after a pass, and what to tell of it. A remote that did not answer stands as it stood."""
        if not outcome.reached:
            outcome = replace(outcome, conflicts=self.outcome.conflicts, held=self.outcome.held)
        fails = outcome.state in {"unreachable", "failing"}
        since = (now if self.failing_since is None else self.failing_since) if fails else None
        failure = self._failure(outcome, since, now)
        alerts = [*_conflicts(self.outcome, outcome), *_halt(self.outcome, outcome), *failure]
        synced = wall if outcome.reached and outcome.state != "observing" else self.synced
        standing = Standing(outcome, since, fails and (self.alerted or bool(failure)), synced)
        lines = (*_change(self.outcome, outcome), *_newly_held(self.outcome, outcome))
        return standing, Told(lines, tuple(alerts))

    def _failure(self, outcome: Outcome, since: float | None, now: float) -> list[str]:
        """A failure that lasts, or that will not pass by itself; told once."""
        if since is None or self.alerted:
            return []
        lasts = outcome.state == "failing" or now - since >= LASTING
        return [f"{outcome.remote}: {outcome.error}"] if lasts else []


def _change(before: Outcome, now: Outcome) -> tuple[str, ...]:
    if now.state == before.state:
        return ()
    if now.state == "ok":
        return () if before.state == "starting" else (f"{now.remote}: all well again",)
    return (f"{now.remote}: {now.state}" + (f": {now.error}" if now.error else ""),)


def _newly_held(before: Outcome, now: Outcome) -> list[str]:
    """What is left alone from now on, and why; of many only the first."""
    fresh = sorted(now.held - before.held)
    lines = [f"{now.remote}: held {slug}: {reason}" for slug, reason in fresh[:MOST_HELD]]
    return [*lines, f"{now.remote}: held {len(fresh) - MOST_HELD} more"] if len(fresh) > MOST_HELD else lines


def _conflicts(before: Outcome, now: Outcome) -> list[str]:
    slugs = sorted({slug for slug, _ in now.conflicts - before.conflicts})
    if not slugs:
        return []
    more = f" and {len(slugs) - 3} more" if len(slugs) > 3 else ""
    return [f"{now.remote}: conflict in {', '.join(slugs[:3])}{more}; see `promptstore conflicts`"]


def _halt(before: Outcome, now: Outcome) -> list[str]:
    if now.state != "halted" or before.state == "halted":
        return []
    return [f"{now.remote}: halted: {now.error}"]


def judged(remote: str, plan: Plan, done: Iterable[Action], errors: Iterable[SyncError]) -> Outcome:
    """What a pass that ended with this says about one remote."""
    mine = [error for error in errors if error.remote == remote]
    outcome = Outcome(
        remote,
        "ok",
        conflicts=frozenset((c.slug, c.field) for c in plan.conflicts if c.remote == remote),
        held=frozenset((held.slug, held.reason) for held in plan.held if held.remote == remote),
        done=tuple(action for action in done if action.remote == remote),
        reached=all(error.slug is not None or _is_busy(error) for error in mine),
    )
    halts = [halt for halt in plan.halted if halt.remote == remote]
    if halts:
        hint = f"if that is right, run `promptstore sync --accept {plan.plan_id}`"
        return replace(outcome, state="halted", error=f"{halts[0].reason}; {hint}")
    if mine:
        return _failed(outcome, mine)
    return replace(outcome, state="conflict") if outcome.conflicts else outcome


def observed(outcome: Outcome) -> Outcome:
    """The outcome where this machine was not to write: that is no failure."""
    return replace(outcome, state="observing", reached=True)


def _failed(outcome: Outcome, errors: list[SyncError]) -> Outcome:
    """The worst error decides: what will not pass by itself, then what may, then a busy checkout."""
    worst = min(errors, key=lambda error: (error.retry, _is_busy(error)))
    state: State = "failing" if not worst.retry else "waiting" if _is_busy(worst) else "unreachable"
    place = f" ({worst.slug})" if worst.slug else ""
    hint = f"; {worst.hint}" if worst.hint else ""
    return replace(outcome, state=state, error=f"{worst.message}{place}{hint}")


def _is_busy(error: SyncError) -> bool:
    """Whether it was this checkout, not the remote, that was in the way (StoreBusy, RefMoved)."""
    return error.retry and error.kind == "internal"
