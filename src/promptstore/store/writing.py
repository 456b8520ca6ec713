"""Committing prompt texts on the synced branch, with the checked-out files following."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from promptstore.errors import RefMoved
from promptstore.store.git.checkout import FileChange
from promptstore.store.git.commits import FILE_MODE, Identity, NewCommit
from promptstore.store.store import Store


@dataclass(frozen=True, slots=True)
class TextChange:
    """One commit to be made: one prompt's new text (None: it is removed), by whom, and why."""

    slug: str
    text: bytes | None
    author: Identity
    message: str


ANY_TIP = "any"


def commit_texts(
    store: Store, changes: Sequence[TextChange], reason: str, *, expected: str | None = ANY_TIP
) -> str | None:
    """Commit the changes in order, one commit each, and move the synced branch; returns its tip.

    They are made as by `new_commits`. ``expected`` is the tip on which
    the changes were thought out (None: a branch without a commit); on another one nothing is committed. Raises
    StoreBusy and RefMoved before anything moved.
    """
    old = store.refs.read(store.branch)
    if expected not in (ANY_TIP, old):
        raise RefMoved("the branch was moved meanwhile", hint="run it again")
    made = new_commits(store, changes, old)
    if made.tip is not None and made.tip != old:
        store.checkout.advance(store.branch, old, made.tip, made.files, reason)
    return made.tip


@dataclass(frozen=True, slots=True)
class Made:
    """Commits that no ref names yet: the last one (the parent where nothing changes), and the files they change."""

    tip: str | None
    files: list[FileChange]


def new_commits(store: Store, changes: Sequence[TextChange], parent: str | None) -> Made:
    """Write the changes in order as commits on ``parent``, one each; one that changes nothing makes none.

    Author and committer are the change's author, so that equal changes on equal parents are equal commits wherever
    they are made; a file keeps its mode.
    """
    before = store.prompts_at(parent)
    modes = _odd_modes(store, parent, changes)
    now: dict[str, str | None] = {}
    chain: list[NewCommit] = []
    for change in changes:
        blob = store.commits.blob_id(change.text) if change.text is not None else None
        if now.get(change.slug, before.get(change.slug)) == blob:
            continue
        now[change.slug] = blob
        files = {store.layout.path(change.slug): change.text}
        onto = len(chain) - 1 if chain else parent
        chain.append(NewCommit(onto, change.author, change.author, change.message, files, modes=modes))
    if not chain:
        return Made(parent, [])
    moved = ((store.layout.path(slug), blob) for slug, blob in now.items() if before.get(slug) != blob)
    files_changed = [FileChange(path, blob, modes.get(path, FILE_MODE)) for path, blob in moved]
    return Made(store.commits.write(chain, sign=True)[-1], files_changed)


def _odd_modes(store: Store, tip: str | None, changes: Sequence[TextChange]) -> dict[str, str]:
    """The modes of the files that are not plain ones: path -> mode."""
    if tip is None:
        return {}
    paths = {store.layout.path(change.slug) for change in changes}
    entries = {path: store.objects.entry(tip, path) for path in paths}
    return {path: entry.mode for path, entry in entries.items() if entry and entry.is_file and entry.mode != FILE_MODE}
