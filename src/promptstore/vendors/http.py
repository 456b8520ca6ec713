"""HTTP as every vendor is spoken to: reads retry, writes are sent once, and each failure says what it proves.

A read that fails for a passing reason is tried four times. A write is never repeated: refused connections and 4xx
prove that nothing was done (RemoteUnreachable, RemoteRejected), everything else that is not a whole answer leaves it in
doubt (WriteInDoubt). Keys and e-mail addresses never come into an error's text.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import cache
from typing import TYPE_CHECKING, Any

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt

from promptstore.errors import (
    AuthError,
    BadResponse,
    ConfigError,
    RemoteError,
    RemoteMissing,
    RemoteRejected,
    RemoteUnreachable,
    WriteInDoubt,
)
from promptstore.vendors.answers import MAX_WORDS, Redaction, first_words, parsed, said

if TYPE_CHECKING:
    import ssl

MAX_BODY = 32 * 1024 * 1024
MAX_ERROR_BODY = 64 * 1024
MAX_SECONDS = 120.0
MAX_RETRY_AFTER = 30.0
TRIES = 4

_TIMEOUT = httpx.Timeout(30.0, connect=10.0)
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)
_COME_BACK = frozenset({408, 425, 429})
_MOVED_UNDONE = frozenset({301, 307, 308})


@dataclass(frozen=True, slots=True)
class Timing:
    """The clock and the dice, so that tests and simulations neither wait nor differ."""

    sleep: Callable[[float], None] = time.sleep
    random: Callable[[], float] = random.random
    """A number from 0 up to 1."""
    monotonic: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: httpx.Headers
    body: bytes
    whole: bool
    """False where the body was larger than anything we take."""


class _Again(Exception):
    """A read failed in a way that may pass; ``wait`` is what the server asked for, in seconds."""

    def __init__(self, error: RemoteUnreachable, wait: float | None = None) -> None:
        super().__init__()
        self.error = error
        self.wait = wait


@cache
def _ssl_context() -> ssl.SSLContext:
    """One for all clients: making it is what costs."""
    return httpx.create_ssl_context()


class Http:
    """One vendor's server. ``headers`` carry the key; ``secret`` is the key itself, to keep it out of every text."""

    def __init__(
        self,
        title: str,
        base_url: str,
        *,
        headers: Mapping[str, str],
        secret: str | None,
        transport: httpx.BaseTransport | None = None,
        timing: Timing | None = None,
    ) -> None:
        self._title = title
        self._timing = timing or Timing()
        self._redaction = Redaction(secret)
        self._host = _checked_host(base_url)
        self._client = httpx.Client(
            base_url=base_url.rstrip("/"),
            headers={"Accept": "application/json", "User-Agent": "promptstore", **_checked_headers(title, headers)},
            timeout=_TIMEOUT,
            transport=transport,
            verify=True if transport is not None else _ssl_context(),
        )

    def __repr__(self) -> str:
        return f"Http({self._title!r}, host={self._host!r})"

    def close(self) -> None:
        self._client.close()

    def get(self, path: str, params: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None) -> Any:
        """The JSON at ``path``, tried four times where the failure may pass.

        Raises AuthError, RemoteMissing, RemoteRejected, RemoteUnreachable or BadResponse.
        """
        retrying = Retrying(
            sleep=self._timing.sleep,
            stop=stop_after_attempt(TRIES),
            wait=self._wait,
            retry=retry_if_exception_type(_Again),
            reraise=True,
        )
        try:
            return retrying(self._get_once, path, params, headers)
        except _Again as failed:
            raise failed.error from failed.__cause__

    def send(self, method: str, path: str, body: Any = None) -> Any:
        """Send a write exactly once and give the JSON answer (None where it has no body).

        Raises AuthError, RemoteMissing, RemoteRejected, RemoteUnreachable or BadResponse (a redirect) where nothing was
        done, and WriteInDoubt where that is not known.
        """
        place = f"{method} {path}"
        try:
            answer = self._exchange(method, path, json=body)
        except _NOT_SENT as problem:
            raise self._unreachable(problem, place) from problem
        except httpx.RequestError as problem:
            raise self._doubt(self._told(problem), place) from problem
        return self._outcome(answer, place)

    def _outcome(self, answer: _Answer, place: str) -> Any:
        """What the answer to a write proves."""
        if 200 <= answer.status < 300:
            try:
                return self._json(answer, place) if answer.body.strip() or not answer.whole else None
            except BadResponse as problem:
                raise self._doubt(problem.message, place) from problem
        if answer.status in _MOVED_UNDONE:
            raise self._redirected(answer, place)
        if answer.status in _COME_BACK:
            raise self._come_back(answer, place)
        if 400 <= answer.status < 500:
            raise self._refusal(answer, place)
        raise self._doubt(f"it answered {answer.status}: {self._said(answer)}", place)

    def _get_once(self, path: str, params: Mapping[str, Any] | None, headers: Mapping[str, str] | None) -> Any:
        place = f"GET {path}"
        try:
            answer = self._exchange("GET", path, params=params, headers=headers)
        except httpx.TransportError as problem:
            raise _Again(self._unreachable(problem, place)) from problem
        except httpx.RequestError as problem:
            message = f"{self._title} sent a body that cannot be decoded ({place}): {self._told(problem)}"
            raise BadResponse(message) from problem
        if answer.status in _COME_BACK or answer.status >= 500:
            raise self._again(answer, place)
        if answer.status >= 400:
            raise self._refusal(answer, place)
        if answer.status >= 300:
            raise self._redirected(answer, place)
        return self._json(answer, place)

    def _exchange(self, method: str, path: str, **options: Any) -> _Answer:
        start = self._timing.monotonic()
        with self._client.stream(method, path, **options) as response:
            cap = MAX_BODY if response.status_code < 400 else MAX_ERROR_BODY
            body, whole = self._read(response, cap, start)
            return _Answer(response.status_code, response.headers, body, whole)

    def _read(self, response: httpx.Response, cap: int, start: float) -> tuple[bytes, bool]:
        body = bytearray()
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > cap:
                return bytes(body[:cap]), False
            if self._timing.monotonic() - start > MAX_SECONDS:
                raise httpx.ReadTimeout(f"the answer took more than {MAX_SECONDS:.0f} s", request=response.request)
        return bytes(body), True

    def _json(self, answer: _Answer, place: str) -> Any:
        if not answer.whole:
            size = MAX_BODY // (1024 * 1024)
            raise BadResponse(f"{self._title} sent an answer of more than {size} MiB ({place})")
        try:
            return parsed(answer.body)
        except ValueError as problem:
            kind = answer.headers.get("content-type", "no content type")
            words = self._redaction(first_words(answer.body), MAX_WORDS)
            message = f"{self._title} sent {self._redaction(kind)} where JSON was expected ({place}): {words!r}"
            raise BadResponse(message, hint="check base_url: is a proxy or a login page answering?") from problem

    def _wait(self, state: RetryCallState) -> float:
        """What the server asked for, else 0.5, 1, 2 s, each by half to one and a half."""
        failed = state.outcome.exception() if state.outcome else None
        asked = failed.wait if isinstance(failed, _Again) else None
        backoff = 0.5 * 2.0 ** (state.attempt_number - 1) * (0.5 + self._timing.random())
        return backoff if asked is None else max(asked, 0.1 * backoff)

    def _again(self, answer: _Answer, place: str) -> _Again | RemoteUnreachable:
        error, wait = self._come_back(answer, place), self._retry_after(answer.headers)
        return error if wait is not None and wait > MAX_RETRY_AFTER else _Again(error, wait)

    def _come_back(self, answer: _Answer, place: str) -> RemoteUnreachable:
        wait = self._retry_after(answer.headers)
        hint = f"try again in {wait:.0f} s" if wait else "try again later"
        return RemoteUnreachable(f"{self._title} answered {answer.status} ({place}): {self._said(answer)}", hint=hint)

    def _retry_after(self, headers: httpx.Headers) -> float | None:
        """Seconds to wait; a date counts from the server's own clock where it tells that."""
        asked = headers.get("retry-after", "").strip()
        if re.fullmatch(r"\d{1,9}(\.\d+)?", asked):
            return float(asked)
        moment = _moment(asked)
        if moment is None:
            return None
        return max(0.0, moment - (_moment(headers.get("date", "")) or self._timing.now()))

    def _refusal(self, answer: _Answer, place: str) -> RemoteError:
        told = f"{self._title} answered {answer.status} ({place}): {self._said(answer)}"
        if answer.status in {401, 403}:
            return AuthError(told, hint="check the key, and what it may do")
        if answer.status == 404:
            return RemoteMissing(told, status=404)
        return RemoteRejected(told, status=answer.status)

    def _redirected(self, answer: _Answer, place: str) -> BadResponse:
        target = self._redaction(answer.headers.get("location", "nowhere"))
        hint = "set base_url to where the API really is; redirects are not followed"
        return BadResponse(f"{self._title} answered {answer.status}, a redirect to {target} ({place})", hint=hint)

    def _unreachable(self, problem: httpx.RequestError, place: str) -> RemoteUnreachable:
        message = f"{self._title} cannot be reached at {self._host} ({place}): {self._told(problem)}"
        return RemoteUnreachable(message, hint="check the network and base_url, then try again")

    def _doubt(self, why: str, place: str) -> WriteInDoubt:
        message = f"nobody knows whether {self._title} did the write ({place}): {why}"
        return WriteInDoubt(message, hint="it is looked for before anything is sent again")

    def _said(self, answer: _Answer) -> str:
        return self._redaction(said(answer.body))

    def _told(self, problem: Exception) -> str:
        return self._redaction(str(problem) or type(problem).__name__)


def _checked_host(base_url: str) -> str:
    try:
        url = httpx.URL(base_url)
    except httpx.InvalidURL as problem:
        raise ConfigError(
            f"base_url is not a URL: {problem}", hint="write https://host, with a path if needed"
        ) from None
    if url.scheme not in {"http", "https"} or not url.host:
        raise ConfigError("base_url is not an http or https URL", hint="write https://host, with a path if needed")
    if url.userinfo:
        raise ConfigError("base_url holds a user or a password", hint="take them out; the key has its own variable")
    return url.netloc.decode("ascii")


def _checked_headers(title: str, headers: Mapping[str, str]) -> Mapping[str, str]:
    """The headers; a value that no header can hold is refused here, where its text is not told."""
    for value in headers.values():
        if not re.fullmatch(r"[\x21-\x7e]+( [\x21-\x7e]+)*", value):
            hint = "give the key anew, without line breaks, blanks or quotes around it"
            raise AuthError(f"the key for {title} is empty or holds characters that no key has", hint=hint)
    return headers


def _moment(date: str) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp()
    except (TypeError, ValueError):
        return None
