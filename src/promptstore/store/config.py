"""``.promptstore.toml``: read, checked key by key, never guessed."""

from __future__ import annotations

import difflib
import fnmatch
import os
import posixpath
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from promptstore.errors import ConfigError, StoreNotFound, Where
from promptstore.store.quick import CONFIG_NAME

RESERVED_REMOTES = frozenset({"origin", "upstream", "head", "writing", "versions", "tag-log", "local"})

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RemoteConfig:
    """One vendor workspace as configured."""

    name: str
    vendor: str
    base_url: str | None = None
    api_key_env: str | None = None
    project: str | None = None
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    tags: tuple[str, ...] | None = None

    def covers(self, slug: str) -> bool:
        """Whether ``include`` and ``exclude`` leave this prompt to the remote."""
        wanted = not self.include or any(glob_match(slug, pattern) for pattern in self.include)
        return wanted and not any(glob_match(slug, pattern) for pattern in self.exclude)

    def covers_tag(self, tag: str) -> bool:
        return self.tags is None or tag in self.tags


@dataclass(frozen=True, slots=True)
class SyncConfig:
    integrate: str = "commit"
    delete_remote: bool = False
    settle: float = 90.0
    max_delete: float = 0.2


@dataclass(frozen=True, slots=True)
class GitConfig:
    remote: str = "origin"
    push: bool = False
    publish: str = "auto"
    url: str = ""
    """Which repository this is, as ``github.com/acme/prompts``: a clone of another one publishes nothing."""


@dataclass(frozen=True, slots=True)
class DaemonConfig:
    poll: float = 60.0
    debounce: float = 0.3
    autocommit: bool = False
    lease: float = 120.0
    webhook: str = ""
    watch: str = "auto"


@dataclass(frozen=True, slots=True)
class Config:
    """The whole file. Durations are seconds."""

    prompts: str = "prompts"
    branch: str = "main"
    remotes: Mapping[str, RemoteConfig] = field(default_factory=dict)
    sync: SyncConfig = field(default_factory=SyncConfig)
    git: GitConfig = field(default_factory=GitConfig)
    daemon: DaemonConfig = field(default_factory=DaemonConfig)
    notify: tuple[str, ...] = ()


def glob_match(slug: str, pattern: str) -> bool:
    """``support/**`` holds everything below ``support``; ``*`` stays within a segment; a bare name is itself."""
    return _glob(pattern).fullmatch(slug) is not None


def _glob(pattern: str) -> re.Pattern[str]:
    parts = re.split(r"(\*\*/|\*\*|\*|\?|\[[^]]*\])", pattern)
    meaning = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    translated = (
        meaning.get(part) or (fnmatch.translate(part)[4:-3] if part.startswith("[") else re.escape(part))
        for part in parts
    )
    return re.compile("".join(translated))


def find_root(start: str) -> str:
    """The folder at or above ``start`` that holds the config. Raises StoreNotFound."""
    folder = os.path.abspath(start)
    while not os.path.isfile(os.path.join(folder, CONFIG_NAME)):
        parent = os.path.dirname(folder)
        if parent == folder:
            raise StoreNotFound(
                f"no {CONFIG_NAME} here or in a folder above",
                where=Where(path=os.path.abspath(start)),
                hint="run `promptstore init`, or name the store with `-C DIR`",
            )
        folder = parent
    return folder


def load_config(root: str) -> Config:
    """Read the config of the store at ``root``. Raises ConfigError with file and line."""
    path = os.path.join(root, CONFIG_NAME)
    try:
        with open(path, encoding="utf-8") as file:
            return parse_config(file.read(), CONFIG_NAME)
    except UnicodeDecodeError:
        raise ConfigError("the config is no UTF-8 text", where=Where(CONFIG_NAME), hint="save it as UTF-8") from None


