"""Watching prompts and refs. An event only says *look again*; what changed is found out by looking."""

from __future__ import annotations

import errno
import os
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from watchdog.events import (
    EVENT_TYPE_CLOSED_NO_WRITE,
    EVENT_TYPE_OPENED,
    FileSystemEvent,
    FileSystemEventHandler,
)

from promptstore.daemon.machine import Touched
from promptstore.store.store import Store

if TYPE_CHECKING:
    from watchdog.observers.api import BaseObserver, ObservedWatch

POLLED_EVERY = 2.0
"""Seconds between two looks where the file system sends no events."""

_READING = frozenset({EVENT_TYPE_OPENED, EVENT_TYPE_CLOSED_NO_WRITE})
_GIT_STATE = frozenset(
    {"HEAD", "index", "index.lock", "MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "BISECT_LOG"}
) | {"rebase-merge", "rebase-apply"}
_SHARED = frozenset({"packed-refs", "config"})


@dataclass(frozen=True, slots=True)
class Place:
    """A folder to watch. ``names``: only entries of these names count; ``ignored``: nothing below these counts."""

    path: str
    what: Touched
    recursive: bool = False
    names: frozenset[str] = frozenset()
    ignored: tuple[str, ...] = ()

    def concerns(self, path: str) -> bool:
        if path.startswith(self.ignored):
            return False
        return not self.names or os.path.basename(path) in self.names


def places(store: Store) -> list[Place]:
    """Where the store's prompts, its checkout and its refs lie.

    The folders above the prompts are watched for the next name on the way: a watched folder that is removed and made
    again sends no more events of its own.
    """
    repository, git_dir = store.repository, store.repository.git_dir
    refs = os.path.join(repository.common_dir, "refs")
    own = [os.path.join(refs, "promptstore"), os.path.join(refs, "promptstore-tracking")]
    own += [os.path.join(refs, "remotes", name) for name in store.config.remotes]
    return [
        Place(store.layout.directory, "files", recursive=True),
        *_way(store.root, store.config.prompts),
        Place(git_dir, "files", names=_GIT_STATE),
        Place(repository.common_dir, "refs", names=_SHARED),
        Place(refs, "refs", recursive=True, ignored=tuple(f"{folder}/" for folder in own)),
        Place(os.path.join(repository.common_dir, "reftable"), "refs"),
    ]


def _way(root: str, prompts: str) -> Iterable[Place]:
    folder = root
    for name in prompts.split("/"):
        yield Place(folder, "files", names=frozenset({name}))
        folder = os.path.join(folder, name)


class Watch:
    """Observer threads over some places; ``touched`` is called from them, ``told`` with what cannot be watched."""

    def __init__(
        self, touched: Callable[[Touched], None], told: Callable[[str], None] = lambda _: None, *, polling: bool
    ) -> None:
        self._touched = touched
        self._told = told
        self.polling = polling
        self._places: list[Place] = []
        self._watched: dict[Place, tuple[ObservedWatch, tuple[int, int]]] = {}
        self._observer = _observer(polling)
        self._observer.start()

    def over(self, wanted: Iterable[Place]) -> None:
        """Watch these places from now on."""
        self._places = list(wanted)
        for place in [place for place in self._watched if place not in self._places]:
            self._forget(place)
        self.refresh()

    def refresh(self) -> None:
        """Watch anew what was removed and made again, or has come only now."""
        self._watch_anew()
        if not all(emitter.is_alive() for emitter in self._observer.emitters):
            self._restart(polling=self.polling)  # a thread that died hears nothing more

    def _watch_anew(self) -> None:
        for place in self._places:
            there = _identity(place.path)
            known = self._watched.get(place)
            if known is not None and known[1] == there:
                continue
            if known is not None:
                self._forget(place)
            if there is not None:
                self._begin(place, there)

    def stop(self) -> None:
        self._observer.stop()
        self._observer.join(0.3)  # its threads are daemons: a slow one keeps nobody

    def _begin(self, place: Place, there: tuple[int, int]) -> None:
        handler = _Handler(place, self._touched)
        try:
            watch = self._observer.schedule(handler, place.path, recursive=place.recursive)
        except FileNotFoundError:
            return  # gone again: the folder above tells when it comes back
        except OSError as error:
            self._cannot(place, error)
            return
        self._watched[place] = (watch, there)
        self._touched(place.what)  # what happened before it was watched went unseen

    def _cannot(self, place: Place, error: OSError) -> None:
        """Where the system has no more watches to give (inotify(7): ENOSPC, EMFILE), look instead of listening."""
        if error.errno in {errno.ENOSPC, errno.EMFILE} and not self.polling:
            self._told(f"the system has no more watches ({error}): looking every {POLLED_EVERY:g} seconds instead")
            self._restart(polling=True)
        else:
            self._told(f"{place.path} cannot be watched: {error}")

    def _restart(self, *, polling: bool) -> None:
        self._observer.stop()
        self._watched.clear()
        self.polling = polling
        self._observer = _observer(polling)
        self._observer.start()
        self._watch_anew()

    def _forget(self, place: Place) -> None:
        watch, _ = self._watched.pop(place)
        if all(watch != other for other, _ in self._watched.values()):
            try:
                self._observer.unschedule(watch)
            except KeyError:
                return  # its folder is gone, and the observer dropped it


def _observer(polling: bool) -> BaseObserver:
    if polling:
        from watchdog.observers.polling import PollingObserver

        return PollingObserver(timeout=POLLED_EVERY)
    from watchdog.observers import Observer

    # A folder within a folder that is just being made is found twice: watchdog says so at length, and watches it once.
    warnings.filterwarnings("ignore", "Callback with id", RuntimeWarning, "watchdog")
    return Observer()


def _identity(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


class _Handler(FileSystemEventHandler):
    """Turns the events of one place into touches."""

    def __init__(self, place: Place, touched: Callable[[Touched], None]) -> None:
        self._place = place
        self._touched = touched

    def dispatch(self, event: FileSystemEvent) -> None:
        if event.event_type in _READING:
            return
        paths = [os.fsdecode(path) for path in (event.src_path, event.dest_path) if path]
        if any(self._place.concerns(path) for path in paths):
            self._touched(self._place.what)
