"""What the local twin and a vendor's routes are to each other.

A vendor that the twin can stand in for names a module in ``Vendor.routes``, with one function
``face(twin: Twin) -> Face``. Its endpoints are plain functions from a request (``Asked``) to an ``Answer``: they know
neither the web framework nor git. All that the server itself guards (keys, hosts, sizes, read-only) it guards alike
for every vendor; a face only says where a vendor's SDKs put the key and what its errors look like.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from promptstore.vendors.answers import parsed
from promptstore.vendors.base import Document, Vendor

if TYPE_CHECKING:
    from promptstore.model.prompt_file import PromptFile

T = TypeVar("T")


class Refused(Exception):
    """The request cannot be served. ``message`` goes into the vendor's error body: mostly a text."""

    def __init__(self, status: int, message: Any, body: Any = None) -> None:
        super().__init__(str(message))
        self.status = status
        self.message = message
        self.body = body
        """The whole JSON body, where it is not the vendor's usual one."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request. ``params`` are the path's parts, percent-decoded exactly once; names of headers are lower-case."""

    params: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, Sequence[str]] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def first(self, name: str) -> str | None:
        """A query parameter; None where it is absent or empty."""
        return next(iter(self.query.get(name, ())), None) or None

    def json(self) -> Any:
        """The body's value; None for an empty one. Raises Refused (400)."""
        if not self.body.strip():
            return None
        try:
            return parsed(self.body)
        except ValueError:
            raise Refused(400, "the request's body is not JSON") from None


@dataclass(frozen=True, slots=True)
class Answer:
    """A response: ``body`` is sent as JSON, None as no body at all."""

    status: int
    body: Any = None
    text: bool = False
    """Is the body a text to be sent as it is."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One operation. ``path`` holds ``{name}`` for a segment, ``{name:path}`` for anything; the first match counts."""

    method: str
    path: str
    handle: Callable[[Asked], Answer]
    writes: bool = False
    """Does it change the store: refused when read-only, and never run beside another write."""


@dataclass(frozen=True, slots=True)
class Face:
    """One vendor's API over the store."""

    endpoints: Sequence[Endpoint]
    refusal: Callable[[int, Any], Any]
    """The JSON body of an error: ``(status, message) -> body``."""
    keys: Callable[[Asked], Iterable[str]]
    """Every place in which the vendor's SDKs may have put the key."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Headers of every answer."""


@dataclass(frozen=True, slots=True)
class Edition:
    """One version of one prompt, as an application sees it."""

    slug: str
    number: int
    """The vendor's own number where the store is linked to that vendor, else the store's; 0 where there is none."""
    version: int | None
    """The store's number; None for a text that never came to the synced branch."""
    blob: str
    commit: str | None
    theirs: str = ""
    """The vendor's own version, whatever its form, where the store is linked to that vendor and knows it."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """Who brought an edition, when, and why; empty where the commit is not there any more."""

    author: str = ""
    email: str = ""
    when: datetime | None = None
    message: str = ""
    notes: Mapping[str, Any] = field(default_factory=dict)
    """What a publish through the twin wrote down beside the message; see `Twin.publish`."""


class View(Protocol):
    """The store as it stood when it was looked at, in one vendor's terms."""

    @property
    def active(self) -> Sequence[str]:
        """Slugs of the prompts that are there, sorted."""

    @property
    def deleted(self) -> Sequence[str]:
        """Slugs of the prompts that had versions and are gone (not moved), sorted."""

    def newest(self, slug: str) -> Edition:
        """The newest edition; of a deleted prompt, its last. Raises PromptNotFound."""

    def editions(self, slug: str) -> Sequence[Edition]:
        """Every version of the synced branch, oldest first."""

    def numbered(self, slug: str, number: int) -> Edition:
        """The edition of that ``number``. Raises VersionNotFound."""

    def theirs(self, slug: str) -> Sequence[Edition]:
        """Every version that the vendor is known to have of a linked prompt, oldest first; none where it is not linked.

        Two of the vendor's versions may have one text; of an edition from elsewhere, ``theirs`` is then the newest.
        """

    def tags(self, slug: str) -> Mapping[str, Edition]:
        """The deployment tags of one prompt."""

    def all_tags(self) -> Mapping[str, Mapping[str, Edition]]:
        """The deployment tags of every prompt: slug -> tag -> edition."""

    def prompt(self, edition: Edition) -> PromptFile:
        """What the edition says. Raises InvalidPrompt."""

    def document(self, edition: Edition) -> Document:
        """The same as the vendor's document, in normal form. Raises InvalidPrompt and NotRepresentable."""

    def stamps(self, editions: Sequence[Edition]) -> Sequence[Stamp]:
        """Where each edition came from, in the same order."""

    def origin(self, slug: str) -> str:
        """The first name that a prompt ever had; stays the same when it moves."""

    def fresh(self, name: str, folder: str) -> str:
        """A slug for a new prompt of that name in that folder (``/`` between levels); never one that was ever used."""

    def remote_id(self, slug: str) -> str | None:
        """The prompt's id at the vendor where the store is linked to it."""


class Twin(Protocol):
    """The git store for one vendor's routes. Threads may share it."""

    vendor: Vendor

    def view(self) -> View:
        """The store as it stands now."""

    def publish(
        self,
        choose: Callable[[View], str],
        document: Document,
        message: str,
        notes: Mapping[str, Any] | None = None,
    ) -> Edition:
        """Commit ``document`` as the newest version of the prompt that ``choose`` names; always makes a version.

        ``message`` is the commit's; ``notes`` (JSON) are kept with the commit and come back in the edition's `Stamp`.
        Raises BadResponse for what is no document, ConflictError where the file has uncommitted edits, StoreBusy.
        """

    def tag(self, edition: Edition, tag: str) -> None:
        """Create or move a tag. Raises UsageError for a name that cannot be one."""

    def untag(self, slug: str, tag: str) -> None:
        """Take a tag away. Raises TagNotFound."""

    def remove(self, slugs: Iterable[str], message: str) -> None:
        """Commit the removal of prompts, one commit each. Raises PromptNotFound."""

    def move(self, slug: str, new: str, message: str) -> None:
        """Commit a rename: versions and tags follow, and the vendor's name of the prompt stays as it was."""


class PerView(Generic[T]):
    """What a vendor's routes make of the newest view, made once a view."""

    def __init__(self, twin: Twin, make: Callable[[View], T]) -> None:
        self.twin = twin
        self._make = make
        self._last: tuple[View, T] | None = None

    def now(self) -> T:
        view = self.twin.view()
        last = self._last
        if last is None or last[0] is not view:
            last = (view, self._make(view))
            self._last = last
        return last[1]
