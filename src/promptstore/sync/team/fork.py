"""A fork is another repository with the same config: it must not publish to the workspaces of the original."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from promptstore.errors import OriginRefuses, Where
from promptstore.sync.team.lead import Alone

_SCP = re.compile(r"^(?:[^/@]+@)?(?P<host>[^/:]+):(?P<path>[^/].*)$")


def place_of(url: str) -> str:
    """What a git URL names, however it is reached: ``github.com/acme/prompts``, or a path on this machine."""
    scp = _SCP.match(url) if "://" not in url else None
    if scp:
        host, path = scp["host"], scp["path"]
    elif "://" in url:
        parts = urlsplit(url)
        host, path = parts.hostname or "", parts.path
    else:
        host, path = "", url
    path = path.rstrip("/").removesuffix(".git")
    return f"{host.lower()}/{path.lstrip('/')}" if host else path


def is_same(url: str, other: str) -> bool:
    """Whether two URLs (the tracked one may leave the scheme out) name one repository."""
    return _bare(place_of(url)) == _bare(place_of(other))


def _bare(place: str) -> str:
    return place.lstrip("/")


class Fork(Alone):
    """The lead in a clone of another repository than the config names: there is none."""

    shared = True

    def __init__(self, remote: str, url: str, named: str) -> None:
        self._remote = remote
        self._url = url
        self._named = named

    def check(self, remote: str) -> None:  # noqa: ARG002 - the protocol's
        raise OriginRefuses(
            f"{self._remote} is {place_of(self._url)}, not {self._named}: a fork publishes nothing",
            where=Where(remote=self._remote),
            hint="in a repository of your own: change `url` below [git] in .promptstore.toml, and its remotes",
        )

    def take(self, remote: str) -> None:
        self.check(remote)
