"""Cases about what a vendor is declared not to do: it is refused here, plainly, and nothing is sent."""

from __future__ import annotations

from collections.abc import Callable

from promptstore.errors import RemoteRejected
from promptstore.vendors.base import Publication
from promptstore.vendors.conformance.case import Case
from promptstore.vendors.conformance.ground import Ground, refused
from promptstore.vendors.conformance.verdicts import expect


def _refuses(ground: Ground, call: Callable[[], object]) -> None:
    before = ground.recorder.sent()
    try:
        call()
    except RemoteRejected as problem:
        expect(refused(problem), f"it is refused without a word on what to do: {problem.message!r}")
        expect(ground.recorder.sent() == before, "it is refused only after something was sent")
        return
    expect(False, "it is declared impossible, and was done")


def _no_write(ground: Ground) -> None:
    slug = ground.slug("declared")
    document = ground.project(ground.prompt("one"), slug)
    _refuses(ground, lambda: ground.workspace.publish(Publication(None, slug, document, "", "")))


def _no_tags(ground: Ground) -> None:
    head = ground.subject()
    _refuses(ground, lambda: ground.workspace.set_tag(head.id, ground.tag, head.version))


def _no_untag(ground: Ground) -> None:
    head = ground.subject()
    _refuses(ground, lambda: ground.workspace.delete_tag(head.id, ground.tag))


def _no_delete(ground: Ground) -> None:
    head = ground.subject()
    _refuses(ground, lambda: ground.workspace.delete(head.id))


DECLARED = (
    Case("declared-no-write", "a publish is refused here", _no_write, lacks=("write",)),
    Case("declared-no-tags", "setting a tag is refused here", _no_tags, lacks=("tags",), safe=False),
    Case("declared-no-untag", "taking a tag away is refused here", _no_untag, lacks=("untag",), safe=False),
    Case("declared-no-delete", "a deletion is refused here", _no_delete, lacks=("delete",), safe=False),
)
