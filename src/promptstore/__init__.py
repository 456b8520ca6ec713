"""promptstore: LLM prompts as files in git, in two-way sync with the vendors that teams edit and deploy them in.

>>> from promptstore import Store
>>> prompt = Store.open(".").get("support/summarizer", tag="production")     # doctest: +SKIP
>>> prompt.render(ticket="It does not turn on.")                             # doctest: +SKIP

Names are loaded when they are first used, so that importing this package costs nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from promptstore.errors import (
        InvalidPrompt,
        MissingVariable,
        PromptNotFound,
        PromptStoreError,
        RevisionNotFound,
        StoreNotFound,
        TagNotFound,
        TemplateError,
        VersionNotFound,
    )
    from promptstore.store.prompt import Prompt
    from promptstore.store.store import Store

_HOMES = {
    "Store": "promptstore.store.store",
    "Prompt": "promptstore.store.prompt",
}

__all__ = [
    "InvalidPrompt",
    "MissingVariable",
    "Prompt",
    "PromptNotFound",
    "PromptStoreError",
    "RevisionNotFound",
    "Store",
    "StoreNotFound",
    "TagNotFound",
    "TemplateError",
    "VersionNotFound",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("promptstore")
    if name not in __all__:
        raise AttributeError(f"module 'promptstore' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_HOMES.get(name, "promptstore.errors")), name)
    globals()[name] = value
    return value
