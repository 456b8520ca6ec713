"""Environments as tags: pointers from (prompt, environment) to a version. Environments belong to the organisation and
to the larger plans; none is ever made from here.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from urllib.parse import quote

from promptstore.errors import AuthError, RemoteMissing, RemoteRejected
from promptstore.vendors.braintrust import wire
from promptstore.vendors.braintrust.calls import Calls, refused

_HINT = "environments belong to the organisation and its plan: make it in Braintrust, or leave this tag out of `tags`"


class Environments:
    """The pointers of one project's prompts, each prompt's read once a listing."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._lock = threading.Lock()
        self._some: bool | None = None
        self._pointers: dict[str, dict[str, str] | None] = {}

    def forget(self) -> None:
        """What was read belongs to an earlier look."""
        with self._lock:
            self._some, self._pointers = None, {}

    def of(self, prompts: Sequence[str]) -> dict[str, dict[str, str]] | None:
        """Prompt id -> environment -> version. A prompt that is gone is left out.

        None where the vendor does not let us see any: then nothing is known.
        """
        with self._lock:
            try:
                return self._found(prompts)
            except (RemoteRejected, AuthError) as problem:
                if refused(problem) is None:
                    raise
                return None

    def _found(self, prompts: Sequence[str]) -> dict[str, dict[str, str]]:
        if self._some is None:
            self._some = bool(wire.objects(self._calls.get("/environment")))
        if not self._some:
            return {prompt: {} for prompt in prompts}
        for prompt in prompts:
            if prompt not in self._pointers:
                self._pointers[prompt] = self._read(prompt)
        known = {prompt: self._pointers[prompt] for prompt in prompts}
        return {prompt: pointers for prompt, pointers in known.items() if pointers is not None}

    def _read(self, prompt: str) -> dict[str, str] | None:
        try:
            return self._now(prompt)
        except RemoteMissing:
            return None

    def _now(self, prompt: str) -> dict[str, str]:
        return wire.pointers(self._calls.get(_path(prompt)))

    def point(self, prompt: str, environment: str, version: str) -> None:
        """Move a pointer, and make sure that it moved. Raises RemoteRejected with the vendor's words."""
        try:
            if self._now(prompt).get(environment) == version:
                return
            self._calls.send("PUT", f"{_path(prompt)}/{quote(environment, safe='')}", {"object_version": version})
            after = self._now(prompt).get(environment)
        except (RemoteRejected, AuthError) as problem:
            raise _held(problem) from problem
        finally:
            self._stale(prompt)
        if after != version:
            message = f"Braintrust took the request, but the environment {environment!r} did not move"
            raise RemoteRejected(message, status=409, hint="look at the environment in Braintrust")

    def take_away(self, prompt: str, environment: str) -> None:
        """Delete a pointer, and make sure that it is gone. Raises RemoteRejected with the vendor's words."""
        try:
            if environment not in self._now(prompt):
                return
            self._calls.send("DELETE", f"{_path(prompt)}/{quote(environment, safe='')}")
            after = self._now(prompt)
        except (RemoteRejected, AuthError) as problem:
            raise _held(problem) from problem
        finally:
            self._stale(prompt)
        if environment in after:
            message = f"Braintrust took the request, but the prompt is still in the environment {environment!r}"
            raise RemoteRejected(message, status=409, hint="look at the environment in Braintrust")

    def _stale(self, prompt: str) -> None:
        with self._lock:
            self._some = None
            self._pointers.pop(prompt, None)


def _path(prompt: str) -> str:
    return f"/environment-object/prompt/{prompt}"


def _held(problem: RemoteRejected | AuthError) -> RemoteRejected | AuthError:
    told = refused(problem)
    return problem if told is None else RemoteRejected(told.message, status=told.status, hint=_HINT)
