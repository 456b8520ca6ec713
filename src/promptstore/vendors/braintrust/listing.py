"""Complete listings out of pages whose order changes with every write."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from promptstore.errors import BadResponse
from promptstore.vendors.braintrust import wire
from promptstore.vendors.braintrust.calls import Calls
from promptstore.vendors.braintrust.xacts import order

PER_PAGE = 100
MAX_PAGES = 1000
MAX_PASSES = 3


def all_items(calls: Calls, filters: Mapping[str, Any]) -> list[wire.Item]:
    """Every prompt, one an id, in its newest state; raises rather than give a part.

    The newest write comes first, so a prompt written between two pages is skipped by both: a list of several pages
    counts once its first page still is what it was.
    """
    for _ in range(MAX_PASSES):
        pages = list(_pages(calls, filters))
        if len(pages) < 2 or _page(calls, filters, None) == pages[0]:
            return _one_an_id(pages)
    raise BadResponse("Braintrust's listing keeps changing while it is read")


def _page(calls: Calls, filters: Mapping[str, Any], after: str | None) -> tuple[wire.Item, ...]:
    cursor = {} if after is None else {"starting_after": after}
    return wire.items(calls.get("/v1/prompt", {**filters, "limit": PER_PAGE, **cursor}))


def _pages(calls: Calls, filters: Mapping[str, Any]) -> Iterator[tuple[wire.Item, ...]]:
    """Up to the first empty page: neither the server's limit nor a short page proves an end."""
    seen: set[str] = set()
    after = None
    for _ in range(MAX_PAGES):
        page = _page(calls, filters, after)
        if not page:
            return
        if seen.issuperset(item.id for item in page):
            raise BadResponse("Braintrust's listing has no end: a page brings nothing new")
        seen.update(item.id for item in page)
        after = page[-1].id
        yield page
    raise BadResponse(f"Braintrust's listing has more than {MAX_PAGES} pages")


def _one_an_id(pages: list[tuple[wire.Item, ...]]) -> list[wire.Item]:
    found: dict[str, wire.Item] = {}
    for item in (item for page in pages for item in page):
        known = found.get(item.id)
        if known is None or order(item.version) > order(known.version):
            found[item.id] = item
    return list(found.values())
