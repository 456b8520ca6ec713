"""The laws of the three-way merge, over prompts and edits that people could have made.

``merge_laws.py`` holds the laws, and runs them a million times over.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from merge_laws import CASES, FAMILY_LAWS, Merges, check
from prompt_strategies import Family, drawn, family


@pytest.mark.parametrize("case", dict.fromkeys(CASES), ids=lambda case: case.__name__)
def test_people_merge(case: Callable[[Random], None]) -> None:
    for number in range(15):
        case(Random(number))


def test_a_short_campaign() -> None:
    for number in range(200):
        check(number)


@pytest.mark.slow
def test_a_longer_campaign() -> None:
    for number in range(10_000_000, 10_010_000):
        check(number)


@pytest.mark.slow
@pytest.mark.parametrize("law", FAMILY_LAWS, ids=lambda law: law.__name__)
@given(people=drawn(family))
@settings(max_examples=500)
def test_a_hunt_for_a_small_family_that_breaks_a_law(law: Callable[[Merges], None], people: Family) -> None:
    law(Merges(people))


@pytest.mark.slow
@pytest.mark.parametrize("case", dict.fromkeys(CASES), ids=lambda case: case.__name__)
@given(random=st.randoms(use_true_random=False))
@settings(max_examples=100)
def test_a_hunt_for_few_edits_that_break_a_law(case: Callable[[Random], None], random: Random) -> None:
    case(random)
