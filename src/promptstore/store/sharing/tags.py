"""Tags between clones, merged three-way against what was last agreed with the git remote.

What was agreed is kept where no fetch refspec reaches: an editor's own fetch moves the tracking refs. A tag that two
clones moved apart stands where the git remote has it: that clone was first. Ours stays in the tag's history.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from promptstore.store.git.refs import RefMove
from promptstore.store.history import system_identity
from promptstore.store.refnames import TAGS, parse_tag_ref
from promptstore.store.sharing.names import Names, below
from promptstore.store.store import Store
from promptstore.store.tagging import NewPlace, move_tags, tag_history


@dataclass(frozen=True, slots=True)
class Shared:
    """What a fetch brought, counted in tags, and the tags that both sides moved apart (the remote's counts)."""

    created: int = 0
    updated: int = 0
    deleted: int = 0
    unchanged: int = 0
    conflicts: tuple[str, ...] = field(default=())
    restored: int = 0

    def as_json(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in ("created", "updated", "deleted", "unchanged")}


def take_tags(store: Store, names: Names) -> Shared:
    """Let the remote's moves count here. Tags that all vanish at once, and that nobody took away by a move in their
    history, are not obeyed: they go back there with what is sent next."""
    theirs = below(store.refs.list(names.tags), names.tags)
    base = below(store.refs.list(names.agreed), names.agreed)
    ours = below(store.refs.list(TAGS), TAGS)
    lost = _lost(store, base) if base and not theirs else []
    if lost:
        forget = [RefMove(names.agreed + name, None, base[name]) for name in lost]
        store.refs.move(forget, f"promptstore: {names.remote} lost its tags")
        return Shared(unchanged=len(ours), restored=len(lost))
    seen = {name: oid for name, oid in _seen(store, ours, theirs).items() if name not in base}
    away = _renamed(store, base, ours, theirs)
    moves, conflicts = merge_tags(*(_without(away, refs) for refs in ({**seen, **base}, ours, theirs)))
    _give_way(store, names, {name: theirs.get(name) for name in conflicts})
    settled = {**ours, **{name: theirs.get(name) for name in conflicts}}
    store.refs.move(
        [RefMove(TAGS + name, new, ours.get(name)) for name, new in moves.items()]
        + [RefMove(names.agreed + name, oid, None) for name, oid in seen.items()]
        + agreements(names, base, {**settled, **moves}, theirs)
        + [RefMove(names.agreed + name, None, base[name]) for name in away if ours[name] != base[name]],
        f"promptstore: fetch {names.remote}",
    )
    created = sum(name not in ours for name in moves)
    deleted = sum(new is None for new in moves.values())
    updated = len(moves) - created - deleted + len(conflicts)
    return Shared(created, updated, deleted, len(theirs) - created - updated, tuple(conflicts))


def merge_tags(
    base: Mapping[str, str], ours: Mapping[str, str], theirs: Mapping[str, str]
) -> tuple[dict[str, str | None], list[str]]:
    """What must move here so that the remote's moves count, and the names that both sides moved apart."""
    moves: dict[str, str | None] = {}
    conflicts = []
    for name in sorted({*base, *ours, *theirs}):
        was, here, there = base.get(name), ours.get(name), theirs.get(name)
        if there in (here, was):
            continue
        if here == was:
            moves[name] = there
        else:
            conflicts.append(name)
    return moves, conflicts


def unsent_tags(store: Store, names: Names) -> list[RefMove]:
    """The moves that the remote does not have yet, each from what was agreed on."""
    base = below(store.refs.list(names.agreed), names.agreed)
    ours = below(store.refs.list(TAGS), TAGS)
    return [
        RefMove(TAGS + name, ours.get(name), base.get(name))
        for name in sorted({*base, *ours})
        if ours.get(name) != base.get(name)
    ]


def agree_sent(names: Names, moves: Sequence[RefMove]) -> list[RefMove]:
    """What is agreed on once the remote took our moves."""
    return [RefMove(names.agreed + move.name.removeprefix(TAGS), move.new, move.old) for move in moves]


def agreements(
    names: Names, base: Mapping[str, str], ours: Mapping[str, str | None], theirs: Mapping[str, str]
) -> list[RefMove]:
    """Where both sides are the same now, that is agreed."""
    same = {name for name in {*base, *theirs} if ours.get(name) == theirs.get(name)}
    return [
        RefMove(names.agreed + name, theirs.get(name), base.get(name))
        for name in sorted(same)
        if theirs.get(name) != base.get(name)
    ]


def _lost(store: Store, base: Iterable[str]) -> list[str]:
    """Those of the remote's tags that went without anybody taking them away."""
    newest = {(move.slug, move.tag): move for move in reversed(tag_history(store))}
    moves = {name: newest.get(parse_tag_ref(TAGS + name) or ("", "")) for name in base}
    return [name for name, move in moves.items() if move is None or move.new_commit is not None]


def _renamed(store: Store, base: Mapping[str, str], ours: Mapping[str, str], theirs: Mapping[str, str]) -> set[str]:
    """Tags that went at the remote since another clone has renamed their prompt. Ours stay until this clone has the
    rename, too: till then its prompt goes by the old name, and has not lost its tag."""
    gone = [name for name in base if name in ours and name not in theirs]
    if not gone:
        return set()
    places = {(name.rpartition("/-/")[2], oid) for name, oid in theirs.items() if name not in base}
    return {name for name in _lost(store, gone) if (name.rpartition("/-/")[2], base[name]) in places}


def _without(names: Collection[str], refs: Mapping[str, str]) -> dict[str, str]:
    return {name: oid for name, oid in refs.items() if name not in names}


def _seen(store: Store, ours: Mapping[str, str], theirs: Mapping[str, str]) -> dict[str, str]:
    """The remote's tags that ours were moved away from: nothing was agreed on, but the move was made with sight."""
    apart = {name: oid for name, oid in theirs.items() if name in ours and ours[name] != oid}
    if not apart:
        return {}
    left = {(move.slug, move.tag, move.old_commit) for move in tag_history(store)}
    return {name: oid for name, oid in apart.items() if (*(parse_tag_ref(TAGS + name) or ("", "")), oid) in left}


def _give_way(store: Store, names: Names, places: Mapping[str, str | None]) -> None:
    """Put tags where the remote has them, with a line in their history."""
    numbering = store.history.numbering(store.tip)
    found = []
    for name, commit in places.items():
        parsed = parse_tag_ref(TAGS + name)
        if parsed is None:
            continue
        place = store.locator.place(parsed[0], commit, numbering) if commit else None
        version = place.version if place else None
        found.append(NewPlace(*parsed, commit, version, f"it was moved at {names.remote} first"))
    move_tags(store, found, system_identity(store.clock()))
