"""``SLUG[@REV]``: what people write, and the commit and blob that it means."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from promptstore.errors import PromptNotFound, RevisionNotFound, TagNotFound, UsageError, VersionNotFound, Where
from promptstore.model.slug import slug_problem

LATEST = "latest"
WORKING = "working"

_BEYOND = 10**18  # stands for every number too long to be a version's


@dataclass(frozen=True, slots=True)
class Address:
    """A slug and the revision asked of it, as written."""

    slug: str
    rev: str = LATEST


@dataclass(frozen=True, slots=True)
class Located:
    """A prompt's text in git: the blob, the commit it was found at, and its version number where it has one."""

    slug: str
    blob: str
    commit: str
    version: int | None


def slug_fault(slug: str) -> str | None:
    """Say why ``slug`` cannot be one, or None; takes any text, also file names that are none."""
    return slug_problem(slug if slug.isascii() else ascii(slug))


def parse_address(text: str) -> Address:
    """``support/summarizer@production`` as slug and revision. Raises UsageError for what is no slug."""
    slug, separator, rev = text.partition("@")
    slug = slug.removesuffix(".yaml") if slug_fault(slug.removesuffix(".yaml")) is None else slug
    problem = slug_fault(slug)
    if problem:
        raise UsageError(
            problem, where=Where(slug=slug), hint="slugs look like support/summarizer; see `promptstore list`"
        )
    if separator and not rev:
        raise UsageError("nothing stands behind the '@'", hint="write slug@3, slug@production or slug@working")
    return Address(slug, rev or LATEST)


def version_number(rev: str) -> int | None:
    """The number that a revision is, or None where it is no number. Only ASCII digits count: ``²`` may be a tag."""
    if not (rev.isascii() and rev.isdigit()):
        return None
    return int(rev) if len(rev) <= 18 else _BEYOND


def prompt_not_found(slug: str, known: Iterable[str], at: str) -> PromptNotFound:
    near = difflib.get_close_matches(slug, list(known), 1)
    hint = f"did you mean '{near[0]}'?" if near else "`promptstore list` shows what there is"
    return PromptNotFound(f"there is no prompt '{slug}' {at}", where=Where(slug=slug), hint=hint)


def version_not_found(slug: str, number: int, count: int, shallow: bool) -> VersionNotFound:
    if shallow:
        return VersionNotFound(
            f"version {number} of '{slug}' cannot be known in this shallow clone",
            where=Where(slug=slug),
            hint="run `git fetch --unshallow`, or `promptstore fetch origin`",
        )
    have = f"it has 1 to {count}" if count else "it has none yet"
    return VersionNotFound(
        f"'{slug}' has no version {number} ({have})",
        where=Where(slug=slug),
        hint=f"`promptstore log {slug}` lists them",
    )


def revision_not_found(slug: str, rev: str, tags: Iterable[str], unfetched: bool) -> TagNotFound | RevisionNotFound:
    if unfetched:
        return TagNotFound(
            f"'{slug}' has no tag '{rev}' here, and this clone has none of the store's tags",
            where=Where(slug=slug),
            hint=f"run `promptstore fetch origin`; if that brings none, `promptstore tag {slug} {rev}` sets it",
        )
    known = sorted(tags)
    near = difflib.get_close_matches(rev, known, 1)
    hint = f"its tags: {', '.join(known)}" if known else f"`promptstore tag {slug} {rev}` sets it"
    hint = f"did you mean '{near[0]}'? {hint}" if near else hint
    return TagNotFound(f"'{slug}' has no tag or revision '{rev}'", where=Where(slug=slug), hint=hint)
