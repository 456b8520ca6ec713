"""Letting a branch of this clone follow commits that were made beside it."""

from __future__ import annotations

from promptstore.errors import StoreBusy
from promptstore.store.git.checkout import FileChange
from promptstore.store.store import Store


def catch_up(store: Store, ref: str, old: str, new: str, reason: str) -> bool:
    """Move ``ref`` and every checkout of it from ``old`` to ``new``; with edits in the way it stays, and False says so.

    Raises RefMoved when somebody moved it meanwhile.
    """
    try:
        store.checkout.advance(ref, old, new, tree_changes(store, old, new), reason)
    except StoreBusy:
        return False
    return True


def tree_changes(store: Store, old: str, new: str) -> list[FileChange]:
    """The files that differ between two commits."""
    before, after = store.objects.tree(old), store.objects.tree(new)
    changed = [path for path in sorted({*before, *after}) if before.get(path) != after.get(path)]
    return [
        FileChange(path, entry.oid, entry.mode) if (entry := after.get(path)) else FileChange(path, None)
        for path in changed
    ]
