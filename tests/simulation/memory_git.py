"""Git in memory, with git's own object ids: what ``Store`` uses of it, and what people do with it.

Held against the real git by ``test_memory_git.py``.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from life import IMMORTAL, Life

from promptstore.errors import GitError, RefMoved, StoreBusy, Where
from promptstore.store.git.checkout import FileChange
from promptstore.store.git.commits import Identity, NewCommit
from promptstore.store.git.objects import Object, TreeEntry
from promptstore.store.git.obstacles import Obstacle, folders
from promptstore.store.git.plumbing import Git
from promptstore.store.git.refs import RefMove
from promptstore.store.git.revisions import Said

FILE, FOLDER = "100644", "40000"
RENAME = 0.9


def object_id(kind: str, data: bytes) -> str:
    return hashlib.sha1(f"{kind} {len(data)}\0".encode() + data, usedforsecurity=False).hexdigest()


@dataclass
class Database:
    """Objects by id. Clones without an origin may share one: what is there but not reachable harms nobody."""

    objects: dict[str, Object] = field(default_factory=dict)
    trees: dict[str, dict[str, TreeEntry]] = field(default_factory=dict)
    parents: dict[str, tuple[str, ...]] = field(default_factory=dict)
    roots: dict[str, str] = field(default_factory=dict)
    """Commit -> its tree."""
    _flat: dict[str, dict[str, TreeEntry]] = field(default_factory=dict)
    _reach: dict[str, frozenset[str]] = field(default_factory=dict)

    def put(self, kind: str, data: bytes) -> str:
        oid = object_id(kind, data)
        self.objects.setdefault(oid, Object(oid, kind, data))
        return oid

    def tree(self, entries: Mapping[str, TreeEntry]) -> str:
        """A tree object of one level."""
        order = sorted(entries, key=lambda name: (f"{name}/" if entries[name].mode == FOLDER else name).encode())
        data = b"".join(f"{entries[name].mode} {name}\0".encode() + bytes.fromhex(entries[name].oid) for name in order)
        oid = self.put("tree", data)
        self.trees.setdefault(oid, {name: entries[name] for name in order})
        return oid

    def changed(self, tree: str | None, files: Mapping[str, str | None]) -> str:
        """``tree`` with blobs set and paths (files or folders) removed, in their order."""
        gone = [path for path, oid in files.items() if oid is None]
        if len(files) > 1 and any(_is_below(path, top) for top in gone for path in files if path != top):
            for path, oid in files.items():
                tree = self.changed(tree, {path: oid})
            return tree or self.tree({})
        here: dict[str, str | None] = {}
        below: dict[str, dict[str, str | None]] = {}
        for path, oid in files.items():
            name, slash, rest = path.partition("/")
            if slash:
                below.setdefault(name, {})[rest] = oid
            else:
                here[name] = oid
        entries = dict(self.trees[tree]) if tree else {}
        for name, oid in here.items():
            if oid is None:
                entries.pop(name, None)
            else:
                entries[name] = TreeEntry(FILE, oid)
        for name, inner in below.items():
            old = entries.get(name)
            made = self.changed(old.oid if old and old.mode == FOLDER else None, inner)
            if self.trees[made]:
                entries[name] = TreeEntry(FOLDER, made)
            elif old and old.mode == FOLDER:
                del entries[name]
        return self.tree(entries)

    def commit(self, tree: str, parents: Sequence[str], author: Identity, committer: Identity, message: str) -> str:
        head = "".join(f"parent {parent}\n" for parent in parents)
        text = f"tree {tree}\n{head}author {author.line()}\ncommitter {committer.line()}\n\n{message}"
        oid = self.put("commit", text.encode("utf-8", "replace"))
        self.parents[oid] = tuple(parents)
        self.roots[oid] = tree
        return oid

    def flat(self, treeish: str) -> dict[str, TreeEntry]:
        """Every file by its path."""
        tree = self.roots.get(treeish, treeish)
        known = self._flat.get(tree)
        if known is None:
            if tree not in self.trees:
                raise GitError(f"git ls-tree: not a tree object: {treeish}")
            known = self._flat[tree] = dict(self._walk(tree))
        return known

    def _walk(self, tree: str) -> Iterator[tuple[str, TreeEntry]]:
        for name, entry in self.trees[tree].items():
            if entry.mode == FOLDER:
                yield from ((f"{name}/{path}", inner) for path, inner in self.flat(entry.oid).items())
            else:
                yield name, entry

    def reach(self, commit: str) -> frozenset[str]:
        """The commit and all that went before it."""
        stack = [commit]
        while stack:
            top = stack[-1]
            missing = [parent for parent in self.parents[top] if parent not in self._reach]
            if missing:
                stack += missing
                continue
            if top not in self._reach:
                before = [self._reach[parent] for parent in self.parents[top]]
                self._reach[top] = frozenset([top]).union(*before)
            stack.pop()
        return self._reach[commit]

    def bring(self, other: Database, commit: str) -> None:
        """Copy a commit of another database and all that it leads to."""
        stack = [commit]
        while stack:
            top = stack.pop()
            if top in self.roots:
                continue
            self.objects[top], self.parents[top] = other.objects[top], other.parents[top]
            self.roots[top] = other.roots[top]
            self._bring_tree(other, other.roots[top])
            stack += other.parents[top]

    def _bring_tree(self, other: Database, tree: str) -> None:
        if tree in self.trees:
            return
        self.objects[tree], self.trees[tree] = other.objects[tree], other.trees[tree]
        for entry in other.trees[tree].values():
            if entry.mode == FOLDER:
                self._bring_tree(other, entry.oid)
            else:
                self.objects[entry.oid] = other.objects[entry.oid]

    def time(self, commit: str) -> int:
        """When it was committed."""
        head = self.objects[commit].data.decode().partition("\n\n")[0]
        row = next(row for row in head.split("\n") if row.startswith("committer "))
        return int(row.rsplit(" ", 2)[1])

    def lookup(self, tree: str, path: str) -> TreeEntry | None:
        entry = TreeEntry(FOLDER, tree)
        for name in path.split("/") if path else ():
            if entry.mode != FOLDER or name not in self.trees[entry.oid]:
                return None
            entry = self.trees[entry.oid][name]
        return entry


class MemoryObjects:
    """``Objects`` over a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self, name: str) -> Object | None:
        database = self._database
        known = database.objects.get(name)
        if known is not None:
            return known
        if name.endswith("^{commit}"):
            found = self.read(name.removesuffix("^{commit}"))
            return found if found and found.kind == "commit" else None
        rev, colon, path = name.partition(":")
        if not colon or rev not in database.roots:
            return None
        entry = database.lookup(database.roots[rev], path)
        return database.objects[entry.oid] if entry else None

    def read_many(self, names: Sequence[str]) -> list[Object | None]:
        return [self.read(name) for name in names]

    def blob(self, oid: str) -> bytes:
        return self.blobs([oid])[0]

    def blobs(self, oids: Sequence[str]) -> list[bytes]:
        found = []
        for oid in oids:
            item = self._database.objects.get(oid)
            if item is None or item.kind != "blob":
                raise GitError(f"the object {oid[:12]} is missing")
            found.append(item.data)
        return found

    def tree(self, treeish: str, *paths: str) -> dict[str, TreeEntry]:
        every = self._database.flat(treeish)
        if not paths:
            return dict(every)
        folders = _folders(paths)
        return {path: entry for path, entry in every.items() if path in paths or path.startswith(folders)}

    def entry(self, commit: str, path: str) -> TreeEntry | None:
        return self._database.lookup(self._database.roots[commit], path)

    def entries(self, commit: str, paths: Iterable[str]) -> dict[str, TreeEntry]:
        found = {path: self.entry(commit, path) for path in paths}
        return {path: entry for path, entry in found.items() if entry is not None}

    def commit(self, rev: str) -> str | None:
        found = self.read(f"{rev}^{{commit}}")
        return found.oid if found else None

    def close(self) -> None:
        pass


