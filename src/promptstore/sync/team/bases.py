"""Two clones' agreements with one vendor, merged: by rights only the leader changes them, but it may not have heard."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from promptstore.store.history import system_identity
from promptstore.store.refnames import base_ref
from promptstore.store.sharing import Names
from promptstore.store.store import Store
from promptstore.sync.agreement import Agreed, Agreement
from promptstore.sync.session import Session

VersionKey = Callable[[str], Any]


def merge_agreements(base: Agreement, ours: Agreement, theirs: Agreement, key: VersionKey) -> dict[str, Agreed | None]:
    """What must change in ``theirs`` so that ours counts too: of two changes of one prompt, the one that knows the
    newer vendor version, else theirs. A prompt of the vendor's that both linked, under two names, keeps theirs."""
    changes: dict[str, Agreed | None] = {}
    for slug in sorted({*base.prompts, *ours.prompts, *theirs.prompts}):
        was, here, there = base.prompts.get(slug), ours.prompts.get(slug), theirs.prompts.get(slug)
        if here in (was, there):
            continue
        if there == was or _is_newer(here, there, key):
            changes[slug] = here
    return _linked_once(changes, theirs, key)


def _linked_once(changes: dict[str, Agreed | None], theirs: Agreement, key: VersionKey) -> dict[str, Agreed | None]:
    """Two names linked with one prompt of the vendor's would be published over each other."""
    after = {**theirs.prompts, **changes}
    standing = {
        agreed.link.id: slug
        for slug, agreed in theirs.prompts.items()
        if (now := after[slug]) is not None and now.link.id == agreed.link.id
    }
    for slug, ours in list(changes.items()):
        other = standing.get(ours.link.id, slug) if ours is not None else slug
        if ours is None or other == slug:
            continue
        del changes[slug]
        if _is_newer(ours, after[other], key):
            changes[other] = replace(ours, link=replace(ours.link, called=ours.link.called or slug))
    return changes


def _is_newer(here: Agreed | None, there: Agreed | None, key: VersionKey) -> bool:
    if here is None or there is None:
        return there is None
    return bool(here.link.id == there.link.id and key(here.link.head) > key(there.link.head))


def join_agreements(store: Store, names: Names, session: Session) -> None:
    """Bring what other clones agreed on with a remote together with ours, in one step: a clone that dies meanwhile
    still has its own. One that cannot be read counts for nothing."""
    name = base_ref(session.name)
    ours, theirs = store.refs.read(name), store.refs.read(names.tracking(name))
    if not ours or not theirs or store.locator.is_ancestor(theirs, ours) or store.locator.is_ancestor(ours, theirs):
        return
    known = session.agreements
    common = store.git.revisions.merge_base(ours, theirs)
    mine, target = known.at(ours), known.at(theirs)
    before = known.at(common) if common and not target.damaged else Agreement()
    changes = {} if mine.damaged else merge_agreements(before, mine, target, session.vendor.version_key)
    workspace = target.workspace or mine.workspace
    known.write(target, changes, system_identity(store.clock()), workspace=workspace, was=ours)
