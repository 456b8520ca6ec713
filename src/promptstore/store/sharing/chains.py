"""Append-only chains of commits that clones share: numbers, the tag history, what was agreed with each vendor."""

from __future__ import annotations

from datetime import datetime

from promptstore.store.git.commits import Identity
from promptstore.store.git.refs import RefMove
from promptstore.store.refnames import TAG_LOG, VERSIONS
from promptstore.store.sharing.names import LEASE, OURS, PROBES, Names
from promptstore.store.store import Store
from promptstore.store.tags import tag_moves


def take_chains(store: Store, names: Names) -> dict[str, str]:
    """Move our chains forward to the remote's; returns those that grew apart and are for others to merge:
    name -> the remote's tip.

    Numbers that only this clone gave are provisional and give way; moves of tags that only this clone logged come
    after the remote's.
    """
    apart = {}
    for tracking, new in store.refs.list(names.ours).items():
        name = OURS + tracking.removeprefix(names.ours)
        old = store.refs.read(name)
        if _is_passing(name) or old == new or (old and store.locator.is_ancestor(new, old)):
            continue
        if old is None or name == VERSIONS or store.locator.is_ancestor(old, new):
            store.refs.move([RefMove(name, new, old)], f"promptstore: fetch {names.remote}")
        elif name == TAG_LOG:
            _replay(store, names, old, new)
        else:
            apart[name] = new
    return apart


def unsent_chains(store: Store, names: Names) -> list[RefMove]:
    """The chains of ours that go on from what the remote has. Numbers travel only with the commits that they number;
    a chain that grew apart would drop the remote's links there, and waits until both are joined."""
    theirs = store.refs.list(names.ours)
    found = []
    for name, new in store.refs.list(OURS).items():
        old = theirs.get(names.tracking(name))
        if _is_passing(name) or new == old or (old and not store.locator.is_ancestor(old, new)):
            continue
        if name != VERSIONS or _is_shared(store, names):
            found.append(RefMove(name, new, old))
    return found


def _is_passing(name: str) -> bool:
    """Whether a ref is of one moment and one machine: a lease, a write under way, a probe."""
    return name.endswith(LEASE) or name.startswith((f"{OURS}writing/", PROBES))


def _is_shared(store: Store, names: Names) -> bool:
    """Whether the remote has every commit of the synced branch."""
    tip = store.refs.read(store.branch)
    there = store.refs.read(names.tracking(store.branch))
    return tip is None or (there is not None and (tip == there or store.locator.is_ancestor(tip, there)))


def _replay(store: Store, names: Names, ours: str, theirs: str) -> None:
    """Put the moves that only we logged behind the remote's."""
    moves = tag_moves(reversed(store.git.revisions.line(ours, theirs)))
    chain = [
        move.commit(number - 1 if number else theirs, _who(move.who, move.when)) for number, move in enumerate(moves)
    ]
    new = store.commits.write(chain)[-1] if chain else theirs
    store.refs.move([RefMove(TAG_LOG, new, ours)], f"promptstore: fetch {names.remote}")


def _who(words: str, when: datetime) -> Identity:
    name, _, email = words.removesuffix(">").rpartition(" <")
    return Identity(name, email, when)
