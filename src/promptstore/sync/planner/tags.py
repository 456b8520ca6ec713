"""Planning tags: three-way too, after contents; a tag moves at a vendor only once its version is there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from promptstore.errors import NotRepresentable
from promptstore.store.refnames import tag_problem
from promptstore.sync.actions import Action, Conflict, Held, Plan
from promptstore.sync.planner.contents import Outcome, collect
from promptstore.sync.planner.projections import Projections
from promptstore.sync.policy import Policy
from promptstore.sync.trees import EMPTY_LINK, Link, LocalEntry, LocalTag, RemoteEntry, Trees
from promptstore.vendors.base import Vendor

Place = str | None | Literal[False]
"""Where a tag stands, in the vendor's versions: a version, None for nowhere, False for a text the vendor lacks."""


_COMING = frozenset({"create-remote", "update-remote", "create-local", "update-local"})
"""What brings a very text to the other side. A merge does not: both sides get another one."""


def plan_tags(trees: Trees, vendor: Vendor, policy: Policy, contents: Plan) -> Plan:
    """The tag moves of one remote, given what its contents are about to become."""
    held = {held.slug for held in contents.held}
    stuck = {slug for slug in held if not _is_only_ahead(trees, slug)}
    stuck |= {conflict.slug for conflict in contents.conflicts}
    leaving = {action.slug for action in contents.actions if action.kind in {"delete-remote", "delete-local"}}
    outcomes: list[Outcome] = []
    texts = Projections(trees, vendor)
    for slug in sorted({*trees.base, *trees.local, *trees.seen} - stuck - leaving - trees.in_doubt):
        if policy.covers(slug):
            planner = _TagPlanner(trees, vendor, policy, texts, slug, contents, is_held=slug in held)
            outcomes.extend(planner.decide())
    return collect(outcomes)


def _is_only_ahead(trees: Trees, slug: str) -> bool:
    """Whether a held prompt is linked and sound, and only its newest text stays here: then its tags move freely
    among the versions that both sides have."""
    base, local = trees.base.get(slug), trees.local.get(slug)
    if base is None or local is None or slug not in trees.seen or slug in trees.vanished:
        return False
    return base.seen and not base.link.unmerged and local.problem is None and not trees.waits(slug)


