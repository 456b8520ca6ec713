"""What people edit on a branch for review stays when the vendor's next edit comes."""

from __future__ import annotations

from dataclasses import replace

from promptstore.errors import InvalidPrompt, StoreBusy, Where
from promptstore.merge.driver import FileMerge, merge_files
from promptstore.store.store import Store
from promptstore.store.writing import TextChange


def with_edits(store: Store, change: TextChange, tip: str, last: str | None) -> TextChange:
    """``change`` with what people made of the prompt on the branch at ``tip`` since it said ``last`` (a blob).

    Raises StoreBusy where both changed the same, or one side took away what the other edited.
    """
    now = store.prompts_at(tip).get(change.slug)
    if now is None or now == last:
        return change
    merged = _merged(store, change, now, last) if change.text is not None else None
    if merged is None or merged.conflicted:
        there = "edited" if change.text is not None else "deleted"
        raise StoreBusy(
            f"'{change.slug}' was edited on the branch for review, and {there} at the vendor since",
            where=Where(slug=change.slug),
            hint="merge that branch first, then run it again",
        )
    return replace(change, text=merged.text.encode())


def _merged(store: Store, change: TextChange, now: str, last: str | None) -> FileMerge | None:
    path, contents = store.layout.path(change.slug), store.contents
    base = contents.raw(last).decode() if last else None
    try:
        return merge_files(base, contents.raw(now).decode(), (change.text or b"").decode(), path)
    except InvalidPrompt:
        return None
