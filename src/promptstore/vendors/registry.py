"""The vendors that are installed: entry points of the group ``promptstore.vendors``."""

from __future__ import annotations

import difflib
from functools import cache
from importlib.metadata import entry_points

from promptstore.errors import ConfigError
from promptstore.vendors.base import Vendor

GROUP = "promptstore.vendors"


@cache
def vendors() -> dict[str, Vendor]:
    """Every vendor by its name."""
    return {point.name: point.load() for point in sorted(entry_points(group=GROUP), key=lambda point: point.name)}


def vendor(name: str) -> Vendor:
    """The vendor of that name. Raises ConfigError naming the nearest one."""
    known = vendors()
    if name not in known:
        near = difflib.get_close_matches(name, known, 1)
        hint = f"did you mean '{near[0]}'?" if near else f"known vendors: {', '.join(known)}"
        raise ConfigError(f"there is no vendor '{name}'", hint=hint)
    return known[name]
