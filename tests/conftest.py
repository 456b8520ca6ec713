"""Makes ``tests/support`` importable, and keeps every test away from the user's own git and keys."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, is_hypothesis_test, settings

sys.path.insert(0, str(Path(__file__).parent / "support"))

# No test is judged by the clock; where a change is gated, the same examples are tried each time.
settings.register_profile(
    "quick",
    max_examples=20,
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("thorough", settings.get_profile("quick"), max_examples=200)
settings.load_profile("quick")


def _is_thorough(config: pytest.Config) -> bool:
    """Whether this is the thorough run: it tries every property again, with many more examples."""
    return str(config.getoption("markexpr")).strip() == "thorough"


def pytest_configure(config: pytest.Config) -> None:
    if _is_thorough(config):
        settings.load_profile("thorough")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items if _is_thorough(config) else ():
        if is_hypothesis_test(getattr(item, "function", None)):
            item.add_marker(pytest.mark.thorough)


def _be_nobody(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / ".gitconfig").write_text("[maintenance]\n\tauto = false\n")  # each commit would start one more process
    ours = ("GIT_", "PROMPTSTORE_", "PROMPTLAYER_", "GITHUB_EVENT_", "CI_PIPELINE_", "BUILD_REASON")
    for name in [name for name in os.environ if name.startswith(ours)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")


@pytest.fixture(scope="session", autouse=True)
def shared_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """That of fixtures which several tests share."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        _be_nobody(tmp_path_factory.mktemp("home"), monkeypatch)
        yield


@pytest.fixture(autouse=True)
def own_environment(
    shared_environment: None, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    _be_nobody(tmp_path_factory.mktemp("home"), monkeypatch)
