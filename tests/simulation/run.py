"""Run programs: ``python tests/simulation/run.py --seeds 0..1000 [--team 2] [--jobs 2] [-v] [--twice]``.

With ``--team`` clones share one git origin, with ``--clones`` they know of each other only through the vendors. A seed
that fails is named, and ``--seeds N -v`` tells its whole story.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from program import Program
from team_program import TeamProgram

CHUNK = 25
LEAST = {
    "syncs with all sides non-empty": 5000,
    "conflicts": 500,
    "interrupted writes": 500,
    "lost replies": 500,
    "kills": 500,
}
"""How often each case must be reached in 1,000 programs; fewer prove nothing."""
LEAST_OF_TEAMS = {
    "syncs with all sides non-empty": 5000,
    "conflicts": 300,
    "interrupted writes": 300,
    "kills": 400,
    "takeovers of a lease": 200,
    "announced intents found": 150,
    "announced intents that had arrived": 50,
    "runs led elsewhere": 300,
    "lost pushes": 100,
    "runs in the middle of another": 500,
}
"""The same for teams."""


@dataclass(frozen=True)
class Story:
    """What became of one seed."""

    seed: int
    counts: Counter[str]
    trace: str
    error: str | None
    log: tuple[str, ...]


def play(seed: int, clones: int = 1, team: int = 0) -> Story:
    """Run one program, of a ``team`` where that is not 0."""
    program = TeamProgram(seed, team) if team else Program(seed, clones)
    error = None
    try:
        program.run()
    except Exception as problem:  # noqa: BLE001 - whatever goes wrong is the finding
        told = f"{problem}" if isinstance(problem, AssertionError) else traceback.format_exc()
        error = told or traceback.format_exc()
    world = program.world
    return Story(seed, world.counts, world.trace(), error, tuple(world.log))


def play_many(seeds: range, twice: bool, clones: int = 1, team: int = 0) -> tuple[Counter[str], list[Story]]:
    """Run several; returns the sums and the stories that failed."""
    total: Counter[str] = Counter()
    failed = []
    for seed in seeds:
        story = play(seed, clones, team)
        total += story.counts
        total["programs"] += 1
        if twice and story.error is None and play(seed, clones, team).trace != story.trace:
            story = Story(seed, story.counts, story.trace, "the same seed told another story", story.log)
        if story.error is not None:
            failed.append(story)
    return total, failed


def play_all(
    seeds: range, jobs: int, twice: bool = False, clones: int = 1, team: int = 0
) -> Iterator[tuple[Counter[str], list[Story]]]:
    chunks = [seeds[start : start + CHUNK] for start in range(0, len(seeds), CHUNK)]
    if jobs == 1:
        for chunk in chunks:
            yield play_many(chunk, twice, clones, team)
        return
    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(play_many, chunks, [twice] * len(chunks), [clones] * len(chunks), [team] * len(chunks))


def too_rare(counts: Counter[str], wanted: Mapping[str, int] = LEAST) -> list[str]:
    """Cases that were not reached often enough to prove anything."""
    share = counts["programs"] / 1000
    return [
        f"{what}: {counts[what]}, not {least * share:.0f}"
        for what, least in wanted.items()
        if counts[what] < least * share
    ]


def _seeds(text: str) -> range:
    first, _, last = text.partition("..")
    return range(int(first), int(last or first) + 1)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=_seeds, required=True)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--twice", action="store_true", help="play each seed twice and compare the traces")
    parser.add_argument("--clones", type=int, choices=(1, 2), default=1, help="how many engines share the vendors")
    parser.add_argument("--team", type=int, choices=(0, 2, 3), default=0, help="how many clones share one git origin")
    parser.add_argument("-v", "--verbose", action="store_true", help="tell the whole story of each seed")
    parser.add_argument("--stop", type=int, default=20, help="stop after this many failures")
    options = parser.parse_args()
    if options.verbose:
        return _tell(options.seeds, options.clones, options.team)
    return _run(options)


def _tell(seeds: range, clones: int, team: int) -> int:
    bad = 0
    for seed in seeds:
        story = play(seed, clones, team)
        print("\n".join(story.log))
        print(f"seed {seed}: {story.error or 'well'} (trace {story.trace[:16]})")
        bad += story.error is not None
    return 1 if bad else 0


def _run(options: argparse.Namespace) -> int:
    start = time.perf_counter()
    total: Counter[str] = Counter()
    bad = 0
    for counts, failed in play_all(options.seeds, options.jobs, options.twice, options.clones, options.team):
        total += counts
        for story in failed:
            print(f"seed {story.seed}: {story.error}", flush=True)
        bad += len(failed)
        if total["programs"] % 1000 == 0:
            spent = (time.perf_counter() - start) / total["programs"] * 1000
            print(f"{total['programs']} programs, {bad} failed, {spent:.0f} ms each", flush=True)
        if bad >= options.stop:
            break
    spent = time.perf_counter() - start
    for what, count in sorted(total.items()):
        print(f"  {what}: {count}")
    rare = too_rare(total, LEAST_OF_TEAMS if options.team else LEAST)
    print(f"{total['programs']} programs, {bad} failed, {spent / max(total['programs'], 1) * 1000:.1f} ms each")
    print("\n".join(f"too rare: {line}" for line in rare), end="\n" if rare else "")
    return 1 if bad or rare else 0


if __name__ == "__main__":
    sys.exit(main())