class _TagPlanner:
    """Decides the tags of one prompt."""

    def __init__(
        self,
        trees: Trees,
        vendor: Vendor,
        policy: Policy,
        texts: Projections,
        slug: str,
        contents: Plan,
        *,
        is_held: bool,
    ) -> None:
        self.trees = trees
        self.vendor = vendor
        self.policy = policy
        self.texts = texts
        self.slug = slug
        self.is_held = is_held
        base = trees.base.get(slug)
        self.link: Link = base.link if base else EMPTY_LINK
        self.local: LocalEntry | None = trees.local.get(slug)
        self.seen: RemoteEntry | None = None if slug in trees.gone else trees.seen.get(slug)
        actions = [action for action in contents.actions if action.slug == slug]
        self.coming = {action.blob for action in actions if action.kind in _COMING}
        self.is_settled = not actions and self.seen is not None and self.seen.digest == self.link.document
        self.missing: dict[int, str] = {}
        """Version -> text, of what is to be published again."""

    def decide(self) -> Iterator[Outcome]:
        if not self.vendor.capabilities.tags or (self.seen is None and not self.coming):
            return
        if self.local is None and not self.coming:
            return
        ours = self.local.tags if self.local else {}
        theirs = self.seen.tags if self.seen else {}
        for tag in sorted({*ours, *theirs, *self.link.tags}):
            if self.policy.covers_tag(tag):
                yield from self._tag(tag, ours.get(tag), theirs.get(tag))
        yield from self._republished()

    def _republished(self) -> Iterator[Outcome]:
        """Each older text once, in order, and then the newest again."""
        texts = {self._digest(blob): blob for _, blob in sorted(self.missing.items(), reverse=True)}
        for blob in reversed(texts.values()):
            yield self._republish(blob, "a tag names this older version")
        if self.missing and self.local is not None:
            yield self._republish(self.local.blob, "the newest text again, after an older version")

    def _tag(self, tag: str, ours: LocalTag | None, theirs: str | None) -> Iterator[Outcome]:
        base = self.link.tags.get(tag)
        local = self._place(ours, theirs, base)
        if local == theirs:
            yield from self._equal(tag, theirs, base)
        elif theirs == base:
            yield from self._to_remote(tag, ours, local)
        elif local == base:
            yield from self._to_local(tag, theirs)
        else:
            yield Conflict(
                self.trees.remote,
                self.slug,
                f"tag:{tag}",
                self._shown(base),
                self._ours_shown(ours),
                self._shown(theirs),
            )

    def _equal(self, tag: str, theirs: str | None, base: str | None) -> Iterator[Outcome]:
        """Both sides stand at one place. It is agreed on, so that the next move of either is seen as a move."""
        if theirs != base and self.slug in self.trees.base:
            yield self._action("link", tag, theirs, "the same on both sides", None)

    def _place(self, ours: LocalTag | None, theirs: str | None, base: str | None) -> Place:
        if ours is None:
            return None
        known = self._version_of(ours.blob, theirs, base)
        return known if known is not None else False

    def _version_of(self, blob: str, theirs: str | None, base: str | None) -> str | None:
        document = self._digest(blob)
        versions = dict(self.link.versions)
        if self.seen is not None:
            versions = {**self.seen.known_versions(), **versions}
        link = Link(self.link.id, self.link.name, self.link.head, self.link.document, versions)
        return link.version_of(blob, self.vendor.version_key, document, (theirs, base, self.link.head), self._digest)

    def _digest(self, blob: str | None) -> str | None:
        return self.texts.sent(self.slug, blob)

    def _to_remote(self, tag: str, ours: LocalTag | None, local: Place) -> Iterator[Outcome]:
        if not self.policy.push:
            return
        if ours is None or local is None:
            yield from self._untag_remote(tag)
        elif ours.version is None:
            yield self._held(
                tag,
                "the version it names is not merged into the synced branch",
                "merge it, or move the tag to a version that is",
            )
        elif isinstance(local, str) or self._comes(ours.blob):
            yield self._action("tag-remote", tag, local or None, f"moved here to version {ours.version}", ours.blob)
        else:
            yield from self._missing_there(tag, ours.version, ours.blob)

    def _comes(self, blob: str) -> bool:
        """Whether a version is about to be made that says what ``blob`` says."""
        digest = self._digest(blob)
        return blob in self.coming or (digest is not None and digest in map(self._digest, self.coming))

    def _missing_there(self, tag: str, number: int, blob: str) -> Iterator[Outcome]:
        absent = f"version {number} is not at {self.vendor.title}"
        problem = self._unpublishable(blob)
        if not self.vendor.capabilities.write:
            hint = f"make that edit in {self.vendor.title} itself, or leave the tag out of `tags` of this remote"
            yield self._held(tag, f"{absent}, which has no API to write content", hint)
        elif problem:
            yield self._held(tag, f"version {number} cannot go there: {problem}", "move it to another version")
        elif self.is_held:
            yield self._held(tag, f"{absent} while the prompt is held", "it follows once the prompt can be published")
        elif self.policy.republish and self.is_settled:
            self.missing[number] = blob
        elif self.policy.republish:
            yield self._held(tag, f"{absent}, and older than what is", "it follows once the texts are in sync")
        else:
            yield self._held(
                tag,
                f"{absent}, and older than what is",
                "publish it, and the newest again, with `promptstore sync --republish`",
            )

    def _unpublishable(self, blob: str) -> str | None:
        """Why a text cannot become a version of what the vendor has."""
        if blob not in self.trees.prompts:
            return "its file was invalid"
        document = self.texts.document(self.slug, blob)
        if isinstance(document, NotRepresentable):
            return f"{self.vendor.title} cannot hold it: {document.message}"
        name, key = self.seen.name if self.seen else self.link.name, self.vendor.lens.key(document)
        now = f"is '{name}' there now" if name else "the newest is not"
        return f"it was named '{key}', and {now}" if key != name else None

    def _republish(self, blob: str, reason: str) -> Action:
        return Action(
            self.trees.remote,
            self.slug,
            "update-remote",
            version=self.trees.numbers.get(self.slug, {}).get(blob),
            reason=reason,
            blob=blob,
            remote_id=self.link.id,
            expected=self.link.head,
        )

    def _untag_remote(self, tag: str) -> Iterator[Outcome]:
        if self.vendor.capabilities.untag:
            yield self._action("untag-remote", tag, None, "taken away here", None)
        else:
            yield self._held(tag, f"{self.vendor.title} cannot take a tag away", "move it to another version instead")

    def _to_local(self, tag: str, theirs: str | None) -> Iterator[Outcome]:
        if not self.policy.pull:
            return
        problem = tag_problem(tag)
        if theirs is None:
            yield self._action("untag-local", tag, None, f"taken away at {self.vendor.title}", None)
        elif problem:
            yield self._held(tag, problem, f"rename the tag in {self.vendor.title}")
        elif not self._is_known(theirs):
            yield self._held(
                tag, f"version {theirs} cannot be read at {self.vendor.title}", "move the tag to another version there"
            )
        else:
            yield self._action("tag-local", tag, theirs, f"moved at {self.vendor.title}", None)

    def _is_known(self, version: str) -> bool:
        return version in self.link.versions or (self.seen is not None and version in self.seen.versions)

    def _action(
        self,
        kind: Literal["tag-remote", "untag-remote", "tag-local", "untag-local", "link"],
        tag: str,
        version: str | None,
        reason: str,
        blob: str | None,
    ) -> Action:
        return Action(
            self.trees.remote,
            self.slug,
            kind,
            version=self._shown(version),
            tag=tag,
            reason=reason,
            blob=blob,
            remote_id=self.seen.id if self.seen else None,
            expected=version,
        )

    def _held(self, tag: str, reason: str, hint: str) -> Held:
        return Held(self.trees.remote, self.slug, f"tag '{tag}': {reason}", hint)

    def _shown(self, version: str | None) -> int | str | None:
        return None if version is None else self.vendor.shown(version)

    def _ours_shown(self, ours: LocalTag | None) -> str | None:
        return None if ours is None else f"version {ours.version}" if ours.version else ours.commit[:10]
