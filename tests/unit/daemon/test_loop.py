"""The loop with a clock that only we move: no thread, no waiting."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from promptstore.daemon.loop import BUSY_TOLD, HEARTBEAT, STUCK, Clocks, Ending, Loop
from promptstore.daemon.machine import Job, Look, Pass
from promptstore.daemon.mailbox import Done, Hint, Mailbox, Message
from promptstore.daemon.standing import Outcome, Standing
from promptstore.daemon.work import Looked
from promptstore.errors import GitError
from promptstore.store.config import Config, DaemonConfig, RemoteConfig
from promptstore.sync.actions import Action

CONFIG = Config(
    remotes={"acme": RemoteConfig("acme", "promptlayer")}, daemon=DaemonConfig(poll=60.0), notify=("tell", "{message}")
)
BROKEN = Config(remotes={"acme": RemoteConfig("acme", "promptlayer"), "bee": RemoteConfig("bee", "promptlayer")})


class World(Mailbox):
    """Clock, mailbox, worker and surroundings in one: waiting moves the clock."""

    def __init__(self, *, until: float = 1000.0) -> None:
        super().__init__()
        self.now = 0.0
        self.asleep = 0.0
        self.until = until
        self.letters: list[tuple[float, Message]] = []
        self.jobs: list[tuple[float, Job]] = []
        self.took = 0.2
        self.looked_result: Callable[[Look], object] = lambda _: Looked(CONFIG)
        self.pass_result: Callable[[Pass], object] = lambda job: [Outcome(name, "ok") for name in job.remotes]
        self.alerts: list[str] = []
        self.reports: list[tuple[dict[str, Standing], dict[str, float], str | None]] = []
        self.configured: list[Config] = []
        self.beats: list[float] = []
        self.ours = True
        self.idle = True
        self.hangs = False
        self.ended = False

    # --- mailbox and clock

    def get(self, seconds: float) -> Message | None:
        self.letters.sort(key=lambda letter: letter[0])
        wake = self.now + max(0.0, seconds)
        if self.letters and self.letters[0][0] <= wake:
            self.now, message = max(self.now, self.letters[0][0]), self.letters.pop(0)[1]
            return message
        self.now = wake
        return "stop" if self.now >= self.until else None

    # --- worker

    def start(self) -> None:
        self.moved = self.now

    def give(self, job: Job) -> None:
        self.idle = False
        self.moved = self.now
        self.jobs.append((self.now, job))
        if not self.hangs:
            result = self.looked_result(job) if isinstance(job, Look) else self.pass_result(job)
            self.letters.append((self.now + self.took, Done(job, result)))

    def stuck_for(self, now: float) -> float:
        return 0.0 if self.idle else now - self.moved

    def end(self, seconds: float) -> bool:
        self.ended = True
        return self.idle

    # --- surroundings

    def configure(self, config: Config) -> None:
        self.configured.append(config)

    def looked(self) -> None:
        """Nothing is watched here."""

    def alert(self, config: Config, message: str) -> None:
        self.alerts.append(message)

    def report(self, standings: Mapping[str, Standing], next_times: Mapping[str, float], problem: str | None) -> None:
        self.reports.append((dict(standings), dict(next_times), problem))

    def beat(self) -> bool:
        self.beats.append(self.now)
        return self.ours

    # --- the test's own

    def play(self) -> Ending:
        clocks = Clocks(lambda: self.now, lambda: 1e9 + self.now + self.asleep, lambda: 0.0)
        worker: Any = self
        return Loop(worker, self, self, logging.getLogger("test"), clocks, {"acme": 5.0}).run(CONFIG)

    def passes(self) -> list[float]:
        return [time for time, job in self.jobs if isinstance(job, Pass)]


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    caplog.set_level(logging.INFO, "test")
    return lambda: [record.getMessage() for record in caplog.records]


def test_idle_it_polls_beats_and_says_nothing(told: Callable[[], list[str]]) -> None:
    world = World(until=600.0)
    assert world.play() == Ending(in_time=True, replaced=False)
    assert world.ended
    gaps = [later - sooner for sooner, later in zip(world.passes(), world.passes()[1:], strict=False)]
    assert all(gap == pytest.approx(60.2, abs=0.3) for gap in gaps)
    assert max(b - a for a, b in zip(world.beats, world.beats[1:], strict=False)) <= HEARTBEAT * 1.001
    assert told() == []
    assert world.alerts == []


def test_status_tells_times_and_states() -> None:
    world = World(until=100.0)
    world.play()
    standings, times, problem = world.reports[-1]
    assert standings["acme"].outcome.state == "ok"
    assert times["acme"] == pytest.approx(1e9 + world.passes()[-1] + world.took + 60.0)
    assert problem is None
    assert world.reports[0][0]["acme"].synced == 5.0


def test_what_a_look_wants_is_passed_at_once() -> None:
    world = World(until=50.0)
    world.letters = [(10.0, Hint(("acme",)))]
    world.play()
    assert any(10.0 <= time < 10.1 for time in world.passes())


def test_touches_of_other_threads_are_taken() -> None:
    world = World(until=50.0)
    wanted = iter([frozenset(), frozenset(), frozenset({"acme"})])
    world.looked_result = lambda _: Looked(CONFIG, next(wanted, frozenset()))

    def touching(seconds: float) -> Message | None:
        if 20.0 <= world.now < 25.0:
            world.touch("refs", world.now)
        return World.get(world, seconds)

    world.get = touching  # type: ignore[method-assign]
    world.play()
    assert any(isinstance(job, Look) and not job.files and time >= 20.0 for time, job in world.jobs)


def test_a_failure_is_told_once_backed_off_and_recovers(told: Callable[[], list[str]]) -> None:
    world = World(until=20_000.0)
    away = [Outcome("acme", "unreachable", "no route", reached=False)]
    world.pass_result = lambda job: away if world.now < 10_000 else [Outcome("acme", "ok")]
    world.play()
    assert told() == ["acme: unreachable: no route", "acme: all well again"]
    assert world.alerts == ["acme: no route"]
    during = [time for time in world.passes() if time < 10_000]
    assert len(during) < 10_000 / 60
    first_after = next(time for time in world.passes() if time >= 10_000)
    assert first_after - 10_000 <= 300


def test_what_was_done_is_told(told: Callable[[], list[str]]) -> None:
    world = World(until=20.0)
    done = (
        Action("acme", "a/b", "update-remote", version=3),
        Action("acme", "a/b", "tag-remote", tag="live", version=3),
    )
    world.pass_result = lambda _: [Outcome("acme", "ok", done=done)]
    world.play()
    assert told() == ["acme: update-remote a/b @3", "acme: tag-remote a/b: live @3"]
    after = next(time for time, job in world.jobs if isinstance(job, Pass))
    assert any(isinstance(job, Look) and time > after for time, job in world.jobs), "what it did itself is looked at"


def test_commits_and_what_was_left_are_told_once(told: Callable[[], list[str]]) -> None:
    world = World(until=1000.0)
    results = iter([Looked(CONFIG, committed=("a", "b"), left={"c": "line 3: no such key"})])
    left = Looked(CONFIG, left={"c": "line 3: no such key"})
    world.looked_result = lambda _: next(results, left)
    world.play()
    assert told() == ["committed a, b", "not committed: c: line 3: no such key"]


def test_a_work_tree_that_stays_busy_is_one_line(told: Callable[[], list[str]]) -> None:
    world = World(until=2000.0)
    world.looked_result = lambda _: Looked(CONFIG, busy="a rebase is in progress")
    world.play()
    assert len(world.jobs) > BUSY_TOLD
    assert told() == ["the work tree is left alone: a rebase is in progress"]


def test_a_broken_config_is_told_once_and_the_old_one_stays(told: Callable[[], list[str]]) -> None:
    world = World(until=1500.0)
    world.looked_result = lambda _: Looked(CONFIG, fault="the config was not taken over: line 3")
    world.play()
    assert told() == ["the config was not taken over: line 3"]
    assert world.alerts == ["the config was not taken over: line 3"]
    assert world.configured == [CONFIG]
    assert world.reports[-1][2] == "the config was not taken over: line 3"
    assert len(world.passes()) > 10


def test_another_config_is_taken_over() -> None:
    world = World(until=200.0)
    world.letters = [(50.0, "reload")]
    world.looked_result = lambda job: Looked(BROKEN if job.reload else world.configured[-1])
    world.play()
    assert world.configured == [CONFIG, BROKEN]
    assert world.reports[-1][0].keys() == {"acme", "bee"}
    assert any(job == Pass(("bee",)) or (isinstance(job, Pass) and "bee" in job.remotes) for _, job in world.jobs)


def test_an_internal_error_of_a_job_is_told_and_survived(told: Callable[[], list[str]]) -> None:
    world = World(until=3000.0)
    world.pass_result = lambda _: ZeroDivisionError("oh") if world.now < 1000 else [Outcome("acme", "ok")]
    world.looked_result = lambda _: Looked(CONFIG) if world.now > 100 else OSError("the disk")
    world.play()
    assert told() == [
        "internal error: the disk",
        "internal error: oh",
        "acme: failing: internal error: oh",
        "acme: all well again",
    ]


def test_an_error_of_ours_is_told_without_a_trace(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "test")
    world = World(until=1000.0)
    world.looked_result = lambda _: GitError("the object 123 is missing")
    world.play()
    assert [(record.getMessage(), record.exc_info) for record in caplog.records] == [
        ("the object 123 is missing", None)
    ]


def test_stop_ends_it_and_says_whether_the_job_in_hand_did() -> None:
    world = World()
    world.letters = [(10.0, "stop")]
    assert world.play() == Ending(in_time=True, replaced=False)
    assert world.now < 11
    hanging = World(until=40.0)
    hanging.hangs = True
    assert not hanging.play().in_time


def test_a_hung_job_is_left_to_the_supervisor() -> None:
    world = World(until=STUCK * 3)
    world.hangs = True
    world.play()
    assert max(world.beats) < STUCK + HEARTBEAT


def test_a_store_that_was_replaced_is_nothing_to_look_after(told: Callable[[], list[str]]) -> None:
    world = World()
    world.ours = False
    assert world.play().replaced
    assert world.now < 20
    assert told() == ["the store was replaced by another one: ending"]


def test_sleep_is_noticed() -> None:
    world = World(until=300.0)

    def sleeping(seconds: float) -> Message | None:
        if 100.0 < world.now < 110.0:
            world.asleep = 5000.0
        return World.get(world, seconds)

    world.get = sleeping  # type: ignore[method-assign]
    world.play()
    assert any(100.0 < time < 112.0 for time in world.passes())
