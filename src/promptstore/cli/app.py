"""What every command needs: where to start, how to print, and the store."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from collections.abc import Mapping

    from promptstore.store.store import Store

_STYLES = {"red": "31", "green": "32", "yellow": "33", "blue": "34", "bold": "1", "dim": "2"}


class ReaderGone(Exception):
    """Nobody reads our output any more. No OSError, for click has an exit code of its own for that."""


class App:
    """One invocation of the command line."""

    def __init__(
        self, directory: str = ".", json: bool = False, quiet: bool = False, verbose: int = 0, color: str = "auto"
    ) -> None:
        self.directory = directory
        self.json = json
        self.quiet = quiet
        self.verbose = verbose
        self.color = color
        self.environ: Mapping[str, str] = os.environ
        self.out: TextIO = sys.stdout
        self.err: TextIO = sys.stderr

    def store(self, ref: str | None = None) -> Store:
        """The store that the command is about."""
        from promptstore.store.store import Store

        return Store.open(self.directory, ref=ref)

    def path(self, name: str) -> str:
        """A path from the command line, as seen from the folder the command runs in."""
        return os.path.join(self.directory, name)

    # --- printing

    def say(self, text: str = "") -> None:
        """A line of people's output; nothing with --json or -q."""
        if not self.json and not self.quiet:
            self._put(text + "\n")

    def write(self, text: str) -> None:
        """The answer itself, as it is."""
        self._put(text)

    def emit(self, document: Any) -> None:
        """The one JSON document."""
        import json

        self._put(json.dumps(document, ensure_ascii=False, indent=2) + "\n")

    def _put(self, text: str) -> None:
        try:
            self.out.write(text)
        except BrokenPipeError:
            raise ReaderGone from None

    def note(self, text: str) -> None:
        """Progress and warnings, to stderr."""
        if not self.quiet:
            self.err.write(text + "\n")

    def detail(self, text: str) -> None:
        """Progress that only -v shows."""
        if self.verbose:
            self.note(text)

    def styled(self, text: str, *styles: str) -> str:
        """Text in colour where the output takes it."""
        if not styles or not self._colored():
            return text
        codes = ";".join(_STYLES[style] for style in styles)
        return f"\x1b[{codes}m{text}\x1b[0m"

    def _colored(self) -> bool:
        if self.color != "auto":
            return self.color == "always"
        return self.out.isatty() and "NO_COLOR" not in self.environ and self.environ.get("TERM") != "dumb"
