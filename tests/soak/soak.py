"""A team at work for a long time, with real daemons, a real git server and the vendors' twins, and everything that can
go wrong: `python tests/soak/soak.py --minutes 30`.

Three clones of one origin, each with a daemon, are linked to three vendors. People edit in all of these places. Daemons
are stopped, killed and put to sleep, the git server dies, the lines to the vendors are bad. At the end the weather
clears, people stop, what is in conflict is resolved, and an oracle that knows nothing of the planner asks: do all sides
say the same, was anything published twice, was any edit lost, did the daemons grow?

A run that fails keeps its folder. The seed repeats what people do and when things break, but no two runs interleave
alike.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "support")]

from hubs import EXTRA, KEY  # noqa: E402
from soak_clones import Clone  # noqa: E402
from soak_oracle import Broken, Oracle, git, heads, judge_growth  # noqa: E402
from soak_people import People, words  # noqa: E402
from soak_places import VENDORS, Origin, vendors, weather  # noqa: E402

NAMES = ("ann", "ben", "cat")
POLL, LEASE, SETTLE = 3, 8, 20
"""Seconds. A daemon that sleeps no longer than the settle window never wakes in the middle of a write that its
successor has sent anew: what is beyond that is not promised."""
LONGEST_SLEEP = 15
REST = 600.0
"""Seconds in which everything must have come to rest."""

HOLDS = ("is used by", "cannot rename")
"""What only a person can settle, by giving a prompt another name: one that was deleted and came back, since PromptLayer
keeps the names of archived prompts, and cannot rename; and one that was renamed by some and kept by others."""

CONFIG = f"""\
[store]
branch = "main"

[sync]
settle = "{SETTLE}s"
delete_remote = true
max_delete = "100%"

[git]
push = {{push}}

