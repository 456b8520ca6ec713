"""Two clones' agreements with one vendor, merged."""

from __future__ import annotations

from dataclasses import replace

from promptstore.sync.agreement import Agreed, Agreement
from promptstore.sync.team.bases import merge_agreements
from promptstore.sync.trees import EMPTY_LINK


def agreed(remote_id: str, head: int = 1) -> Agreed:
    return Agreed("blob", replace(EMPTY_LINK, id=remote_id, head=str(head)))


def merged(base: dict[str, Agreed], ours: dict[str, Agreed], theirs: dict[str, Agreed]) -> dict[str, tuple[str, str]]:
    """What is linked with what after both: slug -> (vendor id, newest version)."""
    changes = merge_agreements(Agreement(None, base), Agreement(None, ours), Agreement(None, theirs), int)
    after = {**theirs, **changes}
    return {slug: (found.link.id, found.link.head) for slug, found in after.items() if found is not None}


def test_of_two_changes_the_one_that_knows_the_newer_version_counts() -> None:
    base = {"a": agreed("1")}
    assert merged(base, {"a": agreed("1", 3)}, {"a": agreed("1", 2)}) == {"a": ("1", "3")}
    assert merged(base, {"a": agreed("1", 2)}, {"a": agreed("1", 3)}) == {"a": ("1", "3")}


def test_a_renamed_prompt_takes_its_link_along() -> None:
    base = {"a": agreed("1")}
    assert merged(base, {"b": agreed("1")}, base) == {"b": ("1", "1")}
    assert merged(base, base, {"b": agreed("1")}) == {"b": ("1", "1")}


def test_one_prompt_that_both_linked_under_two_names_is_linked_once() -> None:
    """Else one file is published over the other."""
    assert merged({}, {"a": agreed("1")}, {"new-name": agreed("1")}) == {"new-name": ("1", "1")}
    assert merged({}, {"a": agreed("1", 2)}, {"new-name": agreed("1")}) == {"new-name": ("1", "2")}


def test_a_prompt_that_one_clone_renamed_and_another_published_is_linked_once() -> None:
    base = {"a": agreed("1")}
    assert merged(base, {"a": agreed("1", 2)}, {"b": agreed("1")}) == {"b": ("1", "2")}
    assert merged(base, {"b": agreed("1")}, {"a": agreed("1", 2)}) == {"a": ("1", "2")}


def test_the_name_that_a_link_was_made_under_is_kept() -> None:
    changes = merge_agreements(
        Agreement(None, {}),
        Agreement(None, {"a": agreed("1", 2)}),
        Agreement(None, {"b": agreed("1")}),
        int,
    )
    assert changes["b"] is not None
    assert changes["b"].link.called == "a"
