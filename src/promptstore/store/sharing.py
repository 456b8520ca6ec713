"""What clones share through the git remote: tags, version numbers, what was agreed with vendors.

Fetched into a tracking namespace, never onto itself (that would drop moves not pushed yet), and merged three-way
against what was last agreed with the remote, kept where no fetch refspec reaches (an editor's own fetch moves the
tracking refs).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from promptstore.errors import GitError, Where
from promptstore.store.git.process import attempt, failure, run
from promptstore.store.git.refs import RefMove
from promptstore.store.refnames import TAGS, VERSIONS
from promptstore.store.store import Store

OURS = "refs/promptstore/"


@dataclass(frozen=True, slots=True)
class Names:
    """The namespaces of one git remote."""

    remote: str

    @property
    def tags(self) -> str:
        return f"refs/prompts-tracking/{self.remote}/"

    @property
    def ours(self) -> str:
        return f"refs/promptstore-tracking/{self.remote}/"

    @property
    def agreed(self) -> str:
        return f"refs/promptstore-agreed/{self.remote}/"

    @property
    def refspecs(self) -> tuple[str, str]:
        return (f"+{TAGS}*:{self.tags}*", f"+{OURS}*:{self.ours}*")


@dataclass(frozen=True, slots=True)
class Shared:
    """What a fetch brought, counted in tags, and tags that both sides moved differently (ours is kept)."""

    created: int = 0
    updated: int = 0
    deleted: int = 0
    unchanged: int = 0
    conflicts: tuple[str, ...] = field(default=())
    restored: int = 0

    def as_json(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in ("created", "updated", "deleted", "unchanged")}


def git_remotes(store: Store) -> list[str]:
    """The git remotes of the repository, by name."""
    from git import Repo

    with Repo(store.repository.common_dir) as repository:
        return [remote.name for remote in repository.remotes]


def ensure_refspecs(store: Store, remote: str) -> None:
    """Let a plain ``git fetch`` bring the store's refs too."""
    for refspec in lacks_refspecs(store, remote):
        run([*store.repository.arguments, "config", "--add", f"remote.{remote}.fetch", refspec])


def lacks_refspecs(store: Store, remote: str) -> list[str]:
    """The refspecs of ours that git's config does not have."""
    arguments = [*store.repository.arguments, "config", "--get-all", f"remote.{remote}.fetch"]
    known = attempt(arguments).stdout.decode().splitlines()
    return [refspec for refspec in Names(remote).refspecs if refspec not in known]


def fetch_shared(store: Store, remote: str) -> Shared:
    """Fetch from the git remote and take what is new. Raises GitError when it cannot be reached."""
    names = Names(remote)
    ensure_refspecs(store, remote)
    arguments = [*store.repository.arguments, "fetch", "--quiet", "--prune", "--no-tags", remote]
    done = attempt([*arguments, *names.refspecs])
    if done.returncode:
        raise _unreachable(failure(arguments, done.stderr), remote)
    _take_chains(store, names)
    return _take_tags(store, names)


def _unreachable(error: GitError, remote: str) -> GitError:
    hint = f"check `git fetch {remote}`"
    return GitError(error.message, where=Where(remote=remote), hint=error.hint if "disk" in error.hint else hint)


def _take_chains(store: Store, names: Names) -> None:
    """Append-only chains move forward; numbers that only this clone gave are provisional and give way."""
    theirs = store.refs.list(names.ours)
    for name, new in theirs.items():
        ours = OURS + name.removeprefix(names.ours)
        old = store.refs.read(ours)
        gives_way = ours == VERSIONS
        forward = old is None or store.locator.is_ancestor(old, new)
        if old != new and (forward or (gives_way and not store.locator.is_ancestor(new, old or new))):
            store.refs.move([RefMove(ours, new, old)], f"promptstore: fetch {names.remote}")


def _take_tags(store: Store, names: Names) -> Shared:
    theirs = _below(store.refs.list(names.tags), names.tags)
    base = _below(store.refs.list(names.agreed), names.agreed)
    ours = _below(store.refs.list(TAGS), TAGS)
    if base and not theirs:
        return Shared(unchanged=len(ours), restored=len(base))  # all of them gone at once: not obeyed
    moves, conflicts = merge_tags(base, ours, theirs)
    store.refs.move(
        [RefMove(TAGS + name, new, ours.get(name)) for name, new in moves.items()]
        + _agree(names, base, {**ours, **moves}, theirs),
        f"promptstore: fetch {names.remote}",
    )
    created = sum(name not in ours for name in moves)
    deleted = sum(new is None for new in moves.values())
    updated = len(moves) - created - deleted
    return Shared(created, updated, deleted, len(theirs) - created - updated, tuple(conflicts))


def merge_tags(
    base: Mapping[str, str], ours: Mapping[str, str], theirs: Mapping[str, str]
) -> tuple[dict[str, str | None], list[str]]:
    """What must move here so that the remote's moves count, and the names that both sides moved apart."""
    moves: dict[str, str | None] = {}
    conflicts = []
    for name in sorted({*base, *ours, *theirs}):
        was, here, there = base.get(name), ours.get(name), theirs.get(name)
        if there in (here, was):
            continue
        if here == was:
            moves[name] = there
        else:
            conflicts.append(name)
    return moves, conflicts


def _agree(
    names: Names, base: Mapping[str, str], ours: Mapping[str, str | None], theirs: Mapping[str, str]
) -> list[RefMove]:
    """Where both sides are the same now, that is agreed."""
    same = {name for name in {*base, *theirs} if ours.get(name) == theirs.get(name)}
    return [
        RefMove(names.agreed + name, theirs.get(name), base.get(name))
        for name in sorted(same)
        if theirs.get(name) != base.get(name)
    ]


def _below(refs: Mapping[str, str], prefix: str) -> dict[str, str]:
    return {name.removeprefix(prefix): oid for name, oid in refs.items()}
