"""Slugs for the vendor's prompts: by id once known, by the vendor's name where one of ours has it, else made of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from promptstore.model.numbers import whole_number
from promptstore.model.slug import numbered, slugify
from promptstore.vendors.base import RemoteHead


def assign_slugs(heads: Sequence[RemoteHead], known: Mapping[str, str], by_key: Mapping[str, str]) -> dict[str, str]:
    """Vendor id -> slug for every head.

    ``known`` are the slugs of ids seen before; ``by_key`` maps the vendor's name of our own unlinked prompts to their
    slugs. Names that fall together get ``-2``, ``-3`` in the order of their ids, so that two clones agree.
    """
    slugs = {head.id: known[head.id] for head in heads if head.id in known}
    taken = set(known.values()) | set(slugs.values())
    for head in sorted((head for head in heads if head.id not in known), key=lambda head: _order(head.id)):
        slug = by_key.get(head.name)
        if slug is None or slug in taken:
            slug = _free(slugify(head.path or head.name, head.folder), taken)
        slugs[head.id] = slug
        taken.add(slug)
    return slugs


def _free(slug: str, taken: set[str]) -> str:
    number = 1
    while numbered(slug, number) in taken or _blocked(numbered(slug, number), taken):
        number += 1
    return numbered(slug, number)


def _blocked(slug: str, taken: set[str]) -> bool:
    """Whether the slug's file would have to be a folder of another prompt, or the other way round."""
    return any(other.startswith(f"{slug}.yaml/") or slug.startswith(f"{other}.yaml/") for other in taken)


def _order(remote_id: str) -> tuple[int, int, str]:
    number = whole_number(remote_id)
    return (1, 0, remote_id) if number is None else (0, number, remote_id)
