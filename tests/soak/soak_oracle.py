"""What must be true when everything has come to rest. Nothing here knows how the engine plans: it reads git alone."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from soak_clones import Clone, Life
from soak_people import People, paragraphs, words
from soak_places import Place

Text = tuple[str, ...]
_ZERO = re.compile(r"^0+$")
_COMMENT = re.compile(r"^#.*\n", re.MULTILINE)
"""What the twin puts before a text that is published again unchanged, so that it is a version in git, too."""

WARM = 20.0
"""Seconds until a daemon has read all that it keeps in memory."""
LONG = 60.0
"""Shorter lives say nothing about growth."""
MORE_MEMORY = 12_000  # kilobytes
MORE_SHARE = 0.15
MORE_FILES = 40
"""What one pass has open at the most: eight connections to each of three vendors, and git's pipes. On a busy machine
one pass follows the other, so that this may be there at every look; one file lost in each would soon be more."""


class Broken(AssertionError):
    """A promise was broken."""


@dataclass(frozen=True)
class Version:
    """One version at a vendor; ``text`` is None where the prompt was deleted. ``ours``: no person saved it there."""

    text: Text | None
    ours: bool
    document: str = ""
    """All that it says, messages and settings alike."""


def git(where: Path, *arguments: str, stdin: str | None = None) -> str:
    done = subprocess.run(["git", *arguments], cwd=where, input=stdin, capture_output=True, text=True, check=True)
    return done.stdout


def blobs(where: Path, oids: Iterable[str]) -> dict[str, str]:
    """The texts of blobs; what is no blob is left out."""
    wanted = sorted(set(oids))
    done = subprocess.run(
        ["git", "cat-file", "--batch"],
        cwd=where,
        input="\n".join([*wanted, ""]).encode(),
        capture_output=True,
        check=True,
    )
    found, rest = {}, done.stdout
    for oid in wanted:
        head, _, rest = rest.partition(b"\n")
        _, kind, size = head.decode().split(" ")
        data, rest = rest[: int(size)], rest[int(size) + 1 :]
        if kind == "blob":
            found[oid] = data.decode(errors="replace")
    return found


def versions(place: Place, said: set[Text]) -> dict[str, list[Version]]:
    """Every version that a vendor ever had, oldest first: the commits of the store behind its page."""
    log = git(place.repository, "log", "--reverse", "--raw", "--no-renames", "--no-abbrev", "--format=", "main")
    rows = [line.split("\t") for line in log.splitlines() if "\tprompts/" in line]
    changed = [(path, head.split(" ")[3]) for head, path in rows if path.endswith(".yaml")]
    texts = blobs(place.repository, [oid for _, oid in changed if not _ZERO.match(oid)])
    found: dict[str, list[Version]] = {}
    for path, oid in changed:
        text = paragraphs(texts[oid]) if oid in texts else None
        document = _COMMENT.sub("", texts.get(oid, ""))
        found.setdefault(path, []).append(Version(text, text is not None and text not in said, document))
    return found


def heads(where: Path, commit: str = "main") -> dict[str, str]:
    """The texts of the prompts of a commit, by path."""
    names = git(where, "ls-tree", "-r", commit, "--", "prompts").splitlines()
    paths = {line.split("\t")[1]: line.split()[2] for line in names if line.endswith(".yaml")}
    texts = blobs(where, paths.values())
    return {path: texts[oid] for path, oid in paths.items()}


@dataclass
class Oracle:
    """Judges a team at rest."""

    people: People
    clones: list[Clone]
    places: Mapping[str, Place]
    origin: Path
    resolved: set[str]
    held: set[tuple[str, str]]
    """(remote, slug) of what waits for a person at the end, with a reason that is no fault."""

    def judge(self) -> dict[str, dict[str, int]]:
        """Raise `Broken`, or tell how many versions each vendor has: all, and those made by promptstore."""
        histories = {name: versions(place, self.people.said.get(name, set())) for name, place in self.places.items()}
        self._converged()
        for name, found in histories.items():
            for path, history in found.items():
                self._published_once(name, path, history)
        self._nothing_lost(histories)
        return {name: _counted(found) for name, found in histories.items()}

    # --- everybody says the same

    def _converged(self) -> None:
        here = heads(self.origin)
        for clone in self.clones:
            if heads(clone.root) != here:
                raise Broken(f"{clone.name} says something else than the origin: {heads(clone.root)} / {here}")
            if status := clone.out("status", "--porcelain"):
                raise Broken(f"{clone.name} is not clean: {status}")
        for name in ("promptlayer", "braintrust"):
            held = {f"prompts/{slug}.yaml" for remote, slug in self.held if remote == name}
            ours = sorted(paragraphs(text) for path, text in here.items() if path not in held)
            theirs = sorted(paragraphs(text) for text in heads(self.places[name].repository).values())
            if ours != theirs:
                raise Broken(
                    f"{name} has other texts: only here {_less(ours, theirs)}, only there {_less(theirs, ours)}"
                )
        tags = {tuple(_tags(where)) for where in [self.origin, *(clone.root for clone in self.clones)]}
        if len(tags) > 1:
            raise Broken(f"the tags of the clones differ: {tags}")

    # --- no double publish

    def _published_once(self, vendor: str, path: str, history: list[Version]) -> None:
        said: set[Text] = set()
        before: Version | None = None
        for version in history:
            if version.text is None:
                said, before = set(), None
                continue
            if version.ours and before is not None and version.document == before.document:
                raise Broken(f"{vendor}: {path} was published twice: {version.text}")
            stood = before is not None and version.text == before.text
            if version.ours and not stood and version.text in said and Path(path).stem not in self.resolved:
                raise Broken(f"{vendor}: {path} was taken back: {version.text} in {history}")
            said.add(version.text)
            before = version

    # --- no lost edit

    def _nothing_lost(self, histories: Mapping[str, Mapping[str, list[Version]]]) -> None:
        kept = self._reachable()
        every = [history for found in histories.values() for history in found.values()]
        unseen = self.people.unkept.union(*(_unseen(history, kept) for history in every))
        if gone := self.people.born - kept - unseen:
            raise Broken(f"no ref has {sorted(gone)}")
        replaced = self.people.superseded.union(*(_replaced(history) for history in every))
        standing = set().union(*(words(text) for text in heads(self.origin).values()))
        lost = self.people.born - replaced - standing
        if lost:
            raise Broken(f"nobody took these words out, and they are gone: {sorted(lost)}")

    def _reachable(self) -> set[str]:
        """The words of everything that some ref of a clone or of the origin reaches."""
        found: set[str] = set()
        for where in [self.origin, *(clone.root for clone in self.clones)]:
            listed = git(where, "rev-list", "--objects", "--all").splitlines()
            oids = [line.split(" ", 1)[0] for line in listed]
            found |= set().union(*(words(text) for text in blobs(where, oids).values()))
        return found


def _unseen(history: list[Version], kept: set[str]) -> set[str]:
    """The words of what people replaced at a vendor before anybody looked there: a link begins with what it finds."""
    said = [words("\n".join(version.text or ())) for version in history]
    first = next((place for place, found in enumerate(said) if found and found <= kept), 0)
    return set().union(*said[:first])


def _replaced(history: list[Version]) -> set[str]:
    """What people took out in a vendor's page."""
    found: set[str] = set()
    for before, after in pairwise(history):
        if before.text and after.text and not after.ours:
            found |= words("\n".join(before.text)) - words("\n".join(after.text))
    return found


