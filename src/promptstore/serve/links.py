"""What the store agreed on with a vendor: ids and version numbers of linked prompts are the vendor's own."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from promptstore.store.refnames import TAGS, VERSIONS, base_ref
from promptstore.store.store import Store
from promptstore.sync.agreement import Agreements
from promptstore.sync.trees import Link


@dataclass(frozen=True, slots=True)
class Links:
    """The links of one vendor's remotes by slug. ``lost``: there is a remote, but this clone was never told of its
    links, so no version number can be known."""

    by_slug: Mapping[str, Link] = field(default_factory=dict)
    lost: bool = False


def link_state(store: Store, vendor: str) -> tuple[str | None, ...]:
    """Changes whenever ``read_links`` may give something else."""
    return tuple(store.refs.read(base_ref(name)) for name in _remotes(store, vendor))


def read_links(store: Store, vendor: str) -> Links:
    """The links of every remote of this vendor; the first configured one wins."""
    found: dict[str, Link] = {}
    known = False
    names = _remotes(store, vendor)
    for name in reversed(names):
        agreement = Agreements(name, store.refs, store.objects, store.commits).read()
        known |= agreement.commit is not None and agreement.damaged is None
        found.update({slug: agreed.link for slug, agreed in agreement.prompts.items()})
    return Links(found, lost=bool(names) and not known and _never_fetched(store))


def _remotes(store: Store, vendor: str) -> list[str]:
    return [name for name, remote in store.config.remotes.items() if remote.vendor == vendor]


def _never_fetched(store: Store) -> bool:
    """Whether this is a plain clone, without the refs that a store keeps beside its branches."""
    remote = store.config.git.remote
    tracking = os.path.join(store.repository.common_dir, "refs", "remotes", remote)
    return bool(remote) and os.path.isdir(tracking) and not store.refs.list(TAGS, VERSIONS)
