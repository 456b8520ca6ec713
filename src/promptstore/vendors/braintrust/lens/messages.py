"""Messages of a chat prompt, and the content of a completion prompt, both ways."""

from __future__ import annotations

from collections.abc import Callable

from promptstore.errors import NotRepresentable
from promptstore.vendors.braintrust.lens.formats import FORMATS
from promptstore.vendors.braintrust.lens.objects import MESSAGE
from promptstore.vendors.prompt_blocks import PromptBlocks
from promptstore.vendors.values import Data, Wire


def _project(message: Data, level: str, target: str, at: str) -> Wire:
    if message["role"] == "placeholder":
        hint = "write the messages out, or keep this prompt from Braintrust"
        raise NotRepresentable("Braintrust has no placeholder messages", field=f"{at}role", hint=hint)
    return MESSAGE.project(FORMATS.converted(message, level, target, at), at)


def _plain(wire: Wire, old: Data | None, naming: Data, _: Callable[[Data], Wire]) -> Data:
    return {**MESSAGE.fresh(wire, old), **naming}


BLOCKS = PromptBlocks(FORMATS, _project, _plain)
