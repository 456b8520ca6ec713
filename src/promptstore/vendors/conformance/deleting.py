"""Cases about deletion and the proof of absence, on prompts of their own."""

from __future__ import annotations

from promptstore.errors import RemoteMissing
from promptstore.vendors.conformance.case import Case
from promptstore.vendors.conformance.ground import Ground
from promptstore.vendors.conformance.verdicts import expect


def _gone(ground: Ground, prompt_id: str) -> bool:
    """Whether reading it proves that it is gone."""
    try:
        ground.workspace.read(prompt_id)
    except RemoteMissing:
        return True
    return False


def _delete(ground: Ground) -> None:
    made = ground.put(ground.slug("delete"), ground.prompt("one"))
    kept = ground.put(ground.slug("delete-not"), ground.prompt("one"))
    ground.workspace.delete(made.id)
    ground.forget(made.slug)
    expect(ground.head(made.id) is None, "a deleted prompt is still in the listing")
    expect(_gone(ground, made.id), "a deleted prompt can still be read")
    expect(ground.head(kept.id) is not None, "another prompt went along with the deleted one")
    expect(not _gone(ground, kept.id), "another prompt went along with the deleted one")


def _twice(ground: Ground) -> None:
    made = ground.put(ground.slug("delete-twice"), ground.prompt("one"))
    ground.workspace.delete(made.id)
    ground.forget(made.slug)
    ground.workspace.delete(made.id)
    expect(_gone(ground, made.id), "a prompt that was deleted twice can be read")


def _name(ground: Ground) -> None:
    made = ground.put(ground.slug("delete-name"), ground.prompt("one"))
    ground.workspace.delete(made.id)
    ground.forget(made.slug)
    found = ground.workspace.find(made.slug, made.document)
    if found is not None:
        expect(found.id == made.id, "the name of a deleted prompt is found to belong to another one")
        return
    anew = ground.put(made.slug, ground.prompt("two"))
    # Where a prompt is known by its name alone, the new one goes by the old one's, and shares nothing else with it.
    history = list(ground.workspace.versions(anew.id, anew.version)) if anew.id == made.id else [anew.version]
    expect(history == [anew.version], "a name said to be free was the deleted prompt's, which came back")


DELETING = (
    Case("delete", "a deleted prompt is proven gone, and no other", _delete, needs=("write", "delete"), writes=True),
    Case("delete-twice", "deleting what is gone does nothing", _twice, needs=("write", "delete"), writes=True),
    Case(
        "delete-name",
        "a deleted prompt's name is taken by it, or free for another",
        _name,
        needs=("write", "delete"),
        writes=True,
    ),
)
