"""How much a costly random test tries: little in the daily runs, more in the thorough one."""

from __future__ import annotations

from hypothesis import settings

_QUICK = settings.get_profile("quick").max_examples


def examples(quick: int, thorough: int) -> int:
    """The number of examples, by the profile of the run; see ``tests/conftest.py``."""
    return quick if settings.default is None or settings.default.max_examples <= _QUICK else thorough
