"""Debouncing, polling and backing off: values in, values out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptstore.daemon.debounce import Debounce
from promptstore.daemon.schedule import (
    HINTED_RETRY,
    LONGEST_RETRY,
    LONGEST_SPACING,
    SPACING,
    Reading,
    Schedule,
    backoff,
    slept,
)

times = st.floats(0, 1e6, allow_nan=False)
dice = st.floats(0, 1, exclude_max=True)


# --- debounce


def test_quiet_after_the_last_event() -> None:
    waiting = Debounce(0.3, 5.0).touched(10.0).touched(10.2)
    assert waiting.due == pytest.approx(10.5)


def test_a_storm_is_looked_at_after_the_most() -> None:
    waiting = Debounce(0.3, 5.0)
    for tick in range(100):
        waiting = waiting.touched(10.0 + tick / 10)
    assert waiting.due == 15.0


def test_nothing_happened_nothing_due() -> None:
    assert Debounce(0.3, 5.0).due is None
    assert Debounce(0.3, 5.0).touched(1.0).settled().due is None


@given(st.lists(times, min_size=1), st.floats(0, 10), st.floats(0, 100))
def test_due_never_before_the_quiet_nor_after_the_most(events: list[float], quiet: float, most: float) -> None:
    waiting = Debounce(quiet, most)
    for event in events:
        waiting = waiting.touched(event)
    assert waiting.due is not None
    assert waiting.due <= min(events) + most
    assert waiting.due == min(max(events) + quiet, min(events) + most)


# --- schedule


@given(times, dice, st.floats(0.1, 1e5))
def test_a_poll_comes_early_at_most_and_never_late(now: float, roll: float, poll: float) -> None:
    after = Schedule(poll, now).succeeded(now, roll)
    assert now + 0.79 * poll <= after.next <= now + poll * 1.0001


@given(st.lists(dice, min_size=1, max_size=40), st.floats(0.1, 1e4))
def test_waits_grow_to_a_bound_and_end_with_the_first_success(rolls: list[float], poll: float) -> None:
    one, now = Schedule(poll, 0.0), 0.0
    for number, roll in enumerate(rolls, 1):
        before = now
        one = one.failed(now, roll)
        assert 0 < one.next - before <= max(poll, LONGEST_RETRY) * 1.0001
        assert one.failures == number
        now = one.next
    assert one.succeeded(now, 0.0).failures == 0


def test_backoff_doubles() -> None:
    assert [backoff(n, 60.0) for n in range(1, 6)] == [30, 60, 120, 240, 300]
    assert backoff(1, 2.0) == 2
    assert backoff(10_000, 2.0) == 300
    assert backoff(50, 3600.0) == 3600


def test_an_outage_is_over_soon_after_it_ended() -> None:
    """The wait at its end is never longer than the outage itself (while short of the longest)."""
    one, now = Schedule(1.0, 0.0), 0.0
    while now < 200:
        one = one.failed(now, 0.0)
        assert one.next - now <= max(1.0, now + 1.0)
        now = one.next


def test_a_hint_brings_the_next_look_forward() -> None:
    one = Schedule(60.0, 0.0).succeeded(100.0, 0.0)
    assert one.next == 160.0
    assert one.hinted(120.0).next == 120.0
    assert one.hinted(100.1).next == 100.0 + SPACING


@given(st.floats(0, 1000))
def test_hints_leave_the_remote_as_much_rest_as_the_last_pass_took(took: float) -> None:
    one = Schedule(60.0, 0.0).succeeded(100.0, 0.0, took)
    for hint in range(100):
        one = one.hinted(100.0 + hint / 100)
    assert SPACING <= one.next - 100.0 <= LONGEST_SPACING


def test_a_hint_never_postpones() -> None:
    one = Schedule(60.0, 50.0)
    assert one.hinted(70.0).next == 50.0


def test_a_failing_remote_is_not_hammered_by_hints() -> None:
    one = Schedule(60.0, 0.0)
    for _ in range(5):
        one = one.failed(100.0, 0.5)
    assert one.hinted(100.1).next == 100.0 + HINTED_RETRY


def test_after_sleep_everything_is_tried_at_once() -> None:
    one = Schedule(60.0, 0.0).failed(10.0, 0.5).failed(20.0, 0.5)
    woken = one.woken(5000.0)
    assert (woken.next, woken.failures) == (5000.0, 0)


def test_another_interval_counts_at_once() -> None:
    one = Schedule(3600.0, 4000.0)
    assert one.polled_every(60.0, 1000.0).next == 1060.0
    assert Schedule(60.0, 1010.0).polled_every(3600.0, 1000.0).next == 1010.0


@pytest.mark.parametrize(
    ("wall", "asleep"),
    [(5.0, False), (20.0, False), (4000.0, True), (-4000.0, False)],
    ids=["awake", "corrected by seconds", "slept or set ahead", "set back"],
)
def test_sleep_shows_in_the_two_clocks(wall: float, asleep: bool) -> None:
    assert slept(Reading(100.0, 1e9), Reading(105.0, 1e9 + wall)) is asleep
