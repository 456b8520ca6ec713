"""Merging orders: every swap of both sides is in the result."""

from __future__ import annotations

from itertools import combinations, permutations

import pytest

from promptstore.merge.order import merge_order, moved


def swaps(order: tuple[int, ...] | list[int]) -> set[tuple[int, int]]:
    return {(later, earlier) for earlier, later in combinations(order, 2) if earlier > later}


@pytest.mark.parametrize(
    ("ours", "theirs", "merged"),
    [
        ([0, 1, 2], [2, 0, 1], [2, 0, 1]),
        ([1, 2, 3, 0], [3, 0, 1, 2], [3, 1, 2, 0]),
        ([1, 0, 2, 3], [0, 1, 3, 2], [1, 0, 3, 2]),
        ([2, 0, 1, 3, 4], [0, 1, 3, 4, 2], None),
    ],
    ids=["one side moved", "first to the end, last to the front", "two swaps", "one item moved to two places"],
)
def test_orders(ours: list[int], theirs: list[int], merged: list[int] | None) -> None:
    assert merge_order(ours, theirs) == merged


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_all_small_orders(size: int) -> None:
    for ours in permutations(range(size)):
        for theirs in permutations(range(size)):
            merged = merge_order(ours, theirs)
            assert merge_order(theirs, ours) == merged
            if merged is None:
                assert moved(ours)
                assert moved(theirs)
            else:
                assert sorted(merged) == list(range(size))
                assert swaps([*merged]) >= swaps(ours) | swaps(theirs)


def test_moved_is_the_smallest_explanation() -> None:
    assert moved([1, 2, 3, 0]) == {0}
    assert moved([0, 1, 2]) == frozenset()
