"""Acme as a vendor: what it can do, as data."""

from __future__ import annotations

from acme_prompts.lens import LENS
from promptstore.vendors.base import Capabilities, Connection, Vendor, Workspace


def _connect(connection: Connection) -> Workspace:
    from acme_prompts.client import connect

    return connect(connection)


VENDOR = Vendor(
    name="acme",
    title="Acme",
    base_url="https://api.acme.example",
    hosts=("api.acme.example",),
    key_variable="ACME_API_KEY",
    key_required=True,
    capabilities=Capabilities(
        write=True,
        history=True,
        tags=False,
        untag=False,
        delete=True,
        rename=False,
        intent=False,
        numbered=True,
        formats=("jinja2",),
    ),
    lens=LENS,
    connect=_connect,
    routes="acme_prompts.routes",
    questions="acme_prompts.questions",
)
