"""From addresses to places in git: newest version, number, tag or revision, through renames."""

from __future__ import annotations

import os

from promptstore.errors import NotFound
from promptstore.store.address import (
    LATEST,
    Address,
    Located,
    prompt_not_found,
    revision_not_found,
    version_not_found,
    version_number,
)
from promptstore.store.cache import Cache
from promptstore.store.config import Config
from promptstore.store.git.objects import Objects
from promptstore.store.git.refs import Refs
from promptstore.store.git.revisions import Revisions
from promptstore.store.history import History
from promptstore.store.layout import Layout
from promptstore.store.quick import AT
from promptstore.store.refnames import TAGS, VERSIONS, tag_ref
from promptstore.store.tags import tags_by_slug
from promptstore.store.versions import Numbering, Version

_TREES = 16  # whole trees kept in memory


class Locator:
    """Resolves addresses in one store. ``tip`` is always the commit that counts as the newest."""

    def __init__(
        self,
        revisions: Revisions,
        config: Config,
        layout: Layout,
        refs: Refs,
        objects: Objects,
        cache: Cache,
        history: History,
    ) -> None:
        self._revisions = revisions
        self._config = config
        self._layout = layout
        self._refs = refs
        self._objects = objects
        self._cache = cache
        self._history = history
        self._trees: dict[str, dict[str, str]] = {}

    # --- addresses

    def locate(self, address: Address, tip: str | None) -> Located:
        """What ``slug@rev`` means. Raises PromptNotFound, TagNotFound, VersionNotFound or RevisionNotFound."""
        if address.rev == LATEST:
            return self.latest(address.slug, tip)
        number = version_number(address.rev)
        if number is not None:
            return self.numbered(address.slug, number, tip)
        commit = self.tag_commit(address.slug, address.rev, tip)
        if commit is not None:
            return self.at_commit(address.slug, commit, tip)
        return self._at_revision(address.slug, address.rev, tip)

    def latest(self, slug: str, tip: str | None) -> Located:
        """The newest committed version."""
        blob = self.blob_at(tip, slug)
        if tip is None or blob is None:
            raise self._not_found(slug, tip, tip)
        numbered = self._numbering(tip).of(slug)
        if numbered and numbered[-1].blob == blob:
            return Located(slug, blob, numbered[-1].commit, numbered[-1].number)
        version = self.version_at(slug, blob, tip, self._numbering(tip))
        return Located(slug, blob, version.commit if version else tip, version.number if version else None)

    def numbered(self, slug: str, number: int, tip: str | None) -> Located:
        """Version ``number``."""
        versions = self._numbering(tip).of(slug)
        for version in versions:
            if version.number == number:
                return Located(slug, version.blob, version.commit, number)
        if not versions and self.blob_at(tip, slug) is None:
            raise self._not_found(slug, tip, tip)
        raise version_not_found(slug, number, len(versions), self._history.shallow and not versions)

    def at_tag(self, slug: str, tag: str, tip: str | None) -> Located:
        """The version that a deployment tag names. Raises TagNotFound."""
        commit = self.tag_commit(slug, tag, tip)
        if commit is not None:
            return self.at_commit(slug, commit, tip)
        tags = self.tag_commits(slug, tip)
        if not tags and self.blob_at(tip, slug) is None:
            raise self._not_found(slug, tip, tip)
        raise revision_not_found(slug, tag, tags, self._tags_never_fetched())

    def at_commit(self, slug: str, commit: str, tip: str | None) -> Located:
        """The prompt as it was at a commit, under whatever name it had there."""
        place = self.place(slug, commit, self._numbering(tip))
        if place is None:
            raise self._not_found(slug, commit, tip)
        return place

    def place(self, slug: str, commit: str, numbering: Numbering) -> Located | None:
        """Like `at_commit`, with the numbering given, and None where the prompt was not there."""
        for name in numbering.names_of(slug):
            blob = self.blob_at(commit, name)
            if blob is not None:
                version = self.version_at(slug, blob, commit, numbering)
                return Located(slug, blob, commit, version.number if version else None)
        return None

    def _at_revision(self, slug: str, rev: str, tip: str | None) -> Located:
        unfetched = self._tags_never_fetched()
        guess = not unfetched or _looks_like_commit(rev)
        found = self._objects.commit(rev) if guess else None
        if found is not None:
            return self.at_commit(slug, found, tip)
        tags = self.tag_commits(slug, tip)
        if not tags and self.blob_at(tip, slug) is None:
            raise self._not_found(slug, tip, tip)
        raise revision_not_found(slug, rev, tags, unfetched)

    # --- tags

    def tags(self, slug: str, tip: str | None) -> dict[str, Located]:
        """The deployment tags of a prompt and where each stands."""
        numbering = self._numbering(tip)
        found = {tag: self.place(slug, commit, numbering) for tag, commit in self.tag_commits(slug, tip).items()}
        return {tag: place for tag, place in found.items() if place is not None}

    def tag_commit(self, slug: str, tag: str, tip: str | None) -> str | None:
        """The commit of one tag, looked up under the prompt's older names too."""
        commit = self._refs.read(tag_ref(slug, tag))
        if commit is not None:
            return commit
        numbering = self._numbering(tip)
        found = ((name, self._refs.read(tag_ref(name, tag))) for name in self._older_names(slug, tip))
        own = (at for name, at in found if at is not None and self.went_along(name, slug, at, numbering))
        return next(own, None)

    def tag_commits(self, slug: str, tip: str | None) -> dict[str, str]:
        """Every tag of one prompt: tag -> commit."""
        numbering, older = self._numbering(tip), self._older_names(slug, tip)
        found = tags_by_slug(self._refs.list(*(f"{TAGS}{name}/-/" for name in (slug, *older))).items())
        merged: dict[str, str] = {}
        for name in reversed(older):
            tags = found.get(name, {}).items()
            merged |= {tag: at for tag, at in tags if self.went_along(name, slug, at, numbering)}
        return merged | found.get(slug, {})

    def _older_names(self, slug: str, tip: str | None) -> list[str]:
        """The names that a prompt had and no other prompt has now: its tags may still stand there."""
        older = self._numbering(tip).names_of(slug)[1:]
        return [name for name in older if self.blob_at(tip, name) is None]

    def went_along(self, old: str, new: str, commit: str, numbering: Numbering) -> bool:
        """Whether a tag at ``commit``, under an older name, is of the prompt that moved, and not of one that had that
        name since."""
        place = self.place(old, commit, numbering)
        return place is None or numbering.went_on(old, new, place.blob)

    def all_tag_commits(self, tip: str | None) -> dict[str, dict[str, str]]:
        """Every tag of every prompt: slug -> tag -> commit; those of an older name stand under the newest."""
        found = tags_by_slug(self._refs.list(TAGS).items())
        there, numbering = self.prompts_at(tip), self._numbering(tip)
        for new in numbering.moves:
            for old in numbering.names_of(new)[1:]:
                if new in there and old in found and old not in there:
                    own = {tag: at for tag, at in found[old].items() if self.went_along(old, new, at, numbering)}
                    found[new] = {**own, **found.get(new, {})}
                    found[old] = {tag: at for tag, at in found[old].items() if tag not in own}
        return {slug: tags for slug, tags in found.items() if tags}

    # --- blobs and versions

    def prompts_at(self, commit: str | None) -> dict[str, str]:
        """The prompts of a commit: slug -> blob id."""
        if commit is None:
            return {}
        tree = self._trees.get(commit)
        if tree is None:
            if len(self._trees) > _TREES:
                self._trees.clear()
            tree = self._layout.prompts(self._objects.tree(commit, self._layout.folder))
            self._trees[commit] = tree
        return tree

    def blob_at(self, commit: str | None, slug: str) -> str | None:
        """The blob of a prompt at a commit, from memory, the cache or git."""
        if commit is None:
            return None
        tree = self._trees.get(commit)
        if tree is not None:
            return tree.get(slug)
        key = f"{commit}:{self._layout.path(slug)}"
        known = self._cache.get(AT, key)
        if known is not None:
            return known.decode() or None
        entry = self._objects.entry(commit, self._layout.path(slug))
        blob = entry.oid if entry and entry.is_file else None
        self._cache.put(AT, key, (blob or "").encode())
        return blob

    def version_at(self, slug: str, blob: str, commit: str, numbering: Numbering) -> Version | None:
        """The version that a blob is at a commit: a text that came back has several, the newest before it counts."""
        same = [version for version in numbering.of(slug) if version.blob == blob]
        if len(same) <= 1:
            return same[0] if same else None
        exact = next((version for version in same if version.commit == commit), None)
        return exact or next((v for v in reversed(same) if self.is_ancestor(v.commit, commit)), same[0])

    def is_ancestor(self, older: str, newer: str) -> bool:
        return self._revisions.is_ancestor(older, newer)

    def _numbering(self, tip: str | None) -> Numbering:
        return self._history.numbering(tip)

    # --- what is missing

    def _tags_never_fetched(self) -> bool:
        """A clone whose origin exists and whose prompt refs never came here: a tag must not be taken for a branch."""
        remote = self._config.git.remote
        if not remote:
            return False
        tracking = f"refs/remotes/{remote}/"
        found = self._refs.list(TAGS, VERSIONS, tracking)
        return bool(found) and all(name.startswith(tracking) for name in found)

    def _not_found(self, slug: str, commit: str | None, tip: str | None) -> NotFound:
        if commit != tip and commit:
            return prompt_not_found(slug, self.prompts_at(commit), f"at {commit[:10]}")
        error = prompt_not_found(slug, self.prompts_at(tip), f"on {self._config.branch}")
        elsewhere = self._checked_out_elsewhere()
        if elsewhere and slug in self.prompts_at(self._refs.read(elsewhere)):
            name = elsewhere.removeprefix("refs/heads/")
            error.hint = f"it is on '{name}': merge that into {self._config.branch}, or read '{slug}@{name}'"
        elif os.path.isfile(self._layout.file(slug)):
            error.hint = f"its file is not committed yet: commit it, or read '{slug}@working'"
        return error

    def _checked_out_elsewhere(self) -> str | None:
        """The branch that is checked out here, where that is not the store's."""
        head = self._refs.head_branch()
        return head if head != f"refs/heads/{self._config.branch}" else None


def _looks_like_commit(rev: str) -> bool:
    head = rev.split("~", 1)[0].split("^", 1)[0]
    return len(head) >= 7 and all(char in "0123456789abcdef" for char in head)
