"""The daemon's log: JSON lines in a file that is rotated, words on stderr, and no secret in either."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from typing import Any, TextIO

from promptstore.vendors.answers import Redaction

NAME = "promptstore.daemon"
FILE = "daemon.log"
MAX_BYTES = 1_000_000
KEPT = 3
MAX_LINE = 2_000


class Secrets(logging.Filter):
    """Takes known secrets (keys, the webhook's) and e-mail addresses out of every record."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        super().__init__()
        self._redactions = {"": Redaction(None)}
        for secret in secrets:
            self.learn(secret)

    def learn(self, secret: str | None) -> None:
        """Another secret to keep to ourselves."""
        if secret:
            self._redactions[secret] = Redaction(secret)

    def clean(self, text: str) -> str:
        for redaction in list(self._redactions.values()):
            text = redaction(text, MAX_LINE)
        return text

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        if record.exc_info:
            text += " " + logging.Formatter().formatException(record.exc_info)
        record.msg, record.args, record.exc_info, record.exc_text = self.clean(text), None, None, None
        return True


class JsonLines(logging.Formatter):
    """One JSON object a line: ``time``, ``level``, ``message`` and what the record has of ``remote``."""

    def format(self, record: logging.LogRecord) -> str:
        row = {"time": _time(record.created), "level": record.levelname.lower(), "message": record.getMessage()}
        remote = getattr(record, "remote", None)
        return json.dumps({**row, **({"remote": remote} if remote else {})}, ensure_ascii=False)


class Words(logging.Formatter):
    """One line for people."""

    def format(self, record: logging.LogRecord) -> str:
        return f"{_time(record.created)} {record.levelname.lower():<7} {record.getMessage()}"


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def open_log(folder: str, secrets: Secrets, stream: TextIO | None, *, verbose: bool = False) -> logging.Logger:
    """The log in ``folder``, readable only by its owner, and on ``stream`` where one is given."""
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, FILE)
    os.close(os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600))
    file = RotatingFileHandler(path, maxBytes=MAX_BYTES, backupCount=KEPT, encoding="utf-8")
    file.setFormatter(JsonLines())
    handlers: list[logging.Handler] = [file]
    if stream is not None:
        handlers.append(logging.StreamHandler(stream))
        handlers[-1].setFormatter(Words())
    log = logging.getLogger(NAME)
    log.handlers, log.propagate = handlers, False
    log.setLevel(logging.DEBUG if verbose else logging.INFO)
    for handler in handlers:
        handler.addFilter(secrets)
    return log


def read_log(folder: str, last: int) -> list[dict[str, Any]]:
    """The last lines, oldest first, over the rotated files."""
    rows: list[dict[str, Any]] = []
    for number in range(KEPT + 1):
        path = os.path.join(folder, FILE + (f".{number}" if number else ""))
        rows = [*_rows(path), *rows]
        if len(rows) >= last:
            break
    return rows[-last:] if last else []


def _rows(path: str) -> Iterator[dict[str, Any]]:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            lines = file.read().splitlines()
    except FileNotFoundError:
        return
    for line in lines:
        row = parse_line(line)
        if row is not None:
            yield row


class Tail:
    """What is written to the log from now on, through rotations."""

    def __init__(self, folder: str) -> None:
        self._path = os.path.join(folder, FILE)
        self._file: TextIO | None = None
        self._open(at_end=True)

    def rows(self) -> Iterator[dict[str, Any]]:
        """The lines that came since the last call."""
        yield from self._read()
        if self._was_rotated():
            self._open(at_end=False)
            yield from self._read()

    def _read(self) -> Iterator[dict[str, Any]]:
        for line in self._file or ():
            row = parse_line(line)
            if row is not None:
                yield row

    def _was_rotated(self) -> bool:
        if self._file is None:
            return os.path.exists(self._path)
        try:
            return not os.path.samestat(os.fstat(self._file.fileno()), os.stat(self._path))
        except FileNotFoundError:
            return False

    def _open(self, *, at_end: bool) -> None:
        if self._file is not None:
            self._file.close()
        try:
            self._file = open(self._path, encoding="utf-8", errors="replace")  # noqa: SIM115 - open between calls
        except FileNotFoundError:
            self._file = None
            return
        if at_end:
            self._file.seek(0, os.SEEK_END)


def parse_line(line: str) -> dict[str, Any] | None:
    """A line of the log; None for one that was torn."""
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) and {"time", "level", "message"} <= row.keys() else None
