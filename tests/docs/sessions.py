"""Runs the console blocks of a page as one session in one shell, and gives what each command printed."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

MARK = "\x1e"
WHO = {
    "GIT_AUTHOR_NAME": "Ann",
    "GIT_AUTHOR_EMAIL": "ann@example.com",
    "GIT_COMMITTER_NAME": "Ann",
    "GIT_COMMITTER_EMAIL": "ann@example.com",
}

_EDIT = re.compile(r"\$EDITOR (\S+) +# (.+) → (.+)")


@dataclass(frozen=True)
class Step:
    """A command, and the output that the page shows for it; ``...`` stands for anything within a line."""

    command: str
    shown: str

    def matches(self, output: str) -> bool:
        pattern = re.escape(self.shown.rstrip("\n")).replace(r"\.\.\.", ".*")
        return re.fullmatch(pattern, output.rstrip("\n")) is not None


def steps(console: list[str]) -> list[Step]:
    """The steps of a page's console blocks."""
    found = []
    for block in console:
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, shown = part.partition("\n")
            found.append(Step(command, shown))
    return found


def play(session: list[Step], folder: Path, epilogue: str = "") -> tuple[list[str], int, str]:
    """Run the commands in ``folder``; the outputs, then exit code and output of the epilogue (Python, run last)."""
    port = str(_free_port())
    script = "exec 2>&1\n" + "".join(f"{_shell(step.command)}\nprintf '{MARK}'\n" for step in session)
    last = folder.parent / "epilogue.py"
    last.write_text(epilogue, encoding="utf-8")
    script += f"'{sys.executable}' '{last}'\ncode=$?\nkill $(jobs -p) 2>/dev/null\nexit $code\n"
    done = subprocess.run(
        ["bash", "-c", script.replace("8700", port)],
        cwd=folder,
        env={**os.environ, **WHO, "PATH": f"{sysconfig.get_path('scripts')}:{os.environ['PATH']}"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        timeout=90,
        check=False,
    )
    *outputs, rest = done.stdout.replace(port, "8700").split(MARK)
    return outputs, done.returncode, rest


def _shell(command: str) -> str:
    """The command as the shell gets it: an edit by hand is made by a program, a server is waited for."""
    edit = _EDIT.fullmatch(command)
    if edit:
        path, old, new = edit.groups()
        return f"perl -pi -e 's/\\Q{old}\\E/{new}/' '{path}'"
    if command.endswith(" &"):
        return f"{command[:-2]} > ../served & until [ -s ../served ]; do sleep 0.05; done; cat ../served"
    return command


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
