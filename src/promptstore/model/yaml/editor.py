"""Change what a prompt file says and leave every other byte as it is: comments, quotes, order, line ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from promptstore.errors import InvalidPrompt
from promptstore.model.yaml.comments import leaves
from promptstore.model.yaml.formatter import format_text
from promptstore.model.yaml.nodes import Scalar, plain, same
from promptstore.model.yaml.reader import BOM, read
from promptstore.model.yaml.restyle import header_end
from promptstore.model.yaml.splicer import splice
from promptstore.model.yaml.splices import CannotSpliceError, Splice, apply
from promptstore.model.yaml.writer import check_writable, means, write

_COARSER = (4, 3, 2, 1)


def edit(text: str, new: Mapping[str, Any]) -> str:
    """The text that means ``new`` and differs from ``text`` only where the meaning does.

    What is returned was read again and means exactly ``new``. Raises InvalidPrompt where ``text`` is not a readable
    prompt file or ``new`` cannot be written.
    """
    check_writable(new)
    new = dict(new)
    if same(plain(read(text)), new):
        return text
    mark = BOM if text.startswith(BOM) else ""
    body = text[len(mark) :]
    windows = "\r\n" in body and body.count("\r\n") == body.count("\n")
    unix = body.replace("\r\n", "\n") if windows else body
    done = _edited(unix, new)
    return mark + (done.replace("\n", "\r\n") if windows else done)


def _edited(text: str, new: Mapping[str, Any]) -> str:
    for attempt in _attempts(text, new):
        try:
            made = attempt()
        except (CannotSpliceError, InvalidPrompt):
            continue
        for candidate in (made, f"{made}\n") if made is not None else ():
            if means(candidate, new):
                return _same_ending(text, candidate, new)
    return write(new)


def _attempts(text: str, new: Mapping[str, Any]) -> Iterator[Callable[[], str | None]]:
    """Ways to edit, the one that keeps most of the text first."""
    yield lambda: splice(text, read(text), new)
    yield lambda: _after_closed_block(text, new)
    for depth in _COARSER:
        yield lambda depth=depth: splice(text, read(text), new, depth)  # type: ignore[misc]
    yield lambda: _by_canonical_layout(text, new)


def _after_closed_block(text: str, new: Mapping[str, Any]) -> str:
    """For a file that ends within a block scalar: the block says itself that no line break follows."""
    *_, last = leaves(read(text))
    if not isinstance(last.node, Scalar) or last.node.style not in ("literal", "folded"):
        raise CannotSpliceError
    closed = apply(text, [Splice(header_end(text, last.node), header_end(text, last.node), "-")]) + "\n"
    return splice(closed, read(closed), new)


def _by_canonical_layout(text: str, new: Mapping[str, Any]) -> str:
    canonical = format_text(text)
    return splice(canonical, read(canonical), new)


def _same_ending(old: str, made: str, new: Mapping[str, Any]) -> str:
    """A text without a last line break stays so, where the meaning allows."""
    if old.endswith("\n") or not made.endswith("\n"):
        return made
    shorter = made.removesuffix("\n")
    return shorter if means(shorter, new) else made
