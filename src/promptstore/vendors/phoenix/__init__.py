"""Arize Phoenix (https://arize.com/docs/phoenix), which teams run themselves, as a vendor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from promptstore.vendors.base import Capabilities, Connection, Vendor
from promptstore.vendors.phoenix.lens import LENS
from promptstore.vendors.phoenix.names import version_order

if TYPE_CHECKING:
    from promptstore.vendors.base import Workspace


def _connect(connection: Connection) -> Workspace:
    from promptstore.vendors.phoenix.client import connect

    return connect(connection)


VENDOR = Vendor(
    name="phoenix",
    title="Phoenix",
    base_url="http://localhost:6006",
    hosts=("app.phoenix.arize.com",),
    key_variable="PHOENIX_API_KEY",
    key_required=False,
    capabilities=Capabilities(
        write=True,
        history=True,
        tags=True,
        untag=True,
        delete=True,
        rename=False,
        intent=True,
        numbered=False,
        formats=("mustache", "f-string", "none"),
    ),
    lens=LENS,
    connect=_connect,
    version_key=version_order,
    unversioned=("description", "metadata"),
    reuses_ids=True,
    routes="promptstore.vendors.phoenix.routes",
)
