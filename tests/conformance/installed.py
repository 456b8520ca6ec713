"""The example vendor of docs/adding-a-vendor.md, installed for as long as it is needed and no longer."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from promptstore.vendors.registry import vendors

FOLDER = Path(__file__).parents[1] / "support" / "example_vendor"
EXAMPLE = "acme"


@contextmanager
def with_example() -> Iterator[None]:
    """Puts the package and its metadata on the path, as ``pip install`` does."""
    sys.path.insert(0, str(FOLDER))
    vendors.cache_clear()
    try:
        yield
    finally:
        sys.path.remove(str(FOLDER))
        vendors.cache_clear()
