"""Grounds for the cases: each vendor's client over HTTP to the local twin of a git store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from twins import copy_store

from promptstore.model.prompt_file import PromptFile
from promptstore.model.yaml.writer import write
from promptstore.serve.server import Running, embedded
from promptstore.store.store import Store
from promptstore.store.writing import TextChange, commit_texts
from promptstore.vendors.base import Connection, Vendor, Workspace
from promptstore.vendors.conformance import Ground, Recorder
from promptstore.vendors.http import Timing

TIMING = Timing(sleep=lambda _: None, random=lambda: 0.5)


def commit_past_the_api(store: Store, slug: str, file: PromptFile) -> None:
    """What a vendor's own page does for those that have no API to write."""
    text = write(dict(file.data())).encode()
    commit_texts(store, [TextChange(slug, text, store.user(), "Written in the page")], "test")


def opened(vendor: Vendor, running: Running, transport: httpx.BaseTransport, key: str | None = None) -> Workspace:
    """A workspace at the vendor's own prefix of the twin."""
    url = f"{running.url}/{vendor.name}"
    connection = Connection(url, running.key if key is None else key, "any", transport, TIMING)
    workspace: Workspace = vendor.connect(connection)
    return workspace


@dataclass
class TwinGround(Ground):
    """A ground at a twin whose key is known."""

    key: str = ""


def ground_at(vendor: Vendor, running: Running, store: Store, inner: httpx.BaseTransport, prefix: str) -> TwinGround:
    recorder = Recorder(inner)
    return TwinGround(
        vendor,
        lambda key: opened(vendor, running, recorder, key),
        opened(vendor, running, recorder),
        recorder,
        f"{running.url}/{vendor.name}",
        prefix,
        elsewhere=lambda slug, file: commit_past_the_api(store, slug, file),
        key=running.key,
    )


@contextmanager
def twin_ground(vendor: Vendor, template: Path, where: Path, prefix: str = "probe") -> Iterator[TwinGround]:
    """A ground of its own over a fresh copy of the template."""
    with copy_store(template, where) as store, embedded(store) as running:
        yield ground_at(vendor, running, store, httpx.HTTPTransport(), prefix)
