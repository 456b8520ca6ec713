"""Numbers as vendors and people write them."""

from __future__ import annotations

_LONGEST = 18
"""More digits are no version or id that anyone counted up to, and Python refuses to read thousands of them."""


def whole_number(text: str) -> int | None:
    """The number that ``text`` writes in plain digits; None for anything else, such as ``²``, ``٣`` or nothing."""
    plain = text.isascii() and text.isdigit() and len(text) <= _LONGEST
    return int(text) if plain else None
