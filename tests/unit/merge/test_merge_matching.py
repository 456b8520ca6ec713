"""Longest common subsequences, against the textbook's table."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptstore.merge import matching
from promptstore.merge.matching import increasing_lengths, longest_common, longest_increasing

WORDS = st.lists(st.sampled_from("abcd"), max_size=14)


def longest(left: list[str], right: list[str]) -> int:
    table = [[0] * (len(right) + 1) for _ in range(len(left) + 1)]
    for row, one in enumerate(left):
        for column, other in enumerate(right):
            best = max(table[row][column + 1], table[row + 1][column])
            table[row + 1][column + 1] = table[row][column] + 1 if one == other else best
    return table[-1][-1]


def assert_common(pairs: list[tuple[int, int]], left: list[str], right: list[str]) -> None:
    assert all(left[first] == right[second] for first, second in pairs)
    for (first, second), (later, also) in pairwise(pairs):
        assert first < later
        assert second < also


@given(WORDS, WORDS)
def test_as_many_pairs_as_there_can_be(left: list[str], right: list[str]) -> None:
    pairs = longest_common(left, right)
    assert_common(pairs, left, right)
    assert len(pairs) == longest(left, right)


@given(st.lists(st.integers(0, 30), max_size=30), st.lists(st.integers(0, 30), max_size=30))
def test_very_long_lists_are_cut_at_their_unique_items(left: list[int], right: list[int]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(matching, "MAX_CELLS", 20)
        assert_common(longest_common(left, right), left, right)
        several = [*range(100, 130), *left]
        assert len(longest_common(["x", *several], ["y", *several])) >= 30


@given(st.permutations(range(8)))
def test_increasing_subsequences(numbers: list[int]) -> None:
    chain = [numbers[index] for index in longest_increasing(numbers)]
    assert chain == sorted(chain)
    assert len(chain) == max(increasing_lengths(numbers)) == longest([*map(str, numbers)], [*map(str, range(8))])
