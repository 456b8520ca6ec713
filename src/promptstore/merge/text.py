"""Three-way merge of texts by lines (diff3): edits of different places come together, edits that meet conflict.

As in git, two hunks meet when they overlap or touch. Other than in git, an insertion or deletion in repeated lines
(the blank lines between paragraphs) is first slid out of the other side's way, and a paragraph that is added or
removed does not meet an edit of the next one. Lines end at ``\\n`` and keep their
ends, so CRLF and a missing last newline are content like any other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from promptstore.merge.hunks import Hunk, edits
from promptstore.merge.meeting import Clash, Piece, meet

Side = Literal["ours", "theirs"]


@dataclass(frozen=True, slots=True)
class Disputed:
    """Lines that both sides changed, differently."""

    ours: str
    theirs: str


@dataclass(frozen=True, slots=True)
class MergedText:
    """The merged text in runs: plain where the sides agree, ``Disputed`` where they conflict."""

    runs: tuple[str | Disputed, ...]

    @property
    def conflicted(self) -> bool:
        return any(isinstance(run, Disputed) for run in self.runs)

    def text(self, side: Side = "ours") -> str:
        """The whole text, with the lines of ``side`` where there is a conflict."""
        return "".join(run if isinstance(run, str) else getattr(run, side) for run in self.runs)


def merge_text(base: str, ours: str, theirs: str) -> MergedText:
    """Bring the changes that ``ours`` and ``theirs`` made to ``base`` together.

    Swapping the sides gives the same text and the same conflicts.
    """
    lines = split_lines(base)
    pieces = meet(edits(lines, split_lines(ours)), edits(lines, split_lines(theirs)))
    return MergedText(tuple(_runs(lines, pieces)))


def split_lines(text: str) -> list[str]:
    """The lines with their ends; only ``\\n`` ends a line."""
    lines = [line + "\n" for line in text.split("\n")]
    last = lines.pop()[:-1]
    return [*lines, last] if last else lines


def _runs(base: Sequence[str], pieces: Sequence[Piece]) -> Iterator[str | Disputed]:
    at = 0
    for piece in pieces:
        yield "".join(base[at : piece.start])
        yield "".join(piece.new) if isinstance(piece, Hunk) else _disputed(base, piece)
        at = max(at, piece.end)  # two removed paragraphs may share a blank line
    yield "".join(base[at:])


def _disputed(base: Sequence[str], clash: Clash) -> Disputed:
    return Disputed(_variant(base, clash, clash.ours), _variant(base, clash, clash.theirs))


def _variant(base: Sequence[str], clash: Clash, hunks: Sequence[Hunk]) -> str:
    at, parts = clash.start, list[str]()
    for hunk in hunks:
        parts += [*base[at : hunk.start], *hunk.new]
        at = hunk.end
    return "".join([*parts, *base[at : clash.end]])
