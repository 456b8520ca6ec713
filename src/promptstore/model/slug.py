"""Slugs: the one grammar, and the way from a vendor's free name to a slug that is safe as a path.

A slug is the prompt file's path below the prompts folder without ``.yaml``. Its segments match
``[a-z0-9][a-z0-9_-]*(\\.[a-z0-9_-]+)*``, hold at most 100 bytes each and never end in ``.lock`` (git would take such a
ref for a lock). ``-`` alone can therefore never be a segment, which keeps tag refs (``<slug>/-/<tag>``) unambiguous.
"""

from __future__ import annotations

import re
import unicodedata

SUFFIX = ".yaml"
MAX_SEGMENT = 100
MAX_SLUG = 400

_SEGMENT = re.compile(r"[a-z0-9][a-z0-9_-]*(?:\.[a-z0-9_-]+)*")
_PORTS = (f"{port}{number}" for port in ("com", "lpt") for number in range(1, 10))
_RESERVED = frozenset({"con", "prn", "aux", "nul", *_PORTS})


def slug_problem(slug: str) -> str | None:
    """Say what is wrong with ``slug``, or None where it follows the grammar."""
    if not slug:
        return "a slug cannot be empty"
    if len(slug.encode("utf-8", "surrogatepass")) > MAX_SLUG:
        return f"a slug holds at most {MAX_SLUG} bytes"
    for segment in slug.split("/"):
        problem = _segment_problem(segment)
        if problem:
            return problem
    return None


def _segment_problem(segment: str) -> str | None:
    if not segment:
        return "a slug has no empty segments"
    if not _SEGMENT.fullmatch(segment):
        return f"{segment!r} is not a slug segment: use lower-case letters, digits, '-', '_' and single dots"
    if len(segment) > MAX_SEGMENT:
        return f"a slug segment holds at most {MAX_SEGMENT} bytes"
    if segment.endswith(".lock"):
        return "a slug segment cannot end in '.lock'"
    if segment.split(".", 1)[0] in _RESERVED:
        return f"{segment!r} is a reserved file name on some systems"
    return None


def slugify(name: str, folder: str = "") -> str:
    """Make a slug of a vendor's name and folder path (``/`` between levels).

    The name is taken as it is where it fits the grammar once lower-cased, below its folder unless it already begins
    with it; whatever could act as a path (``..``, ``.git``, control characters, reserved names) is made harmless.
    Always returns a valid slug; different names may fall together.
    """
    name, folder = name.strip("/"), folder.strip("/")
    path = name if not folder or _below(name, folder) else f"{folder}/{name}"
    segments = [_slugify_segment(part) for part in path.split("/")]
    slug = "/".join(segment for segment in segments if segment) or "prompt"
    return _shorten(slug)


def _below(name: str, folder: str) -> bool:
    return name.lower().startswith(folder.lower() + "/")


def _slugify_segment(text: str) -> str:
    lowered = text.lower()
    if _segment_problem(lowered) is None:
        return lowered
    ascii_text = unicodedata.normalize("NFKD", lowered).encode("ascii", "ignore").decode()
    dashed = re.sub(r"[^a-z0-9_.-]+", "-", ascii_text)
    dotted = re.sub(r"\.{2,}", ".", dashed).strip("-._")
    segment = re.sub(r"-{2,}", "-", dotted)[:MAX_SEGMENT].strip("-._")
    if segment.endswith(".lock") or (segment and segment.split(".", 1)[0] in _RESERVED):
        segment = segment.replace(".", "-") + "-prompt"
    return segment[:MAX_SEGMENT]


def _shorten(slug: str) -> str:
    while len(slug) > MAX_SLUG and "/" in slug:
        slug = slug.split("/", 1)[1]
    return slug


def numbered(slug: str, number: int) -> str:
    """``slug-2``, ``slug-3``: the name of the number-th prompt that falls on ``slug``; short enough for the grammar."""
    if number == 1:
        return slug
    head, _, last = slug.rpartition("/")
    suffix = f"-{number}"
    last = last[: MAX_SEGMENT - len(suffix)].rstrip("-._") + suffix
    return f"{head}/{last}" if head else last
