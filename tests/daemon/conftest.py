"""A vendor's page, and a store that is linked to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from daemons import Page, serving


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    with serving(tmp_path / "page", monkeypatch) as served:
        yield served
