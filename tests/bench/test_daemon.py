"""What the daemon costs, as ratios against what a person would do instead: run ``promptstore sync``."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from daemons import Page, environment, eventually, make_hub, running, serving
from repos import chat, commit

pytestmark = [
    pytest.mark.bench,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processor time is read from /proc"),
]

POLLS = 20


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    with serving(tmp_path / "page", monkeypatch) as served:
        yield served


def sync(root: Path) -> None:
    subprocess.run([sys.executable, "-m", "promptstore", "-q", "-C", str(root), "sync"], env=environment(), check=True)


def processor_seconds(pid: int) -> float:
    """Of a process and the children that it has waited for."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(int(ticks) for ticks in fields[11:15]) / os.sysconf("SC_CLK_TCK")


def resident_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[21]) * os.sysconf("SC_PAGE_SIZE")


def of_children(action: Callable[[], None]) -> float:
    before = os.times()
    action()
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def polled(page: Page, times: int) -> None:
    """Wait until the listing was asked for so many times more."""
    wanted = len(listings(page)) + times
    eventually(lambda: len(listings(page)) >= wanted, f"{times} polls", 300)


def listings(page: Page) -> list[tuple[str, str]]:
    return [call for call in page.requests if call == ("GET", "/prompt-templates")]


def test_a_poll_costs_less_than_a_sync_and_memory_stays(tmp_path: Path, page: Page) -> None:
    root = make_hub(tmp_path / "hub", page, prompts={f"p{n}": chat(f"text {n}") for n in range(100)})
    sync(root)
    by_hand = statistics.median(of_children(lambda: sync(root)) for _ in range(3))
    with running(root) as daemon:
        polled(page, 10)
        pid, requests, before = daemon.process.pid, len(listings(page)), processor_seconds(daemon.process.pid)
        resident = resident_bytes(pid)
        polled(page, POLLS)
        spent, polls = processor_seconds(pid) - before, len(listings(page)) - requests
        grown = resident_bytes(pid) / resident
    share = spent / polls / 60
    print(f"\na poll: {spent / polls:.3f} s, a sync: {by_hand:.3f} s; a poll a minute is {share:.2%} of a core")
    print(f"memory: {resident / 1e6:.0f} MB, after {polls} polls {grown:.3f} times that")
    assert spent / polls < by_hand
    assert grown < 1.1


def test_a_commit_is_out_sooner_than_by_hand(tmp_path: Path, page: Page) -> None:
    root = make_hub(tmp_path / "hub", page, poll="6h")
    sync(root)

    def by_hand() -> None:
        sync(root)
        assert page.text("a") == texts[-1]

    texts = [""]

    def took(action: Callable[[], None]) -> float:
        texts.append(f"text {len(texts)}")
        commit(root, {"a": chat(texts[-1])})
        start = time.monotonic()
        action()
        return time.monotonic() - start

    slow = statistics.median(took(by_hand) for _ in range(5))
    with running(root) as daemon:
        eventually(lambda: daemon.state() == "ok")
        fast = statistics.median(took(lambda: eventually(lambda: page.text("a") == texts[-1])) for _ in range(5))
    print(f"\na commit is at the vendor after {fast:.2f} s; with a sync by hand after {slow:.2f} s")
    assert fast < slow * 1.5
