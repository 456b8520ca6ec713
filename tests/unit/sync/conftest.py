"""One repository and one vendor in memory, for most tests of the engine."""

from __future__ import annotations

from pathlib import Path

import pytest
from engines import Rig
from memory_vendor import MemoryWorkspace
from repos import make_store


@pytest.fixture
def acme() -> MemoryWorkspace:
    return MemoryWorkspace()


@pytest.fixture
def rig(tmp_path: Path, acme: MemoryWorkspace) -> Rig:
    return Rig(make_store(tmp_path / "repo"), {"acme": acme})
