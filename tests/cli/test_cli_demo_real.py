"""``demo --real`` where it can be judged without a Phoenix: how one is found, and what is said where there is none."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from promptstore.cli import phoenix_server
from promptstore.cli.phoenix_server import PhoenixServer, find_phoenix, free_ports
from promptstore.errors import ConfigError, RemoteUnreachable


def test_without_a_phoenix_it_says_how_to_install_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(phoenix_server, "find_spec", lambda _: None)
    with pytest.raises(ConfigError, match="not installed") as caught:
        find_phoenix({"PATH": str(tmp_path)})
    assert "pip install arize-phoenix" in caught.value.hint


def test_one_on_the_path_comes_before_the_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(phoenix_server, "find_spec", lambda _: object())
    assert find_phoenix({"PATH": str(tmp_path)}) == [sys.executable, "-m", "phoenix.server.main"]
    command = tmp_path / "phoenix"
    command.write_text("#!/bin/sh\n")
    command.chmod(0o755)
    assert find_phoenix({"PATH": str(tmp_path)}) == [str(command)]


def test_a_server_that_ends_at_once_is_told_with_its_log(tmp_path: Path) -> None:
    server = PhoenixServer([sys.executable, "-c", "print('no database')"], str(tmp_path / "data"), {})
    with pytest.raises(RemoteUnreachable, match="did not start") as caught:
        server.start()
    assert server.log in caught.value.hint
    assert "no database" in Path(server.log).read_text()
    server.stop()


def test_free_ports_are_free_and_differ() -> None:
    ports = free_ports(3)
    assert len({*ports}) == 3
    for port in ports:
        with socket.socket() as one:
            one.bind(("127.0.0.1", port))
