"""Speed, as ratios against a baseline measured in the same run: medians of interleaved rounds."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from repos import chat, git, make_store

from promptstore.store.address import parse_address
from promptstore.store.store import Store
from promptstore.store.tagging import set_tag

pytestmark = pytest.mark.bench

ROUNDS = 15
PLAIN = '[store]\nbranch = "main"\n'


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = make_store(tmp_path / "store", PLAIN, {f"group/p{n}": chat(f"Prompt {n}. " * 50) for n in range(100)})
    set_tag(made, made.locate(parse_address("group/p7")), "production")
    made.get("group/p7", tag="production")
    time.sleep(0.1)  # a ref that was moved just now is looked at twice
    return made


def seconds(command: list[str], folder: Path) -> float:
    start = time.perf_counter()
    subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def cold_ratio(store: Store, *arguments: str) -> float:
    """How much longer the console script takes than an empty Python process."""
    folder = Path(store.root)
    script = shutil.which("promptstore", path=str(Path(sys.executable).parent)) or "promptstore"
    seconds([script, *arguments], folder)
    pairs = [
        (seconds([sys.executable, "-c", "pass"], folder), seconds([script, *arguments], folder)) for _ in range(ROUNDS)
    ]
    empty, ours = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(f"promptstore {' '.join(arguments)}: {ours * 1000:.0f} ms, {ours / empty:.1f} x python -c pass")
    return ours / empty


def test_a_cold_get_is_within_six_empty_processes(store: Store) -> None:
    assert cold_ratio(store, "get", "group/p7@production") <= 6


def test_help_is_within_five_empty_processes(store: Store) -> None:
    assert cold_ratio(store, "--help") <= 5


def each(call: Callable[[], object], times: int = 5000) -> float:
    start = time.perf_counter()
    for _ in range(times):
        call()
    return (time.perf_counter() - start) / times


def warm_ratio(store: Store, get: Callable[[], object]) -> float:
    head, config = (os.path.join(store.repository.common_dir, name) for name in ("HEAD", "config"))

    def two_stats() -> None:
        os.stat(head)
        os.stat(config)

    get()
    time.sleep(0.1)
    get()
    pairs = [(each(two_stats), each(get)) for _ in range(ROUNDS)]
    stats, ours = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(f"warm get: {ours * 1e6:.1f} us, {ours / stats:.1f} x two stats")
    return ours / stats


def test_a_warm_get_is_within_four_times_two_stats(store: Store) -> None:
    assert warm_ratio(store, lambda: store.get("group/p7", tag="production")) <= 4
    assert warm_ratio(store, lambda: store.get("group/p7")) <= 4


def test_packed_refs_cost_no_more(store: Store) -> None:
    git(Path(store.root), "pack-refs", "--all")
    assert warm_ratio(store, lambda: store.get("group/p7", tag="production")) <= 4
