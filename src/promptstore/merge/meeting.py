"""Where the hunks of two sides meet: what can be applied together, and what clashes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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
    if _clean(lowest):
        return lowest
    highest = _placed(cluster, "high", "high")
    if _clean(highest):
        return highest
    crossed = [_placed(cluster, "low", "high"), _placed(cluster, "high", "low")]
    return min(filter(_clean, crossed), default=lowest)


def _clean(pieces: Sequence[Piece]) -> bool:
    return not any(isinstance(piece, Clash) for piece in pieces)


def _placed(cluster: _Cluster, ours: Place, theirs: Place) -> list[Piece]:
    mine = {getattr(edit, ours) for edit in cluster.ours}
    other = {getattr(edit, theirs) for edit in cluster.theirs}
    pieces: list[Piece] = []
    for group in _touching(sorted(mine | other)):
        pieces += _decide(group, mine, other)
    return pieces


def _touching(hunks: Sequence[Hunk]) -> Iterator[list[Hunk]]:
    group: list[Hunk] = []
    reach = -1
    for hunk in hunks:
        if group and hunk.start > reach:
            yield group
            group = []
        group.append(hunk)
        reach = max(reach, hunk.end)
    if group:
        yield group


def _decide(group: list[Hunk], ours: set[Hunk], theirs: set[Hunk]) -> list[Piece]:
    if ours.issuperset(group) or theirs.issuperset(group):
        return [*group]
    start, end = group[0].start, max(hunk.end for hunk in group)
    mine = tuple(hunk for hunk in group if hunk in ours)
    other = tuple(hunk for hunk in group if hunk in theirs)
    return [Clash(start, end, mine, other)]
