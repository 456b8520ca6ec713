"""Where a vendor's edits come to: the synced branch, its upstream (`[git] push`), or a branch for review
(`[sync] integrate = "branch"`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from promptstore.errors import OriginRefuses, RefMoved, Where
from promptstore.store.git.refs import RefMove
from promptstore.store.sharing import Names, fetch_refs, push_refs
from promptstore.store.store import Store
from promptstore.store.writing import TextChange, commit_texts, new_commits
from promptstore.sync.catch_up import catch_up, tree_changes
from promptstore.sync.local import Local, is_behind, no_upstream
from promptstore.sync.review import ReviewBranch


class Landing(Protocol):
    """Takes commits to be made. Raises StoreBusy, RefMoved or a GitError before anything has changed."""

    counts_at_once: bool
    """Whether what landed is L's: else nothing is agreed on before it came there."""

    def land(self, changes: Sequence[TextChange], reason: str) -> None: ...


def landing_for(store: Store, local: Local, remote: str) -> Landing:
    """Where the edits of ``remote`` come to in this store."""
    if store.config.sync.integrate == "branch":
        return OnReviewBranch(store, local, remote)
    return OnUpstream(store, local) if store.config.git.push else OnBranch(store, local)


class OnBranch:
    """Commits of the synced branch; pushing them is the user's business."""

    def __init__(self, store: Store, local: Local) -> None:
        self._store = store
        self._local = local
        self.counts_at_once = local.ref == store.branch

    def land(self, changes: Sequence[TextChange], reason: str) -> None:
        expected = self._local.branch_tip
        if expected is not None and self._needs_ours(expected, changes):
            self._forward(expected, changes, reason)
            return
        if expected is None and self._local.commit is not None and changes:
            expected = self._local.commit  # a clone without the branch (a CI job's) begins it where L is
            self._store.refs.move([RefMove(self._store.branch, expected, None)], reason)
        commit_texts(self._store, changes, reason, expected=expected)

    def _needs_ours(self, tip: str, changes: Sequence[TextChange]) -> bool:
        """Whether the branch is merely behind L, and a change was made of a text that it has not got yet."""
        there = self._store.prompts_at(tip)
        older = any(there.get(change.slug) != self._local.prompts.get(change.slug) for change in changes)
        return older and is_behind(self._store, self._local)

    def _forward(self, tip: str, changes: Sequence[TextChange], reason: str) -> None:
        """The branch goes on from L, as a `git pull` would have it."""
        made = new_commits(self._store, changes, self._local.commit)
        if made.tip is not None:
            files = tree_changes(self._store, tip, made.tip)
            self._store.checkout.advance(self._store.branch, tip, made.tip, files, reason)


class OnUpstream:
    """Commits on what was fetched of the upstream, pushed before anything here moves; the branch only follows."""

    counts_at_once = True

    def __init__(self, store: Store, local: Local) -> None:
        self._store = store
        self._local = local
        self._names = Names(store.config.git.remote)

    def land(self, changes: Sequence[TextChange], reason: str) -> None:
        old, branch = self._local.commit, self._names.branch(self._local.ref)
        if old is None or branch is None:
            raise no_upstream(self._store)
        made = new_commits(self._store, changes, old)
        if made.tip is None or made.tip == old:
            return
        self._push(branch, old, made.tip)
        self._follow(made.tip, reason)

    def _push(self, branch: str, old: str, new: str) -> None:
        sent = push_refs(self._store, self._names, [RefMove(branch, new, old)])
        if sent.refused:
            raise OriginRefuses(
                next(iter(sent.refused.values())),
                where=Where(remote=self._names.remote),
                hint='let this clone push there, or have edits come for review: [sync] integrate = "branch"',
            )
        if sent.outdated:
            fetch_refs(self._store, self._names, f"+{branch}:{self._local.ref}")
            raise RefMoved(f"{branch} was moved at {self._names.remote}", hint="run it again")

    def _follow(self, new: str, reason: str) -> None:
        """The branch here, where it has nothing of its own. One with edits in the way stays: `git pull` brings it."""
        tip = self._store.refs.read(self._store.branch)
        if tip is None or tip == new or not self._store.locator.is_ancestor(tip, new):
            return
        catch_up(self._store, self._store.branch, tip, new, reason)


class OnReviewBranch:
    """Commits of a branch that waits for a pull request: always the same one, until it was merged."""

    counts_at_once = False

    def __init__(self, store: Store, local: Local, remote: str) -> None:
        self._branch = ReviewBranch(store, local, remote)

    def land(self, changes: Sequence[TextChange], reason: str) -> None:
        self._branch.add(changes, reason)
