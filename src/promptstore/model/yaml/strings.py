"""How a text is written: plain, quoted or as a literal block, so that every YAML reader takes it for the same text."""

from __future__ import annotations

import re

from promptstore.model.yaml.scalars import CONTROLS, FORBIDDEN

SIMPLE_KEY = 1000
"""A longer key needs the explicit form ``? key``: YAML looks only 1,024 characters ahead for its colon."""

_SAFE_START = re.compile(r"[^\s\-?:,\[\]{}#&*!|>'\"%@`<=~]")
_UNSAFE = re.compile(rf":(?:\s|$)|\s#|[\t\r\n{CONTROLS}]|^(?:---|\.\.\.)|\s$")
_FLOW_UNSAFE = re.compile(r"[,\[\]{}:?]")
_NUMBER_LIKE = re.compile(r"[-+.]?[0-9][-0-9_,.:+ eExXoOa-fA-FtTzZ]*|[-+]?\.(?:[0-9].*|inf|nan)", re.IGNORECASE)
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
"""What a YAML 1.1 reader, or a person, may take for something else than a text."""

_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0", "\x1b": "\\e", "\x07": "\\a"}
_TO_ESCAPE = re.compile(rf'[\\"\n\t\r{CONTROLS}]')


def is_plain(text: str, *, flow: bool) -> bool:
    """May ``text`` stand without quotes and mean a text to YAML 1.1 and 1.2 readers alike?"""
    return not (
        not _SAFE_START.match(text)
        or _UNSAFE.search(text)
        or text.lower() in _WORDS
        or _NUMBER_LIKE.fullmatch(text)
        or (flow and _FLOW_UNSAFE.search(text))
    )


def one_line(text: str, *, flow: bool) -> str:
    """``text`` on one line: plain where that is safe, else in the quotes that need fewer escapes."""
    if is_plain(text, flow=flow):
        return text
    single = text.count("'")
    fewer = text.count('"') + text.count("\\") > single
    return single_quoted(text) if fewer and can_single(text) else double_quoted(text)


def can_single(text: str) -> bool:
    return not re.search(rf"[\t\r\n{CONTROLS}]", text)


def single_quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def double_quoted(text: str) -> str:
    return '"' + _TO_ESCAPE.sub(_escape, text) + '"'


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    if character in _ESCAPES:
        return _ESCAPES[character]
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def double_quoted_lines(text: str) -> list[str]:
    """A double-quoted text, continued on a new line after each of its line breaks; continuations not indented yet."""
    pieces = [_TO_ESCAPE.sub(_escape, piece) for piece in re.findall(r"[^\n]*\n|[^\n]+", text)]
    rest = ["\\" + piece if piece.startswith(" ") else piece for piece in pieces[1:]]
    lines = [piece + "\\" for piece in pieces[:1] + rest]
    lines[0] = '"' + lines[0]
    lines[-1] = lines[-1][:-1] + '"'
    return lines


def can_block(text: str) -> bool:
    """Is a block scalar exact for ``text``? A lone CR, controls and texts of nothing but white space are not."""
    return "\r" not in text and bool(text.strip(" \t\n")) and not FORBIDDEN.search(text)


def block_header(text: str, indent: int, *, folded: bool = False) -> str:
    """``|``, with the indentation and chomping indicators that make it exact for ``text``."""
    body = text.lstrip("\n")
    width = str(indent) if body[:1] in (" ", "\t") else ""
    chomp = "-" if not text.endswith("\n") else "+" if text.endswith("\n\n") else ""
    return (">" if folded else "|") + width + chomp


def block_lines(text: str) -> list[str]:
    """The lines of a literal block, not indented yet. An empty line stays empty."""
    return text.removesuffix("\n").split("\n")


def indented(lines: list[str], prefix: str) -> list[str]:
    return [prefix + line if line else line for line in lines]
