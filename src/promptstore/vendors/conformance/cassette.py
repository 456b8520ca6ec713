"""What a vendor answered, as data that can be kept and shown: no keys, no cookies, no tokens, no e-mail addresses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from promptstore.vendors.answers import parsed
from promptstore.vendors.conformance.recorder import MAX_KEPT, Exchange

HIDDEN = "***"

_KEPT_HEADERS = frozenset(
    {"content-type", "content-length", "date", "etag", "cache-control", "age", "vary", "retry-after", "server"}
)
_KEPT_BEGINNINGS = ("ratelimit", "x-ratelimit", "x-rate-limit")
_EMAIL = re.compile(r"[\w.+%-]+(?:@|%40)[\w-]+(?:\.[\w-]+)+")
_SECRET_NAME = re.compile(r"(?i)token|secret|passw|api[-_ ]?key|authori[sz]ation|cookie|credential|signature|session")
_SECRET_TEXT = re.compile(
    r"eyJ[\w-]{8,}\.[\w-]+\.[\w-]*"  # JSON web tokens
    r"|\b(?:sk|pk|pl|bt|rk|ghp|xox[abp])[-_][\w-]{16,}"
    r"|(?i:bearer|basic) [\w.~+/=-]{8,}"
)


def cassette(exchanges: Iterable[Exchange], secrets: Iterable[str | None]) -> list[dict[str, Any]]:
    """The exchanges in order; of headers only those that are known to be harmless."""
    clean = _Cleaner(secrets)
    return [_kept(exchange, clean) for exchange in exchanges]


def _kept(exchange: Exchange, clean: _Cleaner) -> dict[str, Any]:
    sent = {"method": exchange.method, "url": clean.text(str(exchange.url))}
    request = {**sent, **_body(exchange.request_body, exchange.request_headers, clean)}
    if not exchange.status:
        return {"request": request, "error": exchange.error}
    headers = {name: clean.text(value) for name, value in exchange.headers.items() if _harmless(name)}
    body = _body(exchange.body, exchange.headers, clean) if exchange.whole else {"cut": f"more than {MAX_KEPT} bytes"}
    return {"request": request, "response": {"status": exchange.status, "headers": headers, **body}}


def _harmless(name: str) -> bool:
    return name in _KEPT_HEADERS or name.startswith(_KEPT_BEGINNINGS)


def _body(body: bytes, headers: Mapping[str, str], clean: _Cleaner) -> dict[str, Any]:
    """JSON as its value, text as text, and of everything else only its size."""
    if not body:
        return {}
    if headers.get("content-encoding", "identity") != "identity":
        return {"cut": f"{len(body)} bytes, encoded"}
    try:
        return {"json": clean.value(parsed(body))}
    except ValueError:
        return {"text": clean.text(body.decode("utf-8", "replace"))}


class _Cleaner:
    """Takes out the secrets that are known, and what looks like one."""

    def __init__(self, secrets: Iterable[str | None]) -> None:
        known = {form for secret in secrets if secret for form in (secret, quote(secret, safe=""))}
        self._known = sorted(known, key=len, reverse=True)

    def text(self, text: str) -> str:
        for secret in self._known:
            text = text.replace(secret, HIDDEN)
        return _SECRET_TEXT.sub(HIDDEN, _EMAIL.sub("<e-mail>", text))

    def value(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.value(item) for item in value]
        if isinstance(value, dict):
            return {self.text(key): self._member(key, item) for key, item in value.items()}
        return value

    def _member(self, key: str, item: Any) -> Any:
        """What a key that speaks of secrets holds is one, where it is a text: ``max_tokens`` is a number."""
        return HIDDEN if isinstance(item, str) and item and _SECRET_NAME.search(key) else self.value(item)
