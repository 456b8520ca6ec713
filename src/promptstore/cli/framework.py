"""Click, bent to our needs: commands loaded when they are called, ``--json`` on each, one example in every help."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from promptstore.cli.commands import COMMANDS, HIDDEN, help_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from promptstore.cli.app import App

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class Command(click.Command):
    """A command with ``--json`` and an example."""

    def __init__(self, *arguments: Any, example: str = "", **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.example = example
        self.params.append(click.Option(["--json", "json"], is_flag=True, help="Print one JSON document."))

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's own signature
        if self.example:
            with formatter.section("Example"):
                formatter.write_text(self.example)

    def invoke(self, ctx: click.Context) -> Any:
        app: App = ctx.obj
        app.json = bool(ctx.params.pop("json", False)) or app.json
        return super().invoke(ctx)


class LazyGroup(click.Group):
    """The commands of the table, each imported only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's own signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's own signature
        entry = COMMANDS.get(cmd_name) or HIDDEN.get(cmd_name)
        if entry is None:
            return None
        module, _, name = entry.target.partition(":")
        command: click.Command = getattr(import_module(f"promptstore.cli.{module}"), name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in {*COMMANDS, *HIDDEN} and not args[0].startswith("-"):
            raise click.UsageError(f"there is no command '{args[0]}'{_nearest(args[0])}", ctx)
        return super().resolve_command(ctx, args)

    def get_help(self, ctx: click.Context) -> str:  # noqa: ARG002 - click's own signature
        return help_text().rstrip("\n")


def _nearest(word: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(word, COMMANDS, 1)
    return f"; did you mean '{near[0]}'?" if near else ""


def command(name: str, example: str, **options: Any) -> Callable[[Callable[..., int | None]], Command]:
    """Make a function that takes the App first a command."""

    def decorate(function: Callable[..., int | None]) -> Command:
        made = click.command(name, cls=Command, example=example, context_settings=CONTEXT, **options)
        return made(click.pass_obj(function))

    return decorate
