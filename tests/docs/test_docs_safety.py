"""The page on safety names tests that exist, and one for every promise and ruling."""

from __future__ import annotations

import re

from pages import ROOT, read

PAGE = ROOT / "docs" / "safety.md"
_ROW = re.compile(r"^\| (\d+) \|.*\| (.*?) \|$", re.MULTILINE)
_FILE = re.compile(r"`(tests/[\w/.-]+\.(?:py|toml))`")


def test_every_test_that_is_named_exists() -> None:
    named = _FILE.findall(read(PAGE))
    assert len(named) > 40
    assert [name for name in named if not (ROOT / name).is_file()] == []


def test_every_promise_and_every_ruling_names_its_tests() -> None:
    rows = _ROW.findall(read(PAGE))
    assert [int(number) for number, _ in rows] == [*range(1, 14), *range(1, 15)]
    assert [number for number, tests in rows if not _FILE.search(tests)] == []


def test_every_ruling_is_told_twice() -> None:
    told = "".join(read(file) for file in sorted((ROOT / "tests" / "rulings").glob("test_*.py")))
    for number in range(1, 15):
        assert f"def test_ruling_{number:02}_plainer_" in told
        assert re.search(rf"def test_ruling_{number:02}_(?!plainer_)", told)


def test_commands_name_files_that_exist() -> None:
    named = re.findall(r"(tests/[\w/.-]+\.(?:py|toml))", read(PAGE))
    assert [name for name in named if not (ROOT / name).is_file()] == []
