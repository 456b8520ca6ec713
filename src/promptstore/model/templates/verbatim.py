"""The format ``none``: the text is not a template."""

from __future__ import annotations

from collections.abc import Mapping


def render(template: str, variables: Mapping[str, object], strict: bool) -> str:  # noqa: ARG001 - the formats' one shape
    """The text itself."""
    return template


def variables(template: str) -> tuple[str, ...]:  # noqa: ARG001 - the formats' one shape
    """None: a verbatim text asks for nothing."""
    return ()


def check(template: str) -> None:
    """Nothing is wrong with a text that is no template."""
