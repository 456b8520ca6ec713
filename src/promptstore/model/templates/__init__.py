"""Template formats: one module a format behind ``render_text`` and ``variables_in``.

Nothing is ever HTML-escaped. The module of a format, and with it its library, is imported when first used.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

from promptstore.errors import TemplateError

if TYPE_CHECKING:
    from promptstore.model.parts import TemplateFormat

_MODULES = {
    "f-string": "f_string",
    "jinja2": "jinja",
    "mustache": "mustache",
    "nunjucks": "nunjucks",
    "none": "verbatim",
}


class _Format(Protocol):
    def render(self, template: str, variables: Mapping[str, object], strict: bool) -> str: ...

    def variables(self, template: str) -> tuple[str, ...]: ...

    def check(self, template: str) -> None: ...


def render_text(template: str, fmt: TemplateFormat, variables: Mapping[str, object], *, strict: bool = True) -> str:
    """The template with its variables filled in.

    Strict raises MissingVariable (a subclass with all ``names``) and TemplateError, both naming the construct and its
    line in the text. Not strict never raises, as the vendors' clients do: a missing variable is empty, and a text that
    cannot be rendered comes back as it is.
    """
    try:
        return _render(template, fmt, variables, strict)
    except TemplateError:
        if strict:
            raise
        return template


def _render(template: str, fmt: TemplateFormat, variables: Mapping[str, object], strict: bool) -> str:
    try:
        return _format(fmt).render(template, variables, strict)
    except TemplateError:
        raise
    except Exception as problem:
        # The values are the caller's own objects: their __str__ or __format__ may raise anything.
        message = f"a value cannot be rendered: {type(problem).__name__}: {problem}"
        raise TemplateError(message, hint="give plain values: text, numbers, lists and maps") from problem


def variables_in(template: str, fmt: TemplateFormat) -> tuple[str, ...]:
    """The top-level names that a template asks for, in the order of their first appearance.

    Raises TemplateError where the template cannot be read.
    """
    return _format(fmt).variables(template)


def check_text(template: str, fmt: TemplateFormat) -> None:
    """Raises TemplateFault, with its place in the text, where it cannot be rendered whatever the variables are."""
    _format(fmt).check(template)


@cache
def _format(fmt: str) -> _Format:
    return cast(_Format, import_module(f"{__name__}.{_MODULES[fmt]}"))


__all__ = ["check_text", "render_text", "variables_in"]
