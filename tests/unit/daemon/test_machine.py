"""What the daemon does next, without waiting for anything."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from promptstore.daemon.machine import FULL_LOOK, LONGEST_BUSY, Job, Look, Machine, Pass
from promptstore.daemon.schedule import LONGEST_RETRY
from promptstore.store.config import Config, DaemonConfig, RemoteConfig

CONFIG = Config(
    remotes={name: RemoteConfig(name, "promptlayer") for name in ("acme", "bee")},
    daemon=DaemonConfig(poll=60.0, debounce=0.3),
)


def settled(now: float = 0.0) -> Machine:
    """A machine that has looked at everything once."""
    machine = Machine.started(now).configured(CONFIG, now)
    machine, job = machine.next_job(now)
    assert job == Look(files=True)
    machine, job = machine.looked(job, now).next_job(now)
    assert job == Pass(("acme", "bee"))
    machine = machine.ended({"acme": True, "bee": True}, now, 0.0)
    assert machine.next_job(now)[1] is None
    return machine


def jobs(machine: Machine, now: float) -> tuple[Machine, list[Job]]:
    """All jobs that are due, each ended well at once."""
    found: list[Job] = []
    while True:
        machine, job = machine.next_job(now)
        if job is None:
            return machine, found
        found.append(job)
        machine = machine.looked(job, now) if isinstance(job, Look) else machine.ended(all_well(job), now, 0.0)


def all_well(job: Pass) -> dict[str, bool]:
    return dict.fromkeys(job.remotes, True)


def test_it_begins_with_a_look_at_everything() -> None:
    settled()


def test_idle_it_only_polls() -> None:
    machine, now, seen = settled(), 0.0, []
    while now < 3000:
        now = machine.next_wake
        machine, done = jobs(machine, now)
        assert done, "woken for nothing"
        seen += done
    passes = [job for job in seen if isinstance(job, Pass)]
    looks = [job for job in seen if isinstance(job, Look)]
    assert len(passes) == 3000 / 60
    assert len(looks) == 3000 / FULL_LOOK
    assert all(job == Pass(("acme", "bee")) for job in passes)


def test_a_burst_of_saves_is_one_look() -> None:
    machine = settled()
    for tick in range(10):
        machine = machine.touched("files", 1.0 + tick / 100)
    assert machine.next_job(1.2)[1] is None
    machine, done = jobs(machine, machine.next_wake)
    assert done == [Look(files=True)]
    assert jobs(machine, 30.0)[1] == []


def test_a_moved_ref_is_looked_at_sooner_and_without_the_files() -> None:
    machine = settled().touched("refs", 1.0)
    assert machine.next_wake < 1.2
    machine, done = jobs(machine, 1.2)
    assert done == [Look(files=False)]


def test_what_is_new_here_goes_out_at_once() -> None:
    machine = settled().hinted({"bee"}, 10.0)
    machine, job = machine.next_job(10.0)
    assert job == Pass(("bee",))


def test_hints_for_unknown_remotes_are_nothing() -> None:
    machine = settled().hinted({"nobody"}, 10.0)
    assert machine.next_job(10.0)[1] is None


def test_a_hint_during_the_pass_is_not_lost() -> None:
    machine, job = settled().hinted({"bee"}, 10.0).next_job(10.0)
    assert isinstance(job, Pass)
    machine = machine.hinted({"bee"}, 10.2).ended({"bee": True}, 10.4, 0.0)
    assert machine.next_job(10.4)[1] is None, "some rest in between"
    assert machine.next_wake < 11.1
    machine, job = machine.next_job(machine.next_wake)
    assert job == Pass(("bee",))
    assert machine.ended({"bee": True}, 12.0, 0.0).next_wake > 50, "and it is over then"


def test_a_busy_work_tree_is_looked_at_again_later_and_later() -> None:
    machine, now, waits = settled().touched("files", 1.0), 1.3, []
    for _ in range(12):
        machine, job = machine.next_job(now)
        assert isinstance(job, Look)
        machine = machine.looked(job, now, busy=True)
        assert machine.next_job(now)[1] is None
        later = machine.next_wake
        waits.append(later - now)
        now = later
        machine = replace(machine, schedules={}, full_look=1e9)
    assert waits[0] < 1
    assert waits == sorted(waits)
    assert waits[-1] == LONGEST_BUSY
    machine, job = machine.next_job(now)
    assert isinstance(job, Look)
    assert machine.looked(job, now).next_wake == 1e9


def test_a_young_file_is_looked_at_when_it_is_old_enough() -> None:
    machine, job = settled().touched("files", 1.0).next_job(1.3)
    assert isinstance(job, Look)
    machine = machine.looked(job, 1.3, again=0.3)
    assert machine.next_wake == 1.6
    assert machine.next_job(1.6)[1] == Look(files=True)


def test_the_lock_of_another_sync_is_asked_for_again_soon() -> None:
    machine, job = settled().hinted({"bee"}, 10.0).next_job(10.0)
    assert isinstance(job, Pass)
    machine = machine.ended({}, 10.0, 0.0)
    assert machine.next_job(10.0)[1] is None
    assert machine.next_wake <= 11.0
    assert machine.next_job(11.0)[1] == Pass(("bee",))


def test_a_failing_remote_waits_alone() -> None:
    machine, now = settled(), 60.0
    machine, job = machine.next_job(now)
    assert isinstance(job, Pass)
    machine = machine.ended({"acme": True, "bee": False}, now, 0.0)
    times: dict[str, list[float]] = {"acme": [], "bee": []}
    while now < 4000:
        now = machine.next_wake
        machine, job = machine.next_job(now)
        if isinstance(job, Pass):
            for name in job.remotes:
                times[name].append(now)
            machine = machine.ended({name: name == "acme" for name in job.remotes}, now, 0.0)
        elif isinstance(job, Look):
            machine = machine.looked(job, now)
    gaps = [later - sooner for sooner, later in zip(times["acme"], times["acme"][1:], strict=False)]
    assert max(gaps) <= 60
    assert len(times["bee"]) < 20


def test_sleep_ends_every_wait() -> None:
    machine, job = settled().hinted({"bee"}, 10.0).next_job(10.0)
    assert isinstance(job, Pass)
    machine = machine.ended({"bee": False}, 10.0, 0.0).woken(20.0)
    assert jobs(machine, 20.0)[1] == [Look(files=True), Pass(("acme", "bee"))]


def test_reloading_is_a_full_look_that_says_so() -> None:
    machine, job = settled().reloading(10.0).next_job(10.0)
    assert job == Look(files=True, reload=True)
    assert machine.next_job(10.0)[1] is None


def test_a_config_may_bring_and_take_remotes() -> None:
    other = Config(remotes={"bee": RemoteConfig("bee", "promptlayer"), "cat": RemoteConfig("cat", "promptlayer")})
    machine = settled().configured(other, 10.0)
    assert machine.schedules.keys() == {"bee", "cat"}
    assert machine.next_job(10.0)[1] == Pass(("cat",))


def test_a_remote_that_was_removed_during_its_pass_does_not_come_back() -> None:
    machine, _ = settled().hinted({"bee"}, 10.0).next_job(10.0)
    machine = machine.configured(Config(), 10.1).ended({"bee": True}, 10.2, 0.0)
    assert machine.schedules == {}


def test_even_a_poll_of_nothing_does_not_spin() -> None:
    always = Config(remotes=CONFIG.remotes, daemon=DaemonConfig(poll=0.0))
    machine, _ = Machine.started(0.0).configured(always, 0.0).next_job(0.0)
    machine, job = machine.next_job(0.0)
    assert isinstance(job, Pass)
    assert machine.ended(all_well(job), 0.0, 0.9).next_wake > 0.1


def test_without_remotes_there_is_still_something_to_watch() -> None:
    machine, job = Machine.started(0.0).configured(Config(), 0.0).next_job(0.0)
    assert isinstance(job, Look)
    machine = machine.looked(job, 0.0)
    assert machine.next_wake == FULL_LOOK


# --- any story


events = st.one_of(
    st.tuples(st.just("files"), st.none()),
    st.tuples(st.just("refs"), st.none()),
    st.tuples(st.just("hint"), st.sampled_from(["acme", "bee"])),
    st.tuples(st.just("wait"), st.floats(0.01, 30.0)),
    st.tuples(st.just("fail"), st.sampled_from(["acme", "bee"])),
    st.tuples(st.just("heal"), st.sampled_from(["acme", "bee"])),
    st.tuples(st.just("busy"), st.booleans()),
    st.tuples(st.just("wake"), st.none()),
)


@settings(max_examples=30)
@given(st.lists(events, max_size=60), st.floats(0.0, 3.0))
def test_whatever_happens_nothing_is_forgotten_and_nothing_spins(story: list[tuple[str, object]], took: float) -> None:
    world = _World(took)
    for kind, what in story:
        world.happen(kind, what)
    world.happen("busy", False)
    world.pass_time(LONGEST_BUSY + LONGEST_RETRY + 60 + 20 * took)
    assert world.unseen_files is None
    assert world.unseen_refs is None
    assert world.owed == {}


class _World:
    """Plays events against a machine, and keeps account of what is owed."""

    def __init__(self, took: float) -> None:
        self.machine = Machine.started(0.0).configured(CONFIG, 0.0)
        self.now = 0.0
        self.took = took
        self.failing: set[str] = set()
        self.busy = False
        self.unseen_files: float | None = None
        self.unseen_refs: float | None = None
        self.owed: dict[str, float] = {}
        self.work()

    def happen(self, kind: str, what: object) -> None:
        if kind in {"files", "refs"}:
            self.machine = self.machine.touched("files" if kind == "files" else "refs", self.now)
            if kind == "files":
                self.unseen_files = self.unseen_files or self.now
            else:
                self.unseen_refs = self.unseen_refs or self.now
        elif kind == "hint":
            self.machine = self.machine.hinted([str(what)], self.now)
            self.owed.setdefault(str(what), self.now)
        elif kind == "fail":
            self.failing.add(str(what))
        elif kind == "heal":
            self.failing.discard(str(what))
        elif kind == "busy":
            self.busy = bool(what)
        elif kind == "wake":
            self.machine = self.machine.woken(self.now)
        self.pass_time(float(what) if isinstance(what, float) else 0.0)

    def pass_time(self, seconds: float) -> None:
        until = self.now + seconds
        self.work()
        for _ in range(10_000):
            wake = self.machine.next_wake
            if wake > until:
                break
            self.now = max(self.now, wake)
            assert self.work(), "woken, and nothing to do: that would spin"
        else:
            raise AssertionError("it never comes to rest")
        self.now = max(self.now, until)

    def work(self) -> int:
        for done in range(1000):
            self.machine, job = self.machine.next_job(self.now)
            if job is None:
                return done
            self.end(job)
        raise AssertionError("jobs without end")

    def end(self, job: Job) -> None:
        self.now += self.took
        if isinstance(job, Look):
            self.machine = self.machine.looked(job, self.now, busy=job.files and self.busy)
            if job.files and not self.busy:
                self.unseen_files = None
            self.unseen_refs = None
            return
        for name in job.remotes:
            self.owed.pop(name, None)
        reached = {name: name not in self.failing for name in job.remotes}
        self.machine = self.machine.ended(reached, self.now, 0.5)
