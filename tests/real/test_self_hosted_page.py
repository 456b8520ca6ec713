"""docs/self-hosted.md: its commands are run, as they stand there, against a real Phoenix."""

from __future__ import annotations

import os
import re
import subprocess
import sysconfig
from pathlib import Path

import pytest
from real_phoenix import RunningPhoenix

from promptstore.cli.phoenix_server import PhoenixServer

pytestmark = pytest.mark.real

PAGE = Path(__file__).parents[2] / "docs" / "self-hosted.md"
WHO = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Ann"), ("EMAIL", "a@example.com"))
}


def test_the_commands_of_the_page_work_one_after_another(
    phoenix: PhoenixServer | RunningPhoenix, tmp_path: Path
) -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    script = "set -ex\n" + "".join(blocks).replace("http://localhost:6006", phoenix.url)
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env={**os.environ, **WHO, "PATH": f"{sysconfig.get_path('scripts')}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "support/triage: production" in done.stdout
    assert "phoenix@UHJvbXB0VmVyc2lvbjo" in done.stdout
