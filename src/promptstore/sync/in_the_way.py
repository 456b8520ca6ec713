"""What stands where a prompt's file is to be written, and why nothing can be pulled there before it is gone."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence

from promptstore.store.git.obstacles import Kind, Obstacle, committed, folders
from promptstore.store.store import Store
from promptstore.sync.local import Local, comes_to_the_branch
from promptstore.sync.trees import InTheWay

_CALLED: Mapping[Kind, str] = {
    "file": "a file",
    "link": "a symbolic link",
    "folder": "a folder",
    "submodule": "a submodule",
}


def things_in_the_way(store: Store, local: Local, slugs: Sequence[str], edited: Container[str]) -> dict[str, InTheWay]:
    """Those of ``slugs`` in whose place is something else than their text or an edit of it, which those in ``edited``
    have. A commit would not change that, so it is no work in progress to wait for."""
    paths = {slug: store.layout.path(slug) for slug in slugs}
    new = {slug: path for slug, path in paths.items() if slug not in local.prompts}
    found = _committed(store, local, new) | _on_disk(store, local, paths, edited)
    return {slug: InTheWay(_reason(obstacle, paths[slug]), obstacle.path) for slug, obstacle in found.items()}


def _committed(store: Store, local: Local, paths: Mapping[str, str]) -> dict[str, Obstacle]:
    """What a commit of these would take away, checked out or not."""
    found: dict[str, Obstacle] = {}
    places = {place for path in paths.values() for place in (*folders(path), path)}
    for commit in dict.fromkeys([local.commit, local.branch_tip]):
        entries = store.objects.entries(commit, places) if commit and places else {}
        looked = ((slug, committed(entries, path)) for slug, path in paths.items())
        found |= {slug: obstacle for slug, obstacle in looked if obstacle and obstacle != Obstacle(paths[slug], "file")}
    return found


def _on_disk(store: Store, local: Local, paths: Mapping[str, str], edited: Container[str]) -> dict[str, Obstacle]:
    """What stands in the work tree. A file there that is neither on the branch nor an edit is one that git ignores."""
    if not paths or not comes_to_the_branch(store):
        return {}
    branch = store.prompts_at(local.branch_tip)
    own = {Obstacle(path, "file") for slug, path in paths.items() if slug in branch or slug in edited}
    there = store.git.edits.in_the_way(store.branch, list(paths.values()))
    looked = ((slug, there.get(path)) for slug, path in paths.items())
    return {slug: obstacle for slug, obstacle in looked if obstacle is not None and obstacle not in own}


def _reason(obstacle: Obstacle, path: str) -> str:
    if obstacle.path != path:
        return f"{_CALLED[obstacle.kind]} stands where its folder must be"
    if obstacle.kind == "file":
        return "a file that git ignores is in its place"
    return f"{_CALLED[obstacle.kind]} stands in its place"
