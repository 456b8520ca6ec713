"""Planning contents: a pure function of (B, L, R), capabilities and policy.

Compares in the vendor's space: L changed when its projection differs from the base's, R changed when the vendor's
document does. It never asks for the vendor's name and never reads commit parents.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from promptstore.errors import NotRepresentable, PromptStoreError
from promptstore.merge.formats import merge_in_one_format
from promptstore.model.changes import changes, fields
from promptstore.model.digest import digest_of
from promptstore.model.templates.translate import Untranslatable
from promptstore.sync.actions import Action, Conflict, Held, Kind, Plan
from promptstore.sync.planner.names import Names
from promptstore.sync.planner.projections import Projections
from promptstore.sync.planner.tagged import TaggedTexts
from promptstore.sync.policy import Policy
from promptstore.sync.trees import BaseEntry, LocalEntry, RemoteEntry, Trees
from promptstore.vendors.base import Document, Vendor

if TYPE_CHECKING:
    from promptstore.model.prompt_file import PromptFile

Outcome = Action | Conflict | Held


def plan_contents(trees: Trees, vendor: Vendor, policy: Policy) -> Plan:
    """Bring the contents of one remote together; tags come after (`plan_tags`)."""
    planner = Planner(trees, vendor, policy)
    outcomes = [outcome for slug in planner.slugs() for outcome in planner.outcomes(slug)]
    return collect(outcomes)


def collect(outcomes: list[Outcome]) -> Plan:
    return Plan(
        tuple(outcome for outcome in outcomes if isinstance(outcome, Action)),
        tuple(outcome for outcome in outcomes if isinstance(outcome, Conflict)),
        tuple(outcome for outcome in outcomes if isinstance(outcome, Held)),
    )


@dataclass
class Planner:
    """Decides prompt by prompt. Holds nothing but its inputs and what it computed from them."""

    trees: Trees
    vendor: Vendor
    policy: Policy

    def __post_init__(self) -> None:
        self._texts = Projections(self.trees, self.vendor)
        self._names = Names(self.trees, self._texts)
        self._tagged = TaggedTexts(self.trees, self.vendor, self.policy, self._texts)

    def slugs(self) -> list[str]:
        everything = {*self.trees.base, *self.trees.local, *self.trees.seen}
        return sorted(slug for slug in everything if self.policy.covers(slug) and slug not in self.trees.in_doubt)

    def outcomes(self, slug: str) -> list[Outcome]:
        """What to do about one prompt; one that cannot be understood is held, and stops no other."""
        try:
            return list(self.decide(slug))
        except PromptStoreError as error:
            return [self._held(slug, error.message, error.hint or "see `promptstore diff`")]

    def decide(self, slug: str) -> Iterator[Outcome]:
        """What to do about one prompt."""
        base, local, seen = (self.trees.base.get(slug), self.trees.local.get(slug), self.trees.seen.get(slug))
        if slug in self.trees.vanished and seen is not None and slug not in self.trees.gone:
            yield self._held(slug, f"{self.vendor.title} did not list it this time", "run it again later")
        elif local is not None and local.problem:
            yield self._held(slug, f"its file is invalid: {local.problem}", "run `promptstore check`")
        elif base is None and slug in self.trees.gone:
            yield from self._gone_unmet(slug, local)
        elif base is None:
            yield from self._first_meeting(slug, local, seen)
        elif slug in self.trees.gone:
            yield from self._gone(slug, base, local)
        elif local is None:
            yield from self._removed_here(slug, base, seen)
        else:
            yield from self._linked(slug, base, local, seen)

    # --- never agreed before

    def _first_meeting(self, slug: str, local: LocalEntry | None, seen: RemoteEntry | None) -> Iterator[Outcome]:
        if seen is None:
            if local is not None:
                yield from self._create_remote(slug, local)
        elif local is not None:
            yield from self._meet(slug, local, seen)
        elif self._waits(slug):
            yield self._waiting(slug)
        else:
            yield from self._pull(slug, seen, "create-local", (), f"new at {self.vendor.title}")

    def _meet(self, slug: str, local: LocalEntry, seen: RemoteEntry) -> Iterator[Outcome]:
        document = self._texts.document(slug, local.blob)
        if isinstance(document, NotRepresentable):
            yield self._unrepresentable(slug, document)
            return
        key = self.vendor.lens.key(document)
        rival = self._names.rival(slug, key)
        if rival is not None and key == seen.name:
            yield self._taken(slug, document, rival, rival)
        elif digest_of(document) == seen.digest:
            yield self._link(slug, local.blob, seen, "the same on both sides")
        elif self._waits(slug):
            yield self._waiting(slug)
        else:
            yield from self._differences(slug, local, seen)

    def _create_remote(self, slug: str, local: LocalEntry) -> Iterator[Outcome]:
        if not self.policy.push or not self.vendor.capabilities.write:
            return  # a vendor that can neither hold nor create it: out of its scope, nothing to tell
        document = self._texts.document(slug, local.blob)
        if isinstance(document, NotRepresentable):
            yield self._unrepresentable(slug, document)
            return
        other = self._names.holder(slug, self.vendor.lens.key(document))
        if other is not None or slug in self.trees.blocked:
            yield self._taken(slug, document, other, slug)
            return
        if slug in self.trees.runaway:
            yield self._running_away(slug)
            return
        for blob in self._tagged.before(slug, local, None):
            yield self._publish(slug, blob, None, "create-remote", (), "a tag names this version")
        yield self._publish(slug, local.blob, None, "create-remote", (), f"new here, not at {self.vendor.title}")

    def _taken(self, slug: str, document: Document, other: str | None, renamed: str) -> Held:
        holder = f"'{other}'" if other else f"an archived or hidden prompt (id {self.trees.blocked.get(slug)})"
        name = self.vendor.lens.key(document)
        return self._held(slug, f"its name '{name}' is used by {holder}", f"give '{renamed}' another `name:`")

    # --- linked

    def _linked(self, slug: str, base: BaseEntry, local: LocalEntry, seen: RemoteEntry | None) -> Iterator[Outcome]:
        if seen is None:
            return
        if local.blob != base.blob and not base.seen:
            yield self._unseen(slug)
            return
        if base.link.unmerged:
            yield from self._unmerged(slug, base, seen, local)
            return
        try:
            ours = self._changed_here(slug, base, local)
        except NotRepresentable as error:
            yield self._unrepresentable(slug, error)
            return
        theirs = seen.digest != base.link.document
        if ours and theirs:
            yield from self._both(slug, base, local, seen)
        elif theirs:
            yield from self._update_local(slug, base, seen)
        elif ours and self._texts.digest(slug, local.blob) == seen.digest:
            yield self._link(slug, local.blob, seen, f"{self.vendor.title} says it already")
        elif ours:
            yield from self._update_remote(slug, base, local, seen)
        elif seen.version != base.link.head or seen.name != base.link.name:
            yield self._link(slug, local.blob, seen, "a newer version with the same text")

    def _unseen(self, slug: str) -> Held:
        hint = f"run `git pull` first; if nothing comes, `promptstore resolve {slug} --ours | --theirs`"
        reason = "the text last agreed on is not in this branch's history"
        return Held(self.trees.remote, slug, reason, hint, can_resolve=True)

    def _unread(self, slug: str, base: BaseEntry) -> Held:
        """What ours went on top of, and nobody could read yet: only a person may pass over it."""
        version = self.vendor.shown(base.link.unmerged[0].version)
        reason = f"version {version}, which ours went on top of unseen, could not be read"
        hint = f"run `promptstore fetch`; if that does not help, `promptstore resolve {slug} --ours` passes over it"
        return Held(self.trees.remote, slug, reason, hint, can_resolve=True, unread=True)

    def _changed_here(self, slug: str, base: BaseEntry, local: LocalEntry) -> bool:
        if local.blob == base.blob:
            return False
        return self._texts.digest(slug, local.blob) != self._base_projection(slug, base)

    def _base_projection(self, slug: str, base: BaseEntry) -> str:
        try:
            return self._texts.digest(slug, base.blob)
        except NotRepresentable:
            return base.link.document

    def _both(self, slug: str, base: BaseEntry, local: LocalEntry, seen: RemoteEntry) -> Iterator[Outcome]:
        if self._texts.digest(slug, local.blob) == seen.digest:
            yield self._link(slug, local.blob, seen, "both sides made the same change")
            return
        if self._waits(slug):
            yield self._waiting(slug)
            return
        # Onto the base: what L spells otherwise must not look as if the vendor had changed it.
        theirs = self._texts.lifted(slug, seen, base.blob)
        yield from self._merge(slug, self._texts.prompt(base.blob), local, seen.version, theirs)

    def _unmerged(self, slug: str, base: BaseEntry, seen: RemoteEntry, local: LocalEntry) -> Iterator[Outcome]:
        """A vendor's edit that ours was published over: still to be brought in, whatever came after."""
        if self._waits(slug):
            yield self._waiting(slug)
            return
        unmerged = base.link.to_merge(seen)
        if unmerged is None:
            yield self._unread(slug, base)
            return
        version, common = unmerged.version, unmerged.base
        document = self._texts.document(slug, seen.versions[version].blob)
        if isinstance(document, NotRepresentable):
            yield self._unrepresentable(slug, document)
            return
        theirs = self.vendor.lens.lift(document, self.trees.called(slug), self._texts.prompt(common or local.blob))
        yield from self._merge(slug, self._texts.prompt(common) if common else None, local, version, theirs)

    def _merge(
        self, slug: str, base: PromptFile | None, local: LocalEntry, version: str, theirs: PromptFile
    ) -> Iterator[Outcome]:
        """``version`` is the vendor's, with the text ``theirs``."""
        try:
            merged = merge_in_one_format(base, self._texts.prompt(local.blob), theirs)
        except Untranslatable as problem:
            reason = "its template format was changed on one side and its texts on the other"
            yield self._held(slug, f"{reason}: {problem.message}", "set `template_format` back, or change it there too")
            return
        if merged.conflicts and base is None:  # one side will be taken as a whole: all that it differs in is shown
            yield from self._all_differences(slug, local, theirs)
        elif merged.conflicts:
            for conflict in merged.conflicts:
                yield Conflict(self.trees.remote, slug, conflict.field, conflict.base, conflict.ours, conflict.theirs)
        elif not self.policy.pull:
            yield self._held(slug, f"{self.vendor.title} has an edit of it too", "run `promptstore sync`")
        else:
            changed = tuple(fields(self._texts.prompt(local.blob), theirs))
            reason = "changed on both sides, in different places"
            yield Action(
                self.trees.remote,
                slug,
                "merge",
                changed,
                self.vendor.shown(version),
                reason=reason,
                blob=local.blob,
                remote_id=self.trees.seen[slug].id,
                expected=version,
                data=merged.data,
            )

    def _update_local(self, slug: str, base: BaseEntry, seen: RemoteEntry) -> Iterator[Outcome]:
        if self._waits(slug):
            yield self._waiting(slug)
            return
        changed = fields(self._texts.prompt(base.blob), self._texts.lifted(slug, seen, base.blob))
        yield from self._pull(slug, seen, "update-local", tuple(changed), f"edited at {self.vendor.title}")

    def _update_remote(self, slug: str, base: BaseEntry, local: LocalEntry, seen: RemoteEntry) -> Iterator[Outcome]:
        if not self.policy.push:
            return
        if not self.vendor.capabilities.write:
            yield self._held(
                slug,
                f"{self.vendor.title} has no API to write content, so this edit cannot be published there",
                f"make the edit in {self.vendor.title} itself, or take its text back with `git revert`",
            )
            return
        document = self._texts.document(slug, local.blob)
        if isinstance(document, NotRepresentable):
            yield self._unrepresentable(slug, document)
            return
        if self.vendor.lens.key(document) != seen.name:
            held = self._unrenamable(slug, document, seen)
            if held:
                yield held
                return
        if slug in self.trees.runaway:
            yield self._running_away(slug)
            return
        for blob in self._tagged.before(slug, local, base):
            yield self._publish(slug, blob, seen, "update-remote", (), "a tag names this version")
        changed = tuple(fields(self._texts.prompt(base.blob), self._texts.prompt(local.blob)))
        yield self._publish(slug, local.blob, seen, "update-remote", changed, "edited here")

    def _running_away(self, slug: str) -> Held:
        reason = f"it was published to {self.vendor.title} twice within an hour, and nobody has edited it since"
        return self._held(slug, reason, "look at `promptstore log`; it goes out with the next edit, or after an hour")

    def _unrenamable(self, slug: str, document: Document, seen: RemoteEntry) -> Held | None:
        """Why the vendor's prompt cannot take on another name, if it cannot."""
        key = self.vendor.lens.key(document)
        if not self.vendor.capabilities.rename:
            reason = f"{self.vendor.title} cannot rename '{seen.name}' to '{key}'"
            return self._held(slug, reason, f"rename it in {self.vendor.title}, or set `name:` back")
        other = self._names.holder(slug, key)
        if other:
            return self._held(slug, f"its name '{key}' is used by {other}", "give one of the two another `name:`")
        return None

    # --- deletions

    def _removed_here(self, slug: str, base: BaseEntry, seen: RemoteEntry | None) -> Iterator[Outcome]:
        if seen is None:
            return
        if not base.seen:
            yield self._unseen(slug)
        elif slug in self.trees.waiting:  # what else is in its place keeps nothing from being deleted there
            yield self._waiting(slug)
        elif seen.digest != base.link.document or base.link.to_merge(seen) is not None:
            yield self._deleted_unseen(slug, base, seen)
        elif base.link.unmerged:
            yield self._unread(slug, base)
        elif not self.policy.push:
            return
        elif not self.vendor.capabilities.delete:
            yield self._held(slug, f"deleted here, and {self.vendor.title} has no API to delete", "archive it there")
        elif not self.policy.allow_delete:
            yield self._held(
                slug,
                f"deleted here, still at {self.vendor.title}",
                "archive it there too with `promptstore sync --allow-delete`, or `git revert` the deletion",
            )
        else:
            yield self._action(slug, "delete-remote", seen, reason="deleted here")

    def _deleted_unseen(self, slug: str, base: BaseEntry, seen: RemoteEntry) -> Conflict:
        """Deleted here without sight of the vendor's newest text, or of one that ours was published over."""
        theirs, unmerged = self._texts.lifted(slug, seen, base.blob), base.link.to_merge(seen)
        if unmerged is not None:
            theirs = self._texts.prompt(seen.versions[unmerged.version].blob)
        return Conflict(self.trees.remote, slug, "", self._texts.prompt(base.blob).data(), None, theirs.data())

    def _gone(self, slug: str, base: BaseEntry, local: LocalEntry | None) -> Iterator[Outcome]:
        seen = self.trees.seen.get(slug)
        if not base.seen:
            yield self._unseen(slug)
        elif local is None:
            yield Action(self.trees.remote, slug, "link", reason="deleted on both sides", remote_id=base.link.id)
        elif self._waits(slug):
            yield self._waiting(slug)
        elif base.link.unmerged or self._edited_since(base, local):
            before, ours = self._texts.prompt(base.blob).data(), self._texts.prompt(local.blob).data()
            yield Conflict(self.trees.remote, slug, "", before, ours, None)
        elif self.policy.pull:
            yield self._action(slug, "delete-local", seen, reason=f"deleted at {self.vendor.title}", blob=local.blob)

    def _gone_unmet(self, slug: str, local: LocalEntry | None) -> Iterator[Outcome]:
        """It went before anything was agreed: as if it had never been there."""
        if local is None:
            yield Action(self.trees.remote, slug, "link", reason="gone before it came here")
        else:
            yield from self._create_remote(slug, local)

    def _edited_since(self, base: BaseEntry, local: LocalEntry) -> bool:
        """Any edit counts: whoever deleted it there did not see one that the vendor cannot hold, either."""
        return local.blob != base.blob and self._texts.prompt(local.blob) != self._texts.prompt(base.blob)

    # --- pieces

    def _pull(
        self, slug: str, seen: RemoteEntry, kind: Kind, changed: tuple[str, ...], reason: str
    ) -> Iterator[Outcome]:
        if self.policy.pull:
            yield self._action(slug, kind, seen, fields=changed, reason=reason, blob=seen.blob)

    def _publish(
        self, slug: str, blob: str, seen: RemoteEntry | None, kind: Kind, changed: tuple[str, ...], reason: str
    ) -> Action:
        return Action(
            self.trees.remote,
            slug,
            kind,
            changed,
            self.trees.numbers.get(slug, {}).get(blob),
            reason=reason,
            blob=blob,
            remote_id=seen.id if seen else None,
            expected=seen.version if seen else None,
        )

    def _link(self, slug: str, blob: str, seen: RemoteEntry, reason: str) -> Action:
        return self._action(slug, "link", seen, blob=blob, reason=reason)

    def _action(self, slug: str, kind: Kind, seen: RemoteEntry | None, **more: object) -> Action:
        return Action(
            self.trees.remote,
            slug,
            kind,
            version=self.vendor.shown(seen.version) if seen else None,
            remote_id=seen.id if seen else None,
            expected=seen.version if seen else None,
            **more,  # type: ignore[arg-type]
        )

    def _differences(self, slug: str, local: LocalEntry, seen: RemoteEntry) -> Iterator[Outcome]:
        """With no base nobody knows who changed what: every difference is a conflict.

        Only what stands below `vendors` there, and nowhere here, is the vendor's alone. It is taken in where a publish
        would otherwise take it away.
        """
        theirs = self._texts.lifted(slug, seen, local.blob)
        found = changes(self._texts.prompt(local.blob), theirs)
        if self.policy.pull and all(change.path.startswith("vendors.") and change.old is None for change in found):
            paths = tuple(change.path for change in found)
            reason = f"the same but for what only {self.vendor.title} holds"
            kind: Kind = "merge" if self.vendor.capabilities.write else "link"
            yield self._action(slug, kind, seen, fields=paths, reason=reason, blob=local.blob, data=theirs.data())
            return
        yield from self._all_differences(slug, local, theirs)

    def _all_differences(self, slug: str, local: LocalEntry, theirs: PromptFile) -> Iterator[Conflict]:
        for change in changes(self._texts.prompt(local.blob), theirs):
            yield Conflict(self.trees.remote, slug, change.path, None, change.old, change.new)

    def _held(self, slug: str, reason: str, hint: str) -> Held:
        return Held(self.trees.remote, slug, reason, hint)

    def _waits(self, slug: str) -> bool:
        return self.trees.waits(slug)

    def _waiting(self, slug: str) -> Held:
        found = self.trees.in_the_way.get(slug)
        if found is not None:
            return self._held(slug, f"waiting: {found.reason}", f"move {found.path} away, then run `promptstore sync`")
        why = self.trees.waiting[slug]
        return self._held(slug, f"waiting: {why}", "commit, push or merge that, or put it aside, then run it again")

    def _unrepresentable(self, slug: str, error: NotRepresentable) -> Held:
        place = f" ({error.field})" if error.field else ""
        return self._held(slug, f"{self.vendor.title} cannot hold it{place}: {error.message}", error.hint)
