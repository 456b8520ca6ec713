"""The reference part of docs/cli.md, made from the commands themselves.

Run ``python tests/docs/cli_reference.py`` to bring the page up to date; a test fails while it is not.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path

import click

from promptstore.cli.commands import COMMANDS
from promptstore.cli.framework import LazyGroup

PAGE = Path(__file__).parents[2] / "docs" / "cli.md"
START, END = "<!-- reference: made by tests/docs/cli_reference.py -->\n", "<!-- end of reference -->\n"
EVERYWHERE = {"--json", "--help"}


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command with its full name, groups before what is in them."""
    group = LazyGroup()
    context = click.Context(group)
    for name in COMMANDS:
        command = group.get_command(context, name)
        assert command is not None
        yield name, command
        if isinstance(command, click.Group):
            for child in command.list_commands(context):
                found = command.get_command(context, child)
                assert found is not None
                yield f"{name} {child}", found


def reference() -> str:
    """The whole part, with a heading a section."""
    lines: list[str] = []
    section = ""
    for name, command in commands():
        entry = COMMANDS.get(name)
        if entry is not None and entry.section != section:
            section = entry.section
            lines += [f"### {section}", ""]
        lines += _command(name, command)
    return "\n".join(lines)


def _command(name: str, command: click.Command) -> list[str]:
    lines = [f"#### `promptstore {name}`", "", f"`{_usage(name, command)}`", "", _prose(command), ""]
    rows = [_row(option) for option in _options(command)]
    if rows:
        lines += ["| option | |", "|---|---|", *rows, ""]
    example = getattr(command, "example", "")
    return [*lines, "```sh", example, "```", ""] if example else lines


def _usage(name: str, command: click.Command) -> str:
    if isinstance(command, click.Group):
        return f"promptstore {name} COMMAND"
    words = [_metavar(param) for param in command.params if isinstance(param, click.Argument)]
    return " ".join(["promptstore", name, *(["[OPTIONS]"] if _options(command) else []), *words])


def _metavar(argument: click.Argument) -> str:
    shown = argument.metavar or (argument.name or "").upper()
    return shown if argument.required or shown.startswith("[") else f"[{shown}]"


def _prose(command: click.Command) -> str:
    text = inspect.cleandoc(command.help or "").split("\n\n")
    kept = [" ".join(part.split()) for part in text if not part.startswith("Example:")]
    return "\n\n".join(kept)


def _options(command: click.Command) -> list[click.Option]:
    options = [param for param in command.params if isinstance(param, click.Option)]
    return [option for option in options if not EVERYWHERE & set(option.opts)]


def _row(option: click.Option) -> str:
    value = "" if option.is_flag or option.count else f" {option.metavar or option.type.name.upper()}"
    default = f" Default: `{option.default}`." if option.show_default else ""
    return f"| `{', '.join(option.opts)}{value}` | {option.help}{default} |"


def updated(page: str) -> str:
    """The page with the reference of these commands in it."""
    before, rest = page.split(START, 1)
    return before + START + "\n" + reference() + "\n" + END + rest.split(END, 1)[1]


if __name__ == "__main__":
    PAGE.write_text(updated(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
