"""Committing prompt texts on the synced branch, with the checked-out files following."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from promptstore.errors import RefMoved
from promptstore.store.git.checkout import FileChange
from promptstore.store.git.commits import FILE_MODE, Identity, NewCommit
from promptstore.store.store import Store


@dataclass(frozen=True, slots=True)
class TextChange:
    """One commit to be made: one prompt's new text (None: it is removed), by whom, and why."""

    slug: str
    text: bytes | None
    author: Identity
    message: str


ANY_TIP = "any"


def commit_texts(
    store: Store, changes: Sequence[TextChange], reason: str, *, expected: str | None = ANY_TIP
) -> str | None:
    """Commit the changes in order, one commit each, and move the synced branch; returns its tip.

    A change that changes nothing makes no commit. Author and committer are the change's author, so that equal changes
    on equal parents are equal commits wherever they are made; a file keeps its mode. ``expected`` is the tip on which
    the changes were thought out (None: a branch without a commit); on another one nothing is committed. Raises
    StoreBusy and RefMoved before anything moved.
    """
    old = store.refs.read(store.branch)
    if expected not in (ANY_TIP, old):
        raise RefMoved("the branch was moved meanwhile", hint="run it again")
    before = store.prompts_at(old)
    modes = _odd_modes(store, old, changes)
    now: dict[str, str | None] = {}
    chain: list[NewCommit] = []
    for change in changes:
        blob = store.commits.blob_id(change.text) if change.text is not None else None
        if now.get(change.slug, before.get(change.slug)) == blob:
            continue
        now[change.slug] = blob
        files = {store.layout.path(change.slug): change.text}
        parent = len(chain) - 1 if chain else old
        chain.append(NewCommit(parent, change.author, change.author, change.message, files, modes=modes))
    if not chain:
        return old
    new = store.commits.write(chain, sign=True)[-1]
    moved = [
        FileChange(path, blob, modes.get(path, FILE_MODE))
        for path, blob in ((store.layout.path(slug), blob) for slug, blob in now.items() if before.get(slug) != blob)
    ]
    store.checkout.advance(store.branch, old, new, moved, reason)
    return new


def _odd_modes(store: Store, tip: str | None, changes: Sequence[TextChange]) -> dict[str, str]:
    """The modes of the files that are not plain ones: path -> mode."""
    if tip is None:
        return {}
    paths = {store.layout.path(change.slug) for change in changes}
    entries = {path: store.objects.entry(tip, path) for path in paths}
    return {path: entry.mode for path, entry in entries.items() if entry and entry.is_file and entry.mode != FILE_MODE}
