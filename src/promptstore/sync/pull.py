"""Carrying out our part of a plan: vendor versions become commits of the synced branch, links and tags follow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from promptstore.errors import PromptStoreError
from promptstore.model.prompt_file import PromptFile
from promptstore.store.git.commits import Identity, NewCommit
from promptstore.store.history import system_identity
from promptstore.store.store import Store
from promptstore.store.tagging import NewPlace, move_tags
from promptstore.store.writing import TextChange
from promptstore.sync.actions import LOCAL_KINDS, LOCAL_TAG_KINDS, Action
from promptstore.sync.agreement import Agreed
from promptstore.sync.landing import landing_for
from promptstore.sync.local import Local
from promptstore.sync.seen import vendor_identity
from promptstore.sync.session import Session
from promptstore.sync.texts import edited, text_of
from promptstore.sync.trees import KnownVersion, Link, RemoteEntry, SeenVersion


@dataclass(frozen=True, slots=True)
class Change:
    """One commit to be made: a vendor version (or a merge, or a deletion) of one prompt."""

    order: tuple[str, str, Any]
    slug: str
    text: bytes | None
    author: Identity
    message: str
    version: str
    """The vendor's version that this text is ours of; empty where it is nobody's."""


class Puller:
    """Brings one remote's edits onto the branch."""

    def __init__(self, store: Store, session: Session, local: Local) -> None:
        self._store = store
        self._session = session
        self._local = local
        self._lens = session.vendor.lens
        self._landing = landing_for(store, local, session.name)

    def pull(self, actions: Sequence[Action]) -> list[Action]:
        """Carry out the contents part; returns what was done. Raises StoreBusy or RefMoved before anything changed."""
        ours = [action for action in actions if action.kind in LOCAL_KINDS and action.tag is None]
        changes: list[Change] = []
        done: list[tuple[Action, list[Change]]] = []
        for action in ours:
            try:
                steps = self._changes(action)
            except PromptStoreError as error:
                self._session.fail(error, action.slug)
                continue
            changes += steps
            done.append((action, steps))
        self._commit(sorted(changes, key=lambda change: change.order))
        for action, steps in done:
            self._agree(action, steps)
        return [action for action, _ in done]

    # --- commits

    def _changes(self, action: Action) -> list[Change]:
        seen = self._session.tracked.prompts.get(action.slug)
        if action.kind in {"link", "move"}:
            return []
        if action.kind == "delete-local":
            return [self._deletion(action)]
        if seen is None:
            raise PromptStoreError(f"'{action.slug}' is not tracked", hint="run `promptstore fetch`")
        if action.kind == "merge":
            return [self._merge(action, seen)]
        return [self._version(action.slug, seen, version) for version in self._versions(action, seen)]

    def _versions(self, action: Action, seen: RemoteEntry) -> list[str]:
        """The vendor versions to bring: those after the agreed one, or every one we read of a new prompt."""
        agreed = self._session.agreed(action.slug)
        key = self._session.vendor.version_key
        floor = key(agreed.link.head) if agreed else None
        newer = [version for version in seen.versions if floor is None or key(version) > floor]
        return newer if seen.version in newer else [*newer, seen.version]

    def _version(self, slug: str, seen: RemoteEntry, version: str) -> Change:
        made = seen.versions[version]
        document = seen.document if version == seen.version else self._document(slug, made)
        text = text_of(self._store, self._lens, document, self._session.called(slug), self._local.prompts.get(slug))
        when = datetime.fromisoformat(made.created) if made.created else datetime.fromtimestamp(0, UTC)
        author = vendor_identity(made.author, self._session.vendor, when)
        subject = made.message or f"{slug}: version {version} at {self._session.name}"
        return Change(self._order(seen, version), slug, text, author, self._message(subject, slug, version), version)

    def _document(self, slug: str, made: SeenVersion) -> dict[str, Any]:
        return self._lens.project(
            self._store.contents.prompt(made.blob, self._store.layout.path(slug)), self._session.called(slug)
        )

    def _order(self, seen: RemoteEntry, version: str) -> tuple[str, str, Any]:
        return (seen.versions[version].created or "", seen.id, self._session.vendor.version_key(version))

    def _message(self, subject: str, slug: str, version: str) -> str:
        return f"{subject}\n\nPrompt: {slug}\nRemote: {self._session.name}\nRemote-Version: {version}\n"

    def _merge(self, action: Action, seen: RemoteEntry) -> Change:
        raw = self._store.contents.raw(action.blob or "")
        text = edited(raw, PromptFile.model_validate(action.data))
        version = action.expected or seen.version
        change = self._version(action.slug, seen, version)
        subject = f"Merge {action.slug} with version {version} at {self._session.name}"
        return replace(change, text=text, message=self._message(subject, action.slug, version), version="")

    def _deletion(self, action: Action) -> Change:
        who = system_identity(self._store.clock())
        subject = f"Delete {action.slug}: it was deleted at {self._session.name}"
        told = f"Prompt: {action.slug}\nRemote: {self._session.name}"
        return Change(("~", action.slug, 0), action.slug, None, who, f"{subject}\n\n{told}\n", "")

    def _commit(self, changes: Sequence[Change]) -> None:
        """One commit a change, where the vendor's edits come to, and the checked-out files with it."""
        texts = [TextChange(change.slug, change.text, change.author, change.message) for change in changes]
        self._landing.land(texts, f"promptstore: pull {self._session.name}")

    # --- agreements

    def _agree(self, action: Action, steps: Sequence[Change]) -> None:
        if steps and not self._is_ours(action.slug, steps[-1].text):
            return  # the text waits for its way into L (pushed, merged); until then nothing is agreed
        if action.kind == "delete-local" or (action.kind == "link" and action.blob is None):
            self._session.agree(action.slug, None)
            return
        seen = self._session.tracked.prompts[action.slug]
        agreed = self._session.agreed(action.slug)
        if action.kind == "merge" and agreed is not None and action.expected in _unmerged(agreed):
            self._agree_merged(action, agreed, steps)
            return
        ours = {change.version: self._store.commits.blob_id(change.text or b"") for change in steps if change.version}
        if action.kind == "link" and action.blob is not None:
            ours = {seen.version: action.blob}
        old = agreed.link if agreed else None
        versions = {**seen.known_versions(), **(old.versions if old else {})}
        versions |= {version: KnownVersion(blob, versions[version].document) for version, blob in ours.items()}
        blob = self._agreed_blob(action, seen, ours)
        proof = self._store.commits.blob_id(steps[0].text or b"") if action.kind == "merge" else ""
        tags = old.tags if old else {}
        called = self._session.called(action.slug)
        link = Link(seen.id, seen.name, seen.version, seen.digest, versions, tags, proof=proof, called=called)
        self._session.agree(action.slug, Agreed(blob, link))

    def _is_ours(self, slug: str, text: bytes | None) -> bool:
        """Whether L says it: at once where L is the branch, else only when it has been pushed and merged."""
        blob = None if text is None else self._store.commits.blob_id(text)
        return self._landing.counts_at_once or self._local.prompts.get(slug) == blob

    def _agree_merged(self, action: Action, agreed: Agreed, steps: Sequence[Change]) -> None:
        """A version that ours was published over has been brought in: what is agreed on stays what we published."""
        proof = self._store.commits.blob_id(steps[0].text or b"")
        link = agreed.link.merged(action.expected or "", proof)
        self._session.agree(action.slug, replace(agreed, link=link))

    def _agreed_blob(self, action: Action, seen: RemoteEntry, ours: Mapping[str, str]) -> str:
        """Our text of the vendor's newest: after a merge that is the vendor's, so that the merged text goes out."""
        if action.kind == "merge":
            return seen.blob
        if action.kind == "link":
            return action.blob or seen.blob
        return ours.get(seen.version, seen.blob)

    # --- tags

    def pull_tags(self, actions: Sequence[Action]) -> list[Action]:
        """Move our tags to where the vendor's stand."""
        equal = [action for action in actions if action.kind == "link" and action.tag is not None]
        wanted = [action for action in actions if action.kind in LOCAL_TAG_KINDS]
        places = []
        done = []
        for action in wanted:
            place = self._place(action)
            if place is None:
                continue
            places.append(place)
            done.append(action)
        move_tags(self._store, places, self._tag_mover())
        for action in [*equal, *done]:
            self._session.relink_tag(action.slug, action.tag or "", action.expected)
        return equal + done

    def _tag_mover(self) -> Identity:
        return vendor_identity(None, self._session.vendor, self._store.clock())

    def _place(self, action: Action) -> NewPlace | None:
        slug, tag = action.slug, action.tag or ""
        why = f"moved at {self._session.name}"
        if action.kind == "untag-local":
            return NewPlace(slug, tag, None, None, f"taken away at {self._session.name}", self._session.name)
        known = self._known(slug, action.expected or "")
        if known is None:
            return None
        version = next((v for v in reversed(self._local.numbering.of(slug)) if v.blob == known.blob), None)
        commit = version.commit if version else self._commit_of_its_own(slug, known.blob, action.expected or "")
        return NewPlace(slug, tag, commit, version.number if version else None, why, self._session.name)

    def _known(self, slug: str, version: str) -> KnownVersion | None:
        """A version as it was agreed on, or as it was seen: the text of one that never came to the branch is only in
        the clone that agreed on it."""
        agreed, seen = self._session.agreed(slug), self._session.tracked.prompts.get(slug)
        known = agreed.link.versions.get(version) if agreed else None
        if known is not None and self._store.objects.read(known.blob) is not None:
            return known
        return seen.known_versions().get(version) if seen else None

    def _commit_of_its_own(self, slug: str, blob: str, version: str) -> str:
        """A commit for a vendor version that never came to the branch: the same one in every clone."""
        seen = self._session.tracked.prompts.get(slug)
        made = seen.versions.get(version) if seen else None
        when = datetime.fromisoformat(made.created) if made and made.created else datetime.fromtimestamp(0, UTC)
        author = vendor_identity(made.author if made else None, self._session.vendor, when)
        subject = f"{slug}: version {version} at {self._session.name}, not on the branch"
        files = {self._store.layout.path(slug): blob}
        return self._store.commits.write([NewCommit(None, author, author, subject + "\n", files)])[0]


def _unmerged(agreed: Agreed) -> set[str]:
    return {one.version for one in agreed.link.unmerged}
