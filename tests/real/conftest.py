"""One real Phoenix for all tests here: each keeps to prompts of its own."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from secrets import token_hex

import pytest
from real_phoenix import PhoenixClient, RunningPhoenix, Team, environment

from promptstore.cli.phoenix_server import PhoenixServer


@pytest.fixture(scope="session")
def phoenix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PhoenixServer | RunningPhoenix]:
    running = os.environ.get("PHOENIX_URL")
    if running:  # while tests are written, one that runs already saves the wait
        yield RunningPhoenix(running)
        return
    command = [str(environment() / "bin" / "phoenix")]
    environ = {**os.environ, "HOME": str(tmp_path_factory.mktemp("phoenix-home"))}
    with PhoenixServer(command, str(tmp_path_factory.mktemp("phoenix")), environ) as server:
        yield server


@pytest.fixture(scope="session")
def client() -> Iterator[PhoenixClient]:
    one = PhoenixClient()
    yield one
    one.close()


@pytest.fixture
def team(phoenix: PhoenixServer, tmp_path: Path, request: pytest.FixtureRequest) -> Callable[..., Team]:
    """Makes a repository for the prompts of this test, connected to the server or to what stands before it."""
    prefix = request.node.name.removeprefix("test_").replace("_", "-")[:40].rstrip("-") + "-" + token_hex(2)
    made: list[Team] = []

    def make(url: str = "", settings: str = "") -> Team:
        made.append(Team(tmp_path / f"clone-{len(made)}", url or phoenix.url, prefix, phoenix.url, settings))
        return made[-1]

    return make
