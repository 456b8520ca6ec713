"""Watching real folders: every wait here ends with the event that it is for."""

from __future__ import annotations

import errno
import queue
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from watchdog.events import FileClosedNoWriteEvent, FileModifiedEvent, FileMovedEvent, FileOpenedEvent

from promptstore.daemon import watch as watching
from promptstore.daemon.machine import Touched
from promptstore.daemon.watch import Place, Watch

PATIENCE = 30.0


class Heard:
    """Touches as they come."""

    def __init__(self) -> None:
        self.touches: queue.SimpleQueue[Touched] = queue.SimpleQueue()

    def __call__(self, what: Touched) -> None:
        self.touches.put(what)

    def wait(self, what: Touched) -> None:
        while self.touches.get(timeout=PATIENCE) != what:
            pass

    def forget(self) -> None:
        while not self.touches.empty():
            self.touches.get()


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def watch(heard: Heard) -> Iterator[Watch]:
    made = Watch(heard, polling=False)
    yield made
    made.stop()


def test_reading_is_no_event(heard: Heard, tmp_path: Path) -> None:
    handler: Any = watching._Handler(Place(str(tmp_path), "files"), heard)
    handler.dispatch(FileOpenedEvent(str(tmp_path / "a")))
    handler.dispatch(FileClosedNoWriteEvent(str(tmp_path / "a")))
    assert heard.touches.empty()
    handler.dispatch(FileModifiedEvent(str(tmp_path / "a")))
    assert heard.touches.get() == "files"


def test_names_and_what_is_ignored(heard: Heard, tmp_path: Path) -> None:
    place = Place(str(tmp_path), "refs", names=frozenset({"HEAD"}), ignored=(f"{tmp_path}/own/",))
    handler: Any = watching._Handler(place, heard)
    for path in ("other", "own/HEAD"):
        handler.dispatch(FileModifiedEvent(str(tmp_path / path)))
    assert heard.touches.empty()
    handler.dispatch(FileMovedEvent(str(tmp_path / "HEAD.lock"), str(tmp_path / "HEAD")))
    assert heard.touches.get() == "refs"


def test_a_folder_that_was_removed_and_made_again_is_heard_again(watch: Watch, heard: Heard, tmp_path: Path) -> None:
    folder = tmp_path / "prompts"
    folder.mkdir()
    watch.over(
        [Place(str(folder), "files", recursive=True), Place(str(tmp_path), "refs", names=frozenset({"prompts"}))]
    )
    heard.forget()
    (folder / "a.yaml").write_text("x")
    heard.wait("files")
    shutil.rmtree(folder)
    heard.wait("refs")
    watch.refresh()
    heard.forget()
    folder.mkdir()
    heard.wait("refs")
    watch.refresh()
    heard.wait("files")  # whatever came before it was watched
    heard.forget()
    (folder / "deep").mkdir()
    (folder / "deep" / "a.yaml").write_text("x")
    heard.wait("files")


def test_places_come_and_go_with_the_config(watch: Watch, heard: Heard, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    watch.over([Place(str(tmp_path / "one"), "files")])
    watch.over([Place(str(tmp_path / "two"), "refs"), Place(str(tmp_path / "none"), "files")])
    heard.forget()
    (tmp_path / "one" / "a").touch()
    (tmp_path / "two" / "a").touch()
    assert heard.touches.get(timeout=PATIENCE) == "refs"


def test_a_thread_that_died_is_replaced(watch: Watch, heard: Heard, tmp_path: Path) -> None:
    watch.over([Place(str(tmp_path), "files")])
    for emitter in watch._observer.emitters:
        emitter.stop()
        emitter.join(PATIENCE)
    watch.refresh()
    heard.forget()
    (tmp_path / "a").touch()
    heard.wait("files")


@pytest.mark.parametrize(("number", "polls"), [(errno.ENOSPC, True), (errno.EMFILE, True), (errno.EACCES, False)])
def test_without_watches_to_give_it_looks_instead(
    heard: Heard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, polls: bool
) -> None:
    told: list[str] = []
    monkeypatch.setattr(watching, "POLLED_EVERY", 0.05)
    made = Watch(heard, told.append, polling=False)

    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, "no")

    monkeypatch.setattr(made._observer, "schedule", refuse)
    made.over([Place(str(tmp_path), "files")])
    assert (made.polling, len(told)) == (polls, 1)
    if polls:
        heard.forget()
        (tmp_path / "a").touch()
        heard.wait("files")
    made.stop()
