"""What git's words about its remote mean."""

from __future__ import annotations

import re

from promptstore.errors import GitError, OriginRefuses, OriginUnreachable, Where

_REFUSED = re.compile(
    r"permission to .* denied|write access .* not granted|not allowed to push|\b403\b|read-only|access denied"
    r"|service not enabled",
    re.IGNORECASE,
)


def origin_failure(error: GitError, remote: str) -> GitError:
    """OriginRefuses where the remote said no, OriginUnreachable for everything else but a full disk here."""
    where = Where(remote=remote)
    if "disk" in error.hint:
        return GitError(error.message, where=where, hint=error.hint)
    if _REFUSED.search(error.message):
        return refuses(error.message, remote)
    return OriginUnreachable(error.message, where=where, hint=f"check `git fetch {remote}`, then run it again")


def refuses(words: str, remote: str) -> OriginRefuses:
    return OriginRefuses(
        words,
        where=Where(remote=remote),
        hint=f"ask for the right to push refs/promptstore/* and refs/prompts/* to {remote}, or make this clone the "
        "only one that publishes: `git config promptstore.publisher true`",
    )
