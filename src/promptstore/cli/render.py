"""``promptstore render``: fill in the variables."""

from __future__ import annotations

from typing import Any

import click

from promptstore.cli.app import App
from promptstore.cli.framework import command
from promptstore.errors import NotFound, UsageError, Where


@command("render", "promptstore render support/summarizer@production -v ticket='It is broken'")
@click.argument("address", metavar="SLUG[@REV]")
@click.option("-v", "--var", "pairs", metavar="NAME=VALUE", multiple=True, help="A variable; may be given often.")
@click.option("--vars", "file", metavar="FILE", help="A JSON or YAML file of variables.")
def render(app: App, address: str, pairs: tuple[str, ...], file: str | None) -> None:
    """Print a prompt's messages with the variables filled in. A missing variable is an error that names it."""
    from promptstore.model.prompt_file import PromptFile
    from promptstore.model.rendering import render as rendered
    from promptstore.store.address import WORKING, parse_address

    variables = {**(_file(app.path(file)) if file else {}), **_pairs(pairs)}
    asked = parse_address(address)
    with app.store() as store:
        working = asked.rev == WORKING
        facts = store.working_facts(asked.slug) if working else store.facts(store.locate(asked))
    result = rendered(PromptFile.model_validate(facts.data), variables)
    chat = facts.data.get("messages") is not None
    if app.json:
        app.emit({"messages": result} if chat else {"content": result})
    else:
        _print(app, result)


def _pairs(pairs: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise UsageError(f"'{pair}' is no NAME=VALUE", hint="write -v name=value")
        found[name] = value
    return found


def _file(path: str) -> dict[str, Any]:
    import json

    from promptstore.model.yaml.nodes import plain
    from promptstore.model.yaml.reader import read

    try:
        with open(path, encoding="utf-8") as opened:
            text = opened.read()
        content = json.loads(text) if path.endswith(".json") else plain(read(text, path))
    except OSError as error:
        told = f"the file of variables cannot be read: {error.strerror}"
        raise NotFound(told, where=Where(path=path), hint="give --vars a JSON or YAML file") from None
    except ValueError as error:
        kind = "UTF-8" if isinstance(error, UnicodeDecodeError) else "JSON"
        raise UsageError(f"not {kind}: {error}", where=Where(path=path), hint="mend the file") from None
    if not isinstance(content, dict):
        raise UsageError("a file of variables holds one object", where=Where(path=path), hint='such as {"name": "Ann"}')
    return content


def _print(app: App, result: Any) -> None:
    if isinstance(result, str):
        app.write(result if result.endswith("\n") else result + "\n")
        return
    for message in result:
        if not isinstance(message, dict) or "role" not in message:
            app.write(_text(message) + "\n")
            continue
        app.write(app.styled(f"[{message['role']}]", "bold") + "\n")
        app.write(_text(message.get("content")) + "\n")


def _text(content: Any) -> str:
    import json

    if isinstance(content, str):
        return content
    return "" if content is None else json.dumps(content, ensure_ascii=False, indent=2)
