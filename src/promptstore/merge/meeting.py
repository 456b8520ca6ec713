"""Where the hunks of two sides meet: what can be applied together, and what clashes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Literal

from promptstore.merge.hunks import Edit, Hunk

Place = Literal["low", "high"]


@dataclass(frozen=True, slots=True)
class Clash:
    """Hunks of both sides that overlap or touch; ``base[start:end]`` is all they cover."""

    start: int
    end: int
    ours: tuple[Hunk, ...]
    theirs: tuple[Hunk, ...]


Piece = Hunk | Clash


@dataclass(frozen=True, slots=True)
class _Cluster:
    """Edits of both sides that could meet somewhere on their slides."""

    ours: list[Edit]
    theirs: list[Edit]


def meet(ours: Sequence[Edit], theirs: Sequence[Edit]) -> list[Piece]:
    """The edits of both sides from the top down, equal ones once. The choice does not depend on which side is which."""
    return [piece for cluster in _clusters(ours, theirs) for piece in _settle(cluster)]


def _clusters(ours: Sequence[Edit], theirs: Sequence[Edit]) -> Iterator[_Cluster]:
    marked = [*((edit, True) for edit in ours), *((edit, False) for edit in theirs)]
    cluster, reach = _Cluster([], []), -1
    for edit, is_ours in sorted(marked, key=lambda mark: (mark[0].high.start, mark[0].low.end)):
        if edit.high.start > reach:
            yield cluster
            cluster = _Cluster([], [])
        (cluster.ours if is_ours else cluster.theirs).append(edit)
        reach = max(reach, edit.low.end)
    yield cluster


def _settle(cluster: _Cluster) -> list[Piece]:
    lowest = _placed(cluster, "low", "low")
    if _rivalry(cluster):
        return [_clash(cluster)] if _clean(lowest) else lowest
    highest = _placed(cluster, "high", "high")
    crossed = [_placed(cluster, "low", "high"), _placed(cluster, "high", "low")]
    clean = [pieces for pieces in (lowest, highest) if _clean(pieces)] or sorted(filter(_clean, crossed))
    return clean[0] if clean else lowest


def _rivalry(cluster: _Cluster) -> bool:
    first = 0
    for one in cluster.ours:
        while first < len(cluster.theirs) and cluster.theirs[first].low.start < one.high.start:
            first += 1
        near = takewhile(lambda edit: edit.high.start <= one.low.start, cluster.theirs[first:])  # noqa: B023
        if any(one.rivals(other) for other in near):
            return True
    return False


def _clean(pieces: Sequence[Piece]) -> bool:
    return not any(isinstance(piece, Clash) for piece in pieces)


def _clash(cluster: _Cluster) -> Clash:
    return _of([edit.low for edit in cluster.ours], [edit.low for edit in cluster.theirs])


def _of(ours: Sequence[Hunk], theirs: Sequence[Hunk]) -> Clash:
    hunks = [*ours, *theirs]
    start, end = min(hunk.start for hunk in hunks), max(hunk.end for hunk in hunks)
    return Clash(start, end, tuple(ours), tuple(theirs))


def _placed(cluster: _Cluster, ours: Place, theirs: Place) -> list[Piece]:
    mine = {getattr(edit, ours) for edit in cluster.ours}
    other = {getattr(edit, theirs) for edit in cluster.theirs}
    pieces: list[Piece] = []
    for group in _meeting(sorted(mine | other, key=lambda hunk: (hunk.start, hunk.end, hunk))):
        pieces += _decide(group, mine, other)
    return pieces


def _meeting(hunks: Sequence[Hunk]) -> Iterator[list[Hunk]]:
    group: list[Hunk] = []
    near: list[Hunk] = []
    for hunk in hunks:
        near = [earlier for earlier in near if earlier.end >= hunk.start]
        if group and not any(earlier.meets(hunk) for earlier in near):
            yield group
            group = []
        group.append(hunk)
        near.append(hunk)
    if group:
        yield group


def _decide(group: list[Hunk], ours: set[Hunk], theirs: set[Hunk]) -> list[Piece]:
    if ours.issuperset(group) or theirs.issuperset(group):
        return [*group]
    return [_of([hunk for hunk in group if hunk in ours], [hunk for hunk in group if hunk in theirs])]
