"""Fetching from the git remote what clones share.

Into a tracking namespace, never onto itself: that would drop moves not sent yet.
"""

from __future__ import annotations

from promptstore.errors import GitError
from promptstore.store.sharing.chains import take_chains
from promptstore.store.sharing.failures import origin_failure
from promptstore.store.sharing.names import Names
from promptstore.store.sharing.tags import Shared, take_tags
from promptstore.store.store import Store


def git_remotes(store: Store) -> list[str]:
    """The git remotes of the repository, by name."""
    from git import Repo

    with Repo(store.repository.common_dir) as repository:
        return [remote.name for remote in repository.remotes]


def ensure_refspecs(store: Store, remote: str) -> None:
    """Let a plain ``git fetch`` bring the store's refs too."""
    for refspec in lacks_refspecs(store, remote):
        store.git.transport.add_refspec(remote, refspec)


def lacks_refspecs(store: Store, remote: str) -> list[str]:
    """The refspecs of ours that git's config does not have."""
    known = store.git.transport.refspecs(remote)
    return [refspec for refspec in Names(remote).refspecs if refspec not in known]


def fetch_shared(store: Store, remote: str, *more: str) -> Shared:
    """Fetch from the git remote and take what is new; ``more`` are refspecs to bring along. Raises OriginUnreachable
    when it cannot be reached."""
    names = Names(remote)
    fetch_refs(store, names, *more)
    take_chains(store, names)
    return take_tags(store, names)


def fetch_refs(store: Store, names: Names, *more: str) -> None:
    """Only fetch: tracking refs move, nothing of ours does. ``more`` are refspecs to bring along."""
    ensure_refspecs(store, names.remote)
    try:
        store.git.transport.fetch(names.remote, [*names.refspecs, *more])
    except GitError as error:
        raise origin_failure(error, names.remote) from None
