"""The command line as a user runs it, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx  # noqa: F401 - what a command would import, once for all forks
import pydantic  # noqa: F401
import tomlkit  # noqa: F401

import promptstore.cli
import promptstore.cli.engine
import promptstore.cli.run
import promptstore.vendors.promptlayer.client


@dataclass(frozen=True)
class Ran:
    """What came of one command."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document of the answer."""
        found, end = json.JSONDecoder().raw_decode(self.out)
        assert self.out[end:].strip() == "", f"more than one document: {self.out}"
        return found


def run(
    where: Path | str, *arguments: str, stdin: str = "", env: dict[str, str | None] | None = None, fresh: bool = False
) -> Ran:
    """Run ``promptstore`` in a folder; in ``env`` None takes a variable away.

    The process is forked off this one, which spares the start of an interpreter; ``fresh`` starts one.
    """
    variables = {**os.environ, **{name: value for name, value in (env or {}).items() if value is not None}}
    for name in (name for name, value in (env or {}).items() if value is None):
        variables.pop(name, None)
    return (_started if fresh else _forked)(str(where), arguments, stdin.encode(), variables)


def _started(where: str, arguments: tuple[str, ...], stdin: bytes, env: dict[str, str]) -> Ran:
    command = [sys.executable, "-m", "promptstore", *arguments]
    done = subprocess.run(command, cwd=where, input=stdin, capture_output=True, env=env, check=False)
    return Ran(done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"))


def _forked(where: str, arguments: tuple[str, ...], stdin: bytes, env: dict[str, str]) -> Ran:
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        given.write(stdin)
        given.seek(0)
        code = forked(where, arguments, env, (given.fileno(), out.fileno(), err.fileno()))
        out.seek(0)
        err.seek(0)
        return Ran(code, out.read().decode("utf-8", "replace"), err.read().decode("utf-8", "replace"))


def forked(where: str, arguments: tuple[str, ...], env: dict[str, str], files: tuple[int, int, int]) -> int:
    """Run a command in a fork, with these three as its standard files; its exit code."""
    child = os.fork()
    if child == 0:
        _be_the_command(where, arguments, env, files)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _be_the_command(where: str, arguments: tuple[str, ...], env: dict[str, str], files: tuple[int, int, int]) -> None:
    code = 70
    try:
        for number, file in enumerate(files):
            os.dup2(file, number)
        os.chdir(where)
        os.environ.clear()
        os.environ.update(env)
        if "keyring.core" in sys.modules:
            sys.modules["keyring.core"].init_backend()  # which keyring it is was settled for the parent
        sys.argv = ["promptstore", *arguments]
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        promptstore.cli.main()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:  # noqa: BLE001 - the child must never return into pytest
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def good(where: Path | str, *arguments: str, code: int = 0, **options: Any) -> Ran:
    """Run a command that is expected to end with ``code``."""
    ran = run(where, *arguments, **options)
    assert ran.code == code, f"{arguments}: {ran}"
    return ran


def told(ran: Ran, what: str = "", hint: str = "") -> None:
    """The answer is an error of exactly two lines, and nothing but that."""
    assert ran.out == "", ran
    lines = ran.err.splitlines()
    assert len(lines) == 2, ran.err
    assert lines[0].startswith("error: "), ran.err
    assert lines[1].startswith("hint: "), ran.err
    assert len(lines[1]) > len("hint: "), ran.err
    assert what in lines[0], ran.err
    assert hint in lines[1], ran.err
    assert "internal error" not in ran.err
    assert "Traceback" not in ran.err
