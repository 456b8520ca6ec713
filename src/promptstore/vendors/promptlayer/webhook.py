"""PromptLayer's webhooks: whether one was signed with our secret."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping

HEADER = "x-promptlayer-signature"


def signed(headers: Mapping[str, str], body: bytes, secret: str) -> bool:
    """Whether ``X-PromptLayer-Signature`` is the hex HMAC-SHA256 of the body under ``secret``.

    By PromptLayer's documentation ("Webhooks") the payload is serialised anew, with sorted keys and Python's default
    separators and escapes; its published verifiers disagree on text that is not ASCII. So that form counts, the same
    without escapes, the compact one, and the bytes as they came. ``headers`` have lower-case names.
    """
    given = headers.get(HEADER, "").strip().lower().removeprefix("sha256=").encode("utf-8", "replace")
    key = secret.encode()
    fitting = [hmac.compare_digest(_mac(key, form), given) for form in _forms(body)]
    return any(fitting)


def _mac(key: bytes, text: bytes) -> bytes:
    return hmac.new(key, text, hashlib.sha256).hexdigest().encode()


def _forms(body: bytes) -> Iterator[bytes]:
    yield body
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        return
    for ascii_only in (True, False):
        for separators in (None, (",", ":")):
            text = json.dumps(payload, sort_keys=True, ensure_ascii=ascii_only, separators=separators)
            yield text.encode("utf-8", "surrogatepass")
