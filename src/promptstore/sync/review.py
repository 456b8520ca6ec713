"""The branch ``promptstore/<remote>``: a vendor's edits as commits that wait for somebody's review.

It grows while it waits and is gone once the synced branch has all that it says, however it was merged.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from promptstore.store.git.refs import RefMove
from promptstore.store.sharing import Names, push_refs
from promptstore.store.store import Store
from promptstore.store.writing import TextChange, new_commits
from promptstore.sync.local import Local

_TOLD = re.compile(
    r"^Prompt: (?P<slug>.+)\nRemote: (?P<remote>.+)(?:\nRemote-Version: (?P<version>.+))?$", re.MULTILINE
)


def review_ref(remote: str) -> str:
    return f"refs/heads/promptstore/{remote}"


class ReviewBranch:
    """One remote's branch for review."""

    def __init__(self, store: Store, local: Local, remote: str) -> None:
        self._store = store
        self._local = local
        self._remote = remote
        self.ref = review_ref(remote)

    @property
    def name(self) -> str:
        """What people call it."""
        return self.ref.removeprefix("refs/heads/")

    def waiting(self) -> dict[str, str]:
        """Prompts with a vendor version that waits for review: slug -> that version."""
        tip = self._store.refs.read(self.ref)
        if tip is None or self._local.commit is None:
            return {}
        found: dict[str, str] = {}
        for message in self._store.git.revisions.messages(self._local.commit, tip):
            said = _TOLD.search(message)
            if said and said["remote"] == self._remote:
                found[said["slug"]] = said["version"] or ""
        texts = self._store.prompts_at(tip)
        return {slug: version for slug, version in found.items() if not self._is_merged(slug, texts.get(slug))}

    def add(self, changes: Sequence[TextChange], reason: str) -> None:
        """Put commits on it; it begins where L stands."""
        tip = self._store.refs.read(self.ref)
        made = new_commits(self._store, changes, tip or self._local.commit)
        if made.tip is None or made.tip == (tip or self._local.commit):
            return
        if tip is None:
            self._store.refs.move([RefMove(self.ref, made.tip, None)], reason)
        else:
            self._store.checkout.advance(self.ref, tip, made.tip, made.files, reason)
        self.send()

    def tidy(self) -> None:
        """Take it away when there is nothing in it any more that L does not say."""
        tip = self._store.refs.read(self.ref)
        if tip is None or self.waiting() or self._is_checked_out():
            return
        self._store.refs.move([RefMove(self.ref, None, tip)], f"promptstore: {self.ref} was merged")
        self.send()

    def send(self) -> None:
        """Bring it to the git remote, where pushing is wanted."""
        if not self._store.config.git.push:
            return
        names = Names(self._store.config.git.remote)
        here, there = self._store.refs.read(self.ref), self._store.refs.read(names.tracking(self.ref))
        if here != there:
            push_refs(self._store, names, [RefMove(self.ref, here, there)])

    def _is_merged(self, slug: str, blob: str | None) -> bool:
        """Whether L's history has the text, be it that the branch was squashed or that L went on since."""
        if blob is None:
            return slug not in self._local.prompts
        return any(version.blob == blob for version in self._local.numbering.of(slug))

    def _is_checked_out(self) -> bool:
        return self._store.git.edits.has_checked_out(self.ref)
