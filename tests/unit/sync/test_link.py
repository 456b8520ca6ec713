"""What a link knows of the vendor's versions."""

from __future__ import annotations

from promptstore.sync.trees import KnownVersion, Link


def test_of_two_versions_that_say_the_same_the_newer_counts_however_they_are_kept() -> None:
    """Versions are kept by name, and as text ``10`` comes before ``9``."""
    known = {"10": KnownVersion("text", "document"), "9": KnownVersion("text", "document")}
    link = Link("1", "p", "10", "document", known)
    assert link.version_of("text", int) == "10"
    assert link.version_of("other", int, "document") == "10"
    assert link.version_of("text", int, prefer=("9",)) == "9"
    assert link.version_of("other", int) is None
