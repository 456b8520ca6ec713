"""Prompts that were made anew under the id of one that is no more: where an id is a name it comes back, and a database
may give the versions of the new prompt lower numbers than the old one had."""

from __future__ import annotations

from collections.abc import Mapping

from promptstore.errors import PromptStoreError, RemoteMissing
from promptstore.sync.session import Pool, Session
from promptstore.vendors.base import RemoteHead, Workspace


def successors(session: Session, workspace: Workspace, heads: Mapping[str, RemoteHead], pool: Pool) -> set[str]:
    """The slugs, of those with these heads, where another prompt stands now than was last seen or agreed on.

    A version lower than one that was there before may be an old answer, from which nothing follows. It is none where
    the vendor, asked for the former version itself, says that there is no such version, and where what it shows is not
    what is known of this prompt. Where ids never come back, a lower version can only be an old answer,
    and whoever gives it may not know the former version yet, either.
    """
    if not session.vendor.reuses_ids:
        return set()
    behind = [(slug, former) for slug, head in heads.items() if (former := _former(session, slug, head)) is not None]
    found = pool.map(lambda asked: _is_another(session, workspace, asked[0], heads[asked[0]], asked[1]), behind)
    return {slug for (slug, _), is_another in zip(behind, found, strict=True) if is_another}


def _former(session: Session, slug: str, head: RemoteHead) -> str | None:
    """The newest version that was known under this id, where the listing shows a lower one."""
    seen, agreed, key = session.tracked.prompts.get(slug), session.agreed(slug), session.vendor.version_key
    known = [seen.version] if seen is not None and seen.id == head.id else []
    known += [agreed.link.head] if agreed is not None and agreed.link.id == head.id else []
    return max((version for version in known if key(version) > key(head.version)), key=key, default=None)


def _is_another(session: Session, workspace: Workspace, slug: str, head: RemoteHead, former: str) -> bool:
    """Whether the vendor says clearly that there is no such version as the former; any other answer proves nothing."""
    try:
        workspace.read(head.id, former)
    except RemoteMissing:
        return not _is_as_known(session, workspace, slug, head, former)
    except PromptStoreError:
        return False
    return False


def _is_as_known(session: Session, workspace: Workspace, slug: str, head: RemoteHead, former: str) -> bool:
    """Whether the newest known version that the vendor still shows is the very one that was known; one that cannot be
    read may be."""
    seen, key = session.tracked.prompts.get(slug), session.vendor.version_key
    made = seen.versions if seen is not None and seen.id == head.id else {}
    last = max((version for version in made if key(version) <= key(head.version)), key=key, default=None)
    if last is None or former not in made:  # without that one, what was seen is of the successor already
        return False
    try:
        shown = workspace.read(head.id, last)
    except RemoteMissing:
        return False
    except PromptStoreError:
        return True
    return made[last].is_the_same(shown)
