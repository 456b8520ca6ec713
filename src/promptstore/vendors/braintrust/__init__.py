"""Braintrust (https://braintrust.dev) as a vendor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from promptstore.vendors.base import Capabilities, Connection, Vendor
from promptstore.vendors.braintrust.lens import LENS
from promptstore.vendors.braintrust.xacts import order

if TYPE_CHECKING:
    from promptstore.vendors.base import Workspace


def _connect(connection: Connection) -> Workspace:
    from promptstore.vendors.braintrust.client import connect

    return connect(connection)


VENDOR = Vendor(
    name="braintrust",
    title="Braintrust",
    base_url="https://api.braintrust.dev",
    hosts=("api.braintrust.dev", "api-eu.braintrust.dev"),
    key_variable="BRAINTRUST_API_KEY",
    key_required=True,
    capabilities=Capabilities(
        write=True,
        history=True,
        tags=True,
        untag=True,
        delete=True,
        rename=True,
        intent=False,
        numbered=False,
        formats=("mustache", "nunjucks", "none"),
    ),
    lens=LENS,
    connect=_connect,
    version_key=order,
    needs_project=True,
    routes="promptstore.vendors.braintrust.routes",
    questions="promptstore.vendors.braintrust.questions",
)
