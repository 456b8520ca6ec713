"""Keys and where they may go: to the vendor's own host, to loopback, or to a pair this machine has confirmed.

The config comes with the repository, so a pull request can change ``base_url`` and ``api_key_env``; the trust that
lets a key travel elsewhere is kept outside the tree.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from promptstore.errors import AuthError, ConfigError, Where
from promptstore.store.atomic import replace_file
from promptstore.store.config import RemoteConfig
from promptstore.vendors.base import Vendor

SERVICE = "promptstore"
"""The name under which the OS keyring keeps our keys."""

TRUST_VARIABLE = "PROMPTSTORE_TRUST"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a remote is reached: base URL without a trailing slash, its host (with a port that is not the default)."""

    url: str
    host: str
    secure: bool
    loopback: bool


def endpoint(config: RemoteConfig, vendor: Vendor) -> Endpoint:
    """The endpoint of a remote. Raises ConfigError for what is no http(s) URL."""
    from urllib.parse import urlsplit

    text = (config.base_url or vendor.base_url).rstrip("/")
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise ConfigError(
            f"base_url {text!r} is no plain http(s) address",
            where=Where(remote=config.name),
            hint="write it as https://host or http://127.0.0.1:PORT, with a path if need be",
        )
    name = parts.hostname.lower()
    port = parts.port
    usual = 443 if parts.scheme == "https" else 80
    host = name if port in {None, usual} else f"{name}:{port}"
    return Endpoint(text, host, parts.scheme == "https", _is_loopback(name))


def _is_loopback(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


class Trust:
    """(host, variable) pairs confirmed on this machine: in a file of the user's, and in PROMPTSTORE_TRUST for CI."""

    def __init__(self, path: str, environ: Mapping[str, str]) -> None:
        self._path = path
        self._environ = environ

    def allows(self, host: str, variable: str) -> bool:
        return (host, variable) in self._from_file() | self._from_environment()

    def confirm(self, host: str, variable: str) -> None:
        """Let this machine send the key in ``variable`` to ``host``."""
        pairs = sorted(self._from_file() | {(host, variable)})
        replace_file(self._path, "".join(f"{name}={var}\n" for name, var in pairs))

    def _from_file(self) -> set[tuple[str, str]]:
        try:
            with open(self._path, encoding="utf-8") as file:
                return _pairs(file.read().split())
        except FileNotFoundError:
            return set()

    def _from_environment(self) -> set[tuple[str, str]]:
        return _pairs(self._environ.get(TRUST_VARIABLE, "").replace(",", " ").split())


def _pairs(words: list[str]) -> set[tuple[str, str]]:
    return {(host.lower(), variable) for word in words for host, eq, variable in [word.partition("=")] if eq}


@dataclass(frozen=True, slots=True)
class Keys:
    """Finds a remote's key: the environment first, then the OS keyring."""

    environ: Mapping[str, str]
    trust: Trust
    keyring: Callable[[str], str | None]
    """Remote name -> key in the OS keyring, or None."""

    def key_for(self, config: RemoteConfig, vendor: Vendor) -> str | None:
        """The key to send, once it is sure that it may go there. Raises AuthError."""
        where = endpoint(config, vendor)
        variable = self.variable(config, vendor)
        key = self.environ.get(variable) or self.keyring(keyring_name(config, where))
        if key is None:
            if vendor.key_required:
                raise AuthError(
                    f"there is no key for {vendor.title}",
                    where=Where(remote=config.name),
                    hint=f"set {variable}, or run `promptstore remote login {config.name}`",
                )
            return None
        self._require_trust(config, vendor, where, variable)
        return key

    def variable(self, config: RemoteConfig, vendor: Vendor) -> str:
        return config.api_key_env or vendor.key_variable

    def _require_trust(self, config: RemoteConfig, vendor: Vendor, where: Endpoint, variable: str) -> None:
        if where.loopback or (where.secure and where.host in vendor.hosts):
            return
        if not self.trust.allows(where.host, variable):
            reason = "is not the vendor's own" if where.secure else "would get the key in clear text"
            raise AuthError(
                f"the key in {variable} was not sent: {where.host} {reason}, and this machine does not trust it",
                where=Where(remote=config.name),
                hint=f"if that address is right, run `promptstore remote trust {config.name}`"
                f" (in CI: {TRUST_VARIABLE}={where.host}={variable})",
            )


def keyring_name(config: RemoteConfig, where: Endpoint) -> str:
    """The keyring's name for a key: bound to the host, so that a changed base_url finds none."""
    return f"{config.name}@{where.host}"
