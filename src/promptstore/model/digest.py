"""Digests: the SHA-256 of the canonical JSON of a meaning, never of bytes, so comments and key order do not count."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from promptstore.model.prompt_file import PromptFile

DEFAULT_FORMAT = "jinja2"


def canonical_json(value: Any) -> str:
    """The one JSON text of a value: sorted keys, no spaces, UTF-8. 1 and 1.0 stay different."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest_of(value: Any) -> str:
    """SHA-256 (hex) of the canonical JSON of ``value``."""
    return hashlib.sha256(canonical_json(value).encode("utf-8", "surrogatepass")).hexdigest()


def prompt_digest(prompt: PromptFile) -> str:
    """The digest of a prompt's meaning: two files with the same digest say the same."""
    return digest_of(meaning(prompt))


def meaning(prompt: PromptFile) -> dict[str, Any]:
    """The prompt's data with every way of saying the same thing folded into one."""
    data: dict[str, Any] = dict(prompt.data())
    inherited = data.pop("template_format", None) or DEFAULT_FORMAT
    if inherited != DEFAULT_FORMAT:
        data["template_format"] = inherited
    for message in data.get("messages") or ():
        if message.get("template_format") == inherited:
            del message["template_format"]
    return data
