"""Translation of template formats that keeps what a template renders.

A text is read into a small tree that all formats share (``translation.tree``) and written in the other format. What is
promised: with the same variables, all of them given, both texts render the same, character by character, wherever

- what is printed, compared or changed by a filter is a text (printed: also a whole number), since the formats write
  null, true, fractions and lists each in its own way;
- what is looped over or joined is a list;
- what is tested by ``if`` is a text, a number, true or false, since an empty list counts as true in nunjucks.

Nothing is HTML-escaped: mustache is written ``{{{x}}}``, which no engine escapes. Comments are not carried over. What
has been translated there and back stays as it is from then on.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from promptstore.errors import TemplateError
from promptstore.model.templates.translation.tree import Nodes, Text, Untranslatable, live, unreadable

if TYPE_CHECKING:
    from promptstore.model.parts import TemplateFormat


@lru_cache(maxsize=1024)
def translate(text: str, source: TemplateFormat, target: TemplateFormat) -> str:
    """The template ``text`` of the format ``source``, in the format ``target``.

    Raises Untranslatable, naming the construct and its line and column, where nothing in ``target`` means the same.
    """
    return text if source == target else _written(_read(text, source), target)


def _read(text: str, source: TemplateFormat) -> Nodes:
    try:
        return _parsed(text, source)
    except Untranslatable:
        raise
    except TemplateError as problem:
        raise unreadable(text, problem) from problem


def _parsed(text: str, source: TemplateFormat) -> Nodes:
    if source == "none":
        return (Text(text),) if text else ()
    if source == "f-string":
        from promptstore.model.templates.translation import read_f_string

        return read_f_string.read(text)
    if source == "mustache":
        from promptstore.model.templates.translation import read_mustache

        return read_mustache.read(text)
    from promptstore.model.templates.translation import read_jinja

    return read_jinja.read(text, source)


def _written(nodes: Nodes, target: TemplateFormat) -> str:
    if target == "none":
        return _verbatim(nodes)
    if target == "f-string":
        from promptstore.model.templates.translation import write_f_string

        return write_f_string.write(nodes)
    if target == "mustache":
        from promptstore.model.templates.translation import write_mustache

        return write_mustache.write(nodes)
    from promptstore.model.templates.translation import write_jinja

    return write_jinja.write(nodes, target)


def _verbatim(nodes: Nodes) -> str:
    for node in live(nodes):
        raise Untranslatable(node.origin, "is filled in, and a text of the format none is not", "keep its format")
    return "".join(node.text for node in nodes if isinstance(node, Text))


__all__ = ["Untranslatable", "translate"]
