"""The command line: one file a command. The only place that reads the environment or prints."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper

BROKEN_PIPE = 141  # what a shell tells of a process whose reader went away


def main() -> None:
    """The console script. What is asked for most, ``get SLUG[@TAG]`` and ``--help``, is answered without a parser."""
    arguments = sys.argv[1:]
    try:
        code = _answer(arguments)
    except BrokenPipeError:
        code = BROKEN_PIPE
    if code == BROKEN_PIPE:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # so that the interpreter's own last flush is quiet
    raise SystemExit(code)


def _answer(arguments: list[str]) -> int:
    answer = _without_parser(arguments)
    if answer is not None:
        sys.stdout.buffer.write(answer)
        sys.stdout.flush()
        return 0
    from promptstore.cli.run import run

    _speak_utf8()
    return run(arguments)


def _speak_utf8() -> None:
    """Prompts are UTF-8 whatever the locale; a file name that is no text is shown escaped (in JSON, too, correctly)."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def _without_parser(arguments: list[str]) -> bytes | None:
    start, rest = (arguments[1], arguments[2:]) if arguments[:1] == ["-C"] and len(arguments) > 1 else (".", arguments)
    if len(rest) == 2 and rest[0] == "get" and not rest[1].startswith("-"):
        from promptstore.store.quick import quick_text

        return quick_text(start, rest[1])
    if arguments in (["--help"], ["-h"]):
        from promptstore.cli.commands import help_text

        return help_text().encode()
    return None
