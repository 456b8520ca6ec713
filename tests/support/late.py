"""Publishes that arrive late, or of which nobody knows whether they did, and what people do meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from engines import Rig
from memory_vendor import MemoryWorkspace

from promptstore.errors import RemoteUnreachable, WriteInDoubt
from promptstore.vendors.base import Publication


class Killed(BaseException):
    """The process dies here."""


def dies(*_: object) -> None:
    raise Killed


def unreachable(*_: object) -> None:
    raise RemoteUnreachable("no route to host")


def sent_into_the_dark(rig: Rig, acme: MemoryWorkspace) -> list[Publication]:
    """One run whose publishes neither arrive nor are refused; returns what is still on its way."""
    late: list[Publication] = []

    def slow(publication: Publication) -> None:
        late.append(publication)
        raise WriteInDoubt("no answer")

    acme.before["publish"] = slow
    rig.sync()
    acme.before.clear()
    return late


def saves(acme: MemoryWorkspace, *texts: str, then: Sequence[Publication] = ()) -> Callable[..., None]:
    """Somebody saves texts of ``p``, once; and then these arrive."""

    def save(*_: object) -> None:
        acme.before.clear()
        for text in texts:
            acme.edit("p", text)
        for publication in then:
            acme.publish(publication)

    return save


def fails_once(acme: MemoryWorkspace, what: str) -> None:
    """The next call of that kind gets no answer."""

    def fail(*_: object) -> None:
        acme.before.clear()
        raise RemoteUnreachable("timed out")

    acme.before[what] = fail


def rename(acme: MemoryWorkspace, old: str, new: str) -> None:
    """Somebody renames a prompt in the vendor's page, which makes no version."""
    kept = acme.by_name(old)
    assert kept is not None
    kept.name = new
    for record in kept.versions:
        record.document["prompt_name"] = new
