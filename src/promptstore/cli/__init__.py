"""The command line: one file a command. The only place that reads the environment or prints."""

from __future__ import annotations


def main() -> None:
    """The console script."""
    from promptstore.cli.run import run

    raise SystemExit(run())
