"""The order of Basalt's versions."""

from __future__ import annotations

import re

_PIECE = re.compile(r"[0-9]+|[^0-9]+")
_SUFFIX, _END, _TEXT, _NUMBER = range(4)


def version_key(version: str) -> tuple[list[tuple[int, int, str]], str]:
    """Orders versions, which are opaque texts to Basalt's API: numbers in them by size (``1.10.0`` after ``1.9.0``), a
    suffix behind ``-`` before the version without it (``2.0.0-beta`` before ``2.0.0``). Equal only for equal texts."""
    return [*map(_weight, _PIECE.findall(version)), (_END, 0, "")], version


def _weight(piece: str) -> tuple[int, int, str]:
    if "0" <= piece[0] <= "9":
        return (_NUMBER, int(piece), "")
    return (_SUFFIX if piece[0] == "-" else _TEXT, 0, piece)
