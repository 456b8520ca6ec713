"""Committing prompt texts on the synced branch, with the checked-out files following."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from promptstore.store.git.checkout import FileChange
from promptstore.store.git.commits import Identity, NewCommit
from promptstore.store.store import Store


@dataclass(frozen=True, slots=True)
class TextChange:
    """One commit to be made: one prompt's new text (None: it is removed), by whom, and why."""

    slug: str
    text: bytes | None
    author: Identity
    message: str


def commit_texts(store: Store, changes: Sequence[TextChange], reason: str) -> str | None:
    """Commit the changes in order, one commit each, and move the synced branch; returns its tip.

    A change that changes nothing makes no commit. Author and committer are the change's author, so that equal changes
    on equal parents are equal commits wherever they are made. Raises StoreBusy and RefMoved before anything moved.
    """
    old = store.refs.read(store.branch)
    before = store.prompts_at(old)
    now: dict[str, str | None] = {}
    chain: list[NewCommit] = []
    for change in changes:
        blob = store.commits.blob_id(change.text) if change.text is not None else None
        if now.get(change.slug, before.get(change.slug)) == blob:
            continue
        now[change.slug] = blob
        files = {store.layout.path(change.slug): change.text}
        parent = len(chain) - 1 if chain else old
        chain.append(NewCommit(parent, change.author, change.author, change.message, files))
    if not chain:
        return old
    new = store.commits.write(chain, sign=True)[-1]
    moved = [FileChange(store.layout.path(slug), blob) for slug, blob in now.items() if before.get(slug) != blob]
    store.checkout.advance(store.branch, old, new, moved, reason)
    return new
