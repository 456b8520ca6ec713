"""What the server refuses before any vendor's route is asked: foreign hosts, large bodies, wrong keys, writes."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from promptstore.vendors.serving import Asked, Endpoint, Face, Refused

MAX_BODY = 32 * 1024 * 1024

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_ANYWHERE = frozenset({"0.0.0.0", "::", ""})


@dataclass(frozen=True, slots=True)
class Access:
    """Who may do what. ``key`` None lets everybody in."""

    key: str | None
    read_only: bool = False
    host: str = "127.0.0.1"

    def check_host(self, header: str | None, origin: str | None) -> None:
        """Refuse a name that is not this server's own: a web page could have pointed it here (DNS rebinding).

        Refuses a page of another site, too, which can send a form here without asking. Raises Refused.
        """
        if not self._is_own(_hostname(f"//{header}") if header else None):
            raise Refused(421, "this server does not answer to that host name")
        if origin is not None and not self._is_own(_hostname(origin)):
            raise Refused(403, "this server takes no requests from other sites")

    def _is_own(self, name: str | None) -> bool:
        if name is None:
            return False
        return name in _LOOPBACK or name == self.host.lower() or (self.host in _ANYWHERE and _is_address(name))

    def check(self, face: Face, endpoint: Endpoint, asked: Asked) -> None:
        """Raises Refused (401, 403)."""
        if self.key is not None and not any(_equal(given, self.key) for given in face.keys(asked)):
            raise Refused(401, "Invalid API key.")
        if self.read_only and endpoint.writes:
            raise Refused(403, "this server is read-only")


def _hostname(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _is_address(name: str) -> bool:
    """An address cannot be rebound, unlike a name."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _equal(given: str, key: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), key.encode("utf-8", "surrogatepass"))


async def bounded_body(chunks: AsyncIterator[bytes], announced: str | None) -> bytes:
    """The body. Raises Refused (413) as soon as it is known to be too large."""
    if announced is not None and announced.isdecimal() and int(announced[:18]) > MAX_BODY:
        raise Refused(413, "the request is too large")
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        if len(body) > MAX_BODY:
            raise Refused(413, "the request is too large")
    return bytes(body)
