"""Calls as Braintrust answers them: what is not there is a 400 or a 403 in words, and one read is a POST."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from promptstore.errors import AuthError, RemoteError, RemoteMissing, RemoteRejected, RemoteUnreachable, WriteInDoubt
from promptstore.vendors.http import TRIES, Http, Timing

_ABSENT = re.compile(r"\bMissing \w+ access to \w+ id \S+, or the \w+ does not exist")
_FORBIDDEN = re.compile(r" answered 403 \(")


class Calls:
    """One server's API."""

    def __init__(self, http: Http, timing: Timing | None) -> None:
        self._http = http
        self._timing = timing or Timing()

    def close(self) -> None:
        self._http.close()

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> Any:
        """A read. Raises RemoteMissing where the words of the refusal say that the object does not exist."""
        try:
            return self._http.get(path, params)
        except (RemoteRejected, AuthError) as problem:
            raise as_missing(problem) from problem

    def send(self, method: str, path: str, body: Any = None) -> Any:
        """A write, sent once. Raises RemoteMissing like ``get``."""
        try:
            return self._http.send(method, path, body)
        except (RemoteRejected, AuthError) as problem:
            raise as_missing(problem) from problem

    def ask(self, path: str, question: Any) -> Any:
        """A read that is sent as a POST; nothing is written, so it may be tried again."""
        retrying = Retrying(
            sleep=self._timing.sleep,
            stop=stop_after_attempt(TRIES),
            wait=wait_exponential(multiplier=0.5, max=8),
            retry=retry_if_exception_type(RemoteUnreachable),
            reraise=True,
        )
        return retrying(self._ask_once, path, question)

    def _ask_once(self, path: str, question: Any) -> Any:
        try:
            return self._http.send("POST", path, question)
        except WriteInDoubt as problem:
            raise RemoteUnreachable(f"no answer to a question: {problem.message}", hint="try again later") from problem


def as_missing(problem: RemoteRejected | AuthError) -> RemoteError:
    """The refusal, as RemoteMissing where its words say that the object does not exist."""
    if not _ABSENT.search(problem.message):
        return problem
    return RemoteMissing(problem.message, status=problem.status if isinstance(problem, RemoteRejected) else 403)


def refused(problem: RemoteError) -> RemoteRejected | None:
    """What a refusal of one thing says, where it is no matter of the key itself; None for everything else."""
    if isinstance(problem, RemoteRejected):
        return problem
    if isinstance(problem, AuthError) and _FORBIDDEN.search(problem.message):
        return RemoteRejected(problem.message, status=403, hint=problem.hint)
    return None
