"""The command line: one file a command. The only place that reads the environment or prints."""

from __future__ import annotations

import sys


def main() -> None:
    """The console script. What is asked for most, ``get SLUG[@TAG]`` and ``--help``, is answered without a parser."""
    arguments = sys.argv[1:]
    answer = _without_parser(arguments)
    if answer is not None:
        sys.stdout.buffer.write(answer)
        raise SystemExit(0)
    from promptstore.cli.run import run

    raise SystemExit(run(arguments))


def _without_parser(arguments: list[str]) -> bytes | None:
    start, rest = (arguments[1], arguments[2:]) if arguments[:1] == ["-C"] and len(arguments) > 1 else (".", arguments)
    if len(rest) == 2 and rest[0] == "get" and not rest[1].startswith("-"):
        from promptstore.store.quick import quick_text

        return quick_text(start, rest[1])
    if arguments in (["--help"], ["-h"]):
        from promptstore.cli.commands import help_text

        return help_text().encode()
    return None