def _folders(tops: Iterable[str]) -> tuple[str, ...]:
    return tuple(top.rstrip("/") + "/" for top in tops)


def _is_below(path: str, top: str) -> bool:
    return path == top or path.startswith(top.rstrip("/") + "/")


class MemoryRefs:
    """``Refs`` as a dictionary; HEAD is symbolic."""

    def __init__(self, head: str = "refs/heads/main") -> None:
        self.life: Life = IMMORTAL
        self.head: str | None = head
        self.names: dict[str, str] = {}

    def read(self, name: str) -> str | None:
        return self.names.get(self.head or "" if name == "HEAD" else name)

    def head_branch(self, git_dir: str | None = None) -> str | None:
        return self.head

    def watched(self, name: str) -> dict[str, None]:
        return {}

    def list(self, *prefixes: str) -> dict[str, str]:
        if not prefixes:
            return dict(sorted(self.names.items()))
        folders = _folders(prefixes)
        found = (name for name in self.names if name in prefixes or name.startswith(folders))
        return {name: self.names[name] for name in sorted(found)}

    def move(self, moves: Iterable[RefMove], reason: str) -> None:
        wanted = list(moves)
        if not wanted:
            return
        self.life.step(f"before the refs ({reason})")
        self._check(wanted)
        for move in wanted:
            self.set(move.name, move.new)
        self.life.step(f"after the refs ({reason})")

    def _check(self, moves: Sequence[RefMove]) -> None:
        if len({move.name for move in moves}) < len(moves):
            raise GitError("git update-ref: multiple updates for one ref not allowed")
        for move in moves:
            there = self.names.get(move.name)
            if move.old is None and move.new is None:
                if there is None:
                    raise GitError(f"git update-ref: cannot lock ref '{move.name}'")
            elif there != move.old:
                raise RefMoved(f"git update-ref: {move.name} is at {there} but expected {move.old}", hint="again")

    def set(self, name: str, oid: str | None) -> None:
        if oid is None:
            self.names.pop(name, None)
        else:
            self.names[name] = oid


