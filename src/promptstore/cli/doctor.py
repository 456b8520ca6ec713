"""``promptstore doctor``: what is wrong with a store, and what mends it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from promptstore.cli.app import App
from promptstore.cli.engine import state_file
from promptstore.cli.framework import command

if TYPE_CHECKING:
    from promptstore.store.store import Store

_STALE = 600.0  # seconds after which a lock of git's is taken for a dead process's


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be. ``mend`` repairs it where that is safe."""

    kind: str
    message: str
    hint: str
    mend: Callable[[], None] | None = None
    fixed: bool = False

    def as_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "message": self.message,
            "hint": self.hint,
            "fixable": self.mend is not None,
            "fixed": self.fixed,
        }


@command("doctor", "promptstore doctor --fix")
@click.option("--fix", is_flag=True, help="Mend what can be mended safely.")
@click.option("--offline", is_flag=True, help="Do not try the remotes.")
def doctor(app: App, fix: bool, offline: bool) -> int:
    """Look for stale locks, missing history, a missing merge driver, unreachable remotes and writes in doubt.

    Exit 3 when something is left to do.
    """
    with app.store() as store:
        found = [_mended(finding) if fix else finding for finding in _findings(app, store, offline)]
    if app.json:
        app.emit({"findings": [finding.as_json() for finding in found]})
    for finding in () if app.json else found:
        mark = app.styled("mended", "green") if finding.fixed else app.styled("found", "yellow")
        app.say(f"{mark} {finding.message}")
        if not finding.fixed:
            app.say(f"  hint: {finding.hint}")
    if not found:
        app.say("all is well")
    return 3 if any(not finding.fixed for finding in found) else 0


def _mended(finding: Finding) -> Finding:
    if finding.mend is None:
        return finding
    finding.mend()
    return Finding(finding.kind, finding.message, finding.hint, finding.mend, fixed=True)


def _findings(app: App, store: Store, offline: bool) -> Iterator[Finding]:
    yield from _interrupted(store)
    yield from _stale_locks(store)
    damaged = list(_damaged_refs(store))
    yield from damaged
    if damaged:
        return  # the rest is to be read from them
    yield from _history(store)
    yield from _merge_driver(store)
    yield from _refspecs(store)
    yield from _journal(store)
    if not offline:
        yield from _origin(store)
        yield from _remotes(app, store)


def _interrupted(store: Store) -> Iterator[Finding]:
    from promptstore.store.git.checkout import interrupted

    for place in interrupted(store.repository):
        yield Finding("interrupted", f"a pull into {place} was interrupted", "promptstore doctor --fix", _mend(store))


def _mend(store: Store) -> Callable[[], None]:
    def run() -> None:
        store.checkout.mend()

    return run


def _stale_locks(store: Store) -> Iterator[Finding]:
    for lock in _locks(store):
        try:
            age = time.time() - os.stat(lock).st_mtime
        except FileNotFoundError:
            continue
        if age > _STALE:
            message = f"{lock} is {int(age / 60)} minutes old; its git command is probably dead"
            yield Finding("stale-lock", message, "promptstore doctor --fix", partial(os.unlink, lock))


def _locks(store: Store) -> Iterator[str]:
    """Where a git command that was killed may have left its lock."""
    from promptstore.store.git.repository import worktree_dirs

    for tree in worktree_dirs(store.repository):
        yield from (os.path.join(tree.git_dir, name) for name in ("index.lock", "HEAD.lock"))
    common = store.repository.common_dir
    yield from (os.path.join(common, name) for name in ("packed-refs.lock", "config.lock"))
    for folder, _, names in os.walk(os.path.join(common, "refs")):
        yield from (os.path.join(folder, name) for name in names if name.endswith(".lock"))


def _damaged_refs(store: Store) -> Iterator[Finding]:
    from promptstore.store.mending import damaged_refs, mend_ref

    for name in damaged_refs(store):
        yield Finding("damaged-ref", f"{name} is damaged", "promptstore doctor --fix", partial(mend_ref, store, name))


def _history(store: Store) -> Iterator[Finding]:
    if store.history.shallow:
        yield Finding("shallow", "this clone lacks the beginning of its history", "git fetch --unshallow")
    if store.tip is None:
        yield Finding("empty", f"'{store.config.branch}' has no commit yet", "commit your prompts")


def _merge_driver(store: Store) -> Iterator[Finding]:
    from promptstore.store.git.process import attempt

    done = attempt([*store.repository.arguments, "config", "--get", "merge.promptstore.driver"])
    if not done.stdout.strip():
        yield Finding("merge-driver", "git does not know the merge driver in this clone", "promptstore init")


def _refspecs(store: Store) -> Iterator[Finding]:
    from promptstore.store.sharing import ensure_refspecs, git_remotes, lacks_refspecs

    remote = store.config.git.remote
    if remote in git_remotes(store) and lacks_refspecs(store, remote):
        message = f"a plain `git fetch {remote}` does not bring tags and version numbers"
        yield Finding("refspecs", message, "promptstore doctor --fix", partial(ensure_refspecs, store, remote))


def _origin(store: Store) -> Iterator[Finding]:
    from promptstore.errors import OriginRefuses
    from promptstore.store.sharing import git_remotes, probe

    remote = store.config.git.remote
    error = probe(store, remote) if remote in git_remotes(store) else None
    if isinstance(error, OriginRefuses):
        message = f"{remote} takes no tags and leases of this clone, which therefore publishes nothing: {error.message}"
        yield Finding("origin", message, "git config promptstore.publisher true (in one clone only: see docs/teams.md)")
    elif error is not None:
        yield Finding("origin", f"{remote} cannot be reached: {error.message}", error.hint)


def _journal(store: Store) -> Iterator[Finding]:
    from promptstore.sync.journal import Journal

    for intent in Journal(state_file(store, "journal")).intents().values():
        if intent.is_open:
            what = f"a deletion of {intent.slug} at" if intent.is_deletion else f"a publish of {intent.slug} to"
            message = f"{what} {intent.remote} is in doubt"
            yield Finding("in-doubt", message, "promptstore sync finds out; nothing is sent twice")


def _remotes(app: App, store: Store) -> Iterator[Finding]:
    from promptstore.cli.remote import try_remote

    for config in store.config.remotes.values():
        _, _, error = try_remote(app, config)
        if error is not None:
            yield Finding("remote", f"{config.name}: {error.message}", error.hint)
