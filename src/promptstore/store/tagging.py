"""Moving tags: each move is one ref and one line of history, many go together in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from promptstore.errors import TagNotFound, Where
from promptstore.store.address import Located
from promptstore.store.git.commits import Identity
from promptstore.store.git.refs import RefMove
from promptstore.store.refnames import TAG_LOG, TAGS, require_tag, tag_ref
from promptstore.store.store import Store
from promptstore.store.tags import TagMove, tag_moves, tags_by_slug


@dataclass(frozen=True, slots=True)
class NewPlace:
    """Where a tag shall stand: a commit, or None to take it away. ``version`` is told in the history."""

    slug: str
    tag: str
    commit: str | None
    version: int | None = None
    why: str = ""
    remote: str | None = None


def set_tag(store: Store, located: Located, tag: str, why: str = "") -> int | None:
    """Move ``tag`` to a version and return the version it stood at before."""
    require_tag(tag)
    was = store.locator.tags(located.slug, store.tip).get(tag)
    commit = _commit_of(store, located)
    if was is None or was.commit != commit:
        move_tags(store, [NewPlace(located.slug, tag, commit, located.version, why)])
    return was.version if was else None


def _commit_of(store: Store, located: Located) -> str:
    """The commit that brought the version, so that equal versions have equal tags."""
    versions = store.history.numbering(store.tip).of(located.slug)
    known = next((version for version in versions if version.number == located.version), None)
    return known.commit if known else located.commit


def delete_tag(store: Store, slug: str, tag: str, why: str = "") -> int | None:
    """Take a tag away and return the version it stood at. Raises TagNotFound."""
    was = store.locator.tags(slug, store.tip).get(tag)
    if was is None and store.refs.read(tag_ref(slug, tag)) is None:
        known = ", ".join(sorted(store.locator.tags(slug, store.tip))) or "none"
        raise TagNotFound(f"'{slug}' has no tag '{tag}'", where=Where(slug=slug), hint=f"its tags: {known}")
    move_tags(store, [NewPlace(slug, tag, None, None, why)])
    return was.version if was else None


def move_tags(store: Store, places: Sequence[NewPlace], who: Identity | None = None) -> None:
    """Move tags together, each with a line of history. Raises RefMoved when a tag was moved by someone else."""
    if not places:
        return
    settle_renames(store)
    store.history.record(store.refs.read(store.branch), who or store.user())
    _write(store, places, who or store.user())


def _write(store: Store, places: Sequence[NewPlace], who: Identity) -> None:
    standing = [(place, store.refs.read(tag_ref(place.slug, place.tag))) for place in places]
    real = [(place, old) for place, old in standing if old != place.commit]
    if not real:
        return
    log_tip = store.refs.read(TAG_LOG)
    lines = [_line(store, place, old, who) for place, old in real]
    chain = [line.commit(log_tip if i == 0 else i - 1, who) for i, line in enumerate(lines)]
    new_log = store.commits.write(chain)[-1]
    moves = [RefMove(tag_ref(place.slug, place.tag), place.commit, old) for place, old in real]
    store.refs.move([RefMove(TAG_LOG, new_log, log_tip), *moves], "promptstore: move tags")


def _line(store: Store, place: NewPlace, old: str | None, who: Identity) -> TagMove:
    numbering = store.history.numbering(store.tip)
    was = store.locator.place(place.slug, old, numbering) if old else None
    return TagMove(
        place.slug,
        place.tag,
        was.version if was else None,
        place.version,
        old,
        place.commit,
        f"{who.name} <{who.email}>",
        who.when,
        place.why,
        place.remote,
    )


def settle_renames(store: Store) -> None:
    """Let tag refs follow prompts that were renamed on the synced branch."""
    tip = store.refs.read(store.branch)
    numbering = store.history.numbering(tip)
    if not numbering.moves:
        return
    there = store.prompts_at(tip)
    standing = tags_by_slug(store.refs.list(TAGS).items())
    for new in numbering.moves:
        for old in numbering.names_of(new)[1:]:
            if new in there and old in standing and old not in there:
                tags = {
                    tag: commit
                    for tag, commit in standing[old].items()
                    if store.locator.went_along(old, new, commit, numbering)
                }
                _rename(store, old, new, tags, standing.get(new, {}))


def _rename(store: Store, old: str, new: str, tags: dict[str, str], taken: dict[str, str]) -> None:
    moves = []
    for tag, commit in tags.items():
        moves.append(RefMove(tag_ref(old, tag), None, commit))
        there = taken.get(tag)
        if there is None or (there != commit and _went_on(store, old, tag, there, commit)):
            moves.append(RefMove(tag_ref(new, tag), commit, there))
    store.refs.move(moves, f"promptstore: tags follow {old} to {new}")


def _went_on(store: Store, slug: str, tag: str, was: str, now: str) -> bool:
    """Whether the last move of a tag took it from ``was`` to ``now`` under this name: in a clone that had not heard of
    the rename yet."""
    last = next((move for move in tag_history(store) if move.tag == tag and move.slug == slug), None)
    return last is not None and (last.old_commit, last.new_commit) == (was, now)


def tag_history(store: Store, slug: str | None = None) -> list[TagMove]:
    """Every move of every tag (or of one prompt's), newest first."""
    tip = store.refs.read(TAG_LOG)
    if tip is None:
        return []
    names = set(store.history.numbering(store.tip).names_of(slug)) if slug else set()
    return [move for move in tag_moves(store.git.revisions.line(tip)) if not slug or move.slug in names]
