"""From an argument list to an exit code."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from promptstore.cli import BROKEN_PIPE
from promptstore.cli.app import App, ReaderGone
from promptstore.cli.framework import CONTEXT, LazyGroup

if TYPE_CHECKING:
    from collections.abc import Sequence


@click.group(cls=LazyGroup, context_settings=CONTEXT, no_args_is_help=False)
@click.version_option(package_name="promptstore", message="promptstore %(version)s")
@click.option("-C", "directory", metavar="DIR", default=".", help="Run as if started in DIR.")
@click.option("--json", "json", is_flag=True, help="Print one JSON document.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but the answer.")
@click.option("-v", "--verbose", count=True, help="Tell more about what is done.")
@click.option(
    "--color", type=click.Choice(["auto", "always", "never"]), default="auto", is_flag=False, flag_value="always"
)
@click.pass_context
def cli(context: click.Context, directory: str, json: bool, quiet: bool, verbose: int, color: str) -> None:
    """Prompts as files in git, in two-way sync with the vendors you edit and deploy them in.

    Example: promptstore get support/summarizer@production
    """
    if not os.path.isdir(directory):
        raise click.UsageError(f"there is no folder '{directory}'")
    context.obj = App(directory, json, quiet, verbose, color)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command line; the exit code is the interface's (0, 1, 2, 3, 4, 75)."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    options = given[: given.index("--")] if "--" in given else given
    try:
        code = cli.main(given, prog_name="promptstore", standalone_mode=False)
        sys.stdout.flush()
    except (BrokenPipeError, ReaderGone):
        return BROKEN_PIPE
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the edge: everything becomes two lines
        from promptstore.cli.failure import report

        return report(error, as_json="--json" in options, verbose="-v" in options or "--verbose" in options)
    return code if isinstance(code, int) else 0
