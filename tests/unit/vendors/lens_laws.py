"""What the laws of a lens are tried on: one vendor's lens with the documents, prompts and slugs that it may meet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from promptstore.errors import NotRepresentable
from promptstore.model.digest import canonical_json
from promptstore.model.prompt_file import PromptFile
from promptstore.vendors.base import Lens

Json = dict[str, Any]

quick = settings(suppress_health_check=list(HealthCheck))


def exactly(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal by type too, as they stand at the vendor."""
    return canonical_json(one) == canonical_json(other)


def projected(lens: Lens, prompt: PromptFile, slug: str) -> Json | None:
    """The prompt as a document; None where the vendor cannot hold it."""
    try:
        return dict(lens.project(prompt, slug))
    except NotRepresentable:
        return None


def mixed(one: Json, two: Json, data: st.DataObject) -> Json:
    """A document that has some of its fields from another one, as after an edit."""
    return {key: data.draw(st.sampled_from([one, two]), label=key).get(key, value) for key, value in one.items()}


@dataclass(frozen=True)
class Subject:
    """One vendor's lens and what it may meet."""

    lens: Lens
    documents: st.SearchStrategy[Json]
    """What the vendor may answer."""
    prompts: st.SearchStrategy[PromptFile]
    slugs: st.SearchStrategy[str]
    mixed: Callable[[Json, Json, st.DataObject], Json] = mixed
    """A later state of the second document that has something of the first."""