class MemoryCommits:
    """``Commits`` over a database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.life: Life = IMMORTAL
        self.full = False
        """Whether the disk has no room left."""

    def write(self, commits: Sequence[NewCommit], *, sign: bool = False) -> list[str]:
        if not commits:
            return []
        self.life.step("before the commits")
        if self.full:
            raise GitError("git fast-import: No space left on device", hint="free some disk space and run it again")
        ids: list[str] = []
        for commit in commits:
            ids.append(self._write(commit, ids))
        self.life.step("after the commits")
        return ids

    def blob_id(self, data: bytes) -> str:
        return object_id("blob", data)

    def _write(self, commit: NewCommit, before: Sequence[str]) -> str:
        parent = before[commit.parent] if isinstance(commit.parent, int) else commit.parent
        files: dict[str, str | None] = {}
        for path, content in commit.files.items():
            if isinstance(content, str) and content not in self._database.objects:
                raise GitError(f"git fast-import: Blob not found: {content}")
            files[path] = self._database.put("blob", content) if isinstance(content, bytes) else content
        start = self._database.roots[parent] if parent and not commit.fresh_tree else None
        tree = self._database.changed(start, files)
        return self._database.commit(tree, [parent] if parent else [], commit.author, commit.committer, commit.message)


class MemoryRevisions:
    """``Revisions`` over a database."""

    def __init__(self, database: Database, refs: MemoryRefs) -> None:
        self._database = database
        self._refs = refs
        self.upstreams: dict[str, str] = {}
        self.settings: dict[str, str] = {}
        self.user = ("Ann", "ann@example.com")
        self._steps: dict[tuple[str, str], bytes] = {}

    def is_ancestor(self, older: str, newer: str) -> bool:
        parents = self._database.parents
        return older == newer or (older in parents and newer in parents and older in self._database.reach(newer))

    def changes(self, tip: str, known: Iterable[str], folder: str) -> bytes:
        seen = frozenset().union(*(self._database.reach(commit) for commit in known))
        line: list[str] = []
        at: str | None = tip
        while at is not None and at not in seen:
            line.append(at)
            at = next(iter(self._database.parents[at]), None)
        return b"".join(self._change(commit, folder) for commit in reversed(line))

    def messages(self, known: str, tip: str) -> list[tuple[str, str]]:
        """What is not related may come in another order from git."""
        reach = self._database.reach
        ordered = sorted(reach(tip) - reach(known), key=lambda commit: (len(reach(commit)), commit))
        return [(commit, self._message(commit)) for commit in ordered]

    def _message(self, commit: str) -> str:
        return self._database.objects[commit].data.decode().partition("\n\n")[2]

    def everything(self, tip: str, folder: str) -> bytes:
        """Every text of every commit, as if it were new there: git leaves out those that did not change."""
        return b"".join(self._texts(commit, folder) for commit in sorted(self._database.reach(tip)))

    def _texts(self, commit: str, folder: str) -> bytes:
        files = self._below(commit, folder)
        return f"\x01{commit}\0".encode() + "".join(_record(path, {}, files, {}) for path in sorted(files)).encode()

    def _change(self, commit: str, folder: str) -> bytes:
        key = (commit, folder)
        if key not in self._steps:
            self._steps[key] = self._compared(commit, folder)
        return self._steps[key]

    def _compared(self, commit: str, folder: str) -> bytes:
        parent = next(iter(self._database.parents[commit]), None)
        old = self._below(parent, folder) if parent else {}
        new = self._below(commit, folder)
        changed = sorted(path for path in {*old, *new} if old.get(path) != new.get(path))
        if not changed:
            return b""
        moves = self.moves({p: old[p] for p in changed if p not in new}, {p: new[p] for p in changed if p not in old})
        records = [_record(path, old, new, moves) for path in changed if path not in moves.values()]
        return f"\x01{commit}\0".encode() + "".join(records).encode()

    def _below(self, commit: str, folder: str) -> dict[str, str]:
        every = self._database.flat(commit)
        return {path: entry.oid for path, entry in every.items() if _is_below(path, folder)}

    def moves(self, gone: Mapping[str, str], come: Mapping[str, str]) -> dict[str, str]:
        """New path -> old path, by equal or nearly equal content."""
        pairs = [(self._likeness(gone[a], come[b]), _base(a) == _base(b), a, b) for a in gone for b in come]
        found: dict[str, str] = {}
        for score, _, a, b in sorted(pairs, key=lambda pair: (-pair[0], not pair[1], pair[3], pair[2])):
            if score >= RENAME and b not in found and a not in found.values():
                found[b] = a
        return found

    def _likeness(self, a: str, b: str) -> float:
        if a == b:
            return 2.0
        one, other = self._database.objects[a].data, self._database.objects[b].data
        spans = _spans(one) & _spans(other)
        return sum(len(span) * count for span, count in spans.items()) / max(len(one), len(other), 1)

    def line(self, tip: str, known: str | None = None) -> list[Said]:
        before = self._database.reach(known) if known else frozenset()
        told: list[Said] = []
        at: str | None = tip
        while at is not None and at not in before:
            head, _, message = self._database.objects[at].data.decode().partition("\n\n")
            author = next(row for row in head.split("\n") if row.startswith("author "))
            who, when, _ = author.removeprefix("author ").rsplit(" ", 2)
            told.append(Said(who, int(when), message))
            at = next(iter(self._database.parents[at]), None)
        return told

    def outside(self, commits: Sequence[str], tip: str) -> set[str]:
        inside = self._database.reach(tip)
        return {commit for commit in commits if commit not in inside}

    def upstream(self, branch: str) -> str | None:
        return self.upstreams.get(branch)

    def setting(self, name: str) -> str | None:
        return self.settings.get(name)

    def merge_base(self, one: str, other: str) -> str | None:
        both = self._database.reach(one) & self._database.reach(other)
        older = frozenset().union(*(self._database.reach(commit) - {commit} for commit in both))
        return max(both - older, key=lambda commit: (self._database.time(commit), commit), default=None)

    def author(self) -> tuple[str, str]:
        return self.user


def _base(path: str) -> str:
    return path.rpartition("/")[2]


def _spans(text: bytes) -> Counter[bytes]:
    """Lines, cut after 64 bytes, as git compares texts for likeness."""
    return Counter(
        line[start : start + 64] for line in text.splitlines(keepends=True) for start in range(0, len(line), 64)
    )


def _record(path: str, old: Mapping[str, str], new: Mapping[str, str], moves: Mapping[str, str]) -> str:
    none = "0" * 40
    if path in moves:
        source = moves[path]
        return f":100644 100644 {old[source]} {new[path]} R095\0{source}\0{path}\0"
    if path not in old:
        return f":000000 100644 {none} {new[path]} A\0{path}\0"
    if path not in new:
        return f":100644 000000 {old[path]} {none} D\0{path}\0"
    return f":100644 100644 {old[path]} {new[path]} M\0{path}\0"


@dataclass
class Tree:
    """A worktree: what is staged, and what is on the disk."""

    staged: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    locked: bool = False


@dataclass(frozen=True)
class Note:
    """What a move of the checkout was about to do."""

    move: RefMove
    changes: tuple[FileChange, ...]
    before: Mapping[str, bytes | None]


class MemoryCheckout:
    """``Checkout`` of one worktree: lock, note, ref, files, index, in this order, each a step at which it may die."""

    def __init__(self, database: Database, refs: MemoryRefs, tree: Tree) -> None:
        self._database = database
        self._refs = refs
        self.tree = tree
        self.life: Life = IMMORTAL
        self.note: Note | None = None
        self.busy: str | None = None

    def advance(self, branch: str, old: str | None, new: str, changes: Sequence[FileChange], reason: str) -> None:
        move = RefMove(branch, new, old)
        if self._refs.head != branch:
            self._refs.move([move], reason)
            return
        self._begin(move, changes)
        try:
            self._refs.move([move], reason)
        except GitError:
            self._clear()
            raise
        self._finish()

    def _begin(self, move: RefMove, changes: Sequence[FileChange]) -> None:
        if self.busy:
            raise StoreBusy(self.busy, hint="finish it, then run this again")
        self.mend()
        if self.tree.locked:
            raise StoreBusy("git's index is locked by another command", hint="run it again when it is done")
        self.tree.locked = True
        self.note = Note(move, tuple(changes), {c.path: self.tree.files.get(c.path) for c in changes})
        self.life.step("after the checkout's note")
        edited = self._edited(move.old, changes)
        if edited:
            self._clear()
            raise StoreBusy("the file has uncommitted edits", where=Where(path=edited[0]), hint="commit them")
        self.life.step("after the checkout was prepared")

    def _edited(self, old: str | None, changes: Sequence[FileChange]) -> list[str]:
        before = self._database.flat(old) if old else {}
        found = []
        for change in changes:
            entry = before.get(change.path)
            allowed = {entry.oid if entry else "", change.oid or ""}
            disk = self.tree.files.get(change.path)
            on_disk = object_id("blob", disk) if disk is not None else ""
            if self.tree.staged.get(change.path, "") not in allowed or on_disk not in allowed:
                found.append(change.path)
        return found

    def _finish(self) -> None:
        note = self.note
        if note is None:
            return
        for change in note.changes:
            self.life.step(f"before {change.path} is written")
            if self.tree.files.get(change.path) != note.before[change.path]:
                continue  # saved since it was looked at
            if change.oid is None:
                self.tree.files.pop(change.path, None)
            else:
                self.tree.files[change.path] = self._database.objects[change.oid].data
        self.life.step("before the index is written")
        for change in note.changes:
            if change.oid is None:
                self.tree.staged.pop(change.path, None)
            else:
                self.tree.staged[change.path] = change.oid
        self._clear()

    def _clear(self) -> None:
        self.note, self.tree.locked = None, False

    def mend(self) -> list[str]:
        if self.note is None:
            return []
        tip = self._refs.read(self.note.move.name)
        new = self.note.move.new
        if tip is None or new is None or new not in self._database.reach(tip):
            self._clear()
            return ["undid an interrupted pull"]
        self._finish()
        return ["finished an interrupted pull"]


class MemoryEdits:
    """``Edits`` of one worktree."""

    def __init__(self, database: Database, refs: MemoryRefs, tree: Tree) -> None:
        self._database = database
        self._refs = refs
        self._tree = tree

    def uncommitted(self, branch: str, folder: str) -> set[str]:
        if self._refs.head != branch:
            return set()
        tip = self._refs.read(branch)
        committed = {path: entry.oid for path, entry in self._database.flat(tip).items()} if tip else {}
        tree = self._tree
        every = {path for path in {*committed, *tree.staged, *tree.files} if _is_below(path, folder)}
        return {path for path in every if not self._is_clean(path, committed.get(path))}

    def in_the_way(self, branch: str, paths: Sequence[str]) -> dict[str, Obstacle]:
        if self._refs.head != branch or not paths:
            return {}
        files = self._tree.files
        full = {folder for path in files for folder in folders(path)}
        found = {}
        for path in paths:
            place = next((place for place in (*folders(path), path) if place in files), path)
            if place in files or place in full:
                found[path] = Obstacle(place, "file" if place in files else "folder")
        return found

    def _is_clean(self, path: str, oid: str | None) -> bool:
        disk = self._tree.files.get(path)
        on_disk = None if disk is None else object_id("blob", disk)
        return self._tree.staged.get(path) == oid == on_disk


class MemoryTransport:
    """``Transport`` to one origin, whose refs are a ``MemoryRefs`` of their own."""

    def __init__(self, database: Database, refs: MemoryRefs, origin: MemoryRefs | None, there: Database) -> None:
        self._database = database
        self._refs = refs
        self._origin = origin
        self._objects = there
        self._refspecs: list[str] = ["+refs/heads/*:refs/remotes/origin/*"]
        self.life: Life = IMMORTAL
        self.away = False
        """Whether the origin cannot be reached."""

    def refspecs(self, remote: str) -> list[str]:
        return list(self._refspecs)

    def add_refspec(self, remote: str, refspec: str) -> None:
        self._refspecs.append(refspec)

    def fetch(self, remote: str, refspecs: Sequence[str]) -> None:
        self.life.step("before the fetch")
        self.bring(refspecs)
        self.life.step("after the fetch")

    def bring(self, refspecs: Sequence[str]) -> None:
        """What a fetch does, by whomever."""
        for refspec in refspecs:
            source, _, target = refspec.lstrip("+").partition(":")
            self._bring(source.rstrip("*"), target.rstrip("*"))

    def _bring(self, source: str, target: str) -> None:
        there = {target + name.removeprefix(source): oid for name, oid in self._there().list(source).items()}
        for name in self._refs.list(target):
            if name not in there:
                del self._refs.names[name]
        for oid in there.values():
            self._database.bring(self._objects, oid)
        self._refs.names.update(there)

    def push(self, remote: str, moves: Sequence[RefMove], *, atomic: bool = False) -> dict[str, str]:
        self.life.step("before the push")
        there = self._there()
        stale = {m.name: "[rejected] (stale info)" for m in moves if not _may_move(there.names.get(m.name), m)}
        if stale and atomic:
            return {move.name: stale.get(move.name, "[rejected] (atomic push failed)") for move in moves}
        for move in moves:
            if move.name not in stale:
                self.send(move.name, move.new)
        self.life.step("after the push")
        return stale

    def send(self, name: str, oid: str | None) -> None:
        """What a push that goes through does, by whomever."""
        if oid is not None:
            self._objects.bring(self._database, oid)
        self._there().set(name, oid)

    def _there(self) -> MemoryRefs:
        if self._origin is None or self.away:
            raise GitError("git fetch: 'origin' does not appear to be a git repository")
        return self._origin


def _may_move(now: str | None, move: RefMove) -> bool:
    """Git asks for no lease where there is nothing to do."""
    return now == move.old or (now is not None and now == move.new)


@dataclass
class MemoryRepository:
    """One clone: its refs and its worktree, and every edge over them."""

    database: Database = field(default_factory=Database)
    refs: MemoryRefs = field(default_factory=MemoryRefs)
    tree: Tree = field(default_factory=Tree)
    origin: MemoryRefs | None = None
    there: Database | None = None
    """The origin's objects, where they are not in the clone's own database."""

    def __post_init__(self) -> None:
        self.objects = MemoryObjects(self.database)
        self.commits = MemoryCommits(self.database)
        self.revisions = MemoryRevisions(self.database, self.refs)
        self.checkout = MemoryCheckout(self.database, self.refs, self.tree)
        self.edits = MemoryEdits(self.database, self.refs, self.tree)
        self.transport = MemoryTransport(self.database, self.refs, self.origin, self.there or self.database)

    def git(self) -> Git:
        return Git(
            self.refs,  # type: ignore[arg-type]
            self.objects,  # type: ignore[arg-type]
            self.commits,  # type: ignore[arg-type]
            self.revisions,  # type: ignore[arg-type]
            self.checkout,  # type: ignore[arg-type]
            self.edits,  # type: ignore[arg-type]
            self.transport,  # type: ignore[arg-type]
        )

    def live(self, life: Life) -> None:
        """Let a process act on this clone."""
        for edge in (self.refs, self.commits, self.checkout, self.transport):
            edge.life = life

    # --- what people do

    @property
    def branch(self) -> str:
        return self.refs.head or ""

    @property
    def tip(self) -> str | None:
        return self.refs.names.get(self.branch)

    def committed(self, commit: str | None = None) -> dict[str, bytes]:
        """The files of a commit (the branch's by default)."""
        at = commit or self.tip
        flat = self.database.flat(at) if at else {}
        return {path: self.database.objects[entry.oid].data for path, entry in flat.items()}

    def stage_all(self) -> None:
        self.tree.staged.clear()
        self.tree.staged.update({path: self.database.put("blob", data) for path, data in self.tree.files.items()})

    def commit(self, who: Identity, message: str, *, amend: bool = False, merged: Sequence[str] = ()) -> str:
        """Commit what is staged on the branch."""
        tip = self.tip
        before = list(self.database.parents[tip]) if amend and tip else [tip] if tip else []
        tree = self.database.changed(None, dict(self.tree.staged))
        new = self.database.commit(tree, [*before, *merged], who, who, f"{message}\n")
        self.refs.names[self.branch] = new
        return new

    def reset_hard(self, commit: str) -> None:
        """The branch, the index and the files as the commit says; files that nobody tracked stay."""
        tracked = set(self.tree.staged)
        self.refs.names[self.branch] = commit
        for path in tracked:
            self.tree.files.pop(path, None)
        flat = self.database.flat(commit)
        self.tree.staged.clear()
        self.tree.staged.update({path: entry.oid for path, entry in flat.items()})
        self.tree.files.update({path: self.database.objects[entry.oid].data for path, entry in flat.items()})

    def first_parents(self) -> list[str]:
        """The branch's line, newest first."""
        line, at = [], self.tip
        while at is not None:
            line.append(at)
            at = next(iter(self.database.parents[at]), None)
        return line

    def reachable_blobs(self) -> Iterator[bytes]:
        """Every text that some ref leads to."""
        commits = frozenset().union(*(self.database.reach(oid) for oid in set(self.refs.names.values())))
        blobs = {entry.oid for commit in commits for entry in self.database.flat(commit).values()}
        yield from (self.database.objects[oid].data for oid in blobs)
