"""Where the hunks of two sides meet: what can be applied together, and what clashes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, takewhile
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
    """All hunks in their lowest places, or all in their highest, or else one side's in these and one side's in those.

    The last would also part two additions at one place, which are a conflict.
    """
    alike = [_placed(cluster, "low", "low"), _placed(cluster, "high", "high")]
    clean = [pieces for pieces in alike if _clean(pieces)]
    if not clean and not _rivalry(cluster):
        crossed = [_placed(cluster, "low", "high"), _placed(cluster, "high", "low")]
        clean = sorted(filter(_clean, crossed))
    return min(clean, key=_overlap) if clean else alike[0]


def _overlap(pieces: Sequence[Piece]) -> int:
    """How many blank lines are removed as part of two paragraphs, which leaves one too many between the others."""
    return sum(max(0, earlier.end - later.start) for earlier, later in pairwise(pieces))


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


def _placed(cluster: _Cluster, ours: Place, theirs: Place) -> list[Piece]:
    mine = {getattr(edit, ours) for edit in cluster.ours}
    other = {getattr(edit, theirs) for edit in cluster.theirs}
    pieces: list[Piece] = []
    for group in _meeting(sorted(mine | other, key=lambda hunk: (hunk.start, hunk.end, hunk))):
        pieces += _decide(group, mine, other)
    return pieces


def _meeting(hunks: Sequence[Hunk]) -> list[list[Hunk]]:
    """The hunks in groups: whoever meets a hunk of a group belongs to it, and so do all between them."""
    groups: list[list[Hunk]] = []
    near: list[tuple[Hunk, int]] = []
    for hunk in hunks:
        near = [(earlier, group) for earlier, group in near if earlier.end >= hunk.start]
        home = min((group for earlier, group in near if earlier.meets(hunk)), default=len(groups))
        groups[home:] = [sum(groups[home + 1 :], groups[home])] if home < len(groups) else [[]]
        groups[home].append(hunk)
        near = [*((earlier, min(group, home)) for earlier, group in near), (hunk, home)]
    return groups


def _decide(group: list[Hunk], ours: set[Hunk], theirs: set[Hunk]) -> list[Piece]:
    if ours.issuperset(group) or theirs.issuperset(group):
        return [*group]
    start, end = min(hunk.start for hunk in group), max(hunk.end for hunk in group)
    mine = tuple(hunk for hunk in group if hunk in ours)
    return [Clash(start, end, mine, tuple(hunk for hunk in group if hunk in theirs))]
