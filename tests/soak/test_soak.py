"""The soak: for two minutes, and for half an hour in the thorough run."""

from __future__ import annotations

import random

import pytest

from soak import soak

SEED = 20_260_101


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_a_team_at_work_for_two_minutes() -> None:
    figures = soak(2, SEED, print)
    assert figures["edits in clones"] > 5
    assert figures["edits at vendors"] > 5
    assert all(made["versions"] for made in figures["versions"].values())


@pytest.mark.thorough
@pytest.mark.timeout(3600)
def test_a_team_at_work_for_half_an_hour() -> None:
    figures = soak(30, random.randrange(10**6), print)
    assert figures["takeovers of a lease"]
    assert figures["daemons killed"]
    assert figures["git server killed"]
