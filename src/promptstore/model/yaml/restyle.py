"""A new value in the clothes of the old one: blocks stay blocks, quotes keep their kind, where that stays exact."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from promptstore.model.yaml.emitter import FLOW_WIDTH, STEP
from promptstore.model.yaml.nodes import Scalar
from promptstore.model.yaml.strings import (
    block_header,
    block_lines,
    can_block,
    can_single,
    double_quoted,
    double_quoted_lines,
    indented,
    is_plain,
    one_line,
    single_quoted,
)

FOLD_WIDTH = 80
_HEADER = re.compile(r"[|>][0-9+-]*")


class Written(NamedTuple):
    """A value as text: what stands behind its key, and the lines below (indented already)."""

    first: str
    rest: list[str]


def header_end(text: str, node: Scalar) -> int:
    """The index after the indicators of a block scalar: a comment may follow there."""
    found = _HEADER.match(text, node.start)
    return found.end() if found else node.start


def inline(old: Scalar, value: Any, *, flow: bool) -> str:
    """``value`` on one line, in the quotes of ``old`` where they are exact."""
    if not isinstance(value, str):
        return json.dumps(value)
    if old.style == "double":
        return double_quoted(value)
    if old.style == "single" and can_single(value):
        return single_quoted(value)
    if old.style == "plain" and is_plain(value, flow=flow):
        return value
    return one_line(value, flow=flow)


def restyle(text: str, old: Scalar, value: Any, column: int) -> Written:
    """``value`` in place of ``old``, whose key or dash stands in ``column`` (from 0), in block context."""
    if not isinstance(value, str):
        return Written(json.dumps(value), [])
    if old.style in ("literal", "folded") and can_block(value):
        return _block(text, old, value, column)
    several = "\n" in value
    if several and can_block(value) and not (isinstance(old.value, str) and "\n" in old.value):
        return Written(block_header(value, len(STEP)), indented(block_lines(value), " " * column + STEP))
    if several and len(value) > FLOW_WIDTH:
        first, *rest = double_quoted_lines(value)
        return Written(first, indented(rest, " " * column + STEP))
    return Written(inline(old, value, flow=False), [])


def _block(text: str, old: Scalar, value: str, column: int) -> Written:
    """A block scalar for ``value``; the lines of ``old`` that stay the same keep their bytes."""
    source = text[old.start : old.end].splitlines()[1:]
    filled = next((line for line in source if line.strip(" ")), "")
    old_header = text[old.start : header_end(text, old)]
    given = re.search("[1-9]", old_header)
    width = column + int(given[0]) if given else len(filled) - len(filled.lstrip(" "))
    width = width if width > column else column + len(STEP)
    folded = old.style == "folded" and can_fold(value)
    lines = fold(value, source) if folded else block_lines(value)
    header = block_header(value, width - column, folded=folded)
    if old_header[0] == header[0] and _same_header(old_header, header):
        header = old_header
    return Written(header, _keep_equal(source, indented(lines, " " * width), width))


def _same_header(old: str, new: str) -> bool:
    if re.search("[0-9]", new):
        return set(old) == set(new)
    return re.sub("[0-9]", "", old) == new  # an indentation indicator that is not needed may stay


def _keep_equal(source: Sequence[str], lines: list[str], width: int) -> list[str]:
    """``lines``, with those of ``source`` in place of equal ones at both ends: blank lines may hold stray spaces."""
    head = _common(source, lines, width)
    tail = _common(source[head:][::-1], lines[head:][::-1], width)
    return [*source[:head], *lines[head : len(lines) - tail], *source[len(source) - tail :]]


def _common(source: Sequence[str], lines: Sequence[str], width: int) -> int:
    count = 0
    for ours, theirs in zip(source, lines, strict=False):
        blank = not ours.strip(" ") and len(ours) <= width and not theirs
        if ours != theirs and not blank:
            break
        count += 1
    return count


def can_fold(text: str) -> bool:
    """Does folding keep ``text``? Indented lines fold by other rules, and are left to literal blocks."""
    return not re.search(r"(?:^|\n)[ \t]|[ \t](?:\n|$)", text)


def fold(text: str, source: Sequence[str] = ()) -> list[str]:
    """The lines of a folded block for ``text``, not indented; paragraphs found in ``source`` stay wrapped as there."""
    known = _paragraphs(source)
    body = text.rstrip("\n")
    lines: list[str] = []
    for number, piece in enumerate(re.split("(\n+)", body)):
        if number % 2:
            lines += [""] * len(piece)
        elif piece:
            lines += known.get(piece) or _wrap(piece)
    return lines + [""] * (len(text) - len(body) - 1)


def _paragraphs(source: Sequence[str]) -> dict[str, list[str]]:
    groups = "\n".join(line.strip(" ") for line in source).split("\n\n")
    return {" ".join(group.strip("\n").split("\n")): group.strip("\n").split("\n") for group in groups}


def _wrap(paragraph: str) -> list[str]:
    """``paragraph`` in lines of bearable width, broken only at single spaces between words."""
    lines = [""]
    for word in re.split(r"(?<=[^ ]) (?=[^ ])", paragraph):
        if lines[-1] and len(lines[-1]) + 1 + len(word) > FOLD_WIDTH:
            lines.append(word)
        else:
            lines[-1] += (" " if lines[-1] else "") + word
    return lines
