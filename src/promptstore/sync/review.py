"""The branch ``promptstore/<remote>``: a vendor's edits as commits that wait for somebody's review.

It grows while it waits and is gone once the synced branch has all that it says, however it was merged. Where pushing is
wanted it is one branch for all clones and for whoever reviews it: what others put on it is built on, never replaced.
"""

from __future__ import annotations

from collections.abc import Sequence

from promptstore.errors import OriginRefuses, OriginUnreachable, RefMoved, StoreBusy, Where
from promptstore.store.git.refs import RefMove
from promptstore.store.sharing import Names, fetch_refs, push_refs
from promptstore.store.store import Store
from promptstore.store.writing import TextChange, new_commits
from promptstore.sync.catch_up import catch_up, tree_changes
from promptstore.sync.local import Local
from promptstore.sync.review_edits import with_edits
from promptstore.sync.taken_in import TOLD

_ALL = "refs/heads/promptstore/"


def review_ref(remote: str) -> str:
    return f"{_ALL}{remote}"


def review_refspec(names: Names) -> str:
    """What brings every branch for review from the git remote."""
    return f"+{_ALL}*:{names.tracking(_ALL)}*"


class ReviewBranch:
    """One remote's branch for review."""

    def __init__(self, store: Store, local: Local, remote: str) -> None:
        self._store = store
        self._local = local
        self._remote = remote
        self._names = Names(store.config.git.remote) if store.config.git.push else None
        self.ref = review_ref(remote)

    @property
    def name(self) -> str:
        """What people call it."""
        return self.ref.removeprefix("refs/heads/")

    # --- what is on it

    def waiting(self) -> dict[str, str]:
        """Prompts with a vendor version that waits for review: slug -> that version."""
        tip = self._shown()
        if tip is None or self._local.commit is None:
            return {}
        texts = self._store.prompts_at(tip)
        found = ((slug, version, texts.get(slug)) for slug, (version, _) in self._told(tip).items())
        return {slug: version for slug, version, blob in found if not self._has_taken(slug, blob, tip)}

    def _told(self, tip: str) -> dict[str, tuple[str, str]]:
        """The prompts that commits of ours changed there: slug -> (the vendor's newest version, its commit)."""
        found: dict[str, tuple[str, str]] = {}
        for commit, message in self._store.git.revisions.messages(self._local.commit or "", tip):
            said = TOLD.search(message)
            if said and said["remote"] == self._remote:
                found[said["slug"]] = (said["version"] or "", commit)
        return found

    def _has_taken(self, slug: str, blob: str | None, tip: str) -> bool:
        """Whether L says it, or said it since the branch began, be it that this was squashed or that L went on."""
        if self._local.prompts.get(slug) == blob:
            return True
        start = self._store.git.revisions.merge_base(self._local.commit or "", tip)
        same = [version.commit for version in self._local.numbering.of(slug) if version.blob == blob]
        return bool(same) and (start is None or bool(self._store.git.revisions.outside(same, start)))

    def _is_merged(self, tip: str) -> bool:
        """Whether L has all that is on it, what people put there included."""
        if self._local.commit is None:
            return False
        start = self._store.git.revisions.merge_base(self._local.commit, tip)
        if start is None or start == tip:
            return start == tip
        ours = self._store.objects.tree(self._local.commit)
        for change in tree_changes(self._store, start, tip):
            slug, there = self._store.layout.slug(change.path), ours.get(change.path)
            if (there.oid if there else None) != change.oid and not (slug and self._has_taken(slug, change.oid, tip)):
                return False
        return True

    # --- where it stands

    @property
    def _there(self) -> str | None:
        return self._store.refs.read(self._names.tracking(self.ref)) if self._names else None

    def _shown(self) -> str | None:
        try:
            return self._tip()
        except StoreBusy:
            return self._store.refs.read(self.ref)

    def _tip(self) -> str | None:
        """What it says for everybody. Raises StoreBusy where somebody's own commits here are missing there."""
        here, there = self._store.refs.read(self.ref), self._there
        if here is None or there is None or self._store.locator.is_ancestor(there, here):
            return here or there
        strange = (m for _, m in self._store.git.revisions.messages(there, here) if not TOLD.search(m))
        if any(strange):
            raise StoreBusy(
                f"{self.name} here has commits that the one at {self._store.config.git.remote} has not",
                hint=f"bring them together: `git pull --rebase` and `git push` on {self.name}",
            )
        return there  # ours were rebased, or somebody went on from them

    # --- moving it

    def add(self, changes: Sequence[TextChange], reason: str) -> None:
        """Put commits on it; it begins where L stands. Raises RefMoved when somebody else did so meanwhile, and
        StoreBusy where people edited on it what the vendor edited too."""
        here, tip = self._store.refs.read(self.ref), self._tip()
        onto = tip or self._local.commit
        if tip is not None:
            changes = [with_edits(self._store, change, tip, self._last(change.slug, tip)) for change in changes]
        made = new_commits(self._store, changes, onto)
        if made.tip is None or made.tip == onto:
            return
        if self._names is not None:
            self._push(self._names, made.tip)
            self._follow(here, made.tip, reason)
        elif tip is None:
            self._store.refs.move([RefMove(self.ref, made.tip, None)], reason)
        else:
            self._store.checkout.advance(self.ref, tip, made.tip, made.files, reason)

    def _last(self, slug: str, tip: str) -> str | None:
        """What we last made of a prompt there, or what it began with."""
        told = self._told(tip).get(slug)
        start = told[1] if told else self._store.git.revisions.merge_base(self._local.commit or "", tip)
        return self._store.prompts_at(start).get(slug)

    def _push(self, names: Names, new: str) -> None:
        sent = push_refs(self._store, names, [RefMove(self.ref, new, self._there)])
        if sent.refused:
            raise OriginRefuses(
                next(iter(sent.refused.values())),
                where=Where(remote=names.remote),
                hint=f"let this clone push {self.name} there, or set [git] push = false",
            )
        if sent.outdated:
            fetch_refs(self._store, names, review_refspec(names))
            raise RefMoved(f"{self.name} was moved at {names.remote}", hint="run it again")

    def _follow(self, here: str | None, new: str, reason: str) -> None:
        if here is None:
            self._store.refs.move([RefMove(self.ref, new, None)], reason)
        else:
            catch_up(self._store, self.ref, here, new, reason)

    def tidy(self) -> None:
        """Take it away when there is nothing in it any more that L does not say."""
        try:
            tip = self._tip()
        except StoreBusy:
            return
        if tip is None or self._store.git.edits.has_checked_out(self.ref) or not self._is_merged(tip):
            return
        here = self._store.refs.read(self.ref)
        if self._taken_away_there() and here is not None:
            self._store.refs.move([RefMove(self.ref, None, here)], f"promptstore: {self.ref} was merged")

    def _taken_away_there(self) -> bool:
        """Whether it is gone at the git remote. Where somebody put more on it meanwhile, or nobody may, it stays."""
        there = self._there
        if self._names is None or there is None:
            return True
        try:
            return not push_refs(self._store, self._names, [RefMove(self.ref, None, there)]).outdated
        except (OriginUnreachable, OriginRefuses):
            return False
