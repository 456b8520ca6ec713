"""Speed as ratios against a baseline of the same run: medians of many runs that take turns, so that load hits both."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from repos import chat, commit, git, make_store

from promptstore import Store
from promptstore.store.address import parse_address
from promptstore.store.git.refs import RACY_NS
from promptstore.store.tagging import set_tag

pytestmark = [pytest.mark.bench, pytest.mark.timeout(600)]

STARTS = 25
CALLS = 400
ROUNDS = 60


@pytest.fixture
def where(tmp_path: Path) -> Path:
    store = make_store(tmp_path, prompts={f"support/p{n}": chat(f"text {n}") for n in range(50)})
    for number in range(3):
        commit(tmp_path, {"support/p1": chat(f"another {number}")})
    set_tag(store, store.locate(parse_address("support/p1@2")), "production")
    store.close()
    return tmp_path


def medians(contestants: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """The median time of each, run in turns."""
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, run in contestants.items():
            start = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(found) for name, found in times.items()}


def process(*arguments: str, cwd: Path) -> Callable[[], object]:
    command = [sys.executable, *arguments]
    return lambda: subprocess.run(command, cwd=cwd, stdout=subprocess.DEVNULL, check=True)


def told(found: Mapping[str, float], baseline: str) -> dict[str, float]:
    ratios = {name: round(value / found[baseline], 2) for name, value in found.items()}
    print({name: f"{value * 1e6:.1f} µs" for name, value in found.items()}, ratios)
    return ratios


def test_a_cold_get_and_help_cost_little_more_than_an_interpreter(where: Path) -> None:
    get = process("-m", "promptstore", "get", "support/p1@production", cwd=where)
    get()
    contestants = {
        "pass": process("-c", "pass", cwd=where),
        "get": get,
        "latest": process("-m", "promptstore", "get", "support/p1", cwd=where),
        "help": process("-m", "promptstore", "--help", cwd=where),
    }
    for run in contestants.values():
        run()
    ratios = told(medians(contestants, STARTS), "pass")
    assert ratios["get"] <= 6
    assert ratios["latest"] <= 6
    assert ratios["help"] <= 5


@pytest.mark.parametrize("packed", [False, True], ids=["loose", "packed"])
def test_a_warm_get_costs_little_more_than_looking_at_two_files(where: Path, packed: bool) -> None:
    if packed:
        git(where, "pack-refs", "--all", "--prune")
    time.sleep(RACY_NS / 1e9 * 2)
    store = Store.open(where)
    one, other = str(where / ".git/HEAD"), str(where / ".git/config")

    def stats() -> None:
        for _ in range(CALLS):
            os.stat(one)
            os.stat(other)

    def tagged() -> None:
        for _ in range(CALLS):
            store.get("support/p1", tag="production")

    def latest() -> None:
        for _ in range(CALLS):
            store.get("support/p1")

    for warm in (stats, tagged, latest):
        warm()
    ratios = told(medians({"stats": stats, "tagged": tagged, "latest": latest}, ROUNDS), "stats")
    assert ratios["tagged"] <= 4
    assert ratios["latest"] <= 4


def test_the_demo_is_told_in_under_twenty_seconds(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "promptstore", "--json", "demo"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["seconds"] < 20
