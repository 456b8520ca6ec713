"""The demo is the README's first command: it must come out right and leave nothing behind."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest


@pytest.mark.slow
def test_every_step_comes_out_right(tmp_path: Path) -> None:
    before = set(Path(tempfile.gettempdir()).glob("promptstore-demo-*"))
    done = subprocess.run(
        [sys.executable, "-m", "promptstore", "demo"], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Every step came out right" in done.stdout
    assert "WRONG" not in done.stdout
    assert set(Path(tempfile.gettempdir()).glob("promptstore-demo-*")) == before


@pytest.mark.slow
def test_it_can_be_kept(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "promptstore", "--json", "demo", "--keep", "story"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    document = json.loads(done.stdout)
    assert document["failures"] == []
    assert document["steps"] == 10
    assert (tmp_path / "story/prompts-repo/prompts/support/triage.yaml").exists()
