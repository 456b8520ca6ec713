"""Refs of ours that a crash has spoilt: found, and mended from what else is known.

A power failure may leave a ref's file empty, or its object unwritten. The numbers are derived again, the agreements
and what was seen of a vendor are found out again by the next sync, and a tag goes back to where its history says that
it was last.
"""

from __future__ import annotations

from promptstore.store.git.refs import RefMove
from promptstore.store.refnames import TAG_LOG, TAGS, VERSIONS, base_ref, parse_tag_ref, remote_ref, tag_ref
from promptstore.store.store import Store
from promptstore.store.tagging import tag_history
from promptstore.store.tags import TagMove


def damaged_refs(store: Store) -> list[str]:
    """The refs of ours that cannot be read, or whose commit is not there."""
    unreadable = store.refs.damaged(*_places(store))
    sound = [name for name in _whole_refs(store) if name not in unreadable]
    return sorted({*unreadable, *(name for name in sound if not _has_commit(store, name))})


def mend_ref(store: Store, name: str) -> None:
    """Take away a damaged ref, and set it again where something else tells its place."""
    tag = parse_tag_ref(name)
    last = _last_move(store, *tag) if tag else None
    store.refs.drop_damaged(name)
    old = store.refs.read(name)
    new = last.new_commit if last and store.objects.commit(last.new_commit or "") else None
    if old != new and not (new is None and old is not None and store.objects.commit(old)):
        store.refs.move([RefMove(name, new, old)], "promptstore: mend a damaged ref")


def _places(store: Store) -> list[str]:
    return ["refs/promptstore/", TAGS, *(remote_ref(remote) for remote in store.config.remotes)]


def _whole_refs(store: Store) -> list[str]:
    """The refs by which everything else of ours is read."""
    remotes = store.config.remotes
    return [VERSIONS, TAG_LOG, *(base_ref(name) for name in remotes), *(remote_ref(name) for name in remotes)]


def _has_commit(store: Store, name: str) -> bool:
    commit = store.refs.read(name)
    return commit is None or store.objects.commit(commit) == commit


def _last_move(store: Store, slug: str, tag: str) -> TagMove | None:
    if store.refs.damaged(TAG_LOG) or not _has_commit(store, TAG_LOG):
        return None
    return next((move for move in tag_history(store) if tag_ref(move.slug, move.tag) == tag_ref(slug, tag)), None)
