"""docs/adding-a-vendor.md shows the example vendor as it is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from installed import FOLDER

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "adding-a-vendor.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"^```(?:py|ini)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
SOURCES = [
    *FOLDER.glob("*/*.py"),
    *FOLDER.glob("*/entry_points.txt"),
    ROOT / "tests" / "support" / "grounds.py",
]


@pytest.mark.parametrize("shown", SHOWN, ids=lambda text: text.splitlines()[0])
def test_code_on_the_page_is_code_of_the_example(shown: str) -> None:
    assert any(f"\n{shown}" in f"\n{source.read_text(encoding='utf-8')}" for source in SOURCES)


def test_every_piece_is_shown() -> None:
    assert len(SHOWN) >= 10
    for name in ("__init__", "lens", "client", "routes", "questions"):
        assert f"acme_prompts/{name}.py" in PAGE
    assert (
        "acme_prompts" not in "".join(path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py")).lower()
    )


def test_files_that_the_page_names_are_there() -> None:
    for name in re.findall(r"`(tests/[\w/]+)`", PAGE):
        assert (ROOT / name).exists(), name
