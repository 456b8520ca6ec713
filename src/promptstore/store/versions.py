"""Version numbers: given once, from 1, never changed or reused.

``refs/promptstore/versions`` holds one folder a prompt, ``<slug>/-/``, with one entry a version: its name is
``<number>-<commit>``, its object the prompt's blob (which keeps every numbered text reachable). A prompt that was
renamed has an entry ``<slug>/-/from/<old slug>`` more. The commit's message
ends in ``Tip: <commit>``: up to there the branch's first-parent history is numbered. What came after is numbered in
memory (*provisional*) until something that writes records it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from promptstore.store.layout import Layout

_ENTRY = re.compile(r"(\d+)-([0-9a-f]{40,64})")


@dataclass(frozen=True, slots=True)
class Version:
    """One version of one prompt: its number, its blob, and the commit that brought it to the branch."""

    number: int
    blob: str
    commit: str


@dataclass(frozen=True, slots=True)
class Step:
    """What one first-parent commit did to prompts: blobs set (None = removed), and moves new slug -> old slug."""

    commit: str
    blobs: Mapping[str, str | None]
    moves: Mapping[str, str] = field(default_factory=dict)

    def moving(self, renames: Mapping[str, str]) -> Step:
        """The step with those renames, new slug -> old slug, that explain what went and came in it."""
        gone = self.gone()
        found = {new: old for new, old in renames.items() if old in gone and self.blobs.get(new) is not None}
        return replace(self, moves={**found, **self.moves})

    def gone(self) -> set[str]:
        """What went, and is not known to have moved."""
        return {slug for slug, blob in self.blobs.items() if blob is None} - {*self.moves.values()}


def origins(steps: Iterable[Step]) -> dict[str, str]:
    """Where everything that moved in a row of steps came from: the slug in the end -> the one in the beginning."""
    found: dict[str, str] = {}
    for step in steps:
        found |= {new: found.get(old, old) for new, old in step.moves.items()}
    return found


@dataclass(frozen=True, slots=True)
class Numbering:
    """Every prompt's versions, oldest first, complete up to the commit ``tip``."""

    versions: Mapping[str, tuple[Version, ...]] = field(default_factory=dict)
    tip: str | None = None
    moves: Mapping[str, str] = field(default_factory=dict)
    """Renames: new slug -> the slug it had before."""

    def of(self, slug: str) -> tuple[Version, ...]:
        return self.versions.get(slug, ())

    def names_of(self, slug: str) -> tuple[str, ...]:
        """The slug and the ones it had before, newest first."""
        names = [slug]
        while (older := self.moves.get(names[-1])) is not None and older not in names:
            names.append(older)
        return tuple(names)

    def went_on(self, old: str, new: str, blob: str) -> bool:
        """Whether the prompt that said ``blob`` as ``old`` is ``new`` now, which once was called so: not where another
        one has taken the old name since, and said it."""
        return _says(self.of(new), blob) or not _says(self.of(old), blob)

    def extended(self, steps: Iterable[Step], tip: str) -> Numbering:
        """The numbering after more history: each change of a blob takes the next number, a move takes them along.

        A name that had another prompt before keeps counting its own numbers, unless the one moved there goes on from
        exactly these (it was renamed and is back).
        """
        lists = {slug: list(versions) for slug, versions in self.versions.items()}
        moves = dict(self.moves)
        for step in steps:
            moved = {new: list(lists.get(old, ())) for new, old in step.moves.items()}
            for new, versions in moved.items():
                own = lists.get(new, [])
                if versions[: len(own)] == own:
                    lists[new] = versions
                    moves.setdefault(new, step.moves[new])
            for slug, blob in step.blobs.items():
                _append(lists.setdefault(slug, []), blob, step.commit)
        return Numbering({slug: tuple(found) for slug, found in lists.items() if found}, tip, moves)

    def to_json(self) -> bytes:
        rows = {slug: [[v.number, v.blob, v.commit] for v in found] for slug, found in self.versions.items()}
        content = {"tip": self.tip, "versions": rows, "moves": dict(self.moves)}
        return json.dumps(content, separators=(",", ":")).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Numbering:
        content = json.loads(data)
        rows = content["versions"].items()
        versions = {slug: tuple(Version(*row) for row in found) for slug, found in rows}
        return cls(versions, content["tip"], content["moves"])

    def entries(self, since: Numbering) -> dict[str, str]:
        """The tree entries that ``since`` lacks: path -> blob."""
        found = {}
        for slug, versions in self.versions.items():
            for version in versions[len(since.of(slug)) :]:
                found[f"{slug}/-/{version.number}-{version.commit}"] = version.blob
        for new, old in self.moves.items():
            if new not in since.moves and self.of(new):
                found[f"{new}/-/from/{old}"] = self.of(new)[-1].blob
        return found


def _says(versions: Iterable[Version], blob: str) -> bool:
    return any(version.blob == blob for version in versions)


def _append(versions: list[Version], blob: str | None, commit: str) -> None:
    if blob is not None and (not versions or versions[-1].blob != blob):
        versions.append(Version(len(versions) + 1, blob, commit))


def from_tree(paths: Iterable[tuple[str, str]], tip: str | None) -> Numbering:
    """The numbering that the versions ref's tree records, from (path, blob) pairs."""
    lists: dict[str, list[Version]] = {}
    moves = {}
    for path, blob in paths:
        slug, _, entry = path.partition("/-/")
        found = _ENTRY.fullmatch(entry)
        if found:
            lists.setdefault(slug, []).append(Version(int(found[1]), blob, found[2]))
        elif entry.startswith("from/"):
            moves[slug] = entry.removeprefix("from/")
    ordered = {slug: tuple(sorted(versions, key=lambda v: v.number)) for slug, versions in lists.items()}
    return Numbering(ordered, tip, moves)


def tip_of(message: str) -> str | None:
    """The ``Tip:`` line of a versions commit."""
    found = re.findall(r"^Tip: ([0-9a-f]{40,64})$", message, re.MULTILINE)
    return found[-1] if found else None


def message_with(tip: str, count: int) -> str:
    return f"Number {count} version{'' if count == 1 else 's'}\n\nTip: {tip}\n"


def parse_log(out: bytes, layout: Layout) -> Iterator[Step]:
    """The steps in what `Revisions.changes` gives."""
    for block in out.decode("utf-8", "surrogateescape").split("\x01")[1:]:
        commit, *fields = block.replace("\n", "\0").split("\0")
        yield _step(commit, [word for word in fields if word], layout)


def _step(commit: str, words: Sequence[str], layout: Layout) -> Step:
    blobs: dict[str, str | None] = {}
    moves: dict[str, str] = {}
    place = 0
    while place < len(words):
        _old_mode, mode, _old, blob, status = words[place].lstrip(":").split(" ")
        moved = status[0] in "RC"
        source = layout.slug(words[place + 1])
        target = layout.slug(words[place + 2]) if moved else source
        place += 3 if moved else 2
        if status[0] == "R" and source:
            blobs[source] = None
        if status[0] == "R" and source and target:
            moves[target] = source
        if target:
            blobs[target] = None if status[0] == "D" or mode not in {"100644", "100755"} else blob
    return Step(commit, blobs, moves)
