"""The random suites as mutation testing runs them: each stops at the first failure, with exit code 1.

python tests/mutation/suites.py merge|planner|publish
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS / place) for place in ("support", "unit/merge", "unit/sync", "simulation")]


def merge() -> None:
    from merge_laws import CASES, alignments, check, messages_added, tools_added

    for number in range(3000):
        alignments(Random(number))
    for number in range(400):
        tools_added(Random(number))
        messages_added(Random(number))
    for number in range(len(CASES) * 6):
        check(number)


def planner() -> None:
    from planner_worlds import all_contents, all_new_tags, all_obstacles, all_tags
    from test_plan_exhaustive import (
        test_states_are_decided_as_written,
        test_states_come_to_rest,
        test_states_keep_the_laws,
    )

    for worlds, every in ((all_contents, 29), (all_new_tags, 17), (all_obstacles, 53), (all_tags, 149)):
        test_states_are_decided_as_written(worlds, every)
        test_states_keep_the_laws(worlds, every * 3)
    test_states_come_to_rest(all_tags, 600)
    _programs(15)


def publish() -> None:
    from publish_laws import check

    for number in range(900):
        check(number)
    _programs(120)


def _programs(count: int) -> None:
    from run import play

    for seed in range(count):
        story = play(seed)
        assert story.error is None, f"seed {seed}: {story.error}"


SUITES: dict[str, Callable[[], None]] = {"merge": merge, "planner": planner, "publish": publish}


def main(names: list[str]) -> Iterator[str]:
    for name in names:
        SUITES[name]()
        yield f"{name}: well"


if __name__ == "__main__":
    for line in main(sys.argv[1:]):
        print(line)
