"""The names of our refs, and tags as parts of them."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

from promptstore.errors import UsageError

TAGS = "refs/prompts/"
VERSIONS = "refs/promptstore/versions"
TAG_LOG = "refs/promptstore/tag-log"

RESERVED_TAGS = frozenset({"latest", "working"})
_MAX_ENCODED = 200  # bytes: a loose ref is a file, and ``.lock`` is put behind its name


def branch_ref(branch: str) -> str:
    return branch if branch.startswith("refs/") else f"refs/heads/{branch}"


def base_ref(remote: str) -> str:
    """What this store and the remote last agreed on."""
    return f"refs/promptstore/{remote}/base"


def remote_ref(remote: str) -> str:
    """The remote as last seen."""
    return f"refs/remotes/{remote}/main"


def tag_ref(slug: str, tag: str) -> str:
    return f"{TAGS}{slug}/-/{encode_tag(tag)}"


def parse_tag_ref(name: str) -> tuple[str, str] | None:
    """``refs/prompts/<slug>/-/<tag>`` as (slug, tag); None for any other ref."""
    slug, separator, tag = name.removeprefix(TAGS).partition("/-/")
    return (slug, unquote(tag)) if separator and name.startswith(TAGS) else None


def encode_tag(tag: str) -> str:
    """A tag as one ref component: everything git or a file system could stumble over is percent-encoded."""
    text = quote(tag, safe="").replace("~", "%7E")
    text = re.sub(r"^\.|\.(?=\.)|\.(?=lock$)|\.$", "%2E", text)
    return re.sub(r"^-$", "%2D", text)


def tag_problem(tag: str) -> str | None:
    """Say why ``tag`` cannot name a version here, or None."""
    if not tag or tag != tag.strip() or any(ord(char) < 32 for char in tag):
        return "a tag is a text without control characters or blanks around it"
    if tag in RESERVED_TAGS:
        return (
            f"'{tag}' is reserved: it always means the {'newest version' if tag == 'latest' else 'file as it stands'}"
        )
    if tag.isascii() and tag.isdigit():
        return "a tag cannot be a number: numbers name versions"
    if len(encode_tag(tag)) > _MAX_ENCODED:
        return "the tag is too long to be a ref"
    return None


def require_tag(tag: str) -> str:
    """``tag``, or UsageError saying why it cannot be one."""
    problem = tag_problem(tag)
    if problem:
        raise UsageError(problem, hint="choose another name, such as 'production'")
    return tag
