"""The three trees of a remote as values: B (last agreed), L (local), R (as last seen at the vendor)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from promptstore.model.digest import digest_of
from promptstore.vendors.base import Document, RemoteVersion

if TYPE_CHECKING:
    from promptstore.model.prompt_file import PromptFile


@dataclass(frozen=True, slots=True)
class KnownVersion:
    """A vendor version that we hold: our blob of it, and the digest of the vendor's document."""

    blob: str
    document: str


@dataclass(frozen=True, slots=True)
class Unmerged:
    """A foreign vendor version that ours was published over unseen: the two are still to be merged."""

    version: str
    base: str
    """The blob that both came from; empty where there was none."""


@dataclass(frozen=True, slots=True)
class Link:
    """The lasting bond of a slug and a prompt at the vendor, by the vendor's id."""

    id: str
    name: str
    head: str
    """The vendor version last agreed on."""
    document: str
    """The digest of the vendor's document at ``head``, as read back."""
    versions: Mapping[str, KnownVersion] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    """Tags as last agreed: tag -> vendor version."""
    unmerged: tuple[Unmerged, ...] = ()
    """What ours was published over, oldest first: one after the other, before anything newer is looked at."""
    proof: str = ""
    """The text on the branch that has taken this version in, where it is not the agreed text itself (a merge)."""
    called: str = ""
    """The slug it had when it was linked: what a vendor's name comes from, so that a move renames nothing there."""

    def version_of(
        self,
        blob: str,
        key: Callable[[str], Any],
        document: str | None = None,
        prefer: tuple[str | None, ...] = (),
        sent_as: Callable[[str], str | None] = lambda _blob: None,
    ) -> str | None:
        """The vendor version that says what ``blob`` says; of several, a preferred one, else the newest by ``key``.

        ``document`` is the digest of what the blob would be sent as. A version has it that says so as read back, or
        that was made of a text which is sent as the same (``sent_as`` tells the digest): vendors rewrite what they get.
        """
        same = [v for v, known in self.versions.items() if known.blob == blob]
        if not same and document is not None:
            told = self.versions.items()
            same = [v for v, known in told if document == known.document or document == sent_as(known.blob)]
        return next((v for v in prefer if v in same), max(same, key=key, default=None))

    def to_merge(self, seen: RemoteEntry) -> Unmerged | None:
        """The first that is still to be merged, of those that were read: the vendor may give one no more."""
        return next((one for one in self.unmerged if one.version in seen.versions), None)

    def merged(self, version: str, proof: str) -> Link:
        """One of them has been merged: ``proof`` is the text on the branch that says so."""
        return replace(self.without(version), proof=proof)

    def without(self, version: str) -> Link:
        """One of them is not to be merged any more."""
        return replace(self, unmerged=tuple(one for one in self.unmerged if one.version != version))

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "name": self.name,
            "head": self.head,
            "document": self.document,
            "versions": {v: [known.blob, known.document] for v, known in self.versions.items()},
            "tags": dict(self.tags),
            "unmerged": [[one.version, one.base] for one in self.unmerged],
            "proof": self.proof,
            "called": self.called,
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Link:
        return cls(
            content["id"],
            content["name"],
            content["head"],
            content["document"],
            {v: KnownVersion(*row) for v, row in content["versions"].items()},
            content["tags"],
            tuple(Unmerged(*row) for row in content["unmerged"] or ()),
            content["proof"],
            content["called"],
        )


@dataclass(frozen=True, slots=True)
class BaseEntry:
    """What was agreed on for one slug. ``blob`` is our text of it.

    ``seen`` says whether this clone's own history holds the agreed text (or published it): only then does a
    difference between base and local mean an edit.
    """

    blob: str
    link: Link
    seen: bool = True


@dataclass(frozen=True, slots=True)
class LocalTag:
    """A tag of ours: the commit, the blob it names there, and that blob's version where it is on the branch."""

    commit: str
    blob: str
    version: int | None


