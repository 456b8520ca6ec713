"""Basalt's answers as typed values. Raises BadResponse naming what was expected where; unknown keys are tolerated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from promptstore.errors import BadResponse
from promptstore.vendors.answers import Redaction
from promptstore.vendors.basalt.lens.normal import EXPECT, check_document, normalise
from promptstore.vendors.basalt.versions import version_key

MAX_NAME = 200
"""Characters in a version, tag or slug that we take."""

_LATEST = "latest"
_UNSAFE = frozenset("?#%\\")
_SAFE = Redaction(None)


@dataclass(frozen=True, slots=True)
class Row:
    """One prompt of the listing. ``problem`` says why it cannot be asked for; then nothing else is to be believed."""

    slug: str
    versions: tuple[str, ...] = ()
    """Oldest first by `version_key`: the order in the listing is not documented."""
    tags: frozenset[str] = frozenset()
    """Without ``latest``, which is no tag that anybody moves."""
    problem: str = ""

    @property
    def newest(self) -> str:
        """The newest version; empty where there is none."""
        return self.versions[-1] if self.versions and not self.problem else ""


def rows(answer: Any) -> dict[str, Row]:
    """The listing by slug. A prompt without a slug cannot be fetched, so it is left out."""
    found = EXPECT.objects(EXPECT.an_object(answer, "the listing").get("prompts"), "prompts")
    told = [_row(item, f"prompts[{place}]") for place, item in enumerate(found)]
    known = [row for row in told if row is not None]
    often = Counter(row.slug for row in known)
    twice = "Basalt lists two prompts of that slug, so nobody can tell which one it gives"
    return {row.slug: replace(row, problem=twice) if often[row.slug] > 1 else row for row in known}


def _row(item: Mapping[str, Any], where: str) -> Row | None:
    if item.get("slug") is None:
        return None
    slug = EXPECT.a_text(item["slug"], f"{where}.slug")
    versions = EXPECT.texts(item.get("availableVersions"), f"{where}.availableVersions")
    tags = EXPECT.texts(item.get("availableTags"), f"{where}.availableTags")
    problem = slug_problem(slug) or next(filter(None, map(_name_problem, [*versions, *tags])), "")
    ordered = sorted(set(versions), key=version_key)
    return Row(slug, tuple(ordered), frozenset(tags) - {_LATEST}, problem)


def _name_problem(name: str) -> str:
    fine = name and len(name) <= MAX_NAME and name.isprintable()
    return "" if fine else f"{name[:40]!r} is no name of a version or tag"


def slug_problem(slug: str) -> str:
    """Why a slug must not come into a URL: something on the way could take it for another path; else empty."""
    shown = repr(slug[:40])
    if not slug or len(slug) > MAX_NAME or not slug.isprintable() or set(slug) & _UNSAFE:
        return f"{shown} is no slug that a URL can hold"
    if any(step.strip() in {"", ".", ".."} for step in slug.split("/")):
        return f"{shown} is no slug that a URL can hold"
    return ""


def path_of(slug: str, operation: str = "") -> str:
    """The path of a prompt, its slug percent-encoded whole. Raises BadResponse."""
    problem = slug_problem(slug)
    if problem:
        raise BadResponse(problem)
    return f"/prompts/{quote(slug, safe='')}{operation}"


@dataclass(frozen=True, slots=True)
class Got:
    """One version of a prompt."""

    slug: str
    version: str
    document: dict[str, Any]


def got(answer: Any) -> Got:
    """The answer of ``GET /prompts/{slug}``. A ``warning`` is refused: Basalt gives another version than was asked."""
    found = EXPECT.an_object(answer, "the answer")
    warning = found.get("warning")
    if warning:
        raise BadResponse(f"Basalt answered with a warning: {_SAFE(str(warning))!r}", hint="look at the prompt there")
    prompt = EXPECT.an_object(found.get("prompt"), "prompt")
    version = EXPECT.a_text(prompt.get("version"), "prompt.version")
    if _name_problem(version):
        raise EXPECT.senseless(f"{_name_problem(version)}, at prompt.version")
    document = normalise(prompt)
    check_document(document)
    return Got(document["slug"], version, document)


def published(answer: Any) -> str:
    """The tag in the answer of ``POST /prompts/{slug}/publish``."""
    tag = EXPECT.an_object(EXPECT.an_object(answer, "the answer").get("deploymentTag"), "deploymentTag")
    return EXPECT.a_text(tag.get("label"), "deploymentTag.label")
