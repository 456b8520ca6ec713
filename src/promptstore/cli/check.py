"""``promptstore check``: validate prompt files."""

from __future__ import annotations

from typing import Any

import click

from promptstore.cli.app import App
from promptstore.cli.files import PromptPath, prompt_paths
from promptstore.cli.framework import command


@command("check", "promptstore check prompts/support")
@click.argument("paths", metavar="[PATH]...", nargs=-1)
def check(app: App, paths: tuple[str, ...]) -> int:
    """Validate prompt files of the work tree and the templates in them; exit 1 when any has a problem."""
    with app.store() as store:
        found = prompt_paths(app, store, paths)
        problems = [problem for path in found for problem in _problems(path)]
    if app.json:
        app.emit({"problems": problems})
    else:
        _print(app, problems, len(found))
    return 1 if problems else 0


def _print(app: App, problems: list[dict[str, Any]], count: int) -> None:
    for problem in problems:
        place = ":".join(str(problem[key]) for key in ("path", "line", "column"))
        app.write(f"{app.styled(place, 'bold')}: {problem['message']}\n")
        if problem["hint"]:
            app.write(f"  hint: {problem['hint']}\n")
    if not problems:
        app.say(f"{count} prompt{'' if count == 1 else 's'}: no problems")


def _problems(path: PromptPath) -> list[dict[str, Any]]:
    from promptstore.model.reading import problems
    from promptstore.model.template_problems import template_problems

    if path.problem:
        return [_row(path.path, 1, 1, path.problem, path.hint)]
    with open(path.file, "rb") as file:
        text = file.read()
    return [
        _row(path.path, error.where.line or 1, error.where.column or 1, error.message, error.hint)
        for error in problems(text, path.path) or template_problems(text, path.path)
    ]


def _row(path: str, line: int, column: int, message: str, hint: str) -> dict[str, Any]:
    return {"path": path, "line": line, "column": column, "message": message, "hint": hint}
