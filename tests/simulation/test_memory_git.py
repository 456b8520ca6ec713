"""The git in memory does what the real one does: the same operations on both, the same ids and answers."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path

import pytest
from memory_git import MemoryRepository
from repos import git

from promptstore.errors import GitError, RefMoved, StoreBusy
from promptstore.store.git.checkout import FileChange
from promptstore.store.git.commits import Identity, NewCommit
from promptstore.store.git.obstacles import Obstacle
from promptstore.store.git.plumbing import Git
from promptstore.store.git.refs import RefMove
from promptstore.store.git.repository import require_repository
from promptstore.store.layout import Layout
from promptstore.store.versions import parse_log

MAIN = "refs/heads/main"
WHO = Identity("Ann Ö", "ann@example.com", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
FOLDER = "prompts"
LAYOUT = Layout(FOLDER, FOLDER)
LINES = "".join(f"      line {number} of a text that is long enough to be known again\n" for number in range(30))


class Pair:
    """One history, written to both gits."""

    def __init__(self, where: Path, seed: int) -> None:
        self.dice = random.Random(seed)
        self.where = where
        where.mkdir()
        git(where, "init", "-q", "-b", "main")
        git(where, "config", "user.name", "Ann Ö")
        git(where, "config", "user.email", "ann@example.com")
        self.real = Git.of(require_repository(str(where)))
        self.repository = MemoryRepository()
        self.repository.revisions.user = ("Ann Ö", "ann@example.com")
        self.memory = self.repository.git()
        self.commits: list[str] = []

    def both(self, ask: object) -> object:
        """What both answer; errors by their kind."""
        answers = []
        for one in (self.real, self.memory):
            try:
                answers.append(ask(one))  # type: ignore[operator]
            except GitError as error:
                answers.append(type(error))
        assert answers[0] == answers[1]
        return answers[0]

    def files(self) -> dict[str, bytes | str | None]:
        """Changes of a few paths: texts, known blobs, removals of files and of folders."""
        found: dict[str, bytes | str | None] = {}
        for _ in range(self.dice.randrange(1, 4)):
            path = self.dice.choice(
                [f"{FOLDER}/a.yaml", f"{FOLDER}/b/c.yaml", f"{FOLDER}/b/-/x", "top", f"{FOLDER}/ü.yaml"]
            )
            found[path] = self.dice.choice([self.text(), self.text(), self.text(), None])
        if self.dice.random() < 0.1:
            found[f"{FOLDER}/b"] = None
        return found

    def text(self) -> bytes:
        """A long text, perhaps with another line or two."""
        lines = LINES.splitlines(keepends=True)
        for _ in range(self.dice.choice([0, 1, 1, 2, 8])):
            lines[self.dice.randrange(len(lines))] = f"      changed {self.dice.randrange(9)}\n"
        return "".join(lines).encode()

    def grow(self) -> str:
        """A batch of commits on some commit."""
        start = self.dice.choice([None, *self.commits[-3:]])
        batch = [
            NewCommit(start if number == 0 else number - 1, WHO, WHO, f"Change {number} ü\n", self.files(), fresh)
            for number, fresh in enumerate(self.dice.choices([False, False, False, True], k=self.dice.randrange(1, 4)))
        ]
        made = self.both(lambda one: one.commits.write(batch))
        assert isinstance(made, list)
        self.commits += made
        return str(made[-1])


@pytest.fixture
def pair(tmp_path: Path, request: pytest.FixtureRequest) -> Pair:
    return Pair(tmp_path / "repo", getattr(request, "param", 1))


@pytest.mark.parametrize("pair", range(4), indirect=True)
def test_objects_and_history(pair: Pair) -> None:
    for _ in range(4):
        pair.grow()
    tip = pair.commits[-1]
    for commit in pair.commits:
        pair.both(lambda one, c=commit: one.objects.tree(c))
        pair.both(lambda one, c=commit: one.objects.tree(c, FOLDER))
        pair.both(lambda one, c=commit: one.objects.entry(c, f"{FOLDER}/b/c.yaml"))
        pair.both(lambda one, c=commit: one.objects.entries(c, [FOLDER, f"{FOLDER}/b", f"{FOLDER}/b/c.yaml", "top/x"]))
        pair.both(lambda one, c=commit: one.objects.read_many([c, f"{c}:{FOLDER}", f"{c}^{{commit}}", f"{c}:none"]))
        pair.both(lambda one, c=commit: one.revisions.is_ancestor(c, tip))
        pair.both(lambda one, c=commit: one.revisions.line(c))
        pair.both(lambda one, c=commit: one.revisions.line(tip, c))
        pair.both(lambda one, c=commit: list(parse_log(one.revisions.changes(c, [], FOLDER), LAYOUT)))
        pair.both(lambda one, c=commit: list(parse_log(one.revisions.changes(tip, [c], FOLDER), LAYOUT)))
    pair.both(lambda one: one.revisions.outside(pair.commits, tip))
    pair.both(lambda one: one.revisions.author())
    pair.both(lambda one: one.commits.blob_id(b"x"))
    pair.both(lambda one: one.objects.blob("0" * 40))


@pytest.mark.parametrize("edits", [0, 1, 2, 3, 4, 6])
def test_renames_are_found_up_to_the_same_likeness(pair: Pair, edits: int) -> None:
    lines = LINES.splitlines(keepends=True)
    for number in range(edits):
        lines[number * 4] = f"      changed {number}\n"
    old, new = f"{FOLDER}/old.yaml", f"{FOLDER}/new.yaml"
    batch = [
        NewCommit(None, WHO, WHO, "One\n", {old: LINES.encode()}),
        NewCommit(0, WHO, WHO, "Two\n", {old: None, new: "".join(lines).encode()}),
    ]
    made = pair.both(lambda one: one.commits.write(batch))
    steps = pair.both(lambda one: list(parse_log(one.revisions.changes(made[-1], [], FOLDER), LAYOUT)))  # type: ignore[index]
    assert bool(steps[-1].moves) == (edits <= 3)  # type: ignore[index]


def test_a_merge_is_compared_with_its_first_parent(pair: Pair) -> None:
    one, other = pair.grow(), pair.grow()
    tree = pair.repository.database.roots[other]
    merged = git(pair.where, "commit-tree", tree, "-p", one, "-p", other, "-m", "Merge")
    raw = pair.real.objects.read(merged)
    assert raw is not None
    database = pair.repository.database
    assert database.put("commit", raw.data) == merged
    database.parents[merged], database.roots[merged] = (one, other), tree
    pair.both(lambda git: list(parse_log(git.revisions.changes(merged, [], FOLDER), LAYOUT)))
    pair.both(lambda git: list(parse_log(git.revisions.changes(merged, [one], FOLDER), LAYOUT)))
    pair.both(lambda git: [git.revisions.is_ancestor(c, merged) for c in pair.commits])
    pair.both(lambda git: [git.revisions.merge_base(c, merged) for c in pair.commits])
    pair.both(lambda git: git.revisions.merge_base(one, other))
    pair.both(lambda git: _said(git.revisions.everything(merged, FOLDER)))
    pair.both(lambda git: sorted(git.revisions.messages(one, merged)))
    pair.both(lambda git: git.revisions.messages(one, other))


def _said(log: bytes) -> list[tuple[str, str]]:
    """Every text that a prompt ever had."""
    steps = parse_log(log, LAYOUT)
    return sorted({(slug, blob) for step in steps for slug, blob in step.blobs.items() if blob is not None})


def test_settings(pair: Pair) -> None:
    git(pair.where, "config", "remote.origin.url", "https://git.test/acme")
    pair.repository.revisions.settings["remote.origin.url"] = "https://git.test/acme"
    pair.both(lambda git: git.revisions.setting("remote.origin.url"))
    pair.both(lambda git: git.revisions.setting("promptstore.publisher"))


def test_the_newest_common_commit(pair: Pair) -> None:
    """Of two lines that begin apart there is none; of two that part, the last one before; of one, the older."""
    start = NewCommit(None, WHO, WHO, "Start\n", {f"{FOLDER}/a.yaml": b"a\n"})
    lines = [start, *(NewCommit(0, WHO, WHO, f"Line {n}\n", {f"{FOLDER}/{n}.yaml": b"x\n"}) for n in range(2))]
    apart = NewCommit(None, WHO, WHO, "Apart\n", {f"{FOLDER}/b.yaml": b"b\n"})
    first, one, other, strange = pair.both(lambda git: git.commits.write([*lines, apart]))  # type: ignore[misc]
    assert pair.both(lambda git: git.revisions.merge_base(one, other)) == first
    assert pair.both(lambda git: git.revisions.merge_base(one, first)) == first
    assert pair.both(lambda git: git.revisions.merge_base(one, strange)) is None


def test_refs(pair: Pair) -> None:
    one, other = pair.grow(), pair.grow()
    tag = "refs/prompts/a/-/production"
    moves = [
        [RefMove(MAIN, one, None), RefMove(tag, one, None)],
        [RefMove(MAIN, other, None)],
        [RefMove(MAIN, other, other)],
        [RefMove(tag, None, other), RefMove(MAIN, other, one)],
        [RefMove("refs/x/gone", other, one)],
        [RefMove("refs/x/gone", None, None)],
        [RefMove(MAIN, other, one), RefMove(tag, None, one)],
    ]
    for batch in moves:
        pair.both(lambda git, b=batch: git.refs.move(b, "why"))
        for name in (MAIN, tag, "HEAD", "refs/x/gone"):
            pair.both(lambda git, n=name: git.refs.read(n))
        pair.both(lambda git: git.refs.list())
        pair.both(lambda git: git.refs.list("refs/prompts/", MAIN))
    assert pair.both(lambda git: git.refs.move([RefMove(MAIN, one, one)], "why")) is RefMoved


def test_a_checked_out_branch(pair: Pair) -> None:
    """Files follow; edits of theirs are refused, staged or not; others stay."""
    batch = [
        NewCommit(None, WHO, WHO, "One\n", {f"{FOLDER}/a.yaml": b"a\n", f"{FOLDER}/b.yaml": b"b\n"}),
        NewCommit(0, WHO, WHO, "Two\n", {f"{FOLDER}/a.yaml": b"a2\n"}),
        NewCommit(1, WHO, WHO, "Three\n", {f"{FOLDER}/b.yaml": None, f"{FOLDER}/c.yaml": b"c\n"}),
    ]
    one, two, three = pair.both(lambda git: git.commits.write(batch))  # type: ignore[misc]
    pair.both(lambda git: git.refs.move([RefMove(MAIN, one, None)], "start"))
    git(pair.where, "reset", "-q", "--hard")
    pair.repository.reset_hard(one)
    write(pair, "b.yaml", b"edited\n")
    write(pair, "new.yaml", b"new\n")
    assert pair.both(lambda git: git.edits.uncommitted(MAIN, FOLDER)) == {f"{FOLDER}/b.yaml", f"{FOLDER}/new.yaml"}
    blob = pair.memory.commits.blob_id(b"a2\n")
    pair.both(lambda git: git.checkout.advance(MAIN, one, two, [FileChange(f"{FOLDER}/a.yaml", blob)], "pull"))
    compare(pair)
    changes = [
        FileChange(f"{FOLDER}/b.yaml", None),
        FileChange(f"{FOLDER}/c.yaml", pair.memory.commits.blob_id(b"c\n")),
    ]
    assert pair.both(lambda git: git.checkout.advance(MAIN, two, three, changes, "pull")) is StoreBusy
    stage(pair)
    assert pair.both(lambda git: git.checkout.advance(MAIN, two, three, changes, "pull")) is StoreBusy
    write(pair, "b.yaml", b"b\n")
    stage(pair)
    pair.both(lambda git: git.checkout.advance(MAIN, two, three, changes, "pull"))
    compare(pair)
    assert pair.both(lambda git: git.checkout.advance(MAIN, two, three, changes, "pull")) is not None
    compare(pair)


def test_what_stands_in_the_way(pair: Pair) -> None:
    """Files and folders, where the file itself or one of its folders is to be."""
    (one,) = pair.both(lambda git: git.commits.write([NewCommit(None, WHO, WHO, "One\n", {"top": b"x\n"})]))  # type: ignore[misc]
    (pair.where / FOLDER / "b").mkdir(parents=True)
    write(pair, "a.yaml", b"a\n")
    write(pair, "b/c.yaml", b"c\n")
    paths = [f"{FOLDER}/{name}" for name in ("a.yaml", "a.yaml/x.yaml", "b", "b/c.yaml", "b/d.yaml", "new/e.yaml")]
    found = pair.both(lambda git: git.edits.in_the_way(MAIN, paths))
    assert found == {
        paths[0]: Obstacle(paths[0], "file"),
        paths[1]: Obstacle(paths[0], "file"),
        paths[2]: Obstacle(paths[2], "folder"),
        paths[3]: Obstacle(paths[3], "file"),
    }
    pair.both(lambda git: git.refs.move([RefMove(MAIN, one, None)], "start"))
    assert pair.both(lambda git: git.edits.in_the_way("refs/heads/other", paths)) == {}


def write(pair: Pair, name: str, data: bytes) -> None:
    (pair.where / FOLDER / name).write_bytes(data)
    pair.repository.tree.files[f"{FOLDER}/{name}"] = data


def stage(pair: Pair) -> None:
    git(pair.where, "add", "-A")
    pair.repository.stage_all()


def compare(pair: Pair) -> None:
    pair.both(lambda one: one.refs.list())
    pair.both(lambda one: one.edits.uncommitted(MAIN, FOLDER))
    there = {str(path.relative_to(pair.where)): path.read_bytes() for path in (pair.where / FOLDER).rglob("*.yaml")}
    assert there == pair.repository.tree.files
    staged = (line.split() for line in git(pair.where, "ls-files", "-s").splitlines())
    assert {path: oid for _, oid, _, path in staged} == pair.repository.tree.staged


def test_a_fetch_and_a_push(tmp_path: Path, pair: Pair) -> None:
    """With leases, atomic or not, and pruning."""
    origin = tmp_path / "origin"
    git(tmp_path, "init", "-q", "--bare", str(origin))
    git(pair.where, "remote", "add", "origin", str(origin))
    there = MemoryRepository(pair.repository.database)
    pair.repository.transport._origin = there.refs
    one, other = pair.grow(), pair.grow()
    x, y = "refs/prompts/a/-/x", "refs/promptstore/versions"
    pair.both(lambda git: git.transport.push("origin", [RefMove(x, one, None), RefMove(y, other, None)]))
    refspecs = [
        "+refs/prompts/*:refs/prompts-tracking/origin/*",
        "+refs/promptstore/*:refs/promptstore-tracking/origin/*",
    ]
    pair.both(lambda git: git.transport.fetch("origin", refspecs))
    pair.both(lambda git: git.refs.list())
    stale = [RefMove(x, other, other), RefMove(y, one, other)]
    assert set(pair.both(lambda git: git.transport.push("origin", stale, atomic=True).keys())) == {x, y}  # type: ignore[call-overload]
    assert set(pair.both(lambda git: git.transport.push("origin", stale).keys())) == {x}  # type: ignore[call-overload]
    assert pair.both(lambda git: git.transport.push("origin", [RefMove(y, one, other)])) == {}  # it is there already
    assert pair.both(lambda git: git.transport.push("origin", [RefMove("refs/x/gone", None, one)]))
    pair.both(lambda git: git.transport.push("origin", [RefMove(x, None, one)]))
    pair.both(lambda git: git.transport.fetch("origin", refspecs))
    assert x not in pair.both(lambda git: git.refs.list()).values()  # type: ignore[attr-defined]
