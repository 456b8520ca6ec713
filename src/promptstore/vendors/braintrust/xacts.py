"""Transaction ids: Braintrust's version names, decimal texts beyond 2^53, or 16 hexadecimal digits for short.

The layout is that of recorded ids: 16 bits that never change, 32 bits of Unix seconds, 16 bits of a counter. The short
form is the product with an odd number modulo 2^64, as Braintrust's SDK turns one into the other.
"""

from __future__ import annotations

import re

_TOP = 0x0DE1 << 48
_SPREAD = 205891132094649
_GATHER = 1522336535492693385
_ALL = (1 << 64) - 1
_LOW = (1 << 48) - 1

_DECIMAL = re.compile(r"[0-9]{1,20}")
_SHORT = re.compile(r"[0-9a-fA-F]{16}")


def decimal(text: str) -> str | None:
    """The decimal form of either form; None for what is neither.

    Sixteen digits could be both: they are the short form, as in Braintrust's SDK.
    """
    if _SHORT.fullmatch(text):
        return str(_TOP | (int(text, 16) * _GATHER & _LOW))
    return text if _DECIMAL.fullmatch(text) else None


def short(xact: str) -> str:
    """The form of 16 hexadecimal digits."""
    return f"{int(xact) * _SPREAD & _ALL:016x}"


def order(version: str) -> int:
    """What transaction ids, of either form, are ordered by."""
    return int(decimal(version) or 0)


def seconds_of(xact: str) -> int:
    """The Unix time at which a transaction in its decimal form was made."""
    return (int(xact) & _LOW) >> 16


def minted(seconds: int, counter: int) -> str:
    """An id for a write of ours at that time; a greater counter is always a later id."""
    return str(_TOP | ((seconds & 0xFFFFFFFF) << 16) + counter)
