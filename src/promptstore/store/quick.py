"""The quick way to a committed prompt's text: two small reads and the cache, importing next to nothing.

A shell loop that calls ``promptstore get`` pays for process start alone. Whatever is out of the ordinary (a cold cache,
a number, a git revision, an odd name) gets no answer here, and the whole store is asked.
"""

from __future__ import annotations

import os

from promptstore.store.cache import Cache
from promptstore.store.git.ref_files import read_ref, uses_reftable
from promptstore.store.git.repository import find_repository

CONFIG_NAME = ".promptstore.toml"
PLACES = "places-1"
"""Kind of the cache's facts about configs: text of the file -> prompts folder in the repository, branch ref."""
TEXT = "text-1"
"""Kind of the cache's facts about blobs: id -> bytes of a valid prompt file."""
AT = "at-1"
"""Kind of the cache's facts about commits: ``commit:path`` -> blob id."""

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_-/")
_PLAIN_TAG = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")


def quick_text(start: str, address: str) -> bytes | None:
    """The text of ``slug`` or ``slug@tag`` at or above the folder ``start``, or None where this way does not lead."""
    try:
        return _quick_text(start, address)
    except Exception:  # noqa: BLE001 - whatever is wrong, the whole store is asked then, and says it properly
        return None


def _quick_text(start: str, address: str) -> bytes | None:
    slug, separator, tag = address.partition("@")
    if not _is_plain(slug) or (separator and not _is_plain_tag(tag)):
        return None
    root = _root(start) if os.path.isdir(start) else None
    repository = find_repository(root) if root else None
    if root is None or repository is None or uses_reftable(repository):
        return None
    cache = Cache(os.path.join(repository.state_dir, "cache.db"))
    if not os.path.exists(cache.path):
        return None
    places = cache.get(PLACES, config_key(root))
    if places is None:
        return None
    folder, branch = places.decode().split("\n")
    commit = read_ref(repository, branch if tag in {"", "latest"} else f"refs/prompts/{slug}/-/{tag}")
    blob = cache.get(AT, f"{commit}:{folder}/{slug}.yaml") if commit else None
    return cache.get(TEXT, blob.decode()) if blob else None


def config_key(root: str) -> str:
    """What a store's places depend on: where it is, and what its config says."""
    with open(os.path.join(root, CONFIG_NAME), encoding="utf-8") as file:
        return f"{os.path.realpath(root)}\n{file.read()}"


def _root(start: str) -> str | None:
    folder = os.path.abspath(start)
    while not os.path.isfile(os.path.join(folder, CONFIG_NAME)):
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent
    return folder


def _is_plain(slug: str) -> bool:
    return bool(slug) and _PLAIN.issuperset(slug) and all(part[:1].isalnum() for part in slug.split("/"))


def _is_plain_tag(tag: str) -> bool:
    return bool(tag) and _PLAIN_TAG.issuperset(tag) and not tag.isdigit() and tag not in {"working", "-"}
