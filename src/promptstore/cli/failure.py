"""The one place where an error becomes two lines, or JSON, and an exit code."""

from __future__ import annotations

import sys

import click

from promptstore.errors import PromptStoreError, UsageError, Where

INTERRUPTED = 130


def report(error: BaseException, *, as_json: bool, verbose: bool = False) -> int:
    """Tell the user what went wrong and return the exit code."""
    if isinstance(error, click.exceptions.Abort | KeyboardInterrupt):
        return INTERRUPTED
    known = _known(error)
    if verbose and not isinstance(error, PromptStoreError | click.ClickException):
        import traceback

        traceback.print_exception(error, file=sys.stderr)
    if as_json:
        import json

        sys.stdout.write(json.dumps({"error": known.as_json()}, ensure_ascii=False, indent=2) + "\n")
    else:
        sys.stderr.write(f"error: {_line(str(known))}\nhint: {_line(known.hint) or 'see `promptstore --help`'}\n")
    return known.exit_code


def _line(text: str) -> str:
    """Words of several lines (git's, a parser's) as one."""
    return " ".join(text.split())


def _known(error: BaseException) -> PromptStoreError:
    if isinstance(error, PromptStoreError):
        return error
    if isinstance(error, click.ClickException):
        return _usage(error)
    if isinstance(error, OSError) and error.strerror:
        return _system(error)
    return PromptStoreError(
        f"internal error: {type(error).__name__}: {error}", hint="run it again with `promptstore -v ...` and report it"
    )


def _usage(error: click.ClickException) -> UsageError:
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "promptstore"
    message = error.format_message().strip().rstrip(".")
    return UsageError(message, hint=f"see `{path} --help`")


def _system(error: OSError) -> PromptStoreError:
    hints = {28: "free some disk space and run it again", 30: "make the folder writable", 13: "check the permissions"}
    where = Where(path=str(error.filename)) if error.filename else None
    hint = hints.get(error.errno or 0, "mend that and run it again")
    return PromptStoreError(error.strerror or str(error), where=where, hint=hint)
