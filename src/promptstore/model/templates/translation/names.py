"""Which names mean the same in which format."""

from __future__ import annotations

import re
import unicodedata

from promptstore.model.templates.translation.tree import Origin, Path, Untranslatable

_PLAIN = re.compile(r"\w(?:[\w -]*\w)?")

_WORDS = frozenset(
    {"true", "false", "none", "null", "True", "False", "None", "and", "or", "not", "in", "is", "if", "else"}
)
# Names that an engine gives itself: what they print when nobody gives them is no empty text.
_ENGINES = frozenset({"loop", "self", "super", "caller", "varargs", "kwargs", "range", "dict", "lipsum", "cycler"})
_OBJECTS = frozenset({"constructor", "toString", "toLocaleString", "valueOf", "hasOwnProperty", "isPrototypeOf"})
_TAKEN = _WORDS | _ENGINES | _OBJECTS | {"joiner", "namespace", "propertyIsEnumerable"}
# What a map has of its own in Python or JavaScript: `a.items` is a method in one and a value in the other.
_MEMBERS = _OBJECTS | {"length", "size", "propertyIsEnumerable"} | frozenset(dir(dict))

_RENAME = "rename the variable: letters, digits and underscores mean the same everywhere"


def plain_name(path: Path, origin: Origin) -> str:
    """A path as the name of an f-string field. Raises Untranslatable."""
    if len(path) > 1:
        raise Untranslatable(origin, "asks for a part of a value, and f-strings have flat names", "use jinja2")
    name = path[0]
    if not _PLAIN.fullmatch(name) or name.isdecimal():
        raise Untranslatable(origin, "has a name that f-strings cannot hold", _RENAME)
    return name


def dotted_name(path: Path, origin: Origin) -> str:
    """A path as a name of mustache. Raises Untranslatable."""
    if not all(_PLAIN.fullmatch(segment) for segment in path):
        raise Untranslatable(origin, "has a name that mustache cannot hold", _RENAME)
    return ".".join(path)


def expression_name(path: Path, origin: Origin) -> str:
    """A path as an expression that jinja2 and nunjucks read alike. Raises Untranslatable."""
    first, *members = path
    if not _is_identifier(first) or first in _TAKEN or first.startswith("__"):
        raise Untranslatable(origin, f"has a name ({first!r}) that is none in jinja2 and nunjucks", _RENAME)
    for member in members:
        if not _is_identifier(member) or member in _MEMBERS or member.startswith("_"):
            problem = f"asks for {member!r}, which jinja2 and nunjucks do not look up alike"
            raise Untranslatable(origin, problem, "give it as a variable of its own")
    return ".".join(path)


def _is_identifier(name: str) -> bool:
    # jinja2 makes Python names of its variables, and Python takes names for one that Unicode calls compatible.
    return name.isidentifier() and unicodedata.normalize("NFKC", name) == name
