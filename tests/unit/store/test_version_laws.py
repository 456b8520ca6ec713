"""Laws of version numbers over random histories: they never change, are never reused, and always mean the same bytes.

Histories are written by plumbing (`git fast-import`), which makes many of them affordable; merges included.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from effort import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from repos import chat, make_store

from promptstore import Store
from promptstore.store.git.commits import Identity, NewCommit
from promptstore.store.git.process import run
from promptstore.store.git.refs import RefMove
from promptstore.store.versions import Numbering

ANN = Identity("Ann", "ann@example.com", datetime(2024, 1, 1, tzinfo=UTC))
SLUGS = ("a", "b", "d/c")
Texts = Mapping[str, bytes]

# Long and quite different texts, so that git's likeness takes none for a rename of another.
TEXTS = tuple(chat("\n".join(f"{word} {number}" for number in range(20))).encode() for word in ("red", "blue", "green"))

edits = st.tuples(st.just("edit"), st.sampled_from(SLUGS), st.sampled_from(TEXTS))
deletes = st.tuples(st.just("delete"), st.sampled_from(SLUGS), st.none())
renames = st.tuples(st.just("rename"), st.sampled_from(SLUGS), st.sampled_from(SLUGS))
swaps = st.tuples(st.just("swap"), st.sampled_from(SLUGS), st.sampled_from(SLUGS))
changes = st.one_of(edits, deletes, renames, swaps)
steps = st.lists(
    st.tuples(st.sampled_from(["commit", "side", "merge", "pull", "record"]), changes), min_size=1, max_size=12
)


@dataclass
class World:
    """A repository with the synced branch and a second line that is merged now and then."""

    store: Store
    main: str | None = None
    side: str | None = None
    texts: dict[str | None, Texts] = field(default_factory=lambda: {None: {}})

    def commit(self, parents: tuple[str | None, ...], texts: Texts) -> str:
        files = {self.store.layout.path(slug): text for slug, text in texts.items()}
        made = self.store.commits.write([NewCommit(parents[0], ANN, ANN, "change", files, fresh_tree=True)])[0]
        if len(parents) > 1 and parents[1] is not None:
            arguments = [*self.store.repository.arguments, "commit-tree", "-m", "merge"]
            named = [word for parent in parents if parent for word in ("-p", parent)]
            made = run([*arguments, f"{made}^{{tree}}", *named]).decode().strip()
        self.texts[made] = texts
        return made

    def move_main(self, new: str) -> None:
        if new != self.main:
            self.store.refs.move([RefMove(self.store.branch, new, self.main)], "test")
            self.main = new


def changed(texts: Texts, change: tuple[str, str, bytes | str | None]) -> Texts:
    kind, slug, other = change
    found = dict(texts)
    if kind == "edit" and isinstance(other, bytes):
        found[slug] = other
    elif kind == "delete":
        found.pop(slug, None)
    elif kind == "rename" and slug in found and isinstance(other, str):
        found[other] = found.pop(slug)
    elif kind == "swap" and slug in found and other in found and isinstance(other, str):
        found[slug], found[other] = found[other], found[slug]
    return found


def play(world: World, kind: str, change: tuple[str, str, bytes | str | None]) -> None:
    if kind == "commit":
        world.move_main(world.commit((world.main,), changed(world.texts[world.main], change)))
    elif kind == "side":
        world.side = world.commit((world.side or world.main,), changed(world.texts[world.side or world.main], change))
    elif kind == "merge" and world.side and world.main:
        world.move_main(world.commit((world.main, world.side), world.texts[world.side]))
    elif kind == "pull" and world.side and world.main:
        record(world)  # what is not recorded may be numbered anew when the other line becomes the first parent
        world.move_main(world.commit((world.side, world.main), changed(world.texts[world.main], change)))
        world.side = world.main
    elif kind == "record":
        record(world)


def record(world: World) -> None:
    world.store.history.record(world.main, ANN)


def meanings(numbering: Numbering) -> dict[tuple[str, int], str]:
    return {(slug, v.number): v.blob for slug, found in numbering.versions.items() for v in found}


@settings(max_examples=examples(quick=10, thorough=80))
@given(steps)
def test_numbers_never_change_and_always_give_the_same_bytes(
    history: list[tuple[str, tuple[str, str, bytes | str | None]]],
) -> None:
    with tempfile.TemporaryDirectory() as folder, make_store(Path(folder)) as store:
        world = World(store)
        known: dict[tuple[str, int], str] = {}
        for kind, change in history:
            play(world, kind, change)
            numbering = store.history.numbering(world.main)
            now = meanings(numbering)
            assert known.items() <= now.items(), "a number changed, vanished or was given to another text"
            for slug, versions in numbering.versions.items():
                assert [v.number for v in versions] == list(range(1, len(versions) + 1)), slug
            known = now
        for slug, text in world.texts[world.main].items():
            assert store.text(store.locator.latest(slug, world.main)) == text
        for (slug, number), blob in known.items():
            located = store.locator.numbered(slug, number, world.main)
            assert (located.blob, located.version) == (blob, number)
            assert store.get(slug, version=number).version == number


@settings(max_examples=examples(quick=6, thorough=40))
@given(steps)
def test_another_clone_counts_the_same_from_the_recorded_numbers(
    history: list[tuple[str, tuple[str, str, bytes | str | None]]],
) -> None:
    with tempfile.TemporaryDirectory() as folder, make_store(Path(folder)) as store:
        world = World(store)
        for kind, change in history:
            play(world, kind, change)
        if world.main is None:
            return
        record(world)
        expected = meanings(store.history.numbering(world.main))
        store.close()
        Path(store.cache.path).unlink(missing_ok=True)
        with Store.open(folder) as fresh:
            assert meanings(fresh.history.numbering(world.main)) == expected
