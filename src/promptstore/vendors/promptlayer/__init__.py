"""PromptLayer (https://promptlayer.com) as a vendor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from promptstore.vendors.base import Capabilities, Connection, Vendor
from promptstore.vendors.promptlayer.lens import LENS

if TYPE_CHECKING:
    from promptstore.vendors.base import Workspace


def _connect(connection: Connection) -> Workspace:
    from promptstore.vendors.promptlayer.client import connect

    return connect(connection)


VENDOR = Vendor(
    name="promptlayer",
    title="PromptLayer",
    base_url="https://api.promptlayer.com",
    hosts=("api.promptlayer.com",),
    key_variable="PROMPTLAYER_API_KEY",
    key_required=True,
    capabilities=Capabilities(
        write=True,
        history=True,
        tags=True,
        untag=True,
        delete=True,
        rename=False,
        intent=True,
        numbered=True,
        formats=("f-string", "jinja2"),
    ),
    lens=LENS,
    connect=_connect,
    version_key=int,
    unversioned=("prompt_name",),
    routes="promptstore.vendors.promptlayer.routes",
    questions="promptstore.vendors.promptlayer.questions",
    webhook="promptstore.vendors.promptlayer.webhook",
)
