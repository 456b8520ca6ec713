"""The publish protocol in random stories: nothing is made twice, nobody's version is buried."""

from __future__ import annotations

import pytest
from publish_laws import check


def test_some_stories() -> None:
    for number in range(100):
        check(number)


@pytest.mark.slow
def test_many_stories() -> None:
    for number in range(100_000, 105_000):
        check(number)
