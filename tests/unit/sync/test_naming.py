"""The slugs of a vendor's prompts."""

from __future__ import annotations

from promptstore.sync.naming import assign_slugs
from promptstore.vendors.base import RemoteHead


def test_a_name_that_was_made_of_a_path_becomes_that_path_again() -> None:
    head = RemoteHead("support--triage", "support--triage", "", "1", path="support/triage")
    assert assign_slugs([head], {}, {}) == {"support--triage": "support/triage"}


def test_our_own_prompt_of_that_name_comes_before_the_path() -> None:
    head = RemoteHead("a--b", "a--b", "", "1", path="a/b")
    assert assign_slugs([head], {}, {"a--b": "a--b"}) == {"a--b": "a--b"}


def test_a_path_that_is_taken_is_numbered() -> None:
    head = RemoteHead("a--b", "a--b", "", "1", path="a/b")
    assert assign_slugs([head], {"other": "a/b"}, {}) == {"a--b": "a/b-2"}
