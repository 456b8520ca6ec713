"""The branch's history as version numbers: what the versions ref records, and what came after it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from datetime import datetime

from promptstore.errors import GitError
from promptstore.store.cache import Cache
from promptstore.store.git.commits import Commits, Identity, NewCommit
from promptstore.store.git.objects import Objects, parents_of
from promptstore.store.git.refs import RefMove, Refs
from promptstore.store.git.repository import Repository
from promptstore.store.git.revisions import Revisions
from promptstore.store.layout import Layout
from promptstore.store.refnames import VERSIONS
from promptstore.store.versions import Numbering, Step, from_tree, message_with, origins, parse_log, tip_of

_KIND = "numbering-3"  # raise the number when numbers are found differently


class History:
    """Numbers the versions of one repository's prompts."""

    def __init__(
        self,
        repository: Repository,
        layout: Layout,
        refs: Refs,
        objects: Objects,
        commits: Commits,
        revisions: Revisions,
        cache: Cache,
    ) -> None:
        self._repository = repository
        self._layout = layout
        self._refs = refs
        self._objects = objects
        self._commits = commits
        self._revisions = revisions
        self._cache = cache
        self._memory: tuple[tuple[str | None, str], Numbering] | None = None

    @property
    def shallow(self) -> bool:
        """Whether this clone lacks the beginning of its history."""
        return os.path.exists(os.path.join(self._repository.common_dir, "shallow"))

    def numbering(self, tip: str | None) -> Numbering:
        """Every version up to the commit ``tip``; empty where a shallow clone cannot know."""
        recorded = self._refs.read(VERSIONS)
        if tip is None:
            return self._recorded(recorded) if recorded else Numbering()
        key = (recorded, tip)
        if self._memory is not None and self._memory[0] == key:
            return self._memory[1]
        known = self._cache.get(_KIND, self._key(recorded, tip))
        numbering = Numbering.from_json(known) if known else self._derive(recorded, tip)
        self._memory = (key, numbering)
        return numbering

    def record(self, tip: str | None, who: Identity) -> Numbering:
        """Make the numbers up to ``tip`` lasting: append to the versions ref what it lacks."""
        numbering = self.numbering(tip)
        recorded_at = self._refs.read(VERSIONS)
        recorded = self._recorded(recorded_at) if recorded_at else Numbering()
        entries = numbering.entries(recorded)
        if tip is None or not entries:
            return numbering
        commit = NewCommit(recorded_at, who, who, message_with(tip, len(entries)), entries)
        new = self._commits.write([commit])[0]
        self._refs.move([RefMove(VERSIONS, new, recorded_at)], "promptstore: number versions")
        return numbering

    def provisional(self, tip: str | None) -> dict[str, int]:
        """Per prompt, the number of its last lasting version, where newer ones are only derived."""
        recorded_at = self._refs.read(VERSIONS)
        recorded = self._recorded(recorded_at) if recorded_at else Numbering()
        numbering = self.numbering(tip)
        found = {}
        for slug, versions in numbering.versions.items():
            lasting = max(len(recorded.of(name)) for name in numbering.names_of(slug))
            if len(versions) > lasting:
                found[slug] = lasting
        return found

    def _derive(self, recorded: str | None, tip: str) -> Numbering:
        start = self._recorded(recorded) if recorded else Numbering()
        if start.tip == tip:
            return start
        if self.shallow and (start.tip is None or not self._has(start.tip)):
            return start
        numbering = start.extended(self._steps(tip, self._numbered(start)), tip)
        self._cache.put(_KIND, self._key(recorded, tip), numbering.to_json())
        return numbering

    def _steps(self, tip: str, known: Iterable[str]) -> Iterator[Step]:
        """The first-parent steps to ``tip`` after the ``known`` commits.

        What a merged branch renamed, and then edited, is no rename in the merge as a whole: it is one in its commits.
        """
        for step in parse_log(self._revisions.changes(tip, known, self._layout.folder), self._layout):
            yield step.moving(self._merged_moves(step.commit)) if step.gone() else step

    def _merged_moves(self, commit: str) -> dict[str, str]:
        """The renames in what a merge brought in, new slug -> old slug."""
        found = self._objects.read(commit)
        first, sides = parents_of(found) if found is not None else (None, [])
        if first is None or not sides or not self._has(first):  # no merge, or the end of a shallow clone
            return {}
        return origins(step for side in sides if self._has(side) for step in self._steps(side, [first]))

    def _key(self, recorded: str | None, tip: str) -> str:
        return f"{recorded}:{tip}:{self._layout.folder}"

    def _recorded(self, commit: str) -> Numbering:
        known = self._cache.get(_KIND, commit)
        if known:
            return Numbering.from_json(known)
        found = self._objects.read(commit)
        if found is None:
            raise GitError(
                f"the recorded version numbers are damaged: {VERSIONS} names {commit[:12]}, which is not there",
                hint="`promptstore doctor --fix` derives them again, `promptstore fetch` brings the shared ones",
            )
        tree = self._objects.tree(commit)
        tip = tip_of(found.data.decode("utf-8", "replace")) if found else None
        numbering = from_tree(((path, entry.oid) for path, entry in tree.items()), tip)
        self._cache.put(_KIND, commit, numbering.to_json())
        return numbering

    def _numbered(self, start: Numbering) -> list[str]:
        """Commits up to which history is numbered: the tip, or where git threw it away, those of the versions."""
        if start.tip is None or self._has(start.tip):
            return [start.tip] if start.tip else []
        commits = list({version.commit for found in start.versions.values() for version in found})
        return [known.oid for known in self._objects.read_many(commits) if known is not None]

    def _has(self, commit: str) -> bool:
        return self._objects.read(commit) is not None


def system_identity(when: datetime) -> Identity:
    """Who records bookkeeping when nobody in person does."""
    return Identity("promptstore", "promptstore@localhost", when)
