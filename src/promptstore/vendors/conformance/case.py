"""A case: one thing that a workspace must do, with the capabilities that it needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from promptstore.errors import NotRepresentable
from promptstore.vendors.conformance.verdicts import Differs, NotApplicable

if TYPE_CHECKING:
    from promptstore.vendors.base import Capabilities
    from promptstore.vendors.conformance.ground import Ground


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that a workspace must do. ``check`` raises Differs where it does something else."""

    name: str
    says: str
    """What is right, as a sentence."""
    check: Callable[[Ground], None]
    needs: tuple[str, ...] = ()
    """Capabilities without which there is nothing to try."""
    lacks: tuple[str, ...] = ()
    """Capabilities with which there is nothing to try."""
    writes: bool = False
    """Does it change anything at the vendor, in prompts of its own."""
    safe: bool = True
    """Can all that it makes be taken away again, so that a real workspace may be asked."""
    may_refuse: bool = False
    """May a vendor's lens say that the prompt cannot be held there."""

    def applies(self, capabilities: Capabilities) -> bool:
        return all(getattr(capabilities, name) for name in self.needs) and not any(
            getattr(capabilities, name) for name in self.lacks
        )

    def run(self, ground: Ground) -> None:
        """Try it. Raises Differs, NotApplicable, and what the workspace raises unasked (PromptStoreError)."""
        try:
            self.check(ground)
        except NotRepresentable as problem:
            if self.may_refuse:
                raise NotApplicable(problem.message) from problem
            raise Differs(f"the prompt is refused: {problem.message}") from problem
