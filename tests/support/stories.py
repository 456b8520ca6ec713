"""Looking at a store and a vendor in a story."""

from __future__ import annotations

from engines import Rig
from memory_vendor import MemoryWorkspace
from repos import chat, commit


def edit(rig: Rig, slug: str, text: str) -> None:
    """Commit a new text."""
    commit(rig.root, {slug: chat(text)})


def here(rig: Rig, slug: str = "p") -> str:
    return str(rig.store.get(slug).render()[0]["content"])


def texts(acme: MemoryWorkspace, name: str = "p") -> list[str]:
    """Every version the vendor has of a prompt, oldest first."""
    kept = acme.by_name(name)
    assert kept is not None
    return [acme.text(name, number) for number in range(1, len(kept.versions) + 1)]
