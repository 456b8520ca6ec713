"""Names at a vendor: whose they are, and which prompt of ours wants one."""

from __future__ import annotations

from functools import cached_property

from promptstore.sync.planner.projections import Projections
from promptstore.sync.trees import Trees


class Names:
    """The names of one remote's prompts, there and about to be."""

    def __init__(self, trees: Trees, projections: Projections) -> None:
        self._trees = trees
        self._projections = projections

    def holder(self, slug: str, name: str) -> str | None:
        """The other prompt that the vendor knows by this name, else another one of ours that wants it."""
        for other, seen in self._trees.seen.items():
            if other != slug and seen.name == name and other not in self._trees.gone:
                return other
        return self.rival(slug, name)

    def rival(self, slug: str, name: str) -> str | None:
        """Another unlinked prompt of ours that would have the same name at the vendor."""
        return next((other for other in self._claims.get(name, []) if other != slug), None)

    @cached_property
    def _claims(self) -> dict[str, list[str]]:
        """The unlinked prompts of ours by the name they would have at the vendor."""
        claims: dict[str, list[str]] = {}
        for slug, local in self._trees.local.items():
            if slug not in self._trees.base and not local.problem:
                name = self._projections.name(slug, local.blob)
                if name is not None:
                    claims.setdefault(name, []).append(slug)
        return claims
