"""What a vendor is to the engine: capabilities as data, a lens (pure), and a workspace (its API, connected).

Adding a vendor means one folder that offers a ``Vendor`` and an entry point in the group ``promptstore.vendors``.
The planner asks the capabilities and never the vendor's name.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from promptstore.model.numbers import whole_number

if TYPE_CHECKING:
    from promptstore.model.prompt_file import PromptFile

Document = dict[str, Any]
"""A prompt as the vendor's JSON says it, in the vendor's normal form: no ids, versions or times, no refilled nulls."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a vendor's API can do; each false is a reason the planner gives when it holds something."""

    write: bool = True
    """Can new content be published at all (Basalt: no)."""
    history: bool = True
    """Can old versions be read."""
    tags: bool = True
    """Can tags be set and moved."""
    untag: bool = True
    """Can a tag be taken away."""
    delete: bool = True
    """Can a prompt be archived or deleted."""
    rename: bool = False
    """Can the vendor's name of a linked prompt be changed."""
    intent: bool = False
    """Does a version keep metadata of ours, so that a write in doubt is found again by its intent id."""
    numbered: bool = False
    """Are the vendor's versions the numbers 1, 2, 3 ... (then a pinned number means the vendor's own)."""
    formats: tuple[str, ...] = ("f-string", "jinja2")
    """Template formats that the vendor stores."""

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class RemoteHead:
    """One line of a vendor's listing: a prompt and its newest version."""

    id: str
    name: str
    folder: str
    """Path of the vendor's folder, ``/`` between levels, empty at the root."""
    version: str
    stamp: str = ""
    """Changes whenever the listing says something new about the prompt, its newest version or its name."""
    path: str = ""
    """The path that the name is made of, ``/`` between levels, where a vendor's names cannot hold one as it is."""


@dataclass(frozen=True, slots=True)
class RemoteVersion:
    """One version as read from the vendor. ``document`` is already in normal form."""

    id: str
    name: str
    version: str
    document: Document
    created: datetime | None = None
    author: str | None = None
    message: str = ""
    intent: str | None = None
    """The intent id that one of our publishes left in it, where the vendor keeps it."""
    stamp: str = ""
    """The stamp that a listing shows while this is the newest version."""


@dataclass(frozen=True, slots=True)
class TagListing:
    """Tags as the vendor says them now: ``tags[prompt id][tag] = version``.

    Only what was really asked is known: every prompt's tags among ``names``, and all tags of the prompts in ``swept``.
    The absence of anything else means nothing.
    """

    tags: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    names: frozenset[str] = frozenset()
    swept: frozenset[str] = frozenset()

    def knows(self, prompt_id: str, tag: str) -> bool:
        """Whether presence and absence of ``tag`` on this prompt is established."""
        return prompt_id in self.swept or tag in self.names


@dataclass(frozen=True, slots=True)
class Publication:
    """One version to be made. ``id`` is None for a prompt that the vendor does not have yet."""

    id: str | None
    slug: str
    document: Document
    message: str
    """Commit message; the vendor's length limit is applied by its client."""
    intent: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the vendor says it made. ``version`` is None where the answer does not tell it."""

    id: str
    version: str | None


class Lens(Protocol):
    """The pure two-way translation between a prompt file and one vendor's document.

    Laws: ``lift(project(p), p) == p``, ``project(lift(d, p)) == normalise(d)``, normalise is idempotent.
    """

    def normalise(self, raw: Mapping[str, Any]) -> Document:
        """The normal form of what the vendor sent or would be sent."""

    def project(self, prompt: PromptFile, slug: str) -> Document:
        """The prompt as this vendor's document, in normal form.

        Raises NotRepresentable, naming field and construct, where leaving something out would change its meaning.
        """

    def lift(self, document: Document, slug: str, old: PromptFile | None) -> PromptFile:
        """The document as a prompt file; what the vendor cannot hold, and every spelling that still means the same,
        is taken from ``old``."""

    def key(self, document: Document) -> str:
        """The name by which the vendor tells this prompt from others; unique in a workspace."""


class Workspace(Protocol):
    """A vendor's workspace over its API. Reads retry; writes are sent once and never retried.

    Raises AuthError, RemoteUnreachable, RemoteRejected (RemoteMissing), BadResponse; writes also WriteInDoubt when
    they were sent and the outcome is unknown. No method ever takes a failure for an absence.
    """

    def identity(self) -> str:
        """An id of the workspace that the key opens, to notice a key of another one; empty where unknown."""

    def list(self) -> Sequence[RemoteHead]:
        """Every prompt of the workspace; raises rather than give a part of it."""

    def read(self, prompt_id: str, version: str | None = None) -> RemoteVersion:
        """One version, fresh (never from a cache); the newest by default."""

    def versions(self, prompt_id: str, head: str, after: str | None = None) -> Sequence[str]:
        """The versions the vendor still gives, oldest first, up to ``head``; only those newer than ``after``."""

    def tags(self, names: Collection[str], sweep: Sequence[str]) -> TagListing:
        """Where the tags ``names`` stand, and all tags of the prompts ``sweep`` (ids)."""

    def find(self, slug: str, document: Document) -> RemoteHead | None:
        """The prompt that a first publish of ``document`` would write to, in any state; None only if proven free."""

    def publish(self, publication: Publication) -> Receipt:
        """Make one version (and the prompt, with its folder, where ``publication.id`` is None)."""

    def set_tag(self, prompt_id: str, tag: str, version: str) -> None:
        """Create or move a tag."""

    def delete_tag(self, prompt_id: str, tag: str) -> None:
        """Take a tag away; nothing happens where it is not there."""

    def delete(self, prompt_id: str) -> None:
        """Archive the prompt (softly where the vendor can); nothing happens where it is gone already."""

    def close(self) -> None:
        """Release connections."""


@dataclass(frozen=True, slots=True)
class Connection:
    """What a vendor needs to open a workspace; everything outside is passed in."""

    base_url: str
    key: str | None = field(repr=False)
    project: str | None = None
    transport: Any = None
    """An ``httpx.BaseTransport``; None is the network."""
    timing: Any = None
    """A ``promptstore.vendors.http.Timing``; None is the real clock."""


@dataclass(frozen=True, slots=True)
class Vendor:
    """A vendor as data. ``connect`` opens a workspace, ``version_key`` orders its versions."""

    name: str
    title: str
    base_url: str
    hosts: tuple[str, ...]
    """The vendor's own hosts, where its key may go without further trust."""
    key_variable: str
    key_required: bool
    capabilities: Capabilities
    lens: Lens
    connect: Any
    """``(Connection) -> Workspace``; imported only when called."""
    version_key: Any = int
    """``(version: str) -> comparable``."""
    needs_project: bool = False
    unversioned: tuple[str, ...] = ()
    """The keys of a document that can be changed there without making a version."""
    reuses_ids: bool = False
    """Whether a prompt made anew may have the id of one that was deleted, and lower versions than that one had."""
    routes: str | None = None
    """The module in which the local twin finds ``face``; see ``promptstore.vendors.serving``."""
    webhook: str | None = None
    """The module with ``signed(headers, body, secret)``, which tells whether a webhook is the vendor's."""
    questions: str | None = None
    """The module in which a probe finds ``QUESTIONS``; see ``promptstore.vendors.conformance.questions``."""

    def shown(self, version: str) -> int | str:
        """A version as people and JSON see it."""
        number = whole_number(version) if self.capabilities.numbered else None
        return version if number is None else number
