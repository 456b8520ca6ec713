"""The engine as a real process, killed at any moment, against a vendor over real HTTP; the next run finishes its work.

A kill may come after so many milliseconds, while a request is on its way or answered and not yet read, or right
before the n-th thing that lasts (a file, a lock, a git command). It may take the engine alone (its last git command
lives on for a moment) or everything it started (as when the power fails).
"""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from forked_engine import KILLED
from kill_world import World, power_back, stale_locks, world
from proxy import NONE, Asked, Fault, delayed

LIFE = 0.7  # seconds that a run takes, roughly
REQUESTS = 14
STEPS = 110


def slowed(w: World) -> None:
    """Now and then the vendor takes its time, before or after it does what it is asked."""

    def rule(asked: Asked) -> Fault:
        return w.dice.choice([delayed(before=0.05), delayed(after=0.05)]) if w.dice.random() < 0.1 else NONE

    w.proxy.rule = rule


def kill_after_a_while(w: World, group: bool) -> int:
    w.engines.start("-C", str(w.where), "sync", "--json", later=w.later)
    timer = threading.Timer(w.dice.uniform(0.0, LIFE), w.engines.kill, kwargs={"group": group})
    timer.start()
    code = w.engines.wait().code
    timer.cancel()
    timer.join()
    return code


def kill_at_a_request(w: World, group: bool) -> int:
    """Before the vendor gets it, or when it is done and the answer is on its way."""
    moment = len(w.proxy.asked) + 1 + w.dice.randrange(REQUESTS)
    if w.dice.random() < 0.5:
        moment = 0
    after = w.dice.random() < 0.7

    def strike(asked: Asked, *_: object) -> None:
        if asked.number == moment or (moment == 0 and asked.writes):
            w.engines.kill(group=group)

    if after:
        w.proxy.on_answer = strike
    else:
        w.proxy.on_request = strike
    code = w.engines.run("-C", str(w.where), "sync", "--json", later=w.later).code
    w.proxy.on_answer = w.proxy.on_request = lambda *_: None
    return code


def kill_at_a_step(w: World, group: bool) -> int:
    moment = w.dice.randrange(STEPS)
    return w.engines.run("-C", str(w.where), "sync", "--json", later=w.later, die_at=moment).code


def one_kill(w: World) -> bool:
    """A run that is killed, if it does not end before; whether it was."""
    how = w.dice.choice([kill_after_a_while, kill_at_a_request, kill_at_a_step])
    group = w.dice.random() < 0.3
    code = how(w, group)
    w.log.append(f"{how.__name__} group={group}: {code}")
    w.proxy.wait_until_idle()  # a page saved over a version nobody saw yet would lose that one at the vendor itself
    if group and stale_locks(w.where):
        time.sleep(0.02)
        power_back(w.where)
        assert w.engines.run("-C", str(w.where), "doctor", "--fix", "--offline").code in {0, 3}
    return code == KILLED


def story(w: World, kills: int, between_checks: int) -> int:
    slowed(w)
    w.edit_here("a")
    w.edit_there("b")
    done = 0
    while done < kills:
        for _ in range(between_checks):
            for edit in (w.edit_here, w.edit_there):
                if w.dice.random() < 0.6:
                    edit()
            if w.dice.random() < 0.1:
                w.tag_here()
            done += one_kill(w)
        w.until_quiet()
        w.check()
    return done


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1])
def test_a_few_kills(tmp_path: Path, seed: int) -> None:
    with world(tmp_path, seed) as w:
        story(w, 1, 2)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "seed", [11, 12, 13, *(pytest.param(seed, marks=pytest.mark.thorough) for seed in (14, 15, 16, 17))]
)
def test_many_kills(tmp_path: Path, seed: int) -> None:
    with world(tmp_path, seed) as w:
        assert story(w, 42, 12) >= 42
