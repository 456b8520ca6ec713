"""``git merge`` in memory, with promptstore's own merge driver; where that marks a conflict, the person at the keyboard
keeps the words of both sides."""

from __future__ import annotations

from collections.abc import Mapping

from memory_git import Database, MemoryRepository
from words import words

from promptstore.errors import InvalidPrompt
from promptstore.merge.driver import merge_files

Files = Mapping[str, str]
"""Path -> blob id."""


def merged_files(repository: MemoryRepository, theirs: str) -> dict[str, bytes]:
    """The files of the branch's tip and ``theirs`` brought together. A renamed file takes the other side's edits along;
    one that was deleted here and edited there stays."""
    return _Merging(repository, repository.tip or "", theirs).files()


def words_of_both(*texts: str) -> str:
    """A prompt that says whatever any of these says."""
    body = "\n\n".join(f"      p {word}" for word in sorted(set().union(*map(words, texts))))
    return f"template_format: jinja2\nmessages:\n  - role: system\n    content: |-\n{body}\n"


class _Merging:
    """One merge of two commits."""

    def __init__(self, repository: MemoryRepository, ours: str, theirs: str) -> None:
        self._database: Database = repository.database
        revisions = repository.revisions
        common = revisions.merge_base(ours, theirs)
        self._base = self._oids(common) if common else {}
        self._sides = (self._oids(ours), self._oids(theirs))
        self._moves = tuple(revisions.moves(_less(self._base, side), _less(side, self._base)) for side in self._sides)

    def _oids(self, commit: str) -> dict[str, str]:
        return {path: entry.oid for path, entry in self._database.flat(commit).items()}

    def _text(self, oid: str) -> str:
        return self._database.objects[oid].data.decode()

    def files(self) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        for path in sorted(self._base):
            self._add(found, *self._old_file(path))
        for path in sorted({*self._sides[0], *self._sides[1]} - self._base.keys()):
            self._add(found, path, self._new_file(path))
        return found

    def _add(self, found: dict[str, bytes], path: str, text: str | None) -> None:
        if text is None:
            return
        there = found.get(path)
        if there is not None and there.decode() != text:
            text = words_of_both(there.decode(), text)
        found[path] = text.encode()

    def _old_file(self, path: str) -> tuple[str, str | None]:
        """Where a file that both come from is now, and what it says; None where it is gone."""
        places = [self._place(side, path) for side in (0, 1)]
        oids = [self._sides[side].get(place) if place else None for side, place in enumerate(places)]
        where = next((place for place in places if place not in (None, path)), path) or path
        here, there = oids
        if here is None or there is None:
            kept = here or there
            gone = kept is None or (kept == self._base[path] and where == path)
            return where, None if gone or kept is None else self._text(kept)
        return where, self._both(self._base[path], here, there, where)

    def _place(self, side: int, path: str) -> str | None:
        """Where one side has a file; None where it has it no more."""
        if path in self._sides[side]:
            return path
        return next((new for new, old in self._moves[side].items() if old == path), None)

    def _new_file(self, path: str) -> str | None:
        """A file that one side added, or both; what came by a rename is there already."""
        oids = [side[path] for side, moves in zip(self._sides, self._moves, strict=True) if path in side.keys() - moves]
        return self._both(None, oids[0], oids[-1], path) if oids else None

    def _both(self, base: str | None, ours: str, theirs: str, path: str) -> str:
        if ours == theirs or theirs == base:
            return self._text(ours)
        if ours == base:
            return self._text(theirs)
        one, other = self._text(ours), self._text(theirs)
        try:
            made = merge_files(self._text(base) if base else None, one, other, path)
        except InvalidPrompt:
            return words_of_both(one, other)
        return words_of_both(one, other) if made.conflicted else made.text


def _less(files: Files, others: Files) -> dict[str, str]:
    return {path: oid for path, oid in files.items() if path not in others}