[daemon]
poll = "{POLL}s"
lease = "{LEASE}s"
autocommit = true
"""


@dataclass
class Soak:
    """One story."""

    folder: Path
    minutes: float
    seed: int
    tell: Callable[[str], None]
    counts: Counter[str] = field(default_factory=Counter)
    resolved: set[str] = field(default_factory=set)
    held: set[tuple[str, str]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        self._later: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()
        self._leaders: dict[str, str] = {}
        self._measured = 0.0

    # --- the stage

    def run(self) -> dict[str, Any]:
        """Play it, and judge; returns the figures. Raises `Broken`."""
        with _nobody(self.folder), vendors(self.folder / "vendors") as self.places:
            self._build()
            try:
                self._story()
                self._come_to_rest()
                self._end_daemons()
                self._quiet()
                oracle = Oracle(self.people, self.clones, self.places, self.origin.bare, self.resolved, self.held)
                made = oracle.judge()
                grown = judge_growth([life for clone in self.clones for life in clone.lives])
            finally:
                self._clear()
            return self._figures(made, grown)

    def _build(self) -> None:
        self.origin = Origin(self.folder / "git" / "origin.git")
        self.origin.bare.mkdir(parents=True)
        git(self.origin.bare, "init", "-q", "--bare", "-b", "main")
        self.origin.start()
        self.clones = [Clone(name, self.folder / name) for name in NAMES]
        self.people = People(self.dice, self.clones, self.places)
        first = self.clones[0]
        self._clone(first)
        (first.root / ".promptstore.toml").write_text(self._config())
        if first.command("init").returncode:  # the merge driver, in this clone alone
            raise Broken("init failed")
        for _ in range(3):
            self.people.add(first)
        first.out("add", "-A")
        first.out("commit", "-q", "-m", "A store")
        first.out("push", "-q", "-u", "origin", "HEAD:main")
        for clone in self.clones[1:]:
            self._clone(clone)
        for clone in self.clones:
            clone.start()

    def _clone(self, clone: Clone) -> None:
        git(self.folder, "clone", "-q", self.origin.url, clone.name)
        clone.out("checkout", "-q", "-B", "main")
        clone.out("config", "user.name", clone.name)
        clone.out("config", "user.email", f"{clone.name}@example.com")

    def _config(self) -> str:
        remotes = [
            f'[remotes.{name}]\nvendor = "{name}"\nbase_url = "{place.proxy.url}"\n' + EXTRA.get(name, "")
            for name, place in self.places.items()
        ]
        return "\n".join([CONFIG.format(push=self.dice.choice(["true", "false"])), *remotes])

    def _clear(self) -> None:
        for clone in self.clones:
            if clone.is_alive:
                clone.kill(everything=True)
        self.origin.kill()
        (self.folder / "people.log").write_text("\n".join(self.people.log) + "\n")
        said = {"born": sorted(self.people.born), "superseded": sorted(self.people.superseded)}
        said |= {name: sorted(texts) for name, texts in self.people.said.items()}
        (self.folder / "people.json").write_text(json.dumps(said))

    # --- the story

    def _story(self) -> None:
        start = time.monotonic()
        end, said = start + self.minutes * 60, 0
        while (now := time.monotonic()) < end:
            self._catch_up(now)
            self._watch(now)
            self._somebody_acts()
            self._something_breaks(late=now > start + self.minutes * 30)
            if (now - start) // 60 > said:
                said += 1
                self.tell(f"minute {said}: {dict(self.counts)} {dict(self.people.counts)}")
            time.sleep(self.dice.uniform(0.2, 1.2))

    def _somebody_acts(self) -> None:
        people, clone = self.people, self.dice.choice(self.clones)
        acts: list[tuple[int, Callable[[], None]]] = [
            (24, lambda: people.edit(clone)),
            (10, lambda: people.edit(clone, commit=False)),
            (5, lambda: people.add(clone)),
            (3, lambda: people.rename(clone)),
            (2, lambda: people.delete(clone)),
            (18, lambda: people.pull(clone)),
            (18, lambda: people.push(clone)),
            (2, lambda: people.tag(clone)),
            (1, lambda: people.configure(clone)),
            (1, lambda: self._by_hand(clone)),
            (22, lambda: people.at_vendor(self.places[self.dice.choice(VENDORS)])),
        ]
        self.dice.choices([act for _, act in acts], [weight for weight, _ in acts])[0]()

    def _by_hand(self, clone: Clone) -> None:
        """A person's own `sync` beside the daemon."""
        clone.command("sync")
        self.counts["syncs by hand"] += 1

    def _something_breaks(self, *, late: bool) -> None:
        """A few times a minute. The first clone's daemon is left alive in the second half, to see whether it grows."""
        clone, dice = self.dice.choice(self.clones), self.dice
        chance = dice.random()
        spared = late and clone is self.clones[0]
        if clone.is_alive and not clone.asleep:
            if chance < 0.02 and not spared:
                clone.kill(everything=dice.random() < 0.5)
                self.counts["daemons killed"] += 1
                self._in(dice.uniform(0.5, 20), clone.start)
            elif chance < 0.035 and not spared:
                clone.end()
                self.counts["daemons stopped"] += 1
                self._in(dice.uniform(1, 10), clone.start)
            elif chance < 0.06:
                clone.sleep()
                self.counts["machines put to sleep"] += 1
                self._in(dice.uniform(1, LONGEST_SLEEP), clone.wake)
        if chance > 0.97 and self.origin.is_up:
            self.origin.kill()
            self._in(dice.uniform(0.5, 8), self.origin.start)
        elif chance > 0.9:
            weather(dice.choice([*self.places.values()]), dice, dice.choice([0.0, 0.0, 0.05, 0.3]))

    def _in(self, seconds: float, act: Callable[[], None]) -> None:
        heappush(self._later, (time.monotonic() + seconds, next(self._order), act))

    def _catch_up(self, now: float) -> None:
        while self._later and self._later[0][0] <= now:
            heappop(self._later)[2]()

    def _watch(self, now: float) -> None:
        """Measure the daemons, and see who leads, every two seconds."""
        if now < self._measured + 2:
            return
        self._measured = now
        for clone in self.clones:
            clone.measure()
        listed = git(self.origin.bare, "for-each-ref", "--format=%(refname) %(objectname)", "refs/promptstore/*/lease")
        for line in listed.splitlines():
            ref, commit = line.split()
            self._see_leader(ref, commit)

    def _see_leader(self, ref: str, commit: str) -> None:
        lease = json.loads(git(self.origin.bare, "show", f"{commit}:lease"))
        before = self._leaders.get(ref)
        if lease["until"] and lease["holder"] != before:
            self._leaders[ref] = lease["holder"]
            self.counts["takeovers of a lease"] += before is not None

    # --- the end

    def _come_to_rest(self) -> None:
        """The weather clears, everything lives, people pull and push and resolve, until nothing moves any more."""
        self.tell("coming to rest")
        for place in self.places.values():
            place.proxy.heal()
        if not self.origin.is_up:
            self.origin.start()
        self._later.clear()
        for clone in self.clones:
            clone.wake()
            clone.start()
        until, before, still = time.monotonic() + REST, None, 0
        while still < 3:
            if time.monotonic() > until:
                raise Broken(f"never came to rest: {[clone.status() for clone in self.clones]}")
            settled = self._tidy_up()
            mark = self._mark()
            still = still + 1 if settled and mark == before else 0
            before = mark
            self._rest(POLL + 1)

    def _rest(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (now := time.monotonic()) < until:
            self._watch(now)
            time.sleep(0.5)

    def _tidy_up(self) -> bool:
        """Everybody pulls, pushes and settles what waits for a person; returns whether nothing did."""
        for clone in [*self.clones, *self.clones]:
            self.people.pull(clone)
            self.people.push(clone)
        well = True
        for clone in self.clones:
            states = {name: row["state"] for name, row in clone.status().items()}
            well = well and len(states) == len(VENDORS) and set(states.values()) <= {"ok", "observing"}
            for remote in [name for name, state in states.items() if state == "conflict"]:
                self._resolve(clone, remote)
        return well

    def _resolve(self, clone: Clone, remote: str) -> None:
        """The policy: for each prompt one side, by chance, with both before the eyes."""
        shown = json.loads(clone.command("conflicts", "--json").stdout)["conflicts"]
        for slug in sorted({row["slug"] for row in shown if row["remote"] == remote}):
            tracked = heads(clone.root, f"refs/remotes/{remote}/main").get(f"prompts/{slug}.yaml", "")
            file = clone.root / "prompts" / f"{slug}.yaml"
            seen = words(tracked + json.dumps(shown) + (file.read_text() if file.exists() else ""))
            done = clone.command("resolve", slug, "--remote", remote, self.dice.choice(["--ours", "--theirs"]))
            if done.returncode == 0:
                left = set().union(*(words(text) for text in heads(clone.root).values()))
                self.people.superseded |= seen - left
                self.people.note(f"{clone.name}: resolve {slug} at {remote}: gone {sorted(seen - left)}")
                self.resolved.add(Path(slug).name)
                self.counts["conflicts resolved"] += 1

    def _mark(self) -> tuple[str, ...]:
        listing = ("for-each-ref", "--format=%(refname) %(objectname)", "refs/heads", "refs/prompts")
        places = [self.origin.bare, *(clone.root for clone in self.clones)]
        places += [place.repository for place in self.places.values()]
        writes = [len(place.twin.writes) for place in self.places.values()]
        return (*(git(where, *listing) for where in places), str(writes))

    def _end_daemons(self) -> None:
        for clone in self.clones:
            clone.end()
        wrong = {clone.name: clone.endings for clone in self.clones if any(clone.endings)}
        if wrong:
            raise Broken(f"daemons that were asked to end did not end well: {wrong}")

    def _quiet(self) -> None:
        """Passes by hand find nothing to write; no lease is in the way, since the daemons gave theirs up. A clone that
        only observed may note in its first one what was deleted while others led, and must wait until writes settle
        of which the daemons that ended last had not heard the end."""
        before = [list(place.twin.writes) for place in self.places.values()]
        until = time.monotonic() + 2 * SETTLE
        while any(error["retry"] for error in self._synced_by_hand()["errors"]) and time.monotonic() < until:
            time.sleep(POLL)
        told = self._synced_by_hand()
        if told["errors"]:
            raise Broken(f"a last sync went wrong: {told}")
        if told["actions"] or told["conflicts"] or told["halted"]:
            raise Broken(f"a last sync was not quiet: {told}")
        if before != [place.twin.writes for place in self.places.values()]:
            raise Broken(f"a last sync wrote to a vendor: {told}")
        held = [row for row in told["held"] if row["remote"] != "basalt" and not row["reason"].startswith("tag ")]
        if wrong := [row for row in held if not any(hold in row["reason"] for hold in HOLDS)]:
            raise Broken(f"held at the end: {wrong}")
        self.held = {(row["remote"], row["slug"]) for row in held}

    def _synced_by_hand(self) -> dict[str, Any]:
        done = self.clones[-1].command("sync", "--json")
        told: dict[str, Any] = json.loads(done.stdout)
        if done.returncode not in {0, 3, 75} or not all(error["retry"] for error in told["errors"]):
            raise Broken(f"a last sync went wrong: {told}")
        return told

    def _figures(self, made: dict[str, dict[str, int]], grown: tuple[int, int, int, int]) -> dict[str, Any]:
        memory, more_memory, files, more_files = grown
        lives = [life for clone in self.clones for life in clone.lives]
        return {
            "seed": self.seed,
            "minutes": self.minutes,
            **self.people.counts,
            "commits": int(git(self.origin.bare, "rev-list", "--count", "main")),
            "versions": made,
            "requests": {name: len(place.proxy.asked) for name, place in self.places.items()},
            "words that were replaced": len(self.people.superseded),
            **self.counts,
            "held at the end": len(self.held),
            "git server killed": self.origin.kills,
            "lives of daemons": len(lives),
            "longest life, seconds": round(max(life.seconds for life in lives)),
            "its memory, first and last third, kB": [memory, more_memory],
            "its open files, first and last third": [files, more_files],
        }


@contextmanager
def _nobody(folder: Path) -> Iterator[None]:
    """Away from the user's own git, keys and folders."""
    home = folder / "home"
    home.mkdir(parents=True)
    (home / ".gitconfig").write_text("[maintenance]\n\tauto = false\n")
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith(("GIT_", "PROMPTSTORE_"))]:
        del os.environ[name]
    os.environ |= {"HOME": str(home), "XDG_CONFIG_HOME": str(home / ".config"), "GIT_CONFIG_NOSYSTEM": "1"}
    os.environ |= {"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring", "GIT_TERMINAL_PROMPT": "0"}
    os.environ |= {f"{name.upper()}_API_KEY": KEY for name in VENDORS}
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def soak(minutes: float, seed: int, tell: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """Run one; returns its figures. Raises `Broken`, naming seed and folder."""
    folder = Path(tempfile.mkdtemp(prefix="promptstore-soak-"))
    try:
        figures = Soak(folder, minutes, seed, tell).run()
    except BaseException as error:
        error.add_note(f"seed {seed}; everything is kept in {folder}")
        raise
    shutil.rmtree(folder)
    return figures


def main() -> int:
    parser = argparse.ArgumentParser(description="A team at work for a long time, with everything that can go wrong.")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=None, help="by chance, if left out")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    seed = random.randrange(10**6) if options.seed is None else options.seed
    figures = soak(options.minutes, seed, lambda line: print(line, file=sys.stderr, flush=True))
    if options.json:
        print(json.dumps(figures, indent=1))
    for name, value in () if options.json else figures.items():
        print(f"{name}: {value}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
