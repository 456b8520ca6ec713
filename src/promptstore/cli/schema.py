"""``promptstore schema``."""

from __future__ import annotations

from promptstore.cli.app import App
from promptstore.cli.framework import command


@command("schema", "promptstore schema > prompt.schema.json")
def schema(app: App) -> None:
    """Print the JSON Schema of prompt files, for editors."""
    from promptstore.model.schema import prompt_schema

    app.emit(prompt_schema())
