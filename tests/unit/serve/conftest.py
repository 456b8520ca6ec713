from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from twins import client, copy_store, make_template

from promptstore.store.store import Store


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_template(tmp_path_factory.mktemp("twin") / "template")


@pytest.fixture
def store(template: Path, tmp_path: Path) -> Iterator[Store]:
    with copy_store(template, tmp_path / "store") as opened:
        yield opened


@pytest.fixture
def twin(store: Store) -> httpx.Client:
    return client(store)


@pytest.fixture(scope="session")
def untouched(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A twin that nobody writes to, shared by all that only read."""
    with copy_store(template, tmp_path_factory.mktemp("twin") / "shared") as opened:
        yield client(opened)
