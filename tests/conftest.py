"""Makes ``tests/support`` importable, and keeps every test away from the user's own git and keys."""

from __future__ import annotations

import itertools
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, is_hypothesis_test, settings

sys.path.insert(0, str(Path(__file__).parent / "support"))

_ROOM = 4 << 30
"""Bytes that must be free in memory for a run's files; it needs a tenth of it."""

_GITCONFIG = """\
[maintenance]
\tauto = false
[init]
\ttemplateDir = {template}
"""
"""Without it each commit would start one more process, and each new repository begin with a dozen sample hooks."""


def _work_in_memory(folder: str = "/dev/shm") -> None:
    """Keep temporary files in memory where there is room: thousands of small repositories wait for no disk there."""
    if "TMPDIR" in os.environ or not os.access(folder, os.W_OK | os.X_OK):
        return
    system = os.statvfs(folder)
    if system.f_bavail * system.f_frsize >= _ROOM and not system.f_flag & getattr(os, "ST_NOEXEC", 0):
        os.environ["TMPDIR"] = tempfile.tempdir = folder


_work_in_memory()

# No test is judged by the clock; where a change is gated, the same examples are tried each time.
settings.register_profile(
    "quick",
    max_examples=12,
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


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """A module that is marked as a whole is not even read where its mark is not wanted, unless it is asked for."""
    named = any(str(collection_path).endswith(argument.partition("::")[0]) for argument in config.args)
    if named or not collection_path.match("test_*.py"):
        return None
    mark = re.search(r"^pytestmark = \[?\s*pytest\.mark\.(\w+)", collection_path.read_text(), re.MULTILINE)
    unwanted = re.findall(r"not (\w+)", str(config.getoption("markexpr")))
    return True if mark and mark[1] in unwanted else None


class Homes:
    """A new home for each who asks."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count()
        template = folder / "template"
        (template / "hooks").mkdir(parents=True)
        self._gitconfig = _GITCONFIG.format(template=template)

    def new(self) -> Path:
        home = self._folder / str(next(self._numbers))
        home.mkdir()
        (home / ".gitconfig").write_text(self._gitconfig)
        return home


def _be_nobody(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = ("GIT_", "PROMPTSTORE_", "PROMPTLAYER_", "GITHUB_EVENT_", "CI_PIPELINE_", "BUILD_REASON")
    for name in [name for name in os.environ if name.startswith(ours)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("SSL_CERT_DIR", str(home))  # nobody speaks TLS here, and each client would read all authorities
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")


@pytest.fixture(scope="session", autouse=True)
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Homes]:
    """The first is that of fixtures which several tests share."""
    found = Homes(tmp_path_factory.mktemp("homes"))
    with pytest.MonkeyPatch.context() as monkeypatch:
        _be_nobody(found.new(), monkeypatch)
        yield found


@pytest.fixture(autouse=True)
def own_environment(homes: Homes, monkeypatch: pytest.MonkeyPatch) -> None:
    _be_nobody(homes.new(), monkeypatch)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """A read that failed is tried again after a hundredth of the time, also by commands that are forked off."""
    from promptstore.vendors import http

    monkeypatch.setattr(http, "Timing", partial(http.Timing, sleep=lambda seconds: time.sleep(seconds / 100)))
