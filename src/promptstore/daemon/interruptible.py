"""A vendor's workspace that takes no new work once the daemon is to end; the write in hand is still read back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence

from promptstore.errors import RemoteUnreachable
from promptstore.vendors.base import Document, Publication, Receipt, RemoteHead, RemoteVersion, TagListing, Workspace


class Interruptible:
    """A ``Workspace``. Once ``stop`` is set, a call is refused before anything is sent; ``progress`` is told of every
    call, so that a hung daemon can be told from a busy one."""

    def __init__(self, inner: Workspace, stop: threading.Event, progress: Callable[[], None]) -> None:
        self._inner = inner
        self._stop = stop
        self._progress = progress
        self._sent: set[str] = set()
        """Prompts that were written in this pass: reading them back is part of the write."""

    def _go_on(self, prompt_id: str | None = None) -> None:
        self._progress()
        if self._stop.is_set() and prompt_id not in self._sent:
            raise RemoteUnreachable("the daemon is ending", hint="the next run does it")

    def identity(self) -> str:
        self._go_on()
        return self._inner.identity()

    def list(self) -> Sequence[RemoteHead]:
        self._go_on()
        return self._inner.list()

    def read(self, prompt_id: str, version: str | None = None) -> RemoteVersion:
        self._go_on(prompt_id)
        return self._inner.read(prompt_id, version)

    def versions(self, prompt_id: str, head: str, after: str | None = None) -> Sequence[str]:
        self._go_on(prompt_id)
        return self._inner.versions(prompt_id, head, after)

    def tags(self, names: Collection[str], sweep: Sequence[str]) -> TagListing:
        self._go_on()
        return self._inner.tags(names, sweep)

    def find(self, slug: str, document: Document) -> RemoteHead | None:
        self._go_on()
        return self._inner.find(slug, document)

    def publish(self, publication: Publication) -> Receipt:
        self._go_on()
        receipt = self._inner.publish(publication)
        self._sent.add(receipt.id)
        return receipt

    def set_tag(self, prompt_id: str, tag: str, version: str) -> None:
        self._go_on()
        self._inner.set_tag(prompt_id, tag, version)

    def delete_tag(self, prompt_id: str, tag: str) -> None:
        self._go_on()
        self._inner.delete_tag(prompt_id, tag)

    def delete(self, prompt_id: str) -> None:
        self._go_on()
        self._inner.delete(prompt_id)

    def close(self) -> None:
        self._inner.close()
