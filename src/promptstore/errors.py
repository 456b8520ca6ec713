"""The one tree of errors.

::

    PromptStoreError
    ├── UsageError               the command line was wrong (exit 2)
    ├── ConfigError              .promptstore.toml cannot be used
    ├── InvalidPrompt            a prompt file breaks the format, at file:line:column
    ├── NotFound
    │   ├── StoreNotFound        no .promptstore.toml here or above
    │   ├── PromptNotFound
    │   ├── TagNotFound
    │   ├── VersionNotFound
    │   └── RevisionNotFound     git does not know the revision
    ├── TemplateError            a template cannot be rendered
    │   └── MissingVariable      a variable was not given
    ├── GitError                 git refused or is missing
    │   ├── StoreBusy            a lock, merge or rebase is in the way (try later, exit 75)
    │   ├── RefMoved             a compare-and-swap lost
    │   ├── OriginUnreachable    the git remote did not answer (try later, exit 75)
    │   └── OriginRefuses        the git remote will not have our refs
    ├── LeasedElsewhere          another machine syncs this remote (try later, exit 75)
    ├── StateUnwritable          the clone's own state cannot be written (a full disk)
    ├── NotRepresentable         a vendor cannot hold this prompt (becomes *held*)
    ├── ConflictError            both sides changed the same field
    ├── HaltedError              a guard stopped a remote
    └── RemoteError              a vendor's server
        ├── AuthError            the key is missing, wrong or may not be sent there
        ├── RemoteUnreachable    refused, timed out, limiting (try later, exit 75)
        ├── RemoteRejected       the server said no (4xx)
        │   └── RemoteMissing    the server says that it does not exist
        ├── BadResponse          the server answered garbage
        └── WriteInDoubt         a write was sent and its outcome is unknown (exit 75)

Each says what happened, where, and what to do next. The CLI turns them into two lines and an exit code in one
place (``cli/failure.py``).
"""

from __future__ import annotations

from typing import ClassVar, NamedTuple


class Where(NamedTuple):
    """The place of an error; what is not known stays None. Lines and columns count from 1."""

    path: str | None = None
    line: int | None = None
    column: int | None = None
    remote: str | None = None
    slug: str | None = None

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.path, self.line, self.column) if part is not None)
        named = [f"remote {self.remote}"] if self.remote else []
        named += [f"prompt {self.slug}"] if self.slug else []
        return ", ".join(([place] if place else []) + named)

    def as_json(self) -> dict[str, str | int]:
        return {key: value for key, value in self._asdict().items() if value is not None}


class PromptStoreError(Exception):
    """Something the user can act on. ``hint`` is the next step."""

    kind: ClassVar[str] = "internal"
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, where: Where | None = None, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.where = where or Where()
        self.hint = hint

    def __str__(self) -> str:
        place = str(self.where)
        return f"{self.message} ({place})" if place else self.message

    def at(self, **known: str | int | None) -> PromptStoreError:
        """The same error with more of its place filled in; what is known already stays."""
        fresh = {key: value for key, value in known.items() if getattr(self.where, key) is None}
        self.where = self.where._replace(**fresh)  # type: ignore[arg-type]
        return self

    def as_json(self) -> dict[str, object]:
        return {"kind": self.kind, "message": self.message, "hint": self.hint, "where": self.where.as_json()}


class UsageError(PromptStoreError):
    kind = "usage"
    exit_code = 2


class ConfigError(PromptStoreError):
    kind = "config"


class InvalidPrompt(PromptStoreError):
    """A prompt file breaks the format. ``problems`` lists every place, the first one is the error's own."""

    kind = "invalid-prompt"

    def __init__(
        self,
        message: str,
        *,
        where: Where | None = None,
        hint: str = "",
        problems: tuple[InvalidPrompt, ...] = (),
    ) -> None:
        super().__init__(message, where=where, hint=hint)
        self.problems: tuple[InvalidPrompt, ...] = problems or (self,)


class NotFound(PromptStoreError):
    kind = "not-found"


class StoreNotFound(NotFound):
    pass


class PromptNotFound(NotFound):
    pass


class TagNotFound(NotFound):
    pass


class VersionNotFound(NotFound):
    pass


class RevisionNotFound(NotFound):
    pass


class TemplateError(PromptStoreError):
    kind = "invalid-prompt"


class MissingVariable(TemplateError):
    kind = "not-found"


class GitError(PromptStoreError):
    pass


class StoreBusy(GitError):
    exit_code = 75


class RefMoved(GitError):
    exit_code = 75


class OriginUnreachable(GitError):
    kind = "remote"
    exit_code = 75


class OriginRefuses(GitError):
    kind = "remote"


class LeasedElsewhere(PromptStoreError):
    """Another clone pulls from and publishes to this remote; this one only looks."""

    kind = "remote"
    exit_code = 75


class StateUnwritable(PromptStoreError):
    """Nothing is sent to anyone that could not be written down first."""


class NotRepresentable(PromptStoreError):
    """A vendor cannot hold this prompt; ``field`` is the path in the prompt file that it cannot hold."""

    kind = "invalid-prompt"

    def __init__(self, message: str, *, field: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.field = field


class ConflictError(PromptStoreError):
    kind = "conflict"
    exit_code = 3


class HaltedError(PromptStoreError):
    kind = "halted"
    exit_code = 3


class RemoteError(PromptStoreError):
    kind = "remote"


class AuthError(RemoteError):
    kind = "auth"


class RemoteUnreachable(RemoteError):
    """The request did not reach the server, or it asks us to come back later."""

    exit_code = 75


class RemoteRejected(RemoteError):
    """The server refused the request; nothing was changed there. ``status`` is the HTTP status."""

    def __init__(self, message: str, *, status: int, where: Where | None = None, hint: str = "") -> None:
        super().__init__(message, where=where, hint=hint)
        self.status = status


class RemoteMissing(RemoteRejected):
    pass


class BadResponse(RemoteError):
    pass


class WriteInDoubt(RemoteError):
    """A write was sent and nobody knows whether it was applied. Never send it again unread."""

    exit_code = 75