@dataclass(frozen=True, slots=True)
class LocalEntry:
    """One committed prompt. ``problem`` says why its text cannot be used."""

    blob: str
    tags: Mapping[str, LocalTag] = field(default_factory=dict)
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class SeenVersion:
    """One vendor version as it was read: our text of it, and the facts of its making (time as ISO 8601)."""

    blob: str
    document: str
    created: str | None = None
    author: str | None = None
    message: str = ""

    def is_the_same(self, version: RemoteVersion) -> bool:
        """Whether a version is this very one, and not another of its number: it says the same, and was made when this
        one was."""
        made = version.created.isoformat() if version.created else None
        return made is not None and (made, digest_of(version.document)) == (self.created, self.document)

    def row(self) -> list[str | None]:
        return [self.blob, self.document, self.created, self.author, self.message]


@dataclass(frozen=True, slots=True)
class RemoteEntry:
    """One prompt as last seen at the vendor. ``stamp`` tells whether the listing says anything new about it.

    ``versions`` holds every version that was read, oldest first, the newest (``version``) included; ``document`` is
    the newest one's.
    """

    id: str
    name: str
    folder: str
    version: str
    stamp: str
    document: Document
    versions: Mapping[str, SeenVersion]
    tags: Mapping[str, str] = field(default_factory=dict)
    gone: bool = False
    """Whether it was proven to be there no more; what is known of it stays until that is settled here, too."""

    @property
    def blob(self) -> str:
        return self.versions[self.version].blob

    @property
    def digest(self) -> str:
        return self.versions[self.version].document

    def known_versions(self) -> dict[str, KnownVersion]:
        return {v: KnownVersion(seen.blob, seen.document) for v, seen in self.versions.items()}

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "name": self.name,
            "folder": self.folder,
            "version": self.version,
            "stamp": self.stamp,
            "tags": dict(self.tags),
            "versions": {v: seen.row() for v, seen in self.versions.items()},
            "document": self.document,
            "gone": self.gone,
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> RemoteEntry:
        return cls(
            content["id"],
            content["name"],
            content["folder"],
            content["version"],
            content["stamp"],
            content["document"],
            {v: SeenVersion(*row) for v, row in content["versions"].items()},
            content["tags"],
            content.get("gone", False),
        )


@dataclass(frozen=True, slots=True)
class InTheWay:
    """Why a prompt's file cannot be written, in words, and the path of what has to go first."""

    reason: str
    path: str


@dataclass(frozen=True, slots=True)
class Trees:
    """Everything the planner looks at for one remote."""

    remote: str
    base: Mapping[str, BaseEntry]
    local: Mapping[str, LocalEntry]
    seen: Mapping[str, RemoteEntry]
    prompts: Mapping[str, PromptFile] = field(default_factory=dict)
    """Prompt files by blob: at least those of every slug on which the trees differ."""
    numbers: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Per slug, blob -> its newest version number."""
    vanished: frozenset[str] = frozenset()
    """Slugs in R that the last complete listing did not show."""
    gone: frozenset[str] = frozenset()
    """Those of them whose absence is proven by a second listing and a single read."""
    in_doubt: frozenset[str] = frozenset()
    """Slugs of which nothing can be concluded: a write whose outcome is unknown, a read that failed."""
    waiting: Mapping[str, str] = field(default_factory=dict)
    """Slugs whose text on the branch or in the work tree is not (yet) L's, and why: nothing is pulled over it."""
    in_the_way: Mapping[str, InTheWay] = field(default_factory=dict)
    """Slugs in whose place stands what is no prompt and will never be: nothing can be pulled there."""
    blocked: Mapping[str, str] = field(default_factory=dict)
    """Slugs whose key at the vendor is taken by something the listing does not show -> its id there."""
    runaway: frozenset[str] = frozenset()
    """Slugs that were published again and again without anybody's doing."""

    def waits(self, slug: str) -> bool:
        """Whether nothing may be pulled over a prompt yet."""
        return slug in self.waiting or slug in self.in_the_way

    def called(self, slug: str) -> str:
        """The slug by which the lens knows a prompt: the one it was linked under."""
        base = self.base.get(slug)
        return (base.link.called if base else "") or slug


EMPTY_LINK = Link("", "", "", "")
