"""Sending to the git remote what clones share: every ref moves there only from the value that we know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from promptstore.errors import GitError, RefMoved, Where
from promptstore.store.git.refs import RefMove
from promptstore.store.refnames import TAGS
from promptstore.store.sharing.chains import unsent_chains
from promptstore.store.sharing.failures import origin_failure, refuses
from promptstore.store.sharing.fetching import fetch_shared
from promptstore.store.sharing.names import Names
from promptstore.store.sharing.tags import agree_sent, unsent_tags
from promptstore.store.store import Store

_BATCH = 100  # refs in one push: git takes a minute over a thousand named ones
_TRIES = 5
_OUTDATED = ("[rejected]", "atomic", "cannot lock", "failed to update", "reference already exists")


@dataclass
class Sent:
    """What became of the moves of one push: those the remote took, those it had moved meanwhile, and those that it
    will not have, with its words."""

    taken: list[RefMove] = field(default_factory=list)
    outdated: list[RefMove] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)


def send_shared(store: Store, remote: str) -> None:
    """Send our tags, numbers and agreements; what others sent meanwhile is taken first.

    Raises OriginUnreachable and OriginRefuses; RefMoved when others are faster again and again.
    """
    names = Names(remote)
    for _ in range(_TRIES):
        moves = [*unsent_chains(store, names), *unsent_tags(store, names)]
        if not moves:
            return
        sent = push_refs(store, names, moves)
        if sent.refused:
            raise refuses(next(iter(sent.refused.values())), remote)
        if not sent.outdated:
            return
        fetch_shared(store, remote)
    raise RefMoved(f"other clones keep changing {remote}", where=Where(remote=remote), hint="run it again")


def push_refs(store: Store, names: Names, moves: Sequence[RefMove], *, atomic: bool = False) -> Sent:
    """Move refs at the remote, each from its ``old`` value there. Raises OriginUnreachable and OriginRefuses."""
    total = Sent()
    for start in range(0, len(moves), len(moves) if atomic else _BATCH):
        batch = moves[start : start + (len(moves) if atomic else _BATCH)]
        sent = _push(store, names, batch, atomic)
        total.taken += sent.taken
        total.outdated += sent.outdated
        total.refused |= sent.refused
    _note(store, names, total.taken)
    return total


def _push(store: Store, names: Names, moves: Sequence[RefMove], atomic: bool) -> Sent:
    try:
        left = store.git.transport.push(names.remote, moves, atomic=atomic)
    except GitError as error:
        raise origin_failure(error, names.remote) from None
    sent = Sent([move for move in moves if move.name not in left])
    for move in moves:
        words = left.get(move.name)
        if words is not None and any(sign in words for sign in _OUTDATED):
            sent.outdated.append(move)
        elif words is not None:
            sent.refused[move.name] = f"git push: {move.name}: {words}"
    return sent


def _note(store: Store, names: Names, taken: Sequence[RefMove]) -> None:
    """What the remote took is agreed on, and is what it has."""
    tags = [move for move in taken if move.name.startswith(TAGS)]
    tracked = [(names.tracking(move.name), move.new) for move in taken]
    moves = [RefMove(name, new, old) for name, new in tracked if (old := store.refs.read(name)) != new]
    store.refs.move([*agree_sent(names, tags), *moves], f"promptstore: send to {names.remote}")
