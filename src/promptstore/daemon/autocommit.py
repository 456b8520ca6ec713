"""Committing what was saved: valid, quiet files, one commit a burst. Deletions are never committed on their own."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from promptstore.daemon.scan import Busy, Change, Frame, changes, is_open_for_writing, sandwiched
from promptstore.errors import RefMoved, StoreBusy
from promptstore.store.git.checkout import FileChange
from promptstore.store.git.commits import FILE_MODE, NewCommit
from promptstore.store.git.process import run
from promptstore.store.git.refs import Signature, signature
from promptstore.store.store import Store

ALIKE = 0.5
"""From this likeness on, a new file beside a missing one may be that one under a new name (git's own measure)."""
_MARKERS = (re.compile(rb"^\s*<{7}(?: |$)", re.MULTILINE), re.compile(rb"^\s*>{7}(?: |$)", re.MULTILINE))
_SUBJECT = 72


@dataclass(frozen=True, slots=True)
class Burst:
    """What is ready to be committed, and what is not: slug -> reason. ``young`` may be ready a moment later."""

    frame: Frame
    edited: Mapping[str, str] = field(default_factory=dict)
    """slug -> blob."""
    new: Mapping[str, str] = field(default_factory=dict)
    moved: Mapping[str, str] = field(default_factory=dict)
    """new slug -> old slug; the new one is also in ``new``."""
    left: Mapping[str, str] = field(default_factory=dict)
    young: bool = False

    @property
    def blobs(self) -> dict[str, str]:
        return {**self.edited, **self.new}


def ready(store: Store, wall: float, quiet: float) -> Burst | Busy | None:
    """The saved, valid and quiet files; None where the synced branch is not what is checked out here."""
    return sandwiched(store, lambda frame: _gather(store, frame, wall, quiet) if frame.branch == store.branch else None)


def commit(store: Store, burst: Burst) -> str | None:
    """Commit a burst, if the branch still stands where it did; None says that it has to be looked at again."""
    tip = burst.frame.commit
    blobs: dict[str, str | None] = {store.layout.path(slug): blob for slug, blob in burst.blobs.items()}
    blobs.update({store.layout.path(old): None for old in burst.moved.values()})
    entries = store.objects.tree(tip, *blobs) if tip else {}
    modes = {path: entry.mode for path, entry in entries.items() if entry.is_file}
    who = store.user()
    made = NewCommit(tip, who, who, message(burst), dict(blobs), modes=modes)
    new = store.commits.write([made], sign=True)[0]
    moved = [FileChange(path, oid, modes.get(path, FILE_MODE)) for path, oid in blobs.items()]
    try:
        store.checkout.advance(store.branch, tip, new, moved, "promptstore: commit saved prompts")
    except (StoreBusy, RefMoved):
        return None
    return new


def message(burst: Burst) -> str:
    """What the commit says: the prompts in the subject, as many as fit, and all of them below where they do not."""
    added = [slug for slug in burst.new if slug not in burst.moved]
    moves = [f"{old} to {new}" for new, old in burst.moved.items()]
    parts = [(verb, sorted(names)) for verb, names in _verbs(burst.edited, added, moves) if names]
    whole = "; ".join(f"{verb} {', '.join(names)}" for verb, names in parts)
    if len(whole) <= _SUBJECT:
        return whole + "\n"
    count = sum(len(names) for _, names in parts)
    return f"{parts[0][0]} {count} prompts\n\n" + "".join(f"{verb} {name}\n" for verb, names in parts for name in names)


def _verbs(edited: Iterable[str], added: Sequence[str], moves: Sequence[str]) -> list[tuple[str, list[str]]]:
    return [("Update", list(edited)), ("Add", list(added)), ("Move", list(moves))]


def _gather(store: Store, frame: Frame, wall: float, quiet: float) -> Burst:
    found = changes(store)
    saved = [change for change in found if change.kind in {"edited", "new"} and _is_file(store, change)]
    blobs = _steady_blobs(store, [change for change in saved if _is_quiet(store, change, wall, quiet)])
    left = {c.slug: f"it is {c.kind}" for c in found if c.kind in {"unmerged", "half-staged"}} | _faults(store, blobs)
    before = store.prompts_at(frame.commit)
    good = {slug: blob for slug, blob in blobs.items() if slug not in left and before.get(slug) != blob}
    new = {change.slug: good[change.slug] for change in saved if change.kind == "new" and change.slug in good}
    gone = {c.slug: before[c.slug] for c in found if c.kind == "missing" and c.slug in before}
    moved, doubtful = _moves(store, gone, new)
    return Burst(
        frame,
        {slug: blob for slug, blob in good.items() if slug not in new},
        {slug: blob for slug, blob in new.items() if slug not in doubtful},
        moved,
        left | doubtful,
        young=len(blobs) < len(saved),
    )


def _is_file(store: Store, change: Change) -> bool:
    """Whether it is a plain file: what is behind a link is not ours to commit."""
    try:
        return stat.S_ISREG(os.lstat(store.layout.file(change.slug)).st_mode)
    except OSError:
        return False


def _is_quiet(store: Store, change: Change, wall: float, quiet: float) -> bool:
    """Whether nobody has written to it for a while (a time in the future is a clock's fault, not an edit) or still
    has it open."""
    file = store.layout.file(change.slug)
    state = signature(file)
    return state is not None and abs(wall - state[0] / 1e9) >= quiet and not is_open_for_writing(file)


def _steady_blobs(store: Store, found: Sequence[Change]) -> dict[str, str]:
    """The blobs of the files that did not change while they were read, through git's own filters: slug -> blob."""
    seen = {change.slug: signature(store.layout.file(change.slug)) for change in found}
    blobs = _write_blobs(store, [change.path for change in found])
    return {
        change.slug: blob
        for change, blob in zip(found, blobs, strict=True)
        if _same(seen[change.slug], store.layout.file(change.slug))
    }


def _same(state: Signature, file: str) -> bool:
    return state is not None and signature(file) == state


def _write_blobs(store: Store, paths: Sequence[str]) -> list[str]:
    if not paths:
        return []
    where = [*store.repository.arguments, "-C", store.repository.worktree or "."]
    names = "".join(f"{path}\n" for path in paths).encode("utf-8", "surrogateescape")
    return run([*where, "hash-object", "-w", "--stdin-paths"], stdin=names).decode().split()


def _faults(store: Store, blobs: Mapping[str, str]) -> dict[str, str]:
    """Why texts are not to be committed: slug -> reason."""
    _, broken = store.contents.facts_of({store.layout.path(slug): blob for slug, blob in blobs.items()})
    faults = {slug: str(broken[path]) for slug in blobs if (path := store.layout.path(slug)) in broken}
    texts = zip(blobs, store.objects.blobs(list(blobs.values())), strict=True)
    marked = [slug for slug, text in texts if all(marker.search(text) for marker in _MARKERS)]
    return faults | dict.fromkeys(marked, "it has conflict markers")


def _moves(store: Store, gone: Mapping[str, str], new: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """New files that are missing ones under another name: new slug -> old slug, and those that only may be: new slug
    -> why it is left. Taking a move for an addition would cut the prompt off from its versions and links."""
    left = {blob: slug for slug, blob in gone.items()}
    moved = {slug: left.pop(blob) for slug, blob in new.items() if blob in left}
    doubtful = {}
    for slug, blob in new.items():
        old = next((name for b, name in left.items() if slug not in moved and _alike(store, b, blob)), None)
        if old is not None:
            doubtful[slug] = f"it may be '{old}' under a new name: commit both yourself"
    return moved, doubtful


def _alike(store: Store, one: str, other: str) -> bool:
    first, second = (text.splitlines() for text in store.objects.blobs([one, other]))
    return SequenceMatcher(None, first, second, autojunk=False).ratio() >= ALIKE
