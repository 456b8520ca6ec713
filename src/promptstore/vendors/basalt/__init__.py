"""Basalt (https://getbasalt.ai) as a vendor: its API gives prompts and moves tags, and has no way to write content."""

from __future__ import annotations

from typing import TYPE_CHECKING

from promptstore.vendors.basalt.lens import LENS
from promptstore.vendors.basalt.versions import version_key
from promptstore.vendors.base import Capabilities, Connection, Vendor

if TYPE_CHECKING:
    from promptstore.vendors.base import Workspace


def _connect(connection: Connection) -> Workspace:
    from promptstore.vendors.basalt.client import connect

    return connect(connection)


VENDOR = Vendor(
    name="basalt",
    title="Basalt",
    base_url="https://api.getbasalt.ai",
    hosts=("api.getbasalt.ai",),
    key_variable="BASALT_API_KEY",
    key_required=True,
    capabilities=Capabilities(
        write=False,
        history=True,
        tags=True,
        untag=False,
        delete=False,
        rename=False,
        intent=False,
        numbered=False,
        formats=("jinja2",),
    ),
    lens=LENS,
    connect=_connect,
    version_key=version_key,
    routes="promptstore.vendors.basalt.routes",
    questions="promptstore.vendors.basalt.questions",
)
