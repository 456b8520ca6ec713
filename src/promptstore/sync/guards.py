"""Guards: what must not be believed or done without a person."""

from __future__ import annotations

from promptstore.sync.actions import Halted, Plan
from promptstore.sync.policy import Policy


def shrunken(remote: str, known: int, vanished: int, policy: Policy) -> Halted | None:
    """A listing that lost more than the allowed share or number of prompts, or became empty."""
    if not vanished:
        return None
    if vanished == known:
        return Halted(remote, f"its listing is empty now; {known} prompts were known")
    if vanished > policy.max_vanish or vanished > known * policy.max_delete:
        return Halted(remote, f"{vanished} of {known} known prompts are missing from its listing")
    return None


def mass_deletion(remote: str, known: int, plan: Plan, policy: Policy) -> Halted | None:
    """A run that would archive more than the allowed share or number of prompts at the vendor; one alone may go."""
    doomed = sum(action.kind == "delete-remote" for action in plan.actions)
    if doomed > 1 and (doomed > policy.max_vanish or doomed > known * policy.max_delete):
        return Halted(remote, f"{doomed} of {known} prompts were deleted here, and would be archived there")
    return None


def wrong_workspace(remote: str, known: str, identity: str) -> Halted | None:
    """A key that opens another workspace than the one this store is linked with."""
    if known and identity and known != identity:
        return Halted(remote, f"the key opens workspace {identity}, but this store is linked with {known}")
    return None
