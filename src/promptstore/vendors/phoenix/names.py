"""Phoenix's names and ids, and how they stand for slugs, versions and tags.

A name (of a prompt or of a tag) matches ``[a-z0-9]([_a-z0-9-]*[a-z0-9])?`` (Phoenix's OpenAPI: ``Identifier``). Ids are
those of Relay: base64 of ``Type:number``; the numbers of one type only grow, across all prompts.
"""

from __future__ import annotations

import base64
import binascii
import re

NAME_RULE = "lower-case letters, digits, '-' and '_', with a letter or digit at both ends"

_NAME = re.compile(r"[a-z0-9]([_a-z0-9-]*[a-z0-9])?")
_LEVEL = "--"


def is_name(text: str) -> bool:
    """Whether Phoenix takes the text as the name of a prompt or of a tag."""
    return _NAME.fullmatch(text) is not None


def name_of(slug: str) -> str:
    """The name of a slug: ``--`` between its levels, ``-`` for dots."""
    return slug.replace("/", _LEVEL).replace(".", "-").rstrip("-_")


def path_of(name: str) -> str:
    """The slug that a name stands for, where a slug was the beginning of it; not checked to be one."""
    return name.replace(_LEVEL, "/")


def gid(kind: str, number: int) -> str:
    """The id of an object."""
    return base64.b64encode(f"{kind}:{number}".encode()).decode()


def number_in(text: str, kind: str) -> int | None:
    """The number in an id of that kind; None for anything else."""
    try:
        name, _, number = base64.b64decode(text, validate=True).decode("ascii").partition(":")
    except (binascii.Error, ValueError):
        return None
    return int(number) if name == kind and number.isdigit() and len(number) < 20 else None


def version_order(version: str) -> int:
    """What versions are ordered by."""
    return number_in(version, VERSION) or 0


PROMPT = "Prompt"
VERSION = "PromptVersion"
TAG = "PromptVersionTag"
