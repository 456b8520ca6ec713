"""Asking the git remote whether it takes refs of ours: some hosts let keys push branches only."""

from __future__ import annotations

import secrets

from promptstore.errors import GitError, OriginRefuses
from promptstore.store.git.refs import RefMove
from promptstore.store.sharing.names import PROBES, Names
from promptstore.store.sharing.sending import push_refs
from promptstore.store.store import Store


def probe(store: Store, remote: str) -> GitError | None:
    """Push a ref and take it away again; returns why that failed, or None."""
    names = Names(remote)
    tip = store.tip
    if tip is None:
        return None
    name = f"{PROBES}{secrets.token_hex(4)}"
    try:
        sent = push_refs(store, names, [RefMove(name, tip, None)])
        if sent.taken:
            push_refs(store, names, [RefMove(name, None, tip)])
    except GitError as error:
        return error
    return OriginRefuses(next(iter(sent.refused.values()))) if sent.refused else None
