"""Read a prompt file: strict YAML 1.2 core schema over the events of libyaml (or of PyYAML where libyaml is missing).

One reader for all reads, so that a file has one meaning. What parsers disagree on is refused rather than guessed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, Protocol, cast

from yaml.error import MarkedYAMLError, YAMLError
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from promptstore.errors import InvalidPrompt, Where
from promptstore.model.yaml.nodes import Entry, Mapping, Node, Scalar, Sequence, Style
from promptstore.model.yaml.scalars import FORBIDDEN, STARTS, resolve

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_BYTES = 8 * 1024 * 1024
MAX_DEPTH = 64
BOM = "\ufeff"

_FINE = bytes([9, 10, 13, *range(32, 127)])
_STYLES: dict[str | None, Style] = {
    None: "plain",
    "": "plain",
    "'": "single",
    '"': "double",
    "|": "literal",
    ">": "folded",
}
_QUOTE = "put the text in quotes, or write it as a block: key: |"
_ESCAPE = 'write the text in double quotes with an escape such as "\\u2028" or "\\x07"'
_HINTS = (
    ("'\\t'", "indent with spaces, not with tabs"),
    ("mapping values are not allowed", "put text that contains ': ' in quotes"),
    ("cannot start any token", _QUOTE),
    ("could not find expected ':'", "write 'key: value', and indent the lines of a block below its key"),
    ("block end", "check the indentation, and put text that begins with a quote, '[' or '{' in quotes"),
    ("block mapping", "check the indentation: keys that belong together begin in one column"),
    ("escape", "in double quotes write a backslash as \\\\, or use single quotes"),
    ("alphabetic or numeric", "put text that begins with '*' or '&' in quotes"),
)


class _Parser(Protocol):
    def get_event(self) -> Any: ...


def _python_parser(text: str) -> _Parser:
    from yaml.parser import Parser
    from yaml.reader import Reader
    from yaml.scanner import Scanner

    class PythonParser(Reader, Scanner, Parser):
        def __init__(self) -> None:
            Reader.__init__(self, text)
            Scanner.__init__(self)
            Parser.__init__(self)

    return PythonParser()


def _best_parser() -> Callable[[str], _Parser]:
    try:
        from yaml._yaml import CParser
    except ImportError:
        return _python_parser
    return cast("Callable[[str], _Parser]", CParser)


_new_parser = _best_parser()
_tuple = tuple.__new__  # half the cost of a named tuple's own constructor, and there are many


def read(text: bytes | str, path: str | None = None) -> Mapping:
    """Read the text of a prompt file into its tree. ``path`` only names the file in errors.

    Raises InvalidPrompt, with line, column and a hint, for whatever is not plain YAML 1.2: tags, anchors, aliases,
    merge keys, duplicate or non-text keys, several documents, numbers that JSON does not have, raw control
    characters, more than 64 levels or 8 MiB.
    """
    decoded = decode(text, path)
    shift = 1 if decoded.startswith(BOM) else 0
    body = decoded[shift:]
    _check_characters(body, path)
    return _Composer(body, path, shift).document()


def decode(text: bytes | str, path: str | None = None) -> str:
    """The characters of a file: UTF-8, of bearable size, not binary. Raises InvalidPrompt."""
    if len(text) > MAX_BYTES:
        raise InvalidPrompt(
            f"the file is larger than {MAX_BYTES // 1024 // 1024} MiB",
            where=Where(path, 1, 1),
            hint="a prompt is a text for a model; keep data elsewhere",
        )
    if isinstance(text, str):
        return text
    if b"\0" in text:
        raise InvalidPrompt("the file is binary", where=Where(path, 1, 1), hint="save it as UTF-8 text")
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError as error:
        before = text[: error.start]
        line = before.count(b"\n") + 1
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
        raise InvalidPrompt(
            "the file is not valid UTF-8", where=Where(path, line, column), hint="save it as UTF-8 text"
        ) from None


def _check_characters(text: str, path: str | None) -> None:
    if text.isascii() and not text.encode("ascii").translate(None, _FINE):
        return
    found = FORBIDDEN.search(text)
    if found is None:
        return
    before = text[: found.start()].replace("\r\n", "\n").replace("\r", "\n")
    where = Where(path, before.count("\n") + 1, len(before) - before.rfind("\n"))
    raise InvalidPrompt(f"raw character U+{ord(found[0]):04X} in the file", where=where, hint=_ESCAPE)


class _OpenMapping:
    """A mapping whose end has not come yet."""

    __slots__ = ("composer", "entries", "event", "key", "names")

    def __init__(self, event: Any, composer: _Composer) -> None:
        self.event = event
        self.composer = composer
        self.entries: list[Entry] = []
        self.names: set[str] = set()
        self.key: Scalar | None = None

    def add(self, node: Node) -> None:
        if self.key is not None:
            self.entries.append(_tuple(Entry, (self.key, node)))
            self.key = None
            return
        name = node[0]
        if type(node) is not Scalar or type(name) is not str:
            self.composer.refuse_key(node)
        if name in self.names:
            self.composer.refuse(f"duplicate key '{name}'", node, "keep one of the two")
        if name == "<<" and node.style == "plain":
            self.composer.refuse("merge keys ('<<') are not used in prompt files", node, "write the keys out")
        self.names.add(name)
        self.key = node

    def close(self, end: int) -> Mapping:
        mark, entries = self.event.start_mark, self.entries
        if not self.event.flow_style and entries:
            end = entries[-1].value.end
        elif not self.event.flow_style:
            end = mark.index
        # libyaml opens ``[a: b]``'s mapping at its key, which is where we want it
        return Mapping(
            tuple(entries),
            self.event.flow_style,
            mark.index + self.composer.shift,
            end,
            mark.line + 1,
            mark.column + 1,
        )


class _OpenSequence:
    """A sequence whose end has not come yet."""

    __slots__ = ("composer", "event", "items")

    def __init__(self, event: Any, composer: _Composer) -> None:
        self.event = event
        self.composer = composer
        self.items: list[Node] = []

    def add(self, node: Node) -> None:
        self.items.append(node)

    def close(self, end: int) -> Sequence:
        mark, items = self.event.start_mark, self.items
        if not self.event.flow_style and items:
            end = items[-1].end
        return Sequence(
            tuple(items),
            self.event.flow_style,
            mark.index + self.composer.shift,
            end,
            mark.line + 1,
            mark.column + 1,
        )


class _Composer:
    """Turns the parser's events into one tree. Keeps its own stack, so no text can exhaust Python's."""

    def __init__(self, text: str, path: str | None, shift: int) -> None:
        self.text = text
        self.path = path
        self.shift = shift
        self.next: Callable[[], Any] = _new_parser(text).get_event

    def document(self) -> Mapping:
        try:
            root = self._only_document()
        except MarkedYAMLError as error:
            self._refuse_syntax(error)
        except YAMLError as error:
            raise InvalidPrompt(str(error), where=Where(self.path, 1, 1)) from None
        if not isinstance(root, Mapping):
            self.refuse("a prompt file must be a mapping of keys to values", root, "begin with 'messages:'")
        return root

    def _only_document(self) -> Node:
        self.next()  # the stream's start
        start = self.next()
        if type(start) is StreamEndEvent:
            raise InvalidPrompt(
                "the file is empty", where=Where(self.path, 1, 1), hint="a prompt has 'messages:' or 'content:'"
            )
        if start.version or start.tags:
            self._refuse_at(
                "YAML directives are not used in prompt files", start, "remove the line that begins with '%'"
            )
        root = self._node()
        self.next()  # the document's end
        after = self.next()
        if type(after) is DocumentStartEvent:
            self._refuse_at("a second document in the file", after, "keep one prompt in one file")
        return root

    def _node(self) -> Node:
        stack: list[_OpenMapping | _OpenSequence] = []
        while True:
            event = self.next()
            kind = type(event)
            if kind is ScalarEvent:
                node: Node = self._scalar(event)
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
                node = stack.pop().close(event.end_mark.index + self.shift)
            else:
                self._open(event, kind, stack)
                continue
            if not stack:
                return node
            stack[-1].add(node)

    def _open(self, event: Any, kind: type, stack: list[_OpenMapping | _OpenSequence]) -> None:
        if kind is AliasEvent or event.anchor is not None or event.tag is not None:
            self._refuse_extras(event)
        if len(stack) >= MAX_DEPTH:
            self._refuse_at(f"nested deeper than {MAX_DEPTH} levels", event, "flatten the data")
        if kind is MappingStartEvent:
            stack.append(_OpenMapping(event, self))
        elif kind is SequenceStartEvent:
            stack.append(_OpenSequence(event, self))

    def _scalar(self, event: Any) -> Scalar:
        if event.anchor is not None or event.tag is not None:
            self._refuse_extras(event)
        mark, end, shift = event.start_mark, event.end_mark.index, self.shift
        style, value = _STYLES[event.style], event.value
        start = mark.index
        if style == "plain":
            if not value:
                start = end = self._after_text(start)
            if value[:1] in STARTS:
                value = self._resolve(value, event)
        elif style in ("literal", "folded"):
            end = block_end(self.text, start, end)
        return _tuple(Scalar, (value, style, start + shift, end + shift, mark.line + 1, mark.column + 1))

    def _after_text(self, index: int) -> int:
        # in a flow collection libyaml places an empty value after the spaces that follow its colon
        while index and self.text[index - 1] in " \t":
            index -= 1
        return index

    def _resolve(self, text: str, event: Any) -> str | int | float | bool | None:
        try:
            return resolve(text)
        except ValueError as error:
            self._refuse_at(str(error), event, "put it in quotes if it is a text")

    def refuse_key(self, node: Node) -> NoReturn:
        if isinstance(node, Scalar):
            shown = self.text[node.start - self.shift : node.end - self.shift]
            self.refuse(f"the key {shown or 'null'} is not a text", node, f'put it in quotes: "{shown}"')
        self.refuse(
            "a key must be a text, not a collection",
            node,
            "put text that begins with '{' or '[' in quotes: \"{{ x }}\"",
        )

    def refuse(self, message: str, node: Node, hint: str) -> NoReturn:
        raise InvalidPrompt(message, where=Where(self.path, node.line, node.column), hint=hint)

    def _refuse_at(self, message: str, event: Any, hint: str) -> NoReturn:
        mark = event.start_mark
        raise InvalidPrompt(message, where=Where(self.path, mark.line + 1, mark.column + 1), hint=hint)

    def _refuse_extras(self, event: Any) -> NoReturn:
        if type(event) is AliasEvent:
            self._refuse_at(f"alias '*{event.anchor}'", event, f"write the value out; {_QUOTE}")
        if event.anchor is not None:
            self._refuse_at(f"anchor '&{event.anchor}'", event, f"anchors are not used in prompt files; {_QUOTE}")
        self._refuse_at(f"tag '{event.tag}'", event, f"tags are not used in prompt files; {_QUOTE}")

    def _refuse_syntax(self, error: MarkedYAMLError) -> NoReturn:
        scanned_name = "alias" in str(error.context) or "anchor" in str(error.context)
        mark = error.context_mark if scanned_name else error.problem_mark or error.context_mark
        where = Where(self.path, mark.line + 1, mark.column + 1) if mark else Where(self.path, 1, 1)
        said = ", ".join(part for part in (error.context, error.problem) if part)
        hint = next((hint for sign, hint in _HINTS if sign in said), "check quotes and indentation")
        if error.context_mark and ("expected ',' or" in said or "end of stream" in said):
            hint = f"close what was opened on line {error.context_mark.line + 1}"
        raise InvalidPrompt(f"not valid YAML: {said}", where=where, hint=hint) from None


def block_end(text: str, start: int, end: int) -> int:
    """The end of a block scalar without its last line break, nor blank lines that do not count."""
    if text[end - 1 : end] == "\n" and text[end - 2] not in " \t\r\n" and text.find("\n", start) < end - 1:
        return end - 1
    head, *lines = text[start:end].splitlines(keepends=True)
    if "+" not in head.split("#")[0]:
        indent = next((len(line) - len(line.lstrip(" ")) for line in lines if line.strip(" \r\n")), 1 << 30)
        while lines and not lines[-1].strip(" \r\n") and len(lines[-1].rstrip("\r\n")) <= indent:
            lines.pop()
    whole = head + "".join(lines)
    return start + len(whole) - _last_break(whole)


def _last_break(text: str) -> int:
    return 2 if text.endswith("\r\n") else int(text.endswith(("\n", "\r")))