def parse_config(text: str, path: str = CONFIG_NAME) -> Config:
    """The config that ``text`` says. Raises ConfigError naming key, line and the nearest known key."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _syntax_error(str(error), path) from None
    return _Reader(text, path).config(data)


def _syntax_error(words: str, path: str) -> ConfigError:
    place = re.search(r"\(at line (\d+), column (\d+)\)", words)
    where = Where(path, int(place[1]), int(place[2])) if place else Where(path)
    return ConfigError(re.sub(r" \(at .*\)$", "", words), where=where, hint="mend the TOML syntax there")


def seconds(text: str) -> float:
    """``500ms``, ``90s``, ``5m``, ``6h`` as seconds. Raises ValueError."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h)", text)
    if not found:
        raise ValueError('a duration is a text of a number and ms, s, m or h, such as "90s"')
    return float(found[1]) * {"ms": 0.001, "s": 1, "m": 60, "h": 3600}[found[2]]


def _fraction(text: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)%", text)
    if not found or float(found[1]) > 100:
        raise ValueError("a share is a percentage, such as '20%'")
    return float(found[1]) / 100


class _Reader:
    """Checks the parsed TOML against what each table may hold."""

    def __init__(self, text: str, path: str) -> None:
        self._lines = text.splitlines()
        self._path = path

    def config(self, data: Mapping[str, Any]) -> Config:
        self._known(data, "", ("store", "remotes", "sync", "git", "daemon", "notify"))
        store = self._table(data, "store", ("prompts", "branch"))
        sync = self._table(data, "sync", ("integrate", "delete_remote", "settle", "max_delete"))
        git = self._table(data, "git", ("remote", "push", "publish", "url"))
        daemon = self._table(data, "daemon", ("poll", "debounce", "autocommit", "lease", "webhook", "watch"))
        notify = self._table(data, "notify", ("command",))
        return Config(
            prompts=self._folder(store),
            branch=self._text(store, "store", "branch", "main"),
            remotes=self._remotes(data.get("remotes", {})),
            sync=SyncConfig(
                self._choice(sync, "sync", "integrate", ("commit", "branch")),
                self._flag(sync, "sync", "delete_remote"),
                self._duration(sync, "sync", "settle", 90.0),
                self._parsed(sync, "sync", "max_delete", 0.2, _fraction),
            ),
            git=GitConfig(
                self._text(git, "git", "remote", "origin"),
                self._flag(git, "git", "push"),
                self._choice(git, "git", "publish", ("auto", "branch", "upstream")),
                self._text(git, "git", "url", ""),
            ),
            daemon=DaemonConfig(
                self._duration(daemon, "daemon", "poll", 60.0),
                self._duration(daemon, "daemon", "debounce", 0.3),
                self._flag(daemon, "daemon", "autocommit"),
                self._duration(daemon, "daemon", "lease", 120.0),
                self._text(daemon, "daemon", "webhook", ""),
                self._choice(daemon, "daemon", "watch", ("auto", "events", "poll")),
            ),
            notify=self._texts(notify, "notify", "command") or (),
        )

    def _remotes(self, tables: Any) -> dict[str, RemoteConfig]:
        if not isinstance(tables, dict):
            raise self._error("'remotes' holds tables: [remotes.NAME]", "remotes")
        return {name: self._remote(name, table) for name, table in tables.items()}

    def _remote(self, name: str, table: Any) -> RemoteConfig:
        place = f"remotes.{name}"
        problem = remote_name_problem(name)
        if problem or not isinstance(table, dict):
            raise self._error(problem or f"[{place}] is a table", name)
        self._no_secret(table, place)
        known = ("vendor", "base_url", "api_key_env", "project", "include", "exclude", "tags")
        self._known(table, place, known)
        if "vendor" not in table:
            raise self._error(f"[{place}] needs 'vendor'", name, hint='for example vendor = "promptlayer"')
        return RemoteConfig(
            name,
            self._text(table, place, "vendor", ""),
            self._text(table, place, "base_url", "") or None,
            self._text(table, place, "api_key_env", "") or None,
            self._text(table, place, "project", "") or None,
            self._texts(table, place, "include") or (),
            self._texts(table, place, "exclude") or (),
            self._texts(table, place, "tags"),
        )

    def _no_secret(self, table: Mapping[str, Any], place: str) -> None:
        for key in table:
            if re.fullmatch(r"(api_?)?(key|token|secret)|password|authorization", key.replace("-", "_"), re.IGNORECASE):
                raise self._error(
                    f"a key must not stand in the config ([{place}] {key})",
                    key,
                    hint="put it into the variable that api_key_env names, or run `promptstore remote login`",
                )

    def _folder(self, table: Mapping[str, Any]) -> str:
        text = self._text(table, "store", "prompts", "prompts")
        folder = posixpath.normpath(text)
        parts = folder.split("/")
        if not text or folder in {".", ".."} or text.startswith("/") or {"..", ".git"} & set(parts):
            raise self._error("'prompts' names a folder inside the store", "prompts", hint='such as "prompts"')
        return folder

    def _table(self, data: Mapping[str, Any], name: str, known: Iterable[str]) -> Mapping[str, Any]:
        table = data.get(name, {})
        if not isinstance(table, dict):
            raise self._error(f"[{name}] is a table", name)
        self._known(table, name, tuple(known))
        return table

    def _known(self, table: Mapping[str, Any], place: str, known: tuple[str, ...]) -> None:
        for key in table:
            if key not in known:
                near = difflib.get_close_matches(key, known, 1)
                hint = f"did you mean '{near[0]}'?" if near else f"known keys: {', '.join(known)}"
                raise self._error(f"unknown key '{key}'" + (f" in [{place}]" if place else ""), key, hint=hint)

    def _text(self, table: Mapping[str, Any], place: str, key: str, default: str) -> str:
        value = table.get(key, default)
        if not isinstance(value, str):
            raise self._error(f"[{place}] {key} is a text, in quotes", key)
        return value

    def _flag(self, table: Mapping[str, Any], place: str, key: str) -> bool:
        value = table.get(key, False)
        if not isinstance(value, bool):
            raise self._error(f"[{place}] {key} is true or false", key)
        return value

    def _texts(self, table: Mapping[str, Any], place: str, key: str) -> tuple[str, ...] | None:
        value = table.get(key)
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self._error(f"[{place}] {key} is a list of texts", key)
        return tuple(value)

    def _choice(self, table: Mapping[str, Any], place: str, key: str, choices: tuple[str, ...]) -> str:
        value = self._text(table, place, key, choices[0])
        if value not in choices:
            raise self._error(f"[{place}] {key} is one of {', '.join(choices)}", key)
        return value

    def _duration(self, table: Mapping[str, Any], place: str, key: str, default: float) -> float:
        return self._parsed(table, place, key, default, seconds)

    def _parsed(self, table: Mapping[str, Any], place: str, key: str, default: float, parse: Any) -> float:
        if key not in table:
            return default
        try:
            value = table[key]
            return float(parse(value if isinstance(value, str) else ""))  # no number: the unit would be a guess
        except ValueError as error:
            raise self._error(f"[{place}] {key}: {error}", key) from None

    def _error(self, message: str, key: str, hint: str = "") -> ConfigError:
        pattern = re.compile(rf"(?:^|[\[.\s]){re.escape(key)}\s*(?:=|\]|\.)")
        line = next((number for number, text in enumerate(self._lines, 1) if pattern.search(text)), None)
        column = self._lines[line - 1].find(key) + 1 if line else None
        return ConfigError(message, where=Where(self._path, line, column), hint=hint or f"mend {self._path}")


def remote_name_problem(name: str) -> str | None:
    """Say what is wrong with a remote's name, or None."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,63}", name):
        return f"{name!r} cannot name a remote: use lower-case letters, digits, '-' and '_'"
    if name in RESERVED_REMOTES:
        return f"{name!r} is a reserved word and cannot name a remote"
    return None
