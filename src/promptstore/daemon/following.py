"""The config that the daemon goes by: the one in L's commit, whatever is checked out.

A branch with another config that somebody looks at, or a pull request, changes nothing until it is merged.
"""

from __future__ import annotations

import os
import posixpath

from promptstore.errors import ConfigError
from promptstore.store.config import Config, load_config, parse_config
from promptstore.store.git.objects import Objects
from promptstore.store.git.repository import Repository
from promptstore.store.quick import CONFIG_NAME
from promptstore.store.refnames import branch_ref
from promptstore.store.store import Store
from promptstore.sync.local import published_ref

_HOPS = 4
"""A config may name another branch than the one it was found on, whose config counts then."""


def follow(root: str, repository: Repository, branch: str | None) -> tuple[Store, str]:
    """The store at ``root`` with the config of L's commit, and where that config was found.

    ``branch`` is the synced branch as known from before; None (the first time) asks the file in the work tree. Raises
    ConfigError.
    """
    store = _first(root, repository, branch)
    for _ in range(_HOPS):
        config, found = _committed(store)
        if config == store.config:
            return store, found
        store.close()
        store = Store(root, config, repository)
    raise ConfigError(
        "the configs of several branches name each other as the synced one", hint="give them the same [store] branch"
    )


def _first(root: str, repository: Repository, branch: str | None) -> Store:
    config = load_config(root) if branch is None else _config_at(root, repository, branch_ref(branch))
    return Store(root, config or load_config(root), repository)


def _committed(store: Store) -> tuple[Config, str]:
    """The config at L, else at the synced branch. Before it is first committed there, the file counts, as long as the
    synced branch is what is checked out."""
    for ref in dict.fromkeys((published_ref(store), store.branch)):
        config = _config_at(store.root, store.repository, ref)
        if config is not None:
            return config, ref
    if store.refs.head_branch() != store.branch:
        raise ConfigError(
            f"there is no {CONFIG_NAME} on {store.config.branch}, and another branch is checked out",
            hint=f"commit it on {store.config.branch}, or check that branch out",
        )
    return load_config(store.root), "the file, which is not committed yet"


def _config_at(root: str, repository: Repository, ref: str) -> Config | None:
    """The config that a ref's commit holds; None where it holds none. Raises ConfigError."""
    objects = Objects(repository)
    try:
        found = objects.read(f"{ref}:{_path(root, repository)}")
    finally:
        objects.close()
    if found is None or found.kind != "blob":
        return None
    try:
        return parse_config(found.data.decode("utf-8"), f"{CONFIG_NAME} on {ref.removeprefix('refs/heads/')}")
    except UnicodeDecodeError:
        raise ConfigError(f"{CONFIG_NAME} on {ref} is no UTF-8 text", hint="save it as UTF-8") from None


def _path(root: str, repository: Repository) -> str:
    """The config's path in the repository."""
    top = os.path.realpath(repository.worktree or root)
    inside = os.path.relpath(os.path.realpath(root), top).replace(os.sep, "/")
    return posixpath.normpath(posixpath.join(inside, CONFIG_NAME))
