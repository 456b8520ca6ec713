"""Seeds of the simulation as tests; ``run.py`` runs any number of them."""

from __future__ import annotations

import pytest
from run import LEAST_OF_TEAMS, play, play_many, too_rare

CHUNK = 25


def test_a_few_seeds() -> None:
    counts, failed = play_many(range(8), twice=False)
    assert [(story.seed, story.error) for story in failed] == []
    assert counts["programs"] == 8


def test_a_seed_tells_the_same_story_twice() -> None:
    assert play(11).trace == play(11).trace
    assert play(11).trace != play(12).trace


def test_a_few_teams() -> None:
    counts, failed = play_many(range(5), twice=False, team=2)
    assert [(story.seed, story.error) for story in failed] == []
    assert counts["writes by a leader"] > 0


def test_a_team_tells_the_same_story_twice() -> None:
    assert play(6, team=2).trace == play(6, team=2).trace


@pytest.mark.slow
@pytest.mark.parametrize("start", range(1000, 1500, CHUNK))
def test_many_seeds(start: int) -> None:
    _, failed = play_many(range(start, start + CHUNK), twice=False)
    assert [(story.seed, story.error) for story in failed] == []


@pytest.mark.slow
def test_every_case_is_reached() -> None:
    counts, _ = play_many(range(2000, 2300), twice=False)
    assert too_rare(counts) == []


@pytest.mark.slow
def test_stories_are_told_the_same_twice() -> None:
    _, failed = play_many(range(4000, 4025), twice=True)
    assert [(story.seed, story.error) for story in failed] == []


@pytest.mark.slow
@pytest.mark.parametrize(("team", "start"), [(2, 1000), (2, 1025), (3, 1050)])
def test_many_teams(team: int, start: int) -> None:
    _, failed = play_many(range(start, start + CHUNK), twice=False, team=team)
    assert [(story.seed, story.error) for story in failed] == []


@pytest.mark.slow
def test_every_case_of_teams_is_reached() -> None:
    counts, _ = play_many(range(6000, 6200), twice=False, team=2)
    assert too_rare(counts, LEAST_OF_TEAMS) == []