def _less(some: list[Text], others: list[Text]) -> list[Text]:
    return [text for text in some if text not in others]


def _tags(where: Path) -> list[str]:
    return git(where, "for-each-ref", "--format=%(refname) %(objectname)", "refs/prompts").splitlines()


def _counted(found: Mapping[str, list[Version]]) -> dict[str, int]:
    there = [version for history in found.values() for version in history if version.text is not None]
    return {"versions": len(there), "by promptstore": sum(version.ours for version in there)}


# --- memory and files


def growth(life: Life) -> tuple[int, int, int, int] | None:
    """Kilobytes and open files in the first and in the last third of a life, warmed up; None for a short one.

    Connections are opened in each pass and closed at its end, so of the open files the fewest count.
    """
    samples = [sample for sample in life.samples if sample[0] > WARM]
    if life.seconds < LONG or len(samples) < 6:
        return None
    third = len(samples) // 3
    first, last = samples[:third], samples[-third:]
    return _middle(first), _middle(last), _fewest(first), _fewest(last)


def _middle(samples: list[tuple[float, int, int]]) -> int:
    return sorted(memory for _, memory, _ in samples)[len(samples) // 2]


def _fewest(samples: list[tuple[float, int, int]]) -> int:
    return min(files for _, _, files in samples)


def judge_growth(lives: Iterable[Life]) -> tuple[int, int, int, int]:
    """Raise `Broken` where a daemon grew; returns the figures of the longest life. One must be long enough."""
    grown = [(life, found) for life in lives if (found := growth(life)) is not None]
    if not grown:
        raise Broken("no daemon lived long enough to be measured")
    for life, (memory, more_memory, files, more_files) in grown:
        if more_memory > memory + max(MORE_MEMORY, memory * MORE_SHARE):
            raise Broken(f"the daemon of {life.clone} grew from {memory} to {more_memory} kB in {life.seconds:.0f} s")
        if more_files > files + MORE_FILES:
            raise Broken(
                f"the daemon of {life.clone} had {files} files open, and {more_files} after {life.seconds:.0f} s"
            )
    return max(grown, key=lambda found: found[0].seconds)[1]
