"""Keeping a prompt as its author spelled it, wherever that still means the same at the vendor. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from promptstore.errors import NotRepresentable
from promptstore.vendors.values import Data, Wire, same

BODY = frozenset({"messages", "content", "template_format"})
"""The fields of a prompt file whose spelling is kept block by block, not as a whole."""


def holds(projected: Callable[[], Wire], wire: Wire) -> bool:
    """Whether a projection comes out as this wire object."""
    try:
        return same(projected(), wire)
    except NotRepresentable:
        return False


def keep_spelling(
    fresh: Data,
    old: Data,
    still: Callable[[Data], bool],
    groups: Iterable[tuple[str, ...]] = (),
    leave: frozenset[str] = frozenset(),
) -> Data:
    """``fresh`` with every field of ``old`` that can stand in it without changing its meaning.

    ``still`` tells whether a candidate still means the same. ``groups`` are fields that are tried together first.
    """
    singles = [(key,) for key in {**old, **fresh} if key not in leave]
    for group in [*groups, *singles]:
        candidate = {key: value for key, value in fresh.items() if key not in group}
        candidate.update({key: old[key] for key in group if key in old})
        if still(candidate):
            fresh = candidate
    return fresh
